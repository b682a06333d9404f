"""`cairn dlq`: show dead letters and send them back, on a laptop's server or in a deployment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.options import LOCAL_URL, ForceOption, JsonOption, OutOption, YesOption, examples
from cli.output import Terminal, check_free, echo, fail, json_text, print_json, write_private

if TYPE_CHECKING:
    from infra.local.dead_letters import DeadLetterTool

SHOWN = 20
"""Dead letters that `show` prints by default."""

app = typer.Typer(
    no_args_is_help=True,
    help="Dead letters: list them with their reasons, and redrive them.",
    epilog=examples("cairn dlq list", "cairn dlq redrive messages --stack Cairn-dev"),
)

ToOption = Annotated[str, typer.Option("--to", help="The URL of `cairn serve`.")]
StackOption = Annotated[str, typer.Option("--stack", help="A deployment's stack, such as Cairn-dev, instead of --to.")]
QueueArgument = Annotated[
    str, typer.Argument(help="events, wakes, messages, notices, feedback, erasures, effects or stream.")
]


@app.command("list", epilog=examples("cairn dlq list", "cairn dlq list --stack Cairn-dev --json"))
def list_queues(to: ToOption = LOCAL_URL, stack: StackOption = "", as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List every dead-letter queue: the number of dead letters, the age of the oldest, and the reasons."""
    with _connected(stack, to) as dead_letters:
        queues = dead_letters.summary()
    if as_json:
        print_json(queues)
        return
    table = Table("queue", "letters", "oldest", "reasons", box=None, pad_edge=False)
    for one in queues:
        reasons = [f"{count} x {escape(reason)}" for reason, count in one["reasons"].items()]
        if one["looked_at"] < one["count"]:
            reasons.append(f"(of the {one['looked_at']} that could be looked at)")
        table.add_row(one["queue"], str(one["count"]), _age(one["oldest_seconds"]), "\n".join(reasons))
    Terminal(highlight=False, soft_wrap=True).print(table)


@app.command(epilog=examples("cairn dlq show messages --limit 5"))
def show(  # noqa: PLR0913, PLR0917  one argument for each option
    queue: QueueArgument,
    limit: Annotated[int, typer.Option(min=1, help="At most so many dead letters.")] = SHOWN,
    reveal: Annotated[bool, typer.Option(help="Show personal data too.")] = False,  # noqa: FBT002
    out: OutOption = None,
    force: ForceOption = False,  # noqa: FBT002
    to: ToOption = LOCAL_URL,
    stack: StackOption = "",
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show the dead letters of a queue: id, age, reason and body. Personal data is masked."""
    if out is not None:
        check_free(out, replace=force)
    with _connected(stack, to) as dead_letters:
        found = dead_letters.show(queue, limit, reveal=reveal)
    if out is not None:
        write_private(out, json_text(found, indent=2) + "\n", replace=force)
        echo(f"written to {out}")
        return
    if as_json:
        print_json(found)
        return
    for one in found["letters"]:
        echo(f"{one['id']}  {_age(one['age_seconds'])}  {one['stage']}  {one['reason']}")
        echo(json_text(one["body"], indent=2))
        echo(f"once the cause is mended: {one['command']}\n")
    echo(found.get("what_to_do", "") if found["letters"] else f"{queue}: no dead letters")


@app.command(
    epilog=examples("cairn dlq redrive messages --reason throttled", "cairn dlq redrive stream --stack Cairn-dev --yes")
)
def redrive(  # noqa: PLR0913, PLR0917  one argument for each option
    queue: QueueArgument,
    reason: Annotated[str, typer.Option(help="Only dead letters whose reason contains this.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many dead letters.")] = None,
    id_: Annotated[str, typer.Option("--id", help="Only this dead letter, as `cairn dlq show` names it.")] = "",
    yes: YesOption = False,  # noqa: FBT002
    to: ToOption = LOCAL_URL,
    stack: StackOption = "",
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Send dead letters back to their queue; each is deleted once it is there. Exit 1 where any is refused."""
    with _connected(stack, to) as dead_letters:
        if not yes:
            those = f" with {reason!r} in their reason" if reason else ""
            those += f", if it is {id_}" if id_ else ""
            most = f"at most {limit}" if limit else "all"
            typer.confirm(f"Send {most} letters of {queue}{those} back, at {stack or to}?", abort=True)
        done = dead_letters.redrive(queue, reason, limit, id_)
    if as_json:
        print_json(done)
    else:
        echo(f"{queue}: {done['redriven']} redriven, {len(done['refused'])} refused, {done['left']} left")
        for one in done["letters"]:
            echo(f"  {one['id']}: " + ("redriven" if one["redriven"] else one["why"]), err=not one["redriven"])
            for why in one.get("left_out", ()):
                echo(f"    but not {why}")
    if done["refused"]:
        raise typer.Exit(1)


@contextmanager
def _connected(stack: str, to: str) -> Iterator["DeadLetterTool"]:
    """The dead letters of a stack or of a laptop's server. Errors of AWS end the command with their message."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import
    from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415

    from cli.dead_letters_client import LocalServer  # noqa: PLC0415
    from infra.local.dead_letters import of_stack  # noqa: PLC0415

    try:
        yield of_stack(stack) if stack else LocalServer(to)
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        fail(str(error))


def _age(seconds: int | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=seconds))
