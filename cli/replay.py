"""`cairn replay` and `cairn demo`: scenarios, run through the real handlers in virtual time."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.rule import Rule
from rich.text import Text

from cli.options import (
    DEVELOPMENT,
    JOURNEYS,
    POLICY,
    SOURCES,
    JourneysOption,
    PolicyOption,
    examples,
    of_project,
)
from cli.output import Terminal, echo, fail, json_text, progress, silence_logs
from cli.timeline import show

if TYPE_CHECKING:
    from infra.local.scenario import ScenarioResult

DEMO = ("fitness-trial-to-paid", "family-entertainment-booking", "payment-failure-rescue")
FILE_WIDTH = 100
"""Columns of a timeline that is written to a file or a pipe."""

app = typer.Typer()


@app.command(rich_help_panel=DEVELOPMENT, epilog=examples("cairn demo"))
def demo() -> None:
    """Run the stories of three playbooks, weeks of virtual time, and print what happened; list all of them."""
    from authoring.drawing.text import text  # noqa: PLC0415  slow to import
    from authoring.journeys import compile_catalogue  # noqa: PLC0415
    from authoring.playbooks import playbooks  # noqa: PLC0415
    from cairn.adapters.drawing.graph import graph_of  # noqa: PLC0415

    several = {one.name: one for one in playbooks()}
    for name in DEMO:
        playbook = several[name]
        replay(playbook.stories[:1], journeys=playbook.journeys)
    first = several[DEMO[0]]
    (compiled,) = compile_catalogue(first.journeys / first.name)
    echo(f"\nThe journey of the first, as `cairn graph` draws it:\n\n{text(graph_of(compiled['document']))}", nl=False)
    console = Terminal()
    console.print("\nThat was the real thing: Lambda's handlers on moto, and a virtual clock. Next:")
    console.print("  [bold]make serve[/]   the same stack behind HTTP     [bold]playbooks/[/]  their journeys")
    console.print("  [bold]make studio[/]  a console and a clock to move  [bold]docs/[/]       how to write one")
    console.print("\nReady to use, each begun by [bold]cairn new NAME --from PLAYBOOK[/] (docs/playbooks):")
    wide = max(map(len, several))
    for playbook in several.values():
        console.print(f"  [bold]{playbook.name:<{wide}}[/]  {playbook.title}", no_wrap=True)


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples(
        "cairn replay events/scenarios/fitness-trial-to-paid.yaml",
        "cairn replay events/scenarios/payment-failure-rescue.yaml --json",
        "cairn replay stories/trial.story.yaml --update --dry-run",
        "cairn replay stories/trial.story.yaml --record tests/trial.history.json",
        "cairn replay --against tests/trial.history.json",
    ),
)
def replay(  # noqa: PLR0913, PLR0917  one argument for each option
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files.", metavar="SCENARIO.yaml", show_default=False)
    ] = None,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,  # noqa: FBT002
    zone: Annotated[str, typer.Option(help="The time zone of the printed times.")] = "America/New_York",
    update: Annotated[  # noqa: FBT002
        bool, typer.Option("--update", help="Write the expectations that hold today into the files, and print them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --update: only print what would change.")] = False,  # noqa: FBT002
    record: Annotated[Path | None, typer.Option(help="Write what the engine decides to this history.")] = None,
    against: Annotated[Path | None, typer.Option(help="Hold today's engine against this history.")] = None,
) -> None:
    """Run scenarios through the real handlers in virtual time. Exit 1 where an expectation does not hold."""
    silence_logs()
    paths = scenarios or []
    if dry_run and not update:
        raise typer.BadParameter("--dry-run goes with --update")
    if not paths and against is None:
        raise typer.BadParameter("name a story to run, or a history with --against")
    if record is not None and len(paths) != 1:
        raise typer.BadParameter("name the one story that --record is to record")
    if against is not None:
        _compare_with(against)
    with ExitStack() as stack:
        if record is not None:
            stack.enter_context(_recorded(record, paths[0], journeys))
        runs = [(path, _run(path, journeys, policy)) for path in paths]
    if update:
        for path, outcome in runs:
            _update(path, outcome, dry_run=dry_run)
        return
    for path, outcome in runs:
        _print(path, outcome, as_json=as_json, zone=ZoneInfo(zone))
    if any(outcome.difference for _, outcome in runs):
        raise typer.Exit(1)


def _run(path: Path, journeys: Path, policy: Path) -> "ScenarioResult":
    from authoring.stories import load  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import sources  # noqa: PLC0415
    from infra.local.scenario import deployed, run_scenario  # noqa: PLC0415  moto is slow to import
    from infra.local.signing import local_secrets  # noqa: PLC0415

    scenario, configuration = load(path, sources(SOURCES)), SOURCES
    if not scenario.journeys:
        policy, configuration = of_project(journeys, policy)
        scenario = load(path, sources(configuration))
    secrets = local_secrets(os.environ, sources(configuration))
    with (
        deployed(path, scenario, secrets, journeys=journeys, policy=policy, configuration=configuration) as deployment,
        progress(scenario.scenario, scenario.starts, scenario.ends) as deployment.moved,
    ):
        return run_scenario(path, scenario, deployment, secrets)


def _print(path: Path, outcome: "ScenarioResult", *, as_json: bool, zone: ZoneInfo) -> None:
    console = Terminal(highlight=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
    scenario = outcome.scenario
    if as_json:
        for line in outcome.lines:
            echo(json_text(line))
    else:
        console.print()
        console.print(Rule(Text(scenario.scenario, "bold"), align="left"))
        if scenario.about:
            console.print(Text(scenario.about.strip(), "italic dim"))
        show(outcome.lines, console, start=scenario.starts, zone=zone)
        if not outcome.difference:
            count = len(scenario.expect)
            console.print(f"\n [green]✓[/] {count} expectations hold over {scenario.length.days} days")
    if outcome.difference:
        echo(f"{path}:{outcome.comparison.line}: what was expected did not happen\n{outcome.difference}", err=True)


def _update(path: Path, outcome: "ScenarioResult", *, dry_run: bool) -> None:
    from authoring.stories.update import updated  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import sources  # noqa: PLC0415

    text = path.read_text(encoding="utf-8")
    new = updated(path, text, outcome.comparison, sources(SOURCES))
    difference = unified_diff(text.splitlines(), new.splitlines(), str(path), str(path), lineterm="", n=1)
    echo("\n".join(difference) or f"{path}: every expectation holds")
    if not dry_run and new != text:
        path.write_text(new, encoding="utf-8")


@contextmanager
def _recorded(file: Path, path: Path, journeys: Path) -> Iterator[None]:
    from authoring.history import recording, text_of  # noqa: PLC0415  slow to import
    from authoring.journeys import compile_catalogue  # noqa: PLC0415
    from authoring.stories import load  # noqa: PLC0415
    from cairn.adapters.sources import sources  # noqa: PLC0415

    own = load(path, sources(SOURCES)).journeys
    with recording(compile_catalogue(path.parent / own if own else journeys)) as history:
        yield
    file.write_text(text_of(history), encoding="utf-8")
    echo(f"{file}: {len(history.decisions)} decisions", err=True)


def _compare_with(file: Path) -> None:
    from authoring.history import first_difference, read_history  # noqa: PLC0415  slow to import

    history = read_history(file)
    if difference := first_difference(history):
        fail(f"{file}: {difference}")
    echo(f"{file}: {len(history.decisions)} decisions are the same today", err=True)
