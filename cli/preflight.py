"""`cairn preflight`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cairn.domain.shared.errors import CairnError

ROOT = Path(__file__).parents[1]
JOURNEYS = ROOT / "layers" / "journeys"
POLICY = ROOT / "policy.toml"
LAW = ROOT / "law.toml"
STAGES = ROOT / "cdk.json"
PLAIN_WIDTH = 160
"""Columns of a picture that goes into a file."""


def command(  # noqa: PLR0913, PLR0917  one argument an option
    journey: Annotated[list[str] | None, typer.Argument(help="Journeys; all of them without one.")] = None,
    samples: Annotated[
        Path | None, typer.Option(help="Other customers than the journey's own; leaves no stamp.")
    ] = None,
    journeys: Annotated[Path, typer.Option("--journeys", help="The folder of journeys.")] = JOURNEYS,
    policy: Annotated[Path, typer.Option("--policy", help="The deployment's policy.toml.")] = POLICY,
    stage: Annotated[str, typer.Option(help="The stage of cdk.json whose sender counts.")] = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a journey.")] = False,  # noqa: FBT002
) -> None:
    """Try journeys on made-up customers: gaps, languages, SMS segments, links, law, and what the gate would do.

    Exit 1 where one has an error; a warning is none. What passes is stamped, and `make synth` looks for the stamp.
    """
    from rich.console import Console  # noqa: PLC0415

    from authoring.policy import compile_policy  # noqa: PLC0415
    from authoring.preflight.check import preflight, stamped  # noqa: PLC0415
    from cairn.adapters.documents.policy import policy_from_document  # noqa: PLC0415
    from cli.preflight_report import show  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    with _clear_errors():
        rules = policy_from_document(compile_policy(policy, LAW))
        names = journey or sorted(one.parent.name for one in journeys.glob("*/journey.yaml"))
        passed = True
        for name in names:
            report = preflight(journeys, name, rules, samples=samples, email_sender=_sender(stage))
            if samples is None:
                stamped(journeys, report)
            if as_json:
                typer.echo(json.dumps(report.to_json(), ensure_ascii=False))
            else:
                show(report, console)
            passed = passed and report.passed
    if not passed:
        raise typer.Exit(1)


def _sender(stage: str) -> str:
    """Whom a stage's e-mails come from, as far as cdk.json tells."""
    stages = json.loads(STAGES.read_text(encoding="utf-8"))["context"]["stages"]
    if stage not in stages:
        raise typer.BadParameter(f"cdk.json has no stage {stage}: it has {', '.join(stages)}")
    return str(stages[stage].get("email_sender", ""))


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Our own errors end a command with their message; they say what to do, and a traceback would hide it."""
    try:
        yield
    except CairnError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
