"""`cairn dlq`: look at dead letters and send them back, of a laptop's server or of a deployment."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cairn.domain.shared.errors import CairnError

if TYPE_CHECKING:
    from infra.local.dead_letters import DeadLetterTool

SHOWN = 20
"""Letters that `show` shows unless it is told otherwise."""

app = typer.Typer(no_args_is_help=True, help="Dead letters: what could not be done, why, and the way back.")

ToOption = Annotated[str, typer.Option("--to", help="The URL of `cairn serve`.")]
StackOption = Annotated[str, typer.Option("--stack", help="A deployment's stack instead, such as Cairn-dev.")]
QueueArgument = Annotated[
    str, typer.Argument(help="events, wakes, messages, notices, feedback, erasures, effects or stream.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
LOCAL = "http://127.0.0.1:8787"


@app.command("list")
def list_queues(to: ToOption = LOCAL, stack: StackOption = "", as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Every dead-letter queue: how many letters, the age of the oldest, and the reasons."""
    with _asking(stack, to) as desk:
        queues = desk.summary()
    if as_json:
        _print_json(queues)
        return
    table = Table("queue", "letters", "oldest", "reasons", box=None, pad_edge=False)
    for one in queues:
        reasons = [f"{count} x {escape(reason)}" for reason, count in one["reasons"].items()]
        if one["looked_at"] < one["count"]:
            reasons.append(f"(of the {one['looked_at']} that could be looked at)")
        table.add_row(one["queue"], str(one["count"]), _age(one["oldest_seconds"]), "\n".join(reasons))
    Console(highlight=False, soft_wrap=True).print(table)


@app.command()
def show(  # noqa: PLR0913, PLR0917  one argument for each option
    queue: QueueArgument,
    limit: Annotated[int, typer.Option(min=1, help="At most so many letters.")] = SHOWN,
    reveal: Annotated[bool, typer.Option(help="Show personal data too.")] = False,  # noqa: FBT002
    to: ToOption = LOCAL,
    stack: StackOption = "",
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """The letters of a queue: id, reason, age and body. Personal data is masked."""
    with _asking(stack, to) as desk:
        found = desk.show(queue, limit, reveal=reveal)
    if as_json:
        _print_json(found)
        return
    for letter in found["letters"]:
        typer.echo(f"{letter['id']}  {_age(letter['age_seconds'])}  {letter['reason']}")
        typer.echo(json.dumps(letter["body"], ensure_ascii=False, indent=2) + "\n")
    typer.echo(found.get("what_to_do", "") if found["letters"] else f"{queue}: no dead letters")


@app.command()
def redrive(  # noqa: PLR0913, PLR0917  one argument for each option
    queue: QueueArgument,
    reason: Annotated[str, typer.Option(help="Only letters whose reason has this in it.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many letters.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
    to: ToOption = LOCAL,
    stack: StackOption = "",
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Send letters back to where they came from; each is deleted once it is there. Exit 1 where any is refused."""
    with _asking(stack, to) as desk:
        if not yes:
            which = f" with {reason!r} in their reason" if reason else ""
            most = f"at most {limit}" if limit else "all"
            typer.confirm(f"Send {most} letters of {queue}{which} back, at {stack or to}?", abort=True)
        done = desk.redrive(queue, reason, limit)
    if as_json:
        _print_json(done)
    else:
        typer.echo(f"{queue}: {done['redriven']} redriven, {len(done['refused'])} refused, {done['left']} left")
        for one in done["refused"]:
            typer.echo(f"  {one['id']}: {one['why']}", err=True)
    if done["refused"]:
        raise typer.Exit(1)


@contextmanager
def _asking(stack: str, to: str) -> Iterator["DeadLetterTool"]:
    """Ours and AWS's errors end a command with their message."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import
    from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415

    from infra.local.dead_letters import LocalServer, of_stack  # noqa: PLC0415

    try:
        yield of_stack(stack) if stack else LocalServer(to)
    except (BotoCoreError, CairnError, ClientError, PynamoDBException) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _age(seconds: int | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=seconds))


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
