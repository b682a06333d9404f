"""`cairn customer …`: one customer, found by any name."""

import json
from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import (
    LOCAL_URL,
    OPERATION,
    CustomerArgument,
    JsonOption,
    OptionalWhyOption,
    ToOption,
    WhyOption,
    YesOption,
    examples,
)
from cli.output import echo, fail, print_json

LINES = 30
"""Of a timeline that `timeline` prints by default."""

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Find a customer, read the timeline, and enter or end journeys by hand.",
    epilog=examples("cairn customer show mia@example.com", "cairn customer timeline mia@example.com --limit 50"),
)

JourneyName = Annotated[str, typer.Argument(help="The journey's name.", metavar="JOURNEY")]


@app.command(epilog=examples("cairn customer show mia@example.com", "cairn customer show shopify:7 --masked"))
def show(
    customer: CustomerArgument,
    masked: Annotated[bool, typer.Option("--masked", help="Hide the names.")] = False,  # noqa: FBT002
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show who a customer is: names, and the profile in short."""
    found = Manage(to).post("customers", do="find", customer=customer, masked=masked, why=why)
    if as_json:
        print_json(found)
        return
    echo(found["customer"] + ("" if found["known"] else "  (typed by a visitor, vouched for by no source)"))
    for name, value in {**found["names"], **found["external_ids"], **found["profile"]}.items():
        echo(f"  {name}: {', '.join(value) if isinstance(value, list) else value}")
    channels = ", ".join(found["channels"]) or "no channel"
    echo(f"  reached by {channels}; {found['open_enrollments']} open enrollments; since {found['since']}")


@app.command(epilog=examples("cairn customer timeline mia@example.com", "cairn customer timeline mia --limit 100"))
def timeline(  # noqa: PLR0913, PLR0917  one argument for each option
    customer: CustomerArgument,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many lines.")] = LINES,
    after: Annotated[str, typer.Option(help="Older lines: what the page before has printed last.")] = "",
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show what happened to a customer, the newest first, with the reasons."""
    page = Manage(to).post("customers", do="timeline", customer=customer, limit=limit, after=after, why=why)
    if as_json:
        print_json(page)
        return
    for one in page["entries"]:
        echo(f"{one['local']}  {one['text']}{_origin(one)}")
    echo(f"Times are those of {page['zone']}.")
    if page["after"]:
        echo(f'Older lines: --after "{page["after"]}"')


@app.command(epilog=examples("cairn customer journeys mia@example.com"))
def journeys(
    customer: CustomerArgument,
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show where a customer stands in journeys, and what comes next if nothing happens."""
    found = Manage(to).post("customers", do="enrollments", customer=customer, why=why)
    if as_json:
        print_json(found)
        return
    for one in found["enrollments"]:
        key = f" ({one['key']})" if one["key"] else ""
        waits = f", waits for {one['waits_for']}" if one["waits_for"] else ""
        echo(f"{one['journey']}{key}: at step {one['step']} since {one['since']}{waits}")
        echo(f"  {one['next']}")
    if not found["enrollments"]:
        echo("in no journey")


@app.command(
    epilog=examples(
        'cairn customer enroll mia@example.com welcome --why "asked for it by phone"',
        'cairn customer enroll mia booking --key B-7 --data \'{"visit_at": "2026-08-01T10:00:00Z"}\' --why TICKET',
    )
)
def enroll(  # noqa: PLR0913, PLR0917  one argument for each option
    customer: CustomerArgument,
    journey: JourneyName,
    why: WhyOption,
    key: Annotated[str, typer.Option(help="Which enrollment, where a customer may have several in it.")] = "",
    data: Annotated[str, typer.Option(help="What a starting event would say, as a JSON object.")] = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Enter a customer into a journey by hand. Its rules of re-entry count, and consent for every message."""
    asked: dict[str, Any] = {"do": "enroll", "customer": customer, "journey": journey, "key": key, "why": why}
    done = Manage(to).post("customers", **asked, data=_object(data))
    echo(f"{done['customer']} enters {journey}, once event {done['event']} is processed")


@app.command(epilog=examples('cairn customer leave mia@example.com welcome --why "has no use for it"'))
def leave(customer: CustomerArgument, journey: JourneyName, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """End a customer's way through a journey. What still waits of it, messages and tasks, is dropped."""
    done = Manage(to).post("customers", do="leave", customer=customer, journey=journey, why=why)
    echo(f"{done['customer']} leaves {journey}, once event {done['event']} is processed")


@app.command(epilog=examples('cairn customer merge mia@example.com shopify:7 --why "ticket 4711" --yes'))
def merge(
    customer: CustomerArgument,
    other: Annotated[str, typer.Argument(help="The other one, likewise.", metavar="OTHER")],
    why: WhyOption,
    yes: YesOption = False,  # noqa: FBT002
    to: ToOption = LOCAL_URL,
) -> None:
    """Make one customer of two who are one person. It cannot be undone (docs/trust.md)."""
    if not yes:
        typer.confirm(f"Make {customer} and {other} one customer, at {to}? There is no way back.", abort=True)
    done = Manage(to).post("customers", do="merge", customer=customer, other=other, why=why)
    echo(f"both are {done['customer']}, once event {done['event']} is processed")


def _origin(one: dict[str, Any]) -> str:
    about = " ".join(filter(None, (one.get("journey"), one.get("step"))))
    message = f"  [{one['message']}]" if one.get("message") else ""
    return (f"  ({about})" if about else "") + message


def _object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text or "{}")
    except ValueError as error:
        fail(f"--data is not JSON: {error}")
    if not isinstance(document, dict):
        fail("--data is a JSON object")
    return document
