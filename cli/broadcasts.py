"""`cairn broadcast`: a journey for all members of an audience, planned, approved, and stopped at any time."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.audiences import FromOption, PartitionOption, UpToOption, ValueOption
from cli.manage_client import Manage
from cli.options import JOURNEYS, LOCAL_URL, OPERATION, JsonOption, ToOption, WhyOption, examples
from cli.output import echo, print_json

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Start a journey for all members of an audience; list and stop what goes out in pages.",
    epilog=examples(
        'cairn broadcast plan spring-offer --audience investors --at 2026-06-01T10:00 --local-time --why "ticket 7"',
        'cairn broadcast approve BROADCAST --why "the texts are right"',
        'cairn broadcast stop BROADCAST --why "a wrong price"',
    ),
)

BroadcastArgument = Annotated[str, typer.Argument(help="The broadcast's id.", metavar="BROADCAST")]

PER_SECOND = 100


@app.command(
    epilog=examples(
        'cairn broadcast plan spring-offer --audience investors --at 2026-06-01T10:00 --local-time --why "ticket 7"'
    )
)
def plan(  # noqa: PLR0913, PLR0917  one argument for each option
    journey: Annotated[str, typer.Argument(help="The journey's name.", metavar="JOURNEY")],
    audience: Annotated[str, typer.Option("--audience", help="The audience's name.")],
    at: Annotated[str, typer.Option("--at", help="When: an instant; with --local-time, on each member's clock.")],
    why: WhyOption,
    local_time: Annotated[bool, typer.Option("--local-time", help="At each member's own local time.")] = False,  # noqa: FBT002
    partition: PartitionOption = "",
    low: FromOption = "",
    high: UpToOption = "",
    value: ValueOption = "",
    per_second: Annotated[
        int, typer.Option("--per-second", min=1, max=1_000, help="So many members enter each second, at most.")
    ] = PER_SECOND,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Count who would get it, and what it costs at worst. Nothing goes out before `approve`."""
    asked: dict[str, Any] = {"partition": partition, "from": low, "to": high, "value": value}
    asked |= {"journey": journey, "audience": audience, "at": at, "why": why, "per_second": per_second}
    asked |= {"local_time": True} if local_time else {}
    planned = Manage(to).post("broadcasts", do="plan", **asked)
    if as_json:
        print_json(planned)
        return
    members = planned["members"]
    _show(planned)
    echo(f"  {members:,} members enter within {timedelta(seconds=round(members / per_second))}")
    for line in _at_worst(journey, members):
        echo(f"  {line}")
    echo(f"It waits: cairn broadcast approve {planned['broadcast']} --why …")


@app.command(epilog=examples('cairn broadcast approve BROADCAST --why "the texts are right"'))
def approve(
    broadcast: BroadcastArgument,
    why: WhyOption,
    members: Annotated[
        int, typer.Option("--members", min=0, help="Of an audience that has grown: so many members are right.")
    ] = 0,
    to: ToOption = LOCAL_URL,
) -> None:
    """Let it go, from its instant on. Refused where the audience has ten times the members of the preflight."""
    _show(Manage(to).post("broadcasts", do="approve", broadcast=broadcast, members=members, why=why))


@app.command(epilog=examples('cairn broadcast pause BROADCAST --why "the offer changes"'))
def pause(broadcast: BroadcastArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Pause it and its journey, within a minute: nothing is dropped."""
    _show(Manage(to).post("broadcasts", do="pause", broadcast=broadcast, why=why))


@app.command(epilog=examples('cairn broadcast resume BROADCAST --why "mended"'))
def resume(broadcast: BroadcastArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Go on after a pause or a stop: each member gets it once at most."""
    _show(Manage(to).post("broadcasts", do="resume", broadcast=broadcast, why=why))


@app.command(epilog=examples('cairn broadcast stop BROADCAST --why "a wrong price"'))
def stop(broadcast: BroadcastArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Stop it and its journey, within a minute: what waits to be sent is dropped."""
    _show(Manage(to).post("broadcasts", do="stop", broadcast=broadcast, why=why))


@app.command("list", epilog=examples("cairn broadcast list", "cairn broadcast list --limit 5 --json"))
def list_broadcasts(
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="The newest.")] = 20,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List broadcasts and events about things, with how far each is."""
    found = Manage(to).get("broadcasts", limit=limit)
    if as_json:
        print_json(found)
        return
    for one in found["broadcasts"]:
        _show(one)
    if not found["broadcasts"]:
        echo("no broadcast yet")


@app.command(epilog=examples("cairn broadcast show BROADCAST"))
def show(broadcast: BroadcastArgument, to: ToOption = LOCAL_URL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Show how far a broadcast is."""
    found = Manage(to).post("broadcasts", do="show", broadcast=broadcast)
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(one: dict[str, Any]) -> None:
    what = f"journey {one['journey']}" if one["journey"] else one["event"]
    of = f" of {one['members']:,}" if one["members"] is not None else ""
    progress = f"{one['put']:,}{of} members, {one['per_second']:,} a second"
    echo(f"{one['broadcast']}  {one['state']}: {what} to {one['audience']}, from {one['at']}; {progress}")


def _at_worst(journey: str, members: int) -> list[str]:
    """What the journey costs at worst, where its files are here."""
    if not (JOURNEYS / journey / "journey.yaml").is_file():
        return [f"its files are not in {JOURNEYS}: `cairn check --report` says there what a customer costs"]
    from authoring.journeys import read_catalogue  # noqa: PLC0415  slow to import
    from authoring.proof.report import prove  # noqa: PLC0415
    from cairn.domain.policy import Policy  # noqa: PLC0415

    catalogue = read_catalogue(JOURNEYS)
    if catalogue.problems:
        return ["its cost is not known: `cairn check` finds problems"]
    proof = prove(JOURNEYS, catalogue.compiled(), Policy()).to_json()
    found = next((one for one in proof["journeys"] if one["journey"] == journey), None)
    if found is None:
        return []
    most, usd = found["messages"]["enrollment"], found["usd"]
    return [
        f"{most * members:,} messages at most, {most} to each",
        f"{usd['least'] * members:,.2f} to {usd['most'] * members:,.2f} USD, sending included",
    ]
