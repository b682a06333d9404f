"""`cairn import`: journeys of other systems."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DEVELOPMENT, JOURNEYS, examples
from cli.output import echo, fail

app = typer.Typer(no_args_is_help=True)


@app.callback(rich_help_panel=DEVELOPMENT, epilog=examples("cairn import pinpoint welcome.json"))
def import_() -> None:
    """Make journeys of those of another system."""


@app.command(
    epilog=examples(
        "cairn import pinpoint welcome.json",
        "cairn import pinpoint journeys.json --templates templates -o layers/journeys",
    )
)
def pinpoint(
    file: Annotated[
        Path, typer.Argument(help="What `aws pinpoint get-journey` or `list-journeys` gave.", metavar="FILE.json")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", help="The folder of journeys to write into.", show_default="layers/journeys, or journeys"
        ),
    ] = JOURNEYS,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", help="A folder with what `aws pinpoint get-email-template` and the like gave."),
    ] = None,
) -> None:
    """Make journeys of Amazon Pinpoint's, and list what does not carry over, with what to do about each."""
    from authoring.pinpoint import import_journeys, write  # noqa: PLC0415  slow to import

    if templates is not None and not templates.is_dir():
        fail(f"{templates} is no folder")
    journeys = import_journeys(file, templates)
    folders = write(journeys, out)
    notes = [note for journey in journeys for note in journey.notes]
    for note in notes:
        echo(note)
    for folder in folders:
        echo(f"wrote {folder}", err=True)
    echo(f"{len(notes)} notes; next: read them, then run cairn check and cairn preflight", err=True)
