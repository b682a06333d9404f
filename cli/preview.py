"""`cairn preview`: look at the messages of journeys."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import (
    DEVELOPMENT,
    JOURNEYS,
    LAW,
    POLICY,
    JourneysOption,
    PolicyOption,
    all_journeys,
    examples,
    journey_folder,
    of_project,
)
from cli.output import echo

PAGES = Path("build") / "preview"

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn preview", "cairn preview payment-failure-rescue -o /tmp/preview"),
)
def preview(
    journey: Annotated[
        list[str] | None, typer.Argument(help="Names of journeys; all journeys if none is given.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder of the pages.", show_default="build/preview")
    ] = PAGES,
    samples: Annotated[Path | None, typer.Option(help="Other sample customers than the journey's own.")] = None,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
) -> None:
    """Write a page for each journey: every e-mail on phone and desktop, light and dark, and all other messages.

    Each is shown as every sample customer would get it. The page is one file and loads nothing: open it in a browser.
    """
    from authoring.policy import compile_policy  # noqa: PLC0415  slow to import
    from authoring.preflight.preview import preview as page_of  # noqa: PLC0415
    from cairn.adapters.documents.policy import policy_from_document  # noqa: PLC0415

    policy, _ = of_project(journeys, policy)
    rules = policy_from_document(compile_policy(policy, LAW))
    out.mkdir(parents=True, exist_ok=True)
    for name in [journey_folder(one, journeys).name for one in journey or ()] or all_journeys(journeys):
        page = page_of(journeys, name, rules, samples=samples)
        file = out / f"{name}.html"
        file.write_text(page, encoding="utf-8")
        echo(str(file))
