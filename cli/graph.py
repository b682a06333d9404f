"""`cairn graph`: draw a journey."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.manage_client import Manage
from cli.options import DEVELOPMENT, JOURNEYS, JourneyArgument, JourneysOption, examples, journey_folder
from cli.output import echo, fail

if TYPE_CHECKING:
    from cairn.adapters.drawing.graph import Graph

Format = Literal["mermaid", "svg", "text"]

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples(
        "cairn graph payment-failure-rescue",
        "cairn graph payment-failure-rescue --format text",
        "cairn graph payment-failure-rescue -o rescue.svg",
        "cairn graph payment-failure-rescue -o rescue.svg --counts counts.json",
        "cairn graph payment-failure-rescue -o rescue.svg --to URL",
    ),
)
def graph(  # noqa: PLR0913, PLR0917  its options
    journey: JourneyArgument,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="The form of the picture.", show_default="by the file's name, else mermaid"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file to write; else it is printed.")] = None,
    counts: Annotated[
        Path | None,
        typer.Option(
            help="How many stand where: a JSON file of steps and numbers, or of `cairn replay --json`, which also says "
            "how many went along each arrow; - for stdin.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="Count who stands where in this deployment (ApiUrl), and went along each arrow, and compare the "
            "arms of its splits.",
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="With --to: in how many days they went.")] = 30,
    journeys: JourneysOption = JOURNEYS,
) -> None:
    """Draw a journey: as Mermaid, which GitHub shows, or as an SVG that stands alone, in light and dark, or as text."""
    from authoring.drawing.counts import read_counts  # noqa: PLC0415  slow to import
    from authoring.drawing.mermaid import mermaid  # noqa: PLC0415
    from authoring.drawing.text import text  # noqa: PLC0415
    from authoring.journeys import compile_catalogue  # noqa: PLC0415
    from cairn.adapters.drawing.graph import graph_of  # noqa: PLC0415
    from cairn.adapters.drawing.svg import svg  # noqa: PLC0415

    (compiled,) = compile_catalogue(journey_folder(journey, journeys))
    drawn = graph_of(compiled["document"])
    if to is not None and counts is not None:
        fail("count from a file or from a deployment: --counts or --to")
    if to is not None:
        drawn = _as_deployed(drawn, Manage(to), days)
    if counts is not None:
        standing, moves = read_counts(_read(counts), drawn.journey)
        drawn = drawn.counting(standing)
        drawn = drawn.flowing(moves.along) if moves and moves.along else drawn
    by_name = "svg" if out is not None and out.suffix == ".svg" else "mermaid"
    written = {"svg": svg, "mermaid": mermaid, "text": text}[format_ or by_name](drawn)
    if out is None:
        echo(written, nl=False)
        return
    try:
        out.write_text(written, encoding="utf-8")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}")


def _as_deployed(drawn: "Graph", manage: Manage, days: int) -> "Graph":
    """With the counts of a deployment. Those of steps and ways of other versions are said beside the picture."""
    known, counts, elsewhere = {node.id for node in drawn.nodes}, Counter[str](), 0
    for one in manage.every("standing", "counts", journey=drawn.journey):
        if one["step"] in known:
            counts[one["step"]] += one["count"]
        else:
            elsewhere += one["count"]
    if elsewhere:
        echo(f"{elsewhere:,} stand at steps that this version does not have", err=True)
    drawn = _with_flow(drawn.counting(counts), manage.get("journeys", journey=drawn.journey, days=str(days)))
    return drawn.comparing(manage.get("splits", journey=drawn.journey)["splits"])


def _with_flow(drawn: "Graph", deployed: dict[str, Any]) -> "Graph":
    """With the moves of the deployed version, along the ways that this one has too."""
    from cairn.domain.journey.moves import BEFORE_STEPS  # noqa: PLC0415  slow to import

    entered = {"step": deployed["flow"]["first"], "when": "", "went": deployed["flow"]["entered"]}
    ways = [(drawn.nodes[0].id, entered), *((one["step"], way) for one in deployed["steps"] for way in one["leads_to"])]
    went = {(source, way["step"], way["when"]): way["went"] for source, way in ways}
    along = {}
    for edge in drawn.edges:
        source = BEFORE_STEPS if edge.source == drawn.nodes[0].id else edge.source
        along[source, edge.ways[0]] = went.pop((edge.source, edge.target, edge.label), 0)
    if elsewhere := sum(went.values()):
        echo(f"{elsewhere:,} went along ways that this version does not have", err=True)
    return drawn.flowing(along)


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8")
