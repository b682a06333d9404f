"""`cairn check`: every problem of journeys, policy, vendors' folders and sources.toml, and what is proven."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    DEVELOPMENT,
    JOURNEYS,
    LAW,
    POLICY,
    SOURCES,
    ConfigurationOption,
    PolicyOption,
    examples,
    has_project,
    journey_folder,
    of_project,
    say_whose,
)
from cli.output import Terminal, echo, print_json

if TYPE_CHECKING:
    from authoring.proof.report import Proof

FILE_WIDTH = 120
"""Columns of a report that is written to a file or a pipe."""

app = typer.Typer()


@dataclass(frozen=True)
class Wanted:
    """Which parts of the proof are printed, and whether a warning fails."""

    strict: bool
    report: bool
    as_json: bool


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples(
        "cairn check",
        "cairn check layers/journeys --strict",
        "cairn check --report",
        "cairn check fitness-trial-to-paid",
        "cairn check --watch",
    ),
)
def check(  # noqa: PLR0913, PLR0917  one argument for each option
    what: Annotated[
        str,
        typer.Argument(
            help="A folder of journeys, or one journey alone: its name, or its folder.",
            metavar="[FOLDER|JOURNEY]",
            show_default="layers/journeys, or journeys",
        ),
    ] = str(JOURNEYS),
    policy: PolicyOption = POLICY,
    configuration: ConfigurationOption = SOURCES,
    watch: Annotated[bool, typer.Option("--watch", help="Check again when a file changes.")] = False,  # noqa: FBT002
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where there is a warning too.")] = False,  # noqa: FBT002
    report: Annotated[  # noqa: FBT002
        bool, typer.Option("--report", help="Print each journey's paths, messages, duration and cost at worst.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --report: print it as one JSON object.")] = False,  # noqa: FBT002
) -> None:
    """List every problem of journeys, scripts, vendors' folders and each TOML file beside the policy, and the mend.

    Of one journey alone, list only its own. Exit 1 where there is one. Warnings follow: what the policy's limits would
    make of the journeys' messages.
    """
    if as_json and not report:
        raise typer.BadParameter("--json is a form of the report: add --report")
    wanted, is_usual = Wanted(strict, report, as_json), what == str(JOURNEYS)
    if is_usual and not JOURNEYS.is_dir() and has_project():
        folder = JOURNEYS  # sources, say, and no journeys yet
        say_whose(policy)
    else:
        folder = Path(what) if Path(what).is_dir() else journey_folder(what, JOURNEYS)
        above = folder.resolve().parent if _alone(folder) else folder
        policy, configuration = of_project(above, policy, configuration, says=not _alone(folder))
    if not watch:
        if not _passes(folder, policy, configuration, wanted):
            raise typer.Exit(1)
        return
    from authoring.project import watched_files  # noqa: PLC0415  slow to import
    from authoring.watching import changes  # noqa: PLC0415  not needed otherwise

    with suppress(KeyboardInterrupt):
        for at in changes(watched_files(_root(folder), policy, configuration)):
            echo(f"\n{at:%H:%M:%S}")
            _passes(folder, policy, configuration, wanted)


def _alone(folder: Path) -> bool:
    return (folder / "journey.yaml").is_file()


@dataclass(frozen=True)
class CheckResult:
    """What a check has found; the proof is there where there is no problem."""

    problems: list[str]
    journeys: int
    proof: "Proof | None"
    undeclared: Sequence[str]
    """Events that journeys name and that no file declares."""


def checked(folder: Path, policy: Path, configuration: Path) -> CheckResult:
    """Check a folder of journeys with the files of its project, or the folder of one journey alone."""
    from authoring.policy import check_endpoints, check_policy, compile_policy  # noqa: PLC0415  slow to import
    from authoring.project import (  # noqa: PLC0415
        Checked,
        check_project,
        read_journeys,
    )
    from authoring.proof.report import prove  # noqa: PLC0415
    from cairn.adapters.documents.policy import policy_from_document  # noqa: PLC0415
    from cairn.domain.policy import Policy  # noqa: PLC0415

    if _alone(folder):
        one = read_journeys(folder)
        found = None if one.problems else one.compiled()
        project = Checked(one, found, [*one.problems, *check_endpoints(policy, found or (), one.problem)])
    else:
        project = check_project(folder, policy, configuration)
    compiled = project.compiled
    if project.problems or compiled is None:
        return CheckResult([str(problem) for problem in project.problems], 0, None, ())
    with_limits = not _alone(folder) or not check_policy(policy, LAW)  # one journey is checked with any policy
    rules = policy_from_document(compile_policy(policy, LAW)) if with_limits else Policy()
    return CheckResult([], len(compiled), prove(_root(folder), compiled, rules), project.catalogue.undeclared())


def _root(folder: Path) -> Path:
    """The folder of journeys."""
    return folder.resolve().parent if _alone(folder) else folder


def _passes(folder: Path, policy: Path, configuration: Path, wanted: Wanted) -> bool:
    """Print every problem and warning, and say whether there is none that counts."""
    from authoring.journeys.events import FILE as EVENTS  # noqa: PLC0415  slow to import
    from cli.check_report import show  # noqa: PLC0415

    found = checked(folder, policy, configuration)
    for problem in found.problems:
        echo(problem)
    proof = found.proof
    if proof is None:
        echo(_number(len(found.problems), "problem"), err=True)
        return False
    if wanted.report and wanted.as_json:
        print_json(proof.to_json())
    else:
        if wanted.report:
            show(proof, Terminal(highlight=False, width=None if Terminal().is_terminal else FILE_WIDTH))
        for warning in proof.warnings:
            echo(f"warning: {warning}")
        warned = f", {_number(len(proof.warnings), 'warning')}" if proof.warnings else ""
        about = folder.resolve().name if _alone(folder) else f"{_number(found.journeys, 'journey')} and the policy"
        echo(f"{about}, no problems{warned}")
        _say_undeclared(found.undeclared, _root(folder) / EVENTS)
    return not (wanted.strict and proof.warnings)


def _say_undeclared(unknown: Sequence[str], file: Path) -> None:
    if unknown:
        events = "an event is" if len(unknown) == 1 else f"{len(unknown)} events are"
        echo(f"{events} declared nowhere: {', '.join(unknown)}.", err=True)
        echo(f"Declare them in {file}, and what is mistyped is a problem (docs/events.md).", err=True)


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
