"""What a team has made of its tasks, counted from the lines of the timeline and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from cairn.domain.people.task import COMES_BACK
from cairn.domain.shared.instants import instant_from_wire

Recorded = Mapping[str, Any]

By = Literal["queue", "owner", "source"]

ANSWERS = frozenset({"claimed", "noted", "done"}) | COMES_BACK
"""Lines of a task's history by which its owner first shows that they are at it."""

LATE = frozenset({"overdue", "reassigned", "escalated", "escalated to the manager", "overdue at the top"})
PASSED = frozenset({"reassigned"})
UP = frozenset({"escalated", "escalated to the manager"})

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Measures:
    """Of the tasks of one queue, owner or source. Times are medians on the clock, nights included."""

    opened: int
    done: int
    withdrawn: int
    overdue: int
    """Open ones whose time is over."""
    first_response: timedelta | None
    """From opening to the first sign of an owner."""
    close: timedelta | None
    """From opening to done."""
    in_time: float | None
    """The share of those that are done, or past their time, that were done in time and by their first owner."""
    reassigned: int
    escalated: int
    booked: float | None
    """The share of those done that had one of the outcomes that count."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """Of the customers who were in a stage."""

    left: int
    here: int
    """Customers who are in it now."""
    time: timedelta | None
    """The median of the customers that have left it."""


def of_tasks(lines: Iterable[Recorded], by: By, booked: frozenset[str], now: datetime) -> dict[str, Measures]:
    """The measures of each queue, owner or source, by name."""
    groups: dict[str, list[Recorded]] = {}
    for line in lines:
        if line["kind"] == "task":
            groups.setdefault(_group(line, by), []).append(line)
    return {name: _measures(tasks, booked, now) for name, tasks in sorted(groups.items())}


def of_stages(lines: Iterable[Recorded]) -> dict[tuple[str, str], StageTime]:
    """How long customers stay in each stage, by pipeline and stage. `lines` are in order of time."""
    moves: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
    for line in lines:
        if line["kind"] == "staged":
            about = line["customer"], line.get("pipeline", "")
            moves.setdefault(about, []).append((instant_from_wire(line["at"]), line["stage"]))
    stays: dict[tuple[str, str], list[timedelta]] = {}
    here: dict[tuple[str, str], int] = {}
    for (_, pipeline), each in moves.items():
        for (since, stage), (until, _) in pairwise(each):
            stays.setdefault((pipeline, stage), []).append(until - since)
        last = pipeline, each[-1][1]
        here[last] = here.get(last, 0) + 1
    names = sorted({*stays, *here})
    return {
        name: StageTime(len(stays.get(name, ())), here.get(name, 0), _median(stays.get(name, ()))) for name in names
    }


def _group(line: Recorded, by: By) -> str:
    match by:
        case "queue":
            return str(line.get("now_in") or line.get("queue"))
        case "owner":
            return str(line.get("owner") or NOBODY)
        case "source":
            return str(line.get("source") or "unknown")


def _measures(tasks: list[Recorded], booked: frozenset[str], now: datetime) -> Measures:
    done = [one for one in tasks if one["status"] == "done"]
    is_late = {id(one): _was_late(one, now) for one in tasks}
    decided = [one for one in tasks if one["status"] == "done" or is_late[id(one)]]
    return Measures(
        opened=len(tasks),
        done=len(done),
        withdrawn=sum(one["status"] == "withdrawn" for one in tasks),
        overdue=sum(one["status"] == "open" and instant_from_wire(one["due_at"]) < now for one in tasks),
        first_response=_median(wait for one in tasks if (wait := _until(one, ANSWERS)) is not None),
        close=_median(wait for one in done if (wait := _until(one, frozenset({"done"}))) is not None),
        in_time=_share(sum(not is_late[id(one)] for one in decided), len(decided)),
        reassigned=sum(_lines(one, PASSED) for one in tasks),
        escalated=sum(_lines(one, UP) for one in tasks),
        booked=_share(sum(one.get("outcome") in booked for one in done), len(done)),
    )


def _was_late(task: Recorded, now: datetime) -> bool:
    due_at = instant_from_wire(task["due_at"])
    ended = instant_from_wire(task["done_at"]) if task.get("done_at") else now
    return bool(_lines(task, LATE)) or (task["status"] != "withdrawn" and ended > due_at)


def _lines(task: Recorded, what: frozenset[str]) -> int:
    return sum(one["what"] in what for one in task.get("history", ()))


def _until(task: Recorded, what: frozenset[str]) -> timedelta | None:
    """From opening to the first line of this kind in its history or its notes."""
    entries = (*task.get("history", ()), *task.get("notes", ()))
    found = [instant_from_wire(one["at"]) for one in entries if one["what"] in what]
    return min(found) - instant_from_wire(task["at"]) if found else None


def _median(lengths: Iterable[timedelta]) -> timedelta | None:
    seconds = [one.total_seconds() for one in lengths]
    return timedelta(seconds=median(seconds)) if seconds else None


def _share(some: int, of: int) -> float | None:
    return some / of if of else None
