"""`cairn inbox`: conversations that wait for a person, and answers to them."""

from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, CustomerArgument, JsonOption, OptionalWhyOption, ToOption, examples
from cli.output import echo, print_json

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Read what customers have said, and answer them.",
    epilog=examples(
        "cairn inbox list", "cairn inbox show mia@example.com", 'cairn inbox answer mia@example.com "At 5."'
    ),
)


@app.command("list", epilog=examples("cairn inbox list --limit 10"))
def list_conversations(
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 50,
    after: Annotated[str, typer.Option("--after", help="The page behind that one, as it was named there.")] = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List the conversations that wait for a person. The first that is due comes first."""
    page = Manage(to).get("inbox", limit=limit, after=after)
    if as_json:
        print_json(page)
        return
    for one in page["conversations"]:
        about = one["context"]
        echo(f"customer {one['customer']}, due {one['due_at']}, by {about.get('channel', '?')}: {about.get('because')}")
        echo(f"  {about.get('text', '')}")
    if not page["conversations"]:
        echo("nobody waits for an answer")
    if page["after"]:
        echo(f"more: cairn inbox list --after {page['after']}")


@app.command(epilog=examples("cairn inbox show mia@example.com"))
def show(
    customer: CustomerArgument,
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show what was said, over all channels, in order of time."""
    found = Manage(to).post("inbox", do="show", customer=customer, why=why)
    if as_json:
        print_json(found)
        return
    for line in found["lines"]:
        echo(_shown(line))
    waits = found["waits"]
    if waits is None:
        echo("nobody waits for an answer")
        return
    echo(f"waits for a person until {waits['due_at']}: {waits['context'].get('because')}")
    if draft := waits["context"].get("draft"):
        echo(f"a model's draft, which nobody has checked: {draft}")
    echo(f"to answer what you have read: cairn inbox answer {customer} TEXT --read {found['latest']}")


@app.command(epilog=examples('cairn inbox answer mia@example.com "Yes, at 5 it is." --read EVENT'))
def answer(  # noqa: PLR0913, PLR0917  one argument for each option
    customer: CustomerArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to send.")],
    channel: Annotated[str, typer.Option("--channel", help="Default: where the customer wrote last.")] = "",
    subject: Annotated[str, typer.Option("--subject", help="Of an e-mail or a push notification.")] = "",
    read: Annotated[str, typer.Option("--read", help="The customer's last text that you have read.")] = "",
    key: Annotated[str, typer.Option("--key", help="The same key is the same answer, and is sent once.")] = "",
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Answer a customer. It goes through the gate like any message, and the conversation is closed."""
    fields = {"text": text, "channel": channel, "subject": subject, "read": read, "key": key, "why": why}
    done = Manage(to).post("inbox", do="answer", customer=customer, **fields)
    echo(f"on its way by {done['channel']}: message {done['message']}")
    _say_if_open(done, customer)


@app.command(epilog=examples('cairn inbox close mia@example.com --why "called her"'))
def close(customer: CustomerArgument, why: OptionalWhyOption = "", to: ToOption = LOCAL_URL) -> None:
    """Close a conversation that needs no answer."""
    done = Manage(to).post("inbox", do="close", customer=customer, why=why)
    echo("closed")
    _say_if_open(done, customer)


def _say_if_open(done: dict[str, Any], customer: str) -> None:
    if done["still_open"]:
        echo(f"the customer has written meanwhile, so it is open again: cairn inbox show {customer}")


def _shown(line: dict[str, Any]) -> str:
    who = "customer" if line["direction"] == "in" else line.get("by", "cairn")
    about = line.get("intent") or line["status"]
    because = f", {line['reason']}" if line.get("reason") else ""
    text = " ".join(filter(None, (line.get("subject"), line.get("text"))))
    return f"{line['at']}  {line.get('channel', '')} from {who} ({about}{because}): {text}"
