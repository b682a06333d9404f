"""From a journey's document (docs/journeys.md, already checked) to the graph that the engine walks.

Standard library only: this runs in the functions. What people write is read and checked by `authoring.journeys`.
"""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from cairn.domain.journey.definition import (
    Branch,
    EntryRule,
    Exit,
    Goal,
    IfPast,
    Journey,
    Match,
    Reentry,
    Send,
    Step,
    Task,
    Update,
    Wait,
    WaitFor,
)
from cairn.domain.message.message import Review
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import duration
from cairn.domain.shared.moments import Delay, LocalTime, Moment, Until

Document = Mapping[str, Any]

VERBS = ("send", "wait", "wait_for", "branch", "task", "update", "exit")
DEFAULT_GOAL_WINDOW = "30d"
DEFAULT_TASK_DUE = "24h"
DEFAULT_OTHERWISE = "drop"
PREFERRED = "preferred"


def journey_from_document(document: Document, version: str) -> Journey:
    """The journey of a checked document. Raises KeyError or ValueError on one that was not checked."""
    steps: dict[str, Step] = {}
    start = _chain(document["steps"], None, steps)
    goal, sender = document.get("goal"), document.get("sender", {})
    return Journey(
        name=document["journey"],
        version=version,
        entry=_entry(document["entry"]),
        steps=steps,
        start=start,
        goal=Goal(_match(goal), duration(goal.get("within", DEFAULT_GOAL_WINDOW))) if goal else None,
        holdout=share(document.get("holdout", 0)),
        exit_on=tuple(_match(rule) for rule in document.get("exit_on", ())),
        refresh_on=tuple(_match(rule) for rule in document.get("refresh_on", ())),
        time_zone=document.get("time_zone", "UTC"),
        brand=sender.get("brand", ""),
        postal_address=sender.get("postal_address", ""),
    )


def share(value: float | str) -> float:
    """A fraction from `0.1` or `10%`. Raises ValueError."""
    text = str(value)
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def moment_from_document(value: str | Document) -> Moment:
    """When a wait ends: `30m`, {until, offset}, or {at, at_from, day}."""
    if isinstance(value, str):
        return Delay(duration(value))
    if "until" in value:
        return Until(value["until"], duration(value.get("offset", "0s")))
    return LocalTime(time.fromisoformat(value["at"]), value.get("at_from"), value.get("day"))


def _chain(steps: Sequence[Document], after: str | None, into: dict[str, Step]) -> str | None:
    """Add steps that follow one another and then `after`; gives the first one's id."""
    following = after
    for document in reversed(steps):
        into[document["id"]] = _step(document, following, into)
        following = document["id"]
    return following


def _step(document: Document, after: str | None, into: dict[str, Step]) -> Step:  # noqa: PLR0911  one return a verb
    this = document["id"]
    verb = next(verb for verb in VERBS if verb in document)
    value = document[verb]
    match verb:
        case "send":
            return _send(this, after, value)
        case "wait":
            if_past = value.get("if_past", IfPast.CONTINUE) if isinstance(value, Mapping) else IfPast.CONTINUE
            return Wait(this, after, moment_from_document(value), IfPast(if_past))
        case "wait_for":
            happened = _chain(value.get("then", ()), after, into)
            timed_out = _chain(value.get("else", ()), after, into)
            return WaitFor(this, _match(value), moment_from_document(value["timeout"]), happened, timed_out)
        case "branch":
            arms = tuple((arm["if"], _chain(arm["then"], after, into)) for arm in value if "if" in arm)
            otherwise = next((arm["else"] for arm in value if "else" in arm), ())
            return Branch(this, arms, _chain(otherwise, after, into))
        case "task":
            due = duration(value.get("due", DEFAULT_TASK_DUE))
            context, script = value.get("context", {}), value.get("script", "")
            return Task(this, after, value["queue"], value["title"], due, context, script)
        case "update":
            tags = value.get("tags", {})
            turned = dict.fromkeys(tags.get("add", ()), True) | dict.fromkeys(tags.get("remove", ()), False)
            return Update(this, after, value.get("set", {}), value.get("set_from", {}), turned)
        case _:
            return Exit(this, value)


def _send(this: str, after: str | None, value: Document) -> Send:
    channels = value["channel"] if isinstance(value["channel"], list) else [value["channel"]]
    useful_for, review = value.get("useful_for"), value.get("review")
    return Send(
        this,
        after,
        tuple(Channel(one) for one in channels),
        value["template"],
        Purpose(value["purpose"]),
        useful_for=duration(useful_for) if useful_for else None,
        preferred_hour=value.get("hour") == PREFERRED,
        review=_review(review) if review else None,
    )


def _review(document: Document) -> Review:
    otherwise = document.get("otherwise", DEFAULT_OTHERWISE)
    return Review(document["queue"], duration(document["within"]), "send" if otherwise == "send" else "drop")


def _entry(document: Document) -> EntryRule:
    again = document.get("again", Reentry.NEVER.value)
    rule = Reentry(again) if again in {Reentry.NEVER.value, Reentry.WHEN_ENDED.value} else Reentry.AFTER
    return EntryRule(
        document["event"],
        document.get("where"),
        document.get("key"),
        rule,
        duration(again) if rule is Reentry.AFTER else duration("0s"),
    )


def _match(document: Document) -> Match:
    return Match(document["event"], document.get("where"), document.get("key"))
