"""`cairn lead show`, `cairn stage show` and `set`: where a customer stands, what it is worth, and why."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from cli.manage_client import Manage
from cli.options import (
    LOCAL_URL,
    OPERATION,
    CustomerArgument,
    JsonOption,
    OptionalWhyOption,
    ToOption,
    WhyOption,
    examples,
)
from cli.output import Terminal, echo, print_json

lead = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Show a customer as a lead: stage, score and value.",
    epilog=examples("cairn lead show nadia@example.com"),
)
stage = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Show or set the stage of a customer.",
    epilog=examples(
        "cairn stage show nadia@example.com",
        'cairn stage set nadia@example.com toured --why "came by without a booking"',
    ),
)

FILE_WIDTH = 100


@lead.command("show", epilog=examples("cairn lead show nadia@example.com", "cairn lead show nadia@example.com --json"))
def show_lead(
    customer: CustomerArgument,
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show the stage with its history, the score with each rule's points, and the value."""
    found = Manage(to).post("leads", customer=customer, why=why)
    if as_json:
        print_json(found)
        return
    console = _console()
    console.print(Text(found["customer"], "bold"))
    _show_stages(found, console)
    _show_score(found["score"], console)
    for name, value in found["fields"].items():
        echo(f"  {name.replace('_', ' ')}: {_words(value)}")


@stage.command("show", epilog=examples("cairn stage show nadia@example.com"))
def show_stage(
    customer: CustomerArgument,
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show in which stage of each pipeline a customer is, for how long, and where it may go."""
    found = Manage(to).post("leads", customer=customer, why=why)
    if as_json:
        print_json(found["pipelines"])
        return
    _show_stages(found, _console())
    if not found["pipelines"]:
        echo("in no pipeline")


@stage.command(
    "set",
    epilog=examples('cairn stage set nadia@example.com toured --why "came by without a booking"'),
)
def set_stage(
    customer: CustomerArgument,
    stage: Annotated[str, typer.Argument(help="The stage's name.", metavar="STAGE")],
    why: WhyOption,
    pipeline: Annotated[str, typer.Option(help="Its pipeline, where several have such a stage.")] = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Move a customer to a stage. A move that the pipeline does not allow is refused, with the reason."""
    done = Manage(to).post("stages", customer=customer, stage=stage, pipeline=pipeline, why=why)
    echo(f"{done['customer']} is in stage {stage}, once event {done['event']} is processed")


def _console() -> Terminal:
    return Terminal(highlight=False, width=None if Terminal().is_terminal else FILE_WIDTH)


def _show_stages(found: dict[str, Any], console: Terminal) -> None:
    for one in found["pipelines"]:
        table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title=f"Pipeline {one['pipeline']}")
        for name in ("stage", "since", "for", "because of"):
            table.add_column(name, style="dim" if name == "because of" else "")
        for stay in one["history"]:
            style = "" if stay["until"] else "bold green"
            since = datetime.fromisoformat(stay["since"])
            table.add_row(Text(stay["stage"], style), f"{since:%d %b %Y %H:%M}", _length(stay["seconds"]), stay["by"])
        console.print(table)
        goal = f"goal {one['goal']}{' (reached)' if one['goal_reached'] else ''}" if one["goal"] else ""
        queue = f"queue {one['queue']}" if one["queue"] else ""
        allowed = f"may go to {', '.join(one['allowed'])}" if one["allowed"] else ""
        echo("  " + "; ".join(filter(None, (queue, goal, allowed))))


def _show_score(score: dict[str, Any] | None, console: Terminal) -> None:
    if score is None:
        return
    console.print(Text(f"Score {score['total']}") + Text("  hot" if score["hot"] else "", "bold red"))
    caps = {one["group"]: one for one in score["groups"]}
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("rule")
    table.add_column("group")
    table.add_column("points", justify="right")
    table.add_column("", style="dim")
    for one in score["rules"]:
        events = f"{one['events']} events" if one["events"] else "as long as it is so"
        table.add_row(one["rule"], one["group"], f"{one['points']:g}", events)
    for name, one in caps.items():
        if one["cap"] is not None and one["points"] >= one["cap"]:
            table.add_row("", name, f"{one['points']:g}", "the cap of the group", style="yellow")
    console.print(table)
    if score["days"]:
        echo("  before: " + ", ".join(f"{day} {total}" for day, total in score["days"].items()))


def _length(seconds: int) -> str:
    length = timedelta(seconds=seconds)
    hours, minutes = divmod(length.seconds // 60, 60)
    if length.days:
        return f"{length.days}d {hours}h"
    return f"{hours}h {minutes}m"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items() if one is not None)
    return str(value)
