"""`cairn split`: what the arms of a split have brought, and the arm that new customers get."""

from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, ToOption, WhyOption, examples
from cli.output import echo, print_json

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Compare the arms of a split, and choose its winner.",
    epilog=examples("cairn split show welcome", 'cairn split choose welcome which-offer gift --why "sells more"'),
)

NameArgument = Annotated[str, typer.Argument(help="The journey's name.", metavar="JOURNEY")]
StepArgument = Annotated[str, typer.Argument(help="The step of the split.", metavar="STEP")]


@app.command(epilog=examples("cairn split show welcome", "cairn split show welcome --json"))
def show(journey: NameArgument, to: ToOption = LOCAL_URL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Show each split of a journey that has a `winner`: who entered each arm, and who reached the goal."""
    _show(Manage(to).get("splits", journey=journey), as_json=as_json)


@app.command(epilog=examples('cairn split choose welcome which-offer gift --why "sells more"'))
def choose(
    journey: NameArgument,
    step: StepArgument,
    arm: Annotated[str, typer.Argument(help="The arm that new customers get.", metavar="ARM")],
    why: WhyOption,
    to: ToOption = LOCAL_URL,
) -> None:
    """Give new customers this arm, within a minute. Customers who have an arm stay on it."""
    chosen = Manage(to).post("splits", do="choose", journey=journey, step=step, arm=arm, why=why)
    _show(chosen, as_json=False)


@app.command(epilog=examples('cairn split reopen welcome which-offer --why "the price has changed"'))
def reopen(journey: NameArgument, step: StepArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Divide new customers by weight again. No rule chooses from then on."""
    _show(Manage(to).post("splits", do="reopen", journey=journey, step=step, why=why), as_json=False)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for one in found["splits"]:
        echo(f"{one['journey']} {one['step']}: {_state(one)}")
        for arm in one["arms"]:
            rate = f"  {arm['reached'] / arm['entered']:.1%}" if arm["entered"] else ""
            counts = f"entered {arm['entered']:>7,}  reached {arm['reached']:>7,}{rate}"
            echo(f"  {arm['arm']:<20} {arm['share']:>4.0%}  {counts}")
    if not found["splits"]:
        echo("no split of this journey has a `winner`")


def _state(split: dict[str, Any]) -> str:
    winner, chosen = split["winner"], split["chosen"]
    if not chosen:
        rule = f"by rule, after {winner['after']:,} in each arm, error at most {winner['error']:g}"
        return f"no winner is chosen yet ({rule if winner['by'] == 'rule' else 'a person chooses'})"
    record = f"since {chosen['at']} by {chosen['by']}: {chosen['why']}"
    if not chosen["arm"]:
        return f"reopened {record}"
    gone = "" if split["in_force"] else ", which customers do not get any more: weights decide"
    return f"{chosen['arm']} is chosen{gone}, {record}"
