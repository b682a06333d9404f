"""`cairn new` and `cairn playbooks`: begin a journey, from nothing or from one that is ready to use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authoring.defaults import default_journeys, is_ours, project_of
from cli.options import DEVELOPMENT, JOURNEYS, ROOT, JourneysOption, JsonOption, examples, journey_folder
from cli.output import echo, print_json

if TYPE_CHECKING:
    from authoring.playbooks import Playbook

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn new trial-welcome", "cairn new our-trial --from fitness-trial-to-paid"),
)
def new(
    journey: Annotated[str, typer.Argument(help="The name of the new journey.", metavar="JOURNEY")],
    source: Annotated[
        str,
        typer.Option(
            "--from", help="A playbook (`cairn playbooks`), or a journey by name or folder.", show_default="a small one"
        ),
    ] = "",
    journeys: JourneysOption = JOURNEYS,
) -> None:
    """Begin a journey: a folder with journey.yaml, a template and samples that `cairn check` passes as they are.

    A playbook brings its stories, events, policy and people too, as far as the project has none.
    """
    from authoring.journeys.new import begin_journey  # noqa: PLC0415  slow to import
    from authoring.playbooks import playbook_named  # noqa: PLC0415

    folder = journeys / journey
    schema = ROOT / "docs" / "journey.schema.json"
    own = [one for one in (journeys, JOURNEYS) if (one / source).is_dir() and not is_ours(one)]
    if not own and (playbook := playbook_named(source)):
        _take(playbook, journey, journeys, schema)
    else:
        beside = next((one for one in (journeys, JOURNEYS) if (one / source).is_dir()), default_journeys(ROOT))
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


def _take(playbook: "Playbook", name: str, journeys: Path, schema: Path) -> None:
    from authoring.playbooks.taking import take_playbook  # noqa: PLC0415  slow to import

    taken = take_playbook(playbook, name, journeys, project_of(journeys), schema=schema)
    for file in taken.written:
        echo(f"wrote {file}")
    for file in taken.left:
        echo(f"left {file} as it is; compare it with {playbook.folder / file.name}")


@app.command("playbooks", rich_help_panel=DEVELOPMENT, epilog=examples("cairn playbooks"))
def list_playbooks(as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List the playbooks: journeys that are ready to use, with their stories. `cairn new --from` begins with one."""
    from authoring.playbooks import playbooks  # noqa: PLC0415  slow to import

    found = playbooks()
    if as_json:
        print_json([{"playbook": one.name, "title": one.title, "about": one.about} for one in found])
        return
    for one in found:
        echo(f"{one.name:{max(len(each.name) for each in found)}}  {one.title}")
