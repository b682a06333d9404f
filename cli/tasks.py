"""`cairn task`: what people have to do, and what has come of it."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.request import urlopen

import typer
from rich.table import Table

from cairn.domain.people.task import IN_WORDS
from cairn.domain.shared.instants import duration_text, instant_from_wire
from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, ToOption, WhyOption, examples
from cli.output import Terminal, echo, print_json

if TYPE_CHECKING:
    from cairn.domain.people.measures import Measures

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="List, show, claim and finish the tasks that journeys open for people.",
    epilog=examples(
        "cairn task list --queue sales",
        "cairn task claim TASK --as mia",
        'cairn task done TASK --outcome booked --note "Thursday at ten"',
    ),
)

TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="Its id, as `cairn task list` shows it.")]
TaskCustomerOption = Annotated[
    str, typer.Option("--customer", help="The task's customer, where the task's id does not say it.")
]
AsOption = Annotated[
    str, typer.Option("--as", help="The id of the member who does it; else the one who has your name.")
]


@app.command("list", epilog=examples("cairn task list --queue sales", "cairn task list --owner mia --json"))
def list_tasks(  # noqa: PLR0913, PLR0917  one argument for each option
    queue: Annotated[str, typer.Option("--queue", help="Of this queue; else of all.")] = "",
    owner: Annotated[str, typer.Option("--owner", help="Of this member.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 50,
    after: Annotated[str, typer.Option("--after", help="The next page, as the last one says it.")] = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List open tasks. In each queue urgent ones come first, then those that are due first."""
    page = Manage(to).get("tasks", queue=queue, owner=owner, limit=limit, after=after)
    if as_json:
        print_json(page)
        return
    for one in page["tasks"]:
        due = f"{'OVERDUE since' if one['overdue'] else 'due'} {one['due_at']}"
        claimed = "" if "claimed_at" not in one else ", has begun"
        echo(f"{one['task']}  {due}")
        echo(f"  {one['kind']}: {one['title']}")
        echo(f"  {one['queue']}, {one['owner'] or 'nobody has it'}{claimed}; customer {one['customer']}")
    if not page["tasks"]:
        echo("no open task" + (f" of {owner or queue}" if owner or queue else ""))
    if page["after"]:
        echo(f"more: --after '{page['after']}'")


