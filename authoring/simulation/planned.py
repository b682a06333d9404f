"""Events that are to happen in a simulation: how they are written, and when each one comes."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from authoring.problems import did_you_mean
from authoring.simulation.outcomes import InvalidEventError
from authoring.simulation.run import Simulation
from cairn.domain.effects import ANSWERED, REFUSED
from cairn.domain.event import EVENT_TYPE_SHAPE
from cairn.domain.people.task import DONE_EVENT, WITHDRAWN_EVENT
from cairn.domain.shared.instants import duration, duration_text

WRITTEN = re.compile(r"(?P<type>[^@:{\s]+)(?:@(?P<after>[^:{\s]+))?(?::?(?P<properties>\{.*))?", re.DOTALL)

HOW = 'write TYPE, TYPE@OFFSET or TYPE@OFFSET:{"property": …}, such as invoice.paid@2d12h:{"total": 40}'


@dataclass(frozen=True, slots=True)
class Planned:
    type: str
    after: timedelta | None = None
    """How long after the start; None: half way through the first wait that hears it."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    """Beside those of the starting event."""

    @classmethod
    def read(cls, text: str) -> Self:
        """`TYPE[@OFFSET][:{…}]`. Raises InvalidEventError."""
        found = WRITTEN.fullmatch(text.strip())
        if found is None:
            raise InvalidEventError(f"“{text}” is no event: {HOW}")
        if not EVENT_TYPE_SHAPE.fullmatch(found["type"]):
            raise InvalidEventError(f"“{found['type']}” is not a type of event, such as invoice.paid: {HOW}")
        return cls(found["type"], _offset(found["after"]), _properties(found["properties"]))

    def written(self) -> str:
        """As `read` takes it."""
        after = f"@{duration_text(self.after)}" if self.after is not None else ""
        properties = f":{json.dumps(self.properties, ensure_ascii=False)}" if self.properties else ""
        return f"{self.type}{after}{properties}"


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    try:
        after = duration(text)
    except ValueError as error:
        raise InvalidEventError(f"“{text}” after the @: {error}") from None
    if after < timedelta():
        raise InvalidEventError(f"“{text}” is before the start: an event that began no journey changes nothing in it")
    return after


def _properties(text: str | None) -> Mapping[str, Any]:
    """Of a text that begins as a JSON object does, if there is one."""
    try:
        found: dict[str, Any] = json.loads(text) if text else {}
    except ValueError as error:
        raise InvalidEventError(f"“{text}” is not JSON ({error}): {HOW}") from None
    return found


Ask = Callable[[Simulation], Planned | None]
"""What happens at a wait: an event, or None where nothing does."""


@dataclass(frozen=True, slots=True)
class Walked:
    simulation: Simulation
    planned: tuple[Planned, ...]
    """The events that happened, each with its offset: the same again by flags."""
    unheard: tuple[Planned, ...] = ()
    """Events without an offset for which no wait came."""


def to_the_end(simulation: Simulation, planned: Sequence[Planned], ask: Ask = lambda _: None) -> Walked:
    """The whole way: each event at its instant; at each wait without one, as asked; otherwise the timer fires."""
    began, left, happened = simulation.now, list(planned), []
    while True:
        one = _next(simulation, left, began)
        if one is None and simulation.due is not None and (answer := ask(simulation)) is not None:
            left.append(answer)
            one = _next(simulation, left, began)
        if one is not None:
            at = simulation.halfway if one.after is None else max(began + one.after, simulation.now)
            if one.type == DONE_EVENT:
                simulation = simulation.said(at, one.properties)
            else:
                simulation = simulation.after(simulation.event(one.type, at, one.properties))
            left.remove(one)
            happened.append(replace(one, after=at - began))
        elif simulation.due is not None:
            simulation = simulation.timed_out()
        else:
            return Walked(simulation, tuple(happened), tuple(left))


def _next(simulation: Simulation, left: Sequence[Planned], began: datetime) -> Planned | None:
    """The event that happens before the timer fires, if one does."""
    due, halfway = simulation.due, simulation.halfway
    dated = [(began + one.after, number) for number, one in enumerate(left) if one.after is not None]
    at, number = min(dated, default=(None, 0))
    heard = {rule.event for rule in simulation.rules}
    undated = next((one for one in left if one.after is None and one.type in heard), None)
    if undated is not None and due is not None and (at is None or halfway < at):
        return undated
    return left[number] if at is not None and (due is None or at <= due) else None


def ways_on(simulation: Simulation) -> list[tuple[str, str]]:
    """The events that change something where the customer waits: each type, and what it would do."""
    journey = simulation.journey
    goal = (journey.goal.match,) if journey.goal else ()
    roles = (
        (simulation.waits_for, "ends the wait"),
        (journey.exit_on, "exit_on"),
        (goal, "goal"),
        (journey.refresh_on, "refresh_on"),
    )
    found: dict[str, list[str]] = {}
    for rules, what in roles:
        for rule in rules:
            said = f"{what} if {rule.where}" if rule.where else what
            found.setdefault(rule.event, []).append(said)
    return [(type_, ", ".join(dict.fromkeys(said))) for type_, said in found.items()]


def unnamed(planned: Sequence[Planned], document: Any) -> list[tuple[str, str]]:
    """The types of events that a compiled journey names nowhere, each with what to write instead."""
    named = sorted(_types_in(document))
    known = f"It names {', '.join(named)}." if named else "It names none."
    types = dict.fromkeys(one.type for one in planned)
    return [(type_, did_you_mean(type_, named, known)) for type_ in types if type_ not in named]


def _types_in(document: Any) -> set[str]:
    """Of its matches, the answers of its webhooks and tasks, and in its conditions: `seen('visit.attended')`."""
    if isinstance(document, Mapping):
        own = {document["event"]} if isinstance(document.get("event"), str) else set[str]()
        own |= {ANSWERED, REFUSED} if "webhook" in document else set()
        task = document.get("task")
        own |= {DONE_EVENT, WITHDRAWN_EVENT} if isinstance(task, Mapping) and "then" in task else set()
        return own.union(*map(_types_in, document.values()))
    if isinstance(document, list):
        return set[str]().union(*map(_types_in, document))
    texts = re.findall(r"'([^']+)'", document) if isinstance(document, str) else []
    return {one for one in texts if EVENT_TYPE_SHAPE.fullmatch(one)}


def planned_answer(
    text: str, ways: Sequence[tuple[str, str]], simulation: Simulation, began: datetime
) -> Planned | None:
    """An answer at a wait: 0 or none for nothing; the number of a way, or a type, with what `Planned.read` allows.

    Raises InvalidEventError.
    """
    number, rest = re.fullmatch(r"(\d*)(.*)", text.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
    if number and int(number) > len(ways):
        raise InvalidEventError(f"there is no {number}: answer 0 to {len(ways)}, or the type of an event")
    if not text.strip() or (number and not int(number)):
        return None
    one = Planned.read(f"{ways[int(number) - 1][0]}{rest}" if number else text)
    if one.type == DONE_EVENT:
        simulation.outcome_of(one.properties)
    if one.after is not None and began + one.after < simulation.now:
        gone = duration_text(simulation.now - began)
        raise InvalidEventError(f"@{duration_text(one.after)} is over: it is {gone} after the start already")
    return one if one.after is not None else replace(one, after=simulation.halfway - began)
