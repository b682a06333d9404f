"""`cairn check`: every problem of the journeys, the policy, the vendors' folders and sources.toml."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

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
    journey_folder,
)
from cli.output import echo

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples(
        "cairn check", "cairn check layers/journeys", "cairn check fitness-trial-to-paid", "cairn check --watch"
    ),
)
def check(
    what: Annotated[
        str,
        typer.Argument(
            help="A folder of journeys, or one journey alone: its name, or its folder.",
            metavar="[FOLDER|JOURNEY]",
            show_default="layers/journeys",
        ),
    ] = str(JOURNEYS),
    policy: PolicyOption = POLICY,
    configuration: ConfigurationOption = SOURCES,
    watch: Annotated[bool, typer.Option("--watch", help="Check again when a file changes.")] = False,  # noqa: FBT002
) -> None:
    """List every problem of journeys, policy, vendors' folders and sources.toml, and how to mend it.

    Of one journey alone, list only its own.
    """
    folder = Path(what) if Path(what).is_dir() else journey_folder(what, JOURNEYS)
    if not watch:
        if not _passes(folder, policy, configuration):
            raise typer.Exit(1)
        return
    from cli.watching import changes  # noqa: PLC0415  not needed otherwise

    watched = (folder.resolve().parent, policy, LAW, configuration, configuration.parent / "sources")
    with suppress(KeyboardInterrupt):
        for at in changes(watched if _alone(folder) else (folder, *watched[1:])):
            echo(f"\n{at:%H:%M:%S}")
            _passes(folder, policy, configuration)


def _alone(folder: Path) -> bool:
    return (folder / "journey.yaml").is_file()


def _passes(folder: Path, policy: Path, configuration: Path) -> bool:
    """Print every problem, and say whether there is none."""
    from authoring.journeys import check as problems_of  # noqa: PLC0415  slow to import
    from authoring.journeys import compile_catalogue  # noqa: PLC0415
    from authoring.policy import check_policy  # noqa: PLC0415
    from authoring.sources.check import all_problems  # noqa: PLC0415

    found = problems_of(folder)
    problems = [str(problem) for problem in found]
    if not _alone(folder):
        compiled = None if found else compile_catalogue(folder)
        problems += [*map(str, check_policy(policy, LAW, compiled)), *all_problems(configuration)]
    for problem in problems:
        echo(problem)
    if problems:
        echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        return False
    count = len(list(folder.glob("*/journey.yaml")))
    checked = folder.resolve().name if _alone(folder) else f"{count} journey{'s' if count != 1 else ''} and the policy"
    echo(f"{checked}, no problems")
    return True
