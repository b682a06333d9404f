"""A printed timeline: by day, the events, decisions and messages, and the reasons of messages that were not sent."""

from collections.abc import Collection
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cairn.domain.policy import EVERY_JOURNEY
from cli.output import Terminal

TimelineEntry = dict[str, Any]

MARKS = {
    "event": ("▸", "cyan"),
    "message": ("✉", "green"),
    "task": ("☎", "magenta"),
    "deferred": ("◷", "blue"),
    "suppressed": ("⊘", "yellow"),
    "failed": ("✗", "red"),
    "undecided": ("?", "red"),
    "goal_reached": ("★", "bold green"),
}
QUIET = ("·", "dim")
MAX_BODY = 240


DETAILS = ("field", "because", "reason", "arm", "absorbed", "attributes", "values")
"""What a line says of a decision that has no words of its own."""


def show(lines: list[TimelineEntry], console: Terminal, *, start: datetime, zone: ZoneInfo) -> None:
    """Print the entries under a heading per day, in one time zone."""
    customers = {line["customer"] for line in lines}
    journeys = {line["journey"] for line in lines if line.get("journey")}
    for day, of_day in groupby(lines, key=lambda line: _local(line, zone).date()):
        number = (day - start.astimezone(zone).date()).days
        console.print(Text(f"\n day {number} ", "bold reverse") + Text(f" {day:%A %d %B %Y}", "bold"))
        table = Table.grid(padding=(0, 1), expand=True)
        for width in (5, 1, 12):
            table.add_column(width=width, no_wrap=True)
        table.add_column(overflow="fold", ratio=1)
        table.add_column(justify="right", no_wrap=True)
        for line in of_day:
            mark, style = MARKS.get(line["kind"], QUIET)
            who = f"{line['customer']} " if len(customers) > 1 else ""
            journey = _shortened(line.get("journey") or "", journeys)
            text = Text(who, "dim") + _text(line, zone)
            step = Text(f"{journey}{line['step']}" if line.get("step") else "", "dim italic")
            table.add_row(f"{_local(line, zone):%H:%M}", Text(mark, style), Text(_kind(line), style), text, step)
        console.print(Padding(table, (0, 0, 0, 1)))


def _local(line: TimelineEntry, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(line["at"]).astimezone(zone)


def _shortened(journey: str, several: Collection[str]) -> str:
    """Before a step: nothing where all are of one journey; beside `trial`, `trial-offers` is `offers:`."""
    if len(several) < 2:  # noqa: PLR2004  one needs no name
        return ""
    first = min(several, key=len)
    if not all(one == first or one.startswith(f"{first}-") for one in several):
        return f"{journey} "
    return f"{journey.removeprefix(first).removeprefix('-')}: ".removeprefix(": ")


def _kind(line: TimelineEntry) -> str:
    return str(line.get("channel") or line["kind"]) if line["kind"] == "message" else line["kind"].replace("_", " ")


def _text(line: TimelineEntry, zone: ZoneInfo) -> Text:  # noqa: C901, PLR0911, PLR0912  one return a kind
    match line["kind"]:
        case "event":
            return Text(line["type"], "bold") + Text(f"  from {line['source']}", "dim")
        case "message":
            return _message(line, zone) + Text(f"  {line['status']}" if line["status"] != "sent" else "", "green")
        case "deferred":
            until = datetime.fromisoformat(line["until"]).astimezone(zone) if line.get("until") else None
            named = f"until {until:%a %d %b %H:%M}" if until else "until somebody acts"
            return Text(named, "blue") + Text(f"  {line['reason'].replace('_', ' ')}", "dim")
        case "suppressed":
            return Text(f"not sent: {line['reason']}", "yellow")
        case "failed" | "undecided":
            return Text(f"{line.get('reason', '')} {line.get('error', '')}".strip(), "red")
        case "consent":
            cause = f" ({line['cause'].replace('_', ' ')})" if line.get("cause") else ""
            return Text(f"{line['purpose']} by {line['channel']}: {line['status']}{cause}", "dim")
        case "task":
            due = datetime.fromisoformat(line["due_at"]).astimezone(zone)
            where = f"for {line.get('now_in') or line['queue']}, due {due:%a %H:%M}"
            return Text(line["title"], "bold") + Text(f"  {where}", "magenta") + Text(_life(line), "dim")
        case "waiting":
            until = datetime.fromisoformat(line["until"]).astimezone(zone)
            return Text(f"until {until:%a %d %b %H:%M}", "dim")
        case "entered" | "held_out" | "not_entered":
            journey = "all journeys" if line["journey"] == EVERY_JOURNEY else line["journey"]
            return Text(f"{journey} {line.get('reason', '')}".strip(), "dim")
        case "staged" | "not_staged":
            move = " → ".join(line[name] for name in ("before", "stage") if line.get(name))
            reason = f"  {line['reason']}" if line.get("reason") else f"  because of {line['because']}"
            return Text(move, "bold") + Text(f" in {line['pipeline']}{reason}", "dim")
        case "ended" | "stopped":
            return Text(str(line.get("because") or line["outcome"]), "dim")
        case "done":
            by = f"  by {line['owner']}" if line.get("owner") else ""
            return Text(line.get("outcome", ""), "bold") + Text(by, "dim")
        case "goal_reached":
            return Text(line["because"], "bold green")
        case _:
            parts = [_words(line[name]) for name in DETAILS if line.get(name)]
            parts += [f"{line['left']} to come"] if line.get("left") else []
            return Text(" · ".join(parts), "dim")


def _life(task: TimelineEntry) -> str:
    """The owner of a task, its way through the team, and its outcome."""
    parts = [f"of {task['owner']}" if task.get("owner") else ""]
    history = [one["what"] for one in task.get("history", ())]
    parts += [_times(word, history.count(word)) for word in ("reassigned", "escalated") if word in history]
    parts.append(str(task.get("outcome") or ("" if task.get("status") == "open" else task.get("status", ""))))
    return "".join(f"  {one}" for one in parts if one)


def _times(word: str, number: int) -> str:
    return word if number == 1 else f"{word} {number} times"


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _invited(invite: TimelineEntry, zone: ZoneInfo) -> str:
    if not invite:
        return ""
    starts = datetime.fromisoformat(invite["starts"]).astimezone(zone) if invite.get("starts") else None
    what = "cancels the invite" if invite["method"] == "cancel" else "with an invite"
    return f"  {what}{f' for {starts:%a %d %b %H:%M}' if starts else ''}"


def _message(line: TimelineEntry, zone: ZoneInfo) -> Text:
    body = " ".join(str(line.get("body", "")).split())
    body = body if len(body) <= MAX_BODY else body[:MAX_BODY].rsplit(" ", 1)[0] + " …"
    if line.get("subject"):
        return Text(line["subject"], "bold") + Text(_invited(line.get("invite", {}), zone), "dim")
    return Text(f"“{body}”")
