"""`cairn new`: begin a journey."""

from typing import Annotated

import typer

from authoring.defaults import default_journeys
from cli.options import DEVELOPMENT, JOURNEYS, ROOT, JourneysOption, examples, journey_folder
from cli.output import echo

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn new trial-welcome", "cairn new spring-rescue --from payment-failure-rescue"),
)
def new(
    journey: Annotated[str, typer.Argument(help="The name of the new journey.", metavar="JOURNEY")],
    source: Annotated[
        str, typer.Option("--from", help="The journey to begin from, by name or folder.", show_default="a small one")
    ] = "",
    journeys: JourneysOption = JOURNEYS,
) -> None:
    """Begin a journey: a folder with journey.yaml, a template and samples that `cairn check` passes as they are."""
    from authoring.journeys.new import begin_journey  # noqa: PLC0415  slow to import

    beside = next((one for one in (journeys, JOURNEYS) if (one / source).is_dir()), default_journeys(ROOT))
    folder = journeys / journey
    schema = ROOT / "docs" / "journey.schema.json"
    for file in begin_journey(folder, schema=schema, source=journey_folder(source, beside) if source else None):
        echo(f"wrote {file}")
    ours = journeys == JOURNEYS
    named = journey if ours else str(folder)
    steps = {
        f"cairn check {named} --watch": "while you write; docs/journeys.md is the language",
        f"cairn simulate {named}": "walk a customer of its samples.yaml through",
        f"cairn graph {named}": "draw it",
        f"cairn preflight {journey}{'' if ours else f' --journeys {journeys}'}": "before it goes live",
    }
    echo("\nNext:")
    for command, why in steps.items():
        echo(f"  {command:{max(map(len, steps))}}  {why}")
