"""`cairn score`: which journeys may run without a person, which need one, and which are a person's own."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.options import DEVELOPMENT, JOURNEYS, JsonOption, examples
from cli.output import Terminal, echo, fail, print_json

if TYPE_CHECKING:
    from authoring.journeys.automation import Scored

FILE_WIDTH = 80
STYLES = {"automatic": "green", "hybrid": "yellow", "manual": "red"}
SHORT = {
    "impact": "impact",
    "volume": "often",
    "trigger_reliability": "event",
    "data_readiness": "data",
    "experience_risk": "risk",
    "compliance_sensitivity": "law",
}
"""The heads of the columns; the last two are risks, of which less is better."""

app = typer.Typer()


@app.command(rich_help_panel=DEVELOPMENT, epilog=examples("cairn score", "cairn score layers/journeys --json"))
def score(
    folder: Annotated[
        Path, typer.Argument(help="A folder of journeys.", metavar="[FOLDER]", show_default="layers/journeys")
    ] = JOURNEYS,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Print by their grades which journeys may run without a person (75 and more), with one, or not at all."""
    from authoring.journeys import check  # noqa: PLC0415  slow to import
    from authoring.journeys.automation import AUTOMATIC_FROM, HYBRID_FROM, scored  # noqa: PLC0415

    if problems := check(folder):
        for problem in problems:
            echo(problem)
        fail("mend these first: cairn check")
    rows = [scored(file) for file in sorted(folder.glob("*/journey.yaml"))]
    rows.sort(key=lambda one: (-1 if one.score is None else one.score, one.journey), reverse=True)
    if as_json:
        print_json([asdict(one) for one in rows])
        return
    console = Terminal(highlight=False, width=None if Terminal().is_terminal else FILE_WIDTH)
    console.print(_table(rows))
    echo(f"From {AUTOMATIC_FROM}: automatic. From {HYBRID_FROM}: a person takes part. Below: nothing is sent.")


def _table(rows: list["Scored"]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("journey", ratio=1, overflow="fold")
    for name in SHORT.values():
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in rows:
        grades = [str(one.grades.get(name, "·")) for name in SHORT]
        mode = str(one.mode) if one.mode else "not scored"
        score = Text("·" if one.score is None else str(one.score), STYLES.get(mode, "dim"))
        table.add_row(one.journey, *grades, score, Text(mode, STYLES.get(mode, "dim")))
    return table
