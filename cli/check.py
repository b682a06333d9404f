"""`cairn check`: every problem of the journeys, the policy, the vendors' folders and sources.toml."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DEVELOPMENT, JOURNEYS, LAW, POLICY, SOURCES, ConfigurationOption, PolicyOption, examples
from cli.output import echo

app = typer.Typer()


@app.command(rich_help_panel=DEVELOPMENT, epilog=examples("cairn check", "cairn check layers/journeys"))
def check(
    folder: Annotated[Path, typer.Argument(help="The folder of journeys.", show_default="layers/journeys")] = JOURNEYS,
    policy: PolicyOption = POLICY,
    configuration: ConfigurationOption = SOURCES,
) -> None:
    """List every problem of journeys, policy, vendors' folders and sources.toml, and how to mend it."""
    from authoring.journeys import check as problems_of  # noqa: PLC0415  slow to import
    from authoring.journeys import compile_catalogue  # noqa: PLC0415
    from authoring.policy import check_policy  # noqa: PLC0415
    from authoring.sources.check import all_problems  # noqa: PLC0415

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder")
    found = problems_of(folder)
    compiled = None if found else compile_catalogue(folder)
    vendors = all_problems(configuration)
    problems = [*map(str, found), *map(str, check_policy(policy, LAW, compiled)), *vendors]
    for problem in problems:
        echo(problem)
    if problems:
        echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise typer.Exit(1)
    count = len(list(folder.glob("*/journey.yaml")))
    echo(f"{count} journey{'s' if count != 1 else ''} and the policy, no problems")
