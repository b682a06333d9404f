"""From a journey's document (docs/journeys.md, already checked) to the graph that the engine walks.

Standard library only: this runs in the functions. `authoring.journeys` reads and checks what people write.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from functools import partial
from typing import Any

from cairn.adapters.documents.shares import share
from cairn.domain.identity.trust import JOURNEYS_SOURCE
from cairn.domain.journey.definition import (
    CONDITION_MET,
    DATE_CHANGED,
    Cap,
    CustomerCap,
    EntryRule,
    Goal,
    GoalValue,
    Journey,
    Match,
    Reentry,
)
from cairn.domain.journey.steps import Step, step_from_document
from cairn.domain.journey.steps.begin import Begin
from cairn.domain.message.message import STATUS_REPORTS
from cairn.domain.shared.instants import duration
from cairn.domain.shared.moments import DayOf, Silence

Document = Mapping[str, Any]

DEFAULT_GOAL_WINDOW = "30d"

ASKS_FOR_ANY_TYPE = re.compile(
    r"\b(?:seen|seen_since|count)\((?!\s*'[^'\\]*'\s*[,)])|\b(?:days_since|hours_until)\(\s*`|\\u"
)
"""In a journey's document as JSON: a function that asks for events of a type that is not written out as plain text, or
text with an escape, in which a type would not be found. `days_since` and `hours_until` usually get an instant.
"""


def journey_from_document(document: Document, version: str) -> Journey:
    """The journey of a checked document. Raises KeyError or ValueError on one that was not checked."""
    steps: dict[str, Step] = {}
    start = _chain(document["steps"], after=None, into=steps)
    entry = _entry(document)
    if entry.waits:
        begin = _begin(document["entry"], start, entry)
        start, steps[begin.id] = begin.id, begin
    goal, sender = document.get("goal"), document.get("sender", {})
    return Journey(
        name=document["journey"],
        version=version,
        entry=entry,
        steps=steps,
        start=start,
        goal=_goal(goal) if goal else None,
        holdout=share(document.get("holdout", 0)),
        unmeasured=document.get("analysis", {}).get("exclude", ""),
        exit_on=tuple(Match.from_document(rule) for rule in document.get("exit_on", ())),
        at_end=tuple(_last_step(one) for one in document.get("finally", ())),
        refresh_on=tuple(Match.from_document(rule) for rule in document.get("refresh_on", ())),
        time_zone=document.get("time_zone", "UTC"),
        brand=sender.get("brand", ""),
        postal_address=sender.get("postal_address", ""),
        link_hosts=tuple(document.get("link_hosts", ())),
    )


def _goal(written: Document) -> Goal:
    value = written.get("value")
    worth = GoalValue(value["amount"], value["currency"], value.get("unit") == "major") if value else None
    return Goal(Match.from_document(written), duration(written.get("within", DEFAULT_GOAL_WINDOW)), worth)


def listens_before(document: Document) -> set[str]:
    """`Journey.listens_before` of the document, without making the journey."""
    rules = (*_entries(document), *document.get("exit_on", ()), *document.get("refresh_on", ()))
    return {rule["event"] for rule in rules}


def status_reports_in(document: Document) -> frozenset[str]:
    """The STATUS_REPORTS that a journey may hear or ask for: by a rule, a wait, its goal, or a function of a condition.

    Rather one too many: each that stands anywhere in the document, and all of them where a condition works out a type.
    """
    text = json.dumps(document, ensure_ascii=False)
    if ASKS_FOR_ANY_TYPE.search(text):
        return STATUS_REPORTS
    return frozenset(one for one in STATUS_REPORTS if one in text)


def status_reports_heard(compiled: Iterable[Document]) -> str:
    """Those of any of these journeys, as the setting of record_feedback."""
    return " ".join(sorted({one for journey in compiled for one in status_reports_in(journey["document"])}))


def _chain(steps: Sequence[Document], *, after: str | None, into: dict[str, Step]) -> str | None:
    """Add a list of steps, which `after` follows; gives the first one's id. A step is added after its successors."""
    following = after
    for document in reversed(steps):
        into[document["id"]] = step_from_document(document, following, partial(_chain, after=following, into=into))
        following = document["id"]
    return following


def _last_step(document: Document) -> Step:
    return step_from_document(document, None, lambda _: None)


def watches(document: Document) -> frozenset[str]:
    """`Journey.entry.watches` of the document, without making the journey."""
    return frozenset(document["entry"].get("watches", ()))


def _entry(document: Document) -> EntryRule:
    entry = document["entry"]
    is_yearly = "every" in entry
    again = entry.get("again", (Reentry.WHEN_ENDED if is_yearly else Reentry.NEVER).value)
    rule = Reentry(again) if again in {Reentry.NEVER.value, Reentry.WHEN_ENDED.value} else Reentry.AFTER
    after = duration(again) if rule is Reentry.AFTER else duration("0s")
    at, day = time.fromisoformat(entry.get("at", "00:00")), entry.get("day", 0)
    return EntryRule(
        tuple(map(Match.from_document, _entries(document))),
        rule,
        after,
        waits="date" in entry or "none_of" in entry,
        day_of=DayOf(entry["date"], at, day, is_yearly) if "date" in entry else None,
        condition=entry.get("when"),
        watches=watches(document),
        first_day=date.fromisoformat(entry["from"]) if "from" in entry else None,
        last_day=date.fromisoformat(entry["until"]) if "until" in entry else None,
        unless_in=frozenset(entry.get("unless_in", ())),
        priority=entry.get("priority", 0),
        cap=cap(entry["at_most"]) if "at_most" in entry else None,
        per_customer=customer_cap(entry["per_customer"]) if "per_customer" in entry else None,
    )


def cap(text: str) -> Cap:
    """Of `500 per day`. Raises ValueError."""
    limit, _, per = text.partition(" per ")
    return Cap(int(limit), "hour" if per == "hour" else "day")


def customer_cap(text: str) -> CustomerCap:
    """Of `3 in 90d`. Raises ValueError."""
    limit, _, within = text.partition(" in ")
    return CustomerCap(int(limit), duration(within))


def _begin(entry: Document, start: str | None, rule: EntryRule) -> Begin:
    moment = rule.day_of or Silence(tuple(entry["none_of"]), duration(entry["for"]))
    return Begin(start, moment, entry.get("where"))


def _entries(document: Document) -> Sequence[Document]:
    """The rules of an entry: several, or the one that it is, or that of what Cairn itself says has happened."""
    entry = document["entry"]
    if "none_of" in entry:
        return [{"event": one} for one in entry["none_of"]]
    if "date" in entry or "when" in entry:
        about = f"event.source == '{JOURNEYS_SOURCE}' && event.properties.journey == '{document['journey']}'"
        return [{"event": DATE_CHANGED if "date" in entry else CONDITION_MET, "where": about}]
    found: Sequence[Document] = entry.get("any", [entry])
    return found
