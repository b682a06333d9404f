"""`cairn replay` and `cairn demo`: scenarios, run through the real handlers in virtual time."""

import os
import sys
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.rule import Rule
from rich.text import Text

from cli.options import DEVELOPMENT, JOURNEYS, POLICY, ROOT, JourneysOption, PolicyOption, examples
from cli.output import Terminal, echo, json_text, silence_logs
from cli.timeline import show

SCENARIOS = ROOT / "events" / "scenarios"
DEMO = ("fitness-trial-to-paid", "family-entertainment-booking", "payment-failure-rescue")
FILE_WIDTH = 100
"""Columns of a timeline that is written to a file or a pipe."""

app = typer.Typer()


@app.command(rich_help_panel=DEVELOPMENT, epilog=examples("cairn demo"))
def demo() -> None:
    """Run three scenarios, weeks of virtual time, and print what happened."""
    replay([SCENARIOS / f"{name}.yaml" for name in DEMO])
    console = Terminal()
    console.print("\nThat was the real thing: the handlers that Lambda runs, on moto and a virtual clock. Next:")
    console.print("  [bold]make serve[/]  the same stack behind HTTP        [bold]layers/journeys/[/]   the journeys")
    console.print("  [bold]make test[/]   everything that can be proven     [bold]events/scenarios/[/]  the stories")


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples(
        "cairn replay events/scenarios/fitness-trial-to-paid.yaml",
        "cairn replay events/scenarios/payment-failure-rescue.yaml --json",
    ),
)
def replay(
    scenarios: Annotated[list[Path], typer.Argument(help="Scenario files.", metavar="SCENARIO.yaml")],
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,  # noqa: FBT002
    zone: Annotated[str, typer.Option(help="The time zone of the printed times.")] = "America/New_York",
) -> None:
    """Run scenarios through the real handlers in virtual time. Exit 1 where an expectation does not hold."""
    silence_logs()
    passed = [_replay(path, journeys, policy, as_json=as_json, zone=ZoneInfo(zone)) for path in scenarios]
    if not all(passed):
        raise typer.Exit(1)


def _replay(path: Path, journeys: Path, policy: Path, *, as_json: bool, zone: ZoneInfo) -> bool:
    from authoring.stories import load  # noqa: PLC0415  slow to import
    from infra.local.scenario import deployed, run_scenario  # noqa: PLC0415  moto is slow to import
    from infra.local.signing import local_secrets  # noqa: PLC0415

    console = Terminal(highlight=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
    secrets = local_secrets(os.environ)
    scenario = load(path)
    with deployed(path, scenario, secrets, journeys=journeys, policy=policy) as deployment:
        outcome = run_scenario(path, scenario, deployment, secrets)
    if as_json:
        for line in outcome.lines:
            echo(json_text(line))
    else:
        console.print()
        console.print(Rule(Text(scenario.scenario, "bold"), align="left"))
        if scenario.about:
            console.print(Text(scenario.about.strip(), "italic dim"))
        show(outcome.lines, console, start=scenario.starts, zone=zone)
        if not outcome.difference:
            count = len(scenario.expect)
            console.print(f"\n [green]✓[/] {count} expectations hold over {scenario.length.days} days")
    if outcome.difference:
        echo(f"{path}:{outcome.comparison.line}: what was expected did not happen\n{outcome.difference}", err=True)
    return not outcome.difference