@app.command(epilog=examples("cairn task show TASK"))
def show(
    task: TaskArgument,
    customer: TaskCustomerOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show a task with all that one should know before the call: who it is, what happened, what may come of it."""
    found = Manage(to).post("tasks", do="show", task=task, customer=customer)
    if as_json:
        print_json(found)
        return
    for line in _shown(found):
        echo(line)


@app.command(epilog=examples("cairn task claim TASK --as mia"))
def claim(
    task: TaskArgument, member: AsOption = "", customer: TaskCustomerOption = "", to: ToOption = LOCAL_URL
) -> None:
    """Say that a member begins to work on a task. A task that another member has stays with that one."""
    done = Manage(to).post("tasks", **{"do": "claim", "task": task, "customer": customer, "as": member})
    echo(f"{done['task']} is {done['owner']}'s")


@app.command(epilog=examples('cairn task assign TASK ben --why "ana is ill"'))
def assign(
    task: TaskArgument,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="The id of the member who gets it.")],
    why: WhyOption,
    customer: TaskCustomerOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Give a task to a member, also where another one has it."""
    done = Manage(to).post("tasks", do="assign", task=task, customer=customer, to=member, why=why)
    echo(f"{done['task']} is {done['owner']}'s")


@app.command(epilog=examples('cairn task note TASK "asked for the brochure"'))
def note(
    task: TaskArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT")],
    customer: TaskCustomerOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Add a note to a task."""
    Manage(to).post("tasks", do="note", task=task, customer=customer, note=text)
    echo("noted")


@app.command(
    epilog=examples(
        "cairn task done TASK --outcome booked", "cairn task done TASK --outcome call_back --at 2026-03-29T14:30"
    )
)
def done(  # noqa: PLR0913, PLR0917  one argument for each option
    task: TaskArgument,
    outcome: Annotated[str, typer.Option("--outcome", help="One of the queue's, as `cairn task show` lists them.")],
    at: Annotated[str, typer.Option("--at", help="When to call back, on the customer's own clock.")] = "",
    text: Annotated[str, typer.Option("--note", help="What else was said.")] = "",
    said: Annotated[
        list[str] | None,
        typer.Option("--said", help="A line of its script, in order: LINE or LINE=ANSWER; repeatable."),
    ] = None,
    member: AsOption = "",
    customer: TaskCustomerOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Say what has come of a task. After some outcomes it comes back later, as the queue says."""
    about = {"do": "done", "task": task, "customer": customer, "outcome": outcome, "at": at, "note": text, "as": member}
    script = [line.split("=", 1) for line in said or ()]
    after = Manage(to).post("tasks", **about, **({"script": script} if script else {}))
    echo(f"{after['task']} is done: {after['outcome']}" if "outcome" in after else _comes_back(after))


@app.command(epilog=examples('cairn task withdraw TASK --why "the customer has moved away"'))
def withdraw(task: TaskArgument, why: WhyOption, customer: TaskCustomerOption = "", to: ToOption = LOCAL_URL) -> None:
    """Take back a task that makes no sense any more. A journey that waits for it goes on by its `else`."""
    gone = Manage(to).post("tasks", do="withdraw", task=task, customer=customer, why=why)
    echo(f"{gone['task']} is withdrawn")


def _comes_back(task: dict[str, Any]) -> str:
    return (
        f"{task['task']} comes back at {task.get('comes_back_at', task['due_at'])}, to {task['owner'] or 'nobody yet'}"
    )


def _shown(task: dict[str, Any]) -> Iterator[str]:
    about = task["about"]
    state = "OVERDUE" if task["overdue"] else task["status"]
    yield f"{task['title']}  ({task['kind']}, {task['queue']}, {task['priority']})"
    yield f"  {state}, due {task['due_at']}; {task['owner'] or 'nobody has it'}"
    if "outcome" in task:
        yield f"  {task['outcome']}, said {task['done_by']}"
    yield f"The customer: {task['customer']}, on the clock of {about['zone']}"
    yield from (f"  {line}" for line in about["profile"])
    known = {name: value for name, value in about["attributes"].items() if value not in {None, ""}}
    yield from (f"  {name}: {value}" for name, value in known.items())
    yield from _part("What the journey says", (f"{name}: {value}" for name, value in task["context"].items()))
    yield from _part("Script", _script(task))
    yield from _part("May be contacted", (*about["consents"], *about["suppressions"]))
    yield from _part("What happened last", (f"{one['at']}  {one['type']}" for one in about["events"]))
    yield from _part("Messages", (f"{one['local']}  {one['says']}" for one in about["messages"]))
    yield from _part("Waits", about["waiting"])
    yield from _part("Notes", (f"{one['at']}  {one['by']}: {one['why']}" for one in task["notes"]))
    yield from _part("So far", map(_entry, task["history"]))
    if task["status"] == "open":
        yield from _part("What may come of it", map(_outcome, task["outcomes"]))


def _script(task: dict[str, Any]) -> Iterable[str]:
    """The text that a step has, or the title of a call script, which has many ways."""
    if "script_title" in task:
        return [f"{task['script_title']}  (all of it: cairn script show {task['script']})"]
    return task["script"].splitlines() if task["script"] else ()


def _part(title: str, lines: Any) -> Iterator[str]:
    """A title and its lines; nothing without lines."""
    written = [f"  {line}" for line in lines]
    if written:
        yield title
        yield from written


def _entry(one: dict[str, str]) -> str:
    to = f" → {one['owner']}" if one.get("owner") else ""
    why = f" ({one['why']})" if one.get("why") else ""
    return f"{one['at']}  {one['by']}: {IN_WORDS.get(one['what'], one['what'])}{to}{why}"


def _outcome(one: dict[str, Any]) -> str:
    then = " --at TIME" if one.get("needs_at") else ""
    again = f"; it comes back after {one['again_after']}" if "again_after" in one else ""
    return f"--outcome {one['outcome']}{then}  {one['title']}{again}"


class By(StrEnum):
    QUEUE = "queue"
    OWNER = "owner"
    SOURCE = "source"


@app.command(epilog=examples("cairn task report --by owner", "cairn replay STORY.yaml --json | cairn task report -"))
def report(
    file: Annotated[
        str, typer.Argument(help="Lines of a timeline as JSON; - reads them from another command.", metavar="[FILE|-]")
    ] = "",
    by: Annotated[By, typer.Option("--by", help="What the tasks are counted by.")] = By.QUEUE,
    booked: Annotated[list[str] | None, typer.Option("--booked", help="An outcome that counts; repeatable.")] = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Say how well a team does: response, deadlines, reassignments, bookings, and the time in each stage.

    Counted from a file, from another command, or else from `cairn serve`.
    """
    from cairn.domain.people.measures import of_stages, of_tasks  # noqa: PLC0415  few commands count

    lines, now = _timeline(file)
    outcomes = frozenset(booked or ["booked"])
    tasks, stages = of_tasks(lines, by.value, outcomes, now), of_stages(lines)
    if as_json:
        print_json(
            {
                "by": by.value,
                "tasks": {name: _plain(asdict(one)) for name, one in tasks.items()},
                "stages": [
                    {"pipeline": pipeline, "stage": stage, **_plain(asdict(one))}
                    for (pipeline, stage), one in stages.items()
                ],
            }
        )
        return
    terminal = Terminal(highlight=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
    terminal.print(_table(by.value, ((name, *_cells(one)) for name, one in tasks.items())))
    if stages:
        table = Table("stage", "here", "left", "stay", box=None, pad_edge=False)
        for (pipeline, stage), one in stages.items():
            table.add_row(f"{pipeline}: {stage}" if pipeline else stage, str(one.here), str(one.left), _long(one.time))
        terminal.print()
        terminal.print(table)


FILE_WIDTH = 120
"""Columns of a report that is written to a file or a pipe."""


def _timeline(file: str) -> tuple[list[dict[str, Any]], datetime]:
    """The lines, and until when they go."""
    if file:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        return lines, instant_from_wire(max(line["at"] for line in lines)) if lines else datetime.now(UTC)
    with urlopen(f"{LOCAL_URL}/_timeline") as answer:  # noqa: S310  loopback
        lines = [json.loads(line) for line in answer.read().decode().splitlines() if line]
    with urlopen(f"{LOCAL_URL}/_clock") as answer:  # noqa: S310
        return lines, instant_from_wire(json.loads(answer.read())["now"])


def _table(by: str, rows: Iterable[tuple[str, ...]]) -> Table:
    heads = (
        "opened",
        "done",
        "withdrawn",
        "overdue",
        "answer",
        "close",
        "in time",
        "reassigned",
        "escalated",
        "booked",
    )
    table = Table(by, *heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return table


def _cells(one: "Measures") -> tuple[str, ...]:
    counts = (one.opened, one.done, one.withdrawn, one.overdue)
    passed = (one.reassigned, one.escalated)
    times = (_long(one.first_response), _long(one.close))
    return (*map(str, counts), *times, _share(one.in_time), *map(str, passed), _share(one.booked))


def _long(length: timedelta | None) -> str:
    return "" if length is None else duration_text(timedelta(minutes=round(length / timedelta(minutes=1))))


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Lengths as seconds."""
    return {name: one.total_seconds() if isinstance(one, timedelta) else one for name, one in values.items()}
