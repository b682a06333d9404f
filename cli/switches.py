"""`cairn switch`: stop and pause what goes out."""

from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, ToOption, WhyOption, examples
from cli.output import echo, print_json

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Stop and pause what goes out: a channel, a journey, all of it.",
    epilog=examples("cairn switch list", 'cairn switch stop channel:sms --why "a wrong price"'),
)

TargetArgument = Annotated[
    str,
    typer.Argument(help="all, channel:sms, journey:NAME, template:JOURNEY/TEMPLATE or country:US.", metavar="TARGET"),
]
PolicyOption = Annotated[
    str,
    typer.Option("--policy", help="For the customers who waited: keep, active_time, restart, skip_if_late or spread."),
]
WindowOption = Annotated[str, typer.Option("--window", help="The time over which `spread` spreads, such as 2h.")]


@app.command("list", epilog=examples("cairn switch list", "cairn switch list --json"))
def list_switches(to: ToOption = LOCAL_URL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List everything that is stopped or paused, with the operator and the reason."""
    _show_switches(Manage(to).get("switches"), as_json=as_json)


@app.command(epilog=examples('cairn switch stop channel:sms --why "a wrong price"'))
def stop(target: TargetArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Send nothing more of the target, within a minute. Queued messages are dropped too."""
    _set_switch("stop", target, why, to)


@app.command(epilog=examples('cairn switch start channel:sms --why "the price is corrected"'))
def start(target: TargetArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Undo a stop. Dropped messages stay dropped."""
    _set_switch("start", target, why, to)


@app.command(epilog=examples('cairn switch pause channel:sms --why "a new text" --policy spread --window 2h'))
def pause(
    target: TargetArgument,
    why: WhyOption,
    policy: PolicyOption = "",
    window: WindowOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Let everything of the target wait until it is resumed. No customer is lost."""
    _set_switch("pause", target, why, to, policy=policy, window=window)


@app.command(epilog=examples('cairn switch resume channel:sms --why "the text is ready"'))
def resume(
    target: TargetArgument,
    why: WhyOption,
    policy: PolicyOption = "",
    window: WindowOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Continue for the customers who waited, by this policy or else by the policy of the pause."""
    _set_switch("resume", target, why, to, policy=policy, window=window)


def _set_switch(do: str, target: str, why: str, to: str, **options: str) -> None:
    _show_switches(Manage(to).post("switches", do=do, target=target, why=why, **options), as_json=False)


def _show_switches(switches: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(switches)
        return
    for one in switches["stopped"]:
        echo(f"stopped  {one['target']}  since {one['at']} by {one['by']}: {one['why']}")
    for one in switches["paused"]:
        echo(f"paused   {one['target']}  since {one['at']} by {one['by']} ({one['policy']}): {one['why']}")
    if not switches["stopped"] and not switches["paused"]:
        echo("nothing is stopped or paused")
