"""`cairn review`: messages that wait for approval."""

from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, CustomerOption, JsonOption, ToOption, WhyOption, examples
from cli.output import echo, print_json

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Approve or reject messages that wait for a decision.",
    epilog=examples("cairn review list", 'cairn review approve MESSAGE --why "reads well"'),
)


@app.command("list", epilog=examples("cairn review list --limit 10"))
def list_reviews(
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 50,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List messages that wait for a decision, as they would go out. The earliest deadline comes first."""
    found = Manage(to).get("reviews", limit=limit)["reviews"]
    if as_json:
        print_json(found)
        return
    for one in found:
        about = " ".join(str(one.get(name, "")) for name in ("purpose", "journey", "step"))
        echo(f"{one['message']}  customer {one['customer']}")
        echo(f"  {one['context'].get('channel', '')} {about}")
        echo(f"  for {one['queue']}, until {one['deadline']}")
        echo("".join(f"  | {line}\n" for line in _text(one["context"]).splitlines()))
    if not found:
        echo("no message waits for a decision")


@app.command(epilog=examples('cairn review approve MESSAGE --why "reads well"'))
def approve(
    message: Annotated[str, typer.Argument(metavar="MESSAGE")],
    why: WhyOption,
    customer: CustomerOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Let a message go out. Consent, quiet hours and caps still apply."""
    _decide("approve", message, customer, why, to)


@app.command(epilog=examples('cairn review reject MESSAGE --why "the wrong offer"'))
def reject(
    message: Annotated[str, typer.Argument(metavar="MESSAGE")],
    why: WhyOption,
    customer: CustomerOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Drop a message."""
    _decide("reject", message, customer, why, to)


def _decide(do: str, message: str, customer: str, why: str, to: str) -> None:
    done = Manage(to).post("reviews", do=do, message=message, customer=customer, why=why)
    echo(f"{done['message']} is {done['decision']}")


def _text(context: dict[str, Any]) -> str:
    parts = [context[name] for name in ("subject", "text") if context.get(name)]
    parts += [f"Calendar invite: {', '.join(context['invite'].values())}"] if context.get("invite") else []
    return "\n\n".join(parts)
