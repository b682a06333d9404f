"""The suggested next action of a task: one sentence, by the first of a few written rules that fits."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from cairn.domain.customer.state import Customer
from cairn.domain.identity.identifiers import EMAIL, PHONE
from cairn.domain.people.task import COMES_BACK, Task, TaskKind
from cairn.domain.profile.attributes import TIME_ZONE

FROM, UNTIL = time(8), time(21)
"""When a customer may be called, on their own clock: 47 CFR 64.1200(c)(1)."""


def next_action(task: Task, customer: Customer, now: datetime) -> str:
    """What to do next about an open task; empty where nothing speaks for one thing before another."""
    zone = customer.zone(task.time_zone)
    if task.is_open and task.tries and task.remind_at is not None and task.remind_at > now:
        return f"Wait until {_said(task.remind_at, zone)} on the customer's clock: {_because(task)}."
    return _call(task, customer, now, zone) if task.is_open and task.kind is TaskKind.CALL else ""


def _call(task: Task, customer: Customer, now: datetime, zone: ZoneInfo) -> str:
    if not customer.profile.get(PHONE):
        by = "Write an e-mail" if customer.profile.get(EMAIL) else "Look for a way to reach them"
        return f"There is no phone number. {by}."
    local = now.astimezone(zone).time()
    if (customer.profile.get(TIME_ZONE) or task.time_zone) and not FROM <= local < UNTIL:
        return f"It is {local:%H:%M} for the customer. Call between {FROM:%H:%M} and {UNTIL:%H:%M}."
    tried = [one.at for one in task.history if one.what == "again"]
    if tried:
        return f"Call now. The last try was {_said(tried[-1], zone)}: if that is about this hour, try another one."
    return "Call now."


def _because(task: Task) -> str:
    last = next(one for one in reversed(task.history) if one.what in COMES_BACK)
    return "they chose this time" if last.what == "called_back" else f"the last outcome was {last.why}"


def _said(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b, %H:%M}"
