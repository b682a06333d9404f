"""`cairn preflight`: try journeys before they are deployed."""

import json
from pathlib import Path
from typing import Annotated

import typer

from authoring.defaults import default_file
from cli.options import (
    DEVELOPMENT,
    JOURNEYS,
    LAW,
    POLICY,
    JourneysOption,
    PolicyOption,
    all_journeys,
    examples,
    of_project,
)
from cli.output import Terminal, echo, json_text

STAGES = default_file("cdk.json")
FILE_WIDTH = 160
"""Columns of a report that is written to a file or a pipe."""

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn preflight", "cairn preflight payment-failure-rescue --json"),
)
def preflight(  # noqa: PLR0913, PLR0917  one argument for each option
    journey: Annotated[
        list[str] | None, typer.Argument(help="Names of journeys; all journeys if none is given.")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option(help="Other sample customers than the journey's own; nothing is stamped then.")
    ] = None,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    stage: Annotated[str, typer.Option(help="The stage of cdk.json whose e-mail sender is used.")] = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a journey.")] = False,  # noqa: FBT002
) -> None:
    """Try journeys on sample customers: gaps, languages, SMS segments, links, law, and the gate's decisions.

    Exit 1 where a journey has an error; warnings do not count. `make synth` wants the stamp of a journey that passed.
    """
    from authoring.policy import compile_policy  # noqa: PLC0415  slow to import
    from authoring.preflight.check import preflight as check  # noqa: PLC0415
    from authoring.preflight.check import update_stamp  # noqa: PLC0415
    from cairn.adapters.documents.policy import policy_from_document  # noqa: PLC0415
    from cli.preflight_report import show  # noqa: PLC0415

    console = Terminal(highlight=False)
    if not console.is_terminal:
        console = Terminal(highlight=False, width=FILE_WIDTH)
    policy, _ = of_project(journeys, policy)
    rules = policy_from_document(compile_policy(policy, LAW))
    names = journey or all_journeys(journeys)
    passed = True
    for name in names:
        report = check(journeys, name, rules, samples=samples, email_sender=_sender(stage))
        if samples is None:
            update_stamp(journeys, report)
        if as_json:
            echo(json_text(report.to_json()))
        else:
            show(report, console)
        passed = passed and report.passed
    if not passed:
        raise typer.Exit(1)


def _sender(stage: str) -> str:
    """The sender of a stage's e-mails, from cdk.json."""
    stages = json.loads(STAGES.read_text(encoding="utf-8"))["context"]["stages"]
    if stage not in stages:
        raise typer.BadParameter(f"cdk.json has no stage {stage}: it has {', '.join(stages)}")
    return str(stages[stage].get("email_sender", ""))
