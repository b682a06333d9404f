"""`cairn check`: every problem of the journeys, the policy and the vendors' folders."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DEVELOPMENT, JOURNEYS, LAW, POLICY, PolicyOption, examples

app = typer.Typer()


@app.command(rich_help_panel=DEVELOPMENT, epilog=examples("cairn check", "cairn check layers/journeys"))
def check(
    folder: Annotated[Path, typer.Argument(help="The folder of journeys.", show_default="layers/journeys")] = JOURNEYS,
    policy: PolicyOption = POLICY,
) -> None:
    """List every problem of journeys, policy and vendors' folders: file, line, step, field, and how to mend it."""
    from authoring.journeys import check as problems_of  # noqa: PLC0415  slow to import
    from authoring.journeys import compile_catalogue  # noqa: PLC0415
    from authoring.policy import check_policy  # noqa: PLC0415
    from authoring.sources.check import folder_problems  # noqa: PLC0415

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder")
    found = problems_of(folder)
    compiled = None if found else compile_catalogue(folder)
    problems = [*map(str, found), *map(str, check_policy(policy, LAW, compiled)), *folder_problems()]
    for problem in problems:
        typer.echo(problem)
    if problems:
        typer.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise typer.Exit(1)
    count = len(list(folder.glob("*/journey.yaml")))
    typer.echo(f"{count} journey{'s' if count != 1 else ''} and the policy, no problems")
