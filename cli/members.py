"""`cairn member` and `cairn deal`: who works on tasks, and which partner has registered whom."""

from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, ToOption, WhyOption, YesOption, examples
from cli.output import echo, print_json

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="See who works on tasks, and say who is away, does less or leaves.",
    epilog=examples("cairn member list", 'cairn member absent ana --until 2026-08-17 --why "holiday"'),
)
deals = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Register a customer for one partner.",
    epilog=examples('cairn deal register email_domain shop.example acme --until 2026-12-31 --why "ticket 7"'),
)

MemberArgument = Annotated[str, typer.Argument(help="The id of a member of people.toml.", metavar="MEMBER")]
KeyArgument = Annotated[str, typer.Argument(help="One of deal_keys in people.toml.", metavar="KEY")]
ValueArgument = Annotated[str, typer.Argument(help="What the customer has there.", metavar="VALUE")]
UntilOption = Annotated[str, typer.Option("--until", help="A date, in the zone of the member, or an instant.")]


@app.command("list", epilog=examples("cairn member list --json"))
def list_members(to: ToOption = LOCAL_URL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List everybody with their queues, open tasks and absences."""
    found = Manage(to).get("members")["members"]
    if as_json:
        print_json(found)
        return
    for one in found:
        most = f" of {one['capacity']}" if one["capacity"] else ""
        queues = ", ".join(one["queues"]) or "no queue"
        echo(f"{one['member']}  {one['name']}  {queues}  {one['open']}{most} open{_state(one)}")
    if not found:
        echo("people.toml names nobody")


@app.command(epilog=examples('cairn member absent ana --until 2026-08-17 --why "holiday"'))
def absent(
    member: MemberArgument,
    until: UntilOption,
    why: WhyOption,
    since: Annotated[str, typer.Option("--from", help="Likewise; else now.")] = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Give no new tasks to a member in this time."""
    done = Manage(to).post("members", **{"do": "absent", "member": member, "from": since, "until": until, "why": why})
    echo(f"{member} is away from {done['from']} until {done['until']}")


@app.command(epilog=examples('cairn member back ana --why "is well again"'))
def back(member: MemberArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """End an absence that has begun, or undo that a member left."""
    Manage(to).post("members", do="back", member=member, why=why)
    echo(f"{member} is back")


@app.command(epilog=examples('cairn member capacity ana 10 --why "half days in May"'))
def capacity(
    member: MemberArgument,
    most: Annotated[int, typer.Argument(help="The most open tasks at once.", metavar="NUMBER", min=1)],
    why: WhyOption,
    to: ToOption = LOCAL_URL,
) -> None:
    """Say how many open tasks a member is given at most."""
    Manage(to).post("members", do="capacity", member=member, capacity=most, why=why)
    echo(f"{member} is given {most} open tasks at most")


@app.command(epilog=examples('cairn member leaves ana --why "moves to another club"'))
def leaves(member: MemberArgument, why: WhyOption, yes: YesOption = False, to: ToOption = LOCAL_URL) -> None:  # noqa: FBT002
    """Give no more tasks to a member, and all the open ones to others. Can be repeated where it was interrupted."""
    if not yes:
        typer.confirm(f"Give all open tasks of {member} to others?", abort=True)
    rest = 1
    while rest:
        done = Manage(to).post("members", do="leaves", member=member, why=why)
        rest = done["rest"]
        for one in done["passed_on"]:
            echo(f"{one['task']}  customer {one['customer']}  {one['owner'] or 'nobody'}\n  {one['why']}")
    echo(f"{member} has no open tasks")


@deals.command(epilog=examples('cairn deal register tax_id B-123 acme --until 2026-12-31 --why "ticket 7"'))
def register(  # noqa: PLR0913, PLR0917  one option each
    key: KeyArgument,
    value: ValueArgument,
    partner: MemberArgument,
    until: UntilOption,
    why: WhyOption,
    to: ToOption = LOCAL_URL,
) -> None:
    """Give every new task of such a customer to one partner alone, until then."""
    found = Manage(to).post("deals", do="register", key=key, value=value, partner=partner, until=until, why=why)["deal"]
    echo(f"registered for {found['partner']} until {found['until']}")


@deals.command(epilog=examples('cairn deal release tax_id B-123 --why "ticket 9"'))
def release(key: KeyArgument, value: ValueArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Let everybody have it again."""
    Manage(to).post("deals", do="release", key=key, value=value, why=why)
    echo("nobody has registered it")


@deals.command(epilog=examples("cairn deal show tax_id B-123"))
def show(key: KeyArgument, value: ValueArgument, to: ToOption = LOCAL_URL) -> None:
    """Show who has registered it."""
    found = Manage(to).post("deals", do="show", key=key, value=value)["deal"]
    echo(f"{found['partner']} until {found['until']}" if found else "nobody has registered it")


def _state(one: dict[str, Any]) -> str:
    if one["left"]:
        return f"  left on {one['left']}"
    return f"  away until {one['away_until']}" if one["away_until"] else ""
