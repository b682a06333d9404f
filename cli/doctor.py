"""`cairn doctor`: what in the account may stop a deployment, or the messages of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cli.options import JOURNEYS, LAW, OPERATION, POLICY, SOURCES, JsonOption, PolicyOption, examples
from cli.output import Terminal, fail, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.doctor_checks import Check, Finding, Plan
    from infra.cloud.stage import Stage

CHECKLIST = "docs/go-live.md"

app = typer.Typer()


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples("cairn doctor --stage dev", "cairn doctor --stage prod --region eu-central-1 --json"),
)
def doctor(
    stage: Annotated[str, typer.Option("--stage", help="The stage of cdk.json.")] = "dev",
    region: Annotated[str, typer.Option("--region", help="The region; else that of your environment.")] = "",
    policy: PolicyOption = POLICY,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Ask the account what may stop a deployment or its messages. Changes nothing. Exit 1 where something blocks."""
    from cli.doctor_account import AwsAccount  # noqa: PLC0415  slow to import
    from cli.doctor_checks import blocks, examine  # noqa: PLC0415
    from infra.cloud.stage import InvalidStageError, Stage  # noqa: PLC0415
    from infra.cloud.synth import cdk_json  # noqa: PLC0415

    context = cdk_json()
    try:
        plan = _plan(Stage.unchecked(stage, context), policy)
    except InvalidStageError as error:
        fail(str(error))
    account = AwsAccount.of(plan, region, context)
    location = account.location()
    found = examine(plan, account)
    if as_json:
        print_json({"stage": stage, "location": location, "checks": [_row(plan, *one) for one in found]})
    else:
        _show(plan, location, found, Terminal(highlight=False))
    if any(blocks(plan, finding) for _, finding in found):
        raise typer.Exit(1)


def _plan(stage: "Stage", policy_file: Path) -> "Plan":
    """What the files of this repository would deploy. Raises InvalidFilesError where they are wrong."""
    from authoring.journeys import compile_catalogue  # noqa: PLC0415  slow to import
    from authoring.policy import channels_of, compile_policy  # noqa: PLC0415
    from cairn.adapters.documents.policy import policy_from_document  # noqa: PLC0415
    from cairn.adapters.sources import sources  # noqa: PLC0415
    from cairn.domain.shared.channels import Channel  # noqa: PLC0415
    from cli.doctor_checks import Plan  # noqa: PLC0415

    journeys = compile_catalogue(JOURNEYS)
    policy = policy_from_document(compile_policy(policy_file, LAW, journeys))
    return Plan(
        stage=stage,
        rates=policy.rates,
        channels=frozenset(map(Channel, channels_of(journeys))),
        sources=sources(SOURCES).secret_names(),
        endpoints=tuple(dict.fromkeys(one.secret for one in policy.webhook_endpoints)),
    )


def _show(plan: "Plan", location: str, found: "Sequence[tuple[Check, Finding]]", console: Terminal) -> None:
    from cli.doctor_checks import State, blocks  # noqa: PLC0415  slow to import

    marks = {State.OK: Text("✓ ok", "green"), State.UNKNOWN: Text("? cannot tell", "cyan")}
    console.print(Rule(Text.assemble((f"stage {plan.stage.name}", "bold"), f" in {location}"), align="left"))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for column in ("state", "check"):
        table.add_column(column, no_wrap=True)
    table.add_column("found", overflow="fold")
    for check, finding in found:
        to_do = Text("✗ to do", "bold red") if blocks(plan, finding) else Text("! to do", "yellow")
        said = Text.assemble((f"{finding.setting}: ", "bold") if finding.setting else "", finding.found)
        if finding.fix:
            said.append(f"\n→ {finding.fix}", "" if finding.state is State.TO_DO else "dim")
        table.add_row(marks.get(finding.state, to_do), check.name, said)
    console.print(table)
    console.print(Padding(_summary(plan, found), (1, 0, 0, 0)))


def _summary(plan: "Plan", found: "Sequence[tuple[Check, Finding]]") -> Text:
    from cli.doctor_checks import State, blocks  # noqa: PLC0415  slow to import

    blocking = sum(blocks(plan, finding) for _, finding in found)
    to_do = sum(finding.state is State.TO_DO for _, finding in found) - blocking
    unknown = sum(finding.state is State.UNKNOWN for _, finding in found)
    first = (
        Text(f"✗ {blocking} to do first", "bold red")
        if blocking
        else Text(f"✓ nothing blocks {plan.stage.name}", "green")
    )
    return first + Text(
        f", {to_do} to do (!), {unknown} unknown (?). {CHECKLIST} has a section for each name, and what "
        "follows a deployment."
    )


def _row(plan: "Plan", check: "Check", finding: "Finding") -> dict[str, object]:
    from cli.doctor_checks import blocks  # noqa: PLC0415  slow to import

    return {
        "check": check.name,
        "state": finding.state,
        "setting": finding.setting,
        "found": finding.found,
        "fix": finding.fix,
        "blocks": blocks(plan, finding),
    }
