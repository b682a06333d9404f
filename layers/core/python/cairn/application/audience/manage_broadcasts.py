"""Plan a broadcast, approve it, and pause, resume or stop it: each is audited, and the next page sees it.

A journey is paused or stopped with its broadcast, so that what has begun waits, or goes out no more, within a minute.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cairn.application.audience.ask_audiences import AskAudiences, Order
from cairn.application.operations.switch import Switch
from cairn.application.ports import Attempts, Audit, Broadcasts, JourneyDirectory
from cairn.domain.audience.broadcasts import GROWTH, Broadcast, BroadcastState, broadcast_id
from cairn.domain.audience.selection import Asked, Selection
from cairn.domain.effects import BROADCAST_STARTED
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.wait import Wait
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.targets import near_target
from cairn.domain.shared.errors import (
    AlreadySwitchedError,
    ConflictError,
    InvalidRequestError,
    InvalidSwitchError,
    NotAllowedError,
    UnknownBroadcastError,
    UnknownTargetError,
)
from cairn.domain.shared.instants import instant_to_wire, to_instant
from cairn.domain.shared.moments import Until

ATTEMPTS = 8
"""Attempts after a conflict with a page."""

EARLIEST_ZONE = timedelta(hours=14)
"""A day begins first in UTC+14 (Kiritimati)."""

AT = "data.at"
"""How a journey asks for the instant of its broadcast."""

MAY_BE: dict[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.RUNNING: frozenset(
        {BroadcastState.PLANNED, BroadcastState.GROWN, BroadcastState.PAUSED, BroadcastState.STOPPED}
    ),
    BroadcastState.PAUSED: frozenset({BroadcastState.RUNNING}),
    BroadcastState.STOPPED: frozenset(
        {BroadcastState.PLANNED, BroadcastState.GROWN, BroadcastState.RUNNING, BroadcastState.PAUSED}
    ),
}
"""From which states a broadcast may come into one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an operator asks for."""

    journey: str
    audience: str
    at: str
    """An instant; of `local_time`, a time of day on a date, without a zone."""
    local_time: bool = False
    asked: Asked = field(default_factory=Asked)
    per_second: int


@dataclass(frozen=True, slots=True)
class ManageBroadcasts:
    """Raises UnknownBroadcastError, NotAllowedError where the state does not allow it, ConflictError."""

    ask: AskAudiences
    broadcasts: Broadcasts
    journeys: JourneyDirectory
    switch: Switch
    audit: Audit
    attempts: Attempts = range

    def latest(self, limit: int, before: str) -> Sequence[Broadcast]:
        return self.broadcasts.latest(limit, before)

    def show(self, broadcast: str) -> Broadcast:
        found = self.broadcasts.get(broadcast)
        if found is None:
            raise UnknownBroadcastError(f"there is no broadcast {broadcast}; `cairn broadcast list` has them")
        return found

    def plan(self, plan: Plan, order: Order) -> Broadcast:
        """Preflight: the members are counted, and it waits for its approval.

        Raises InvalidRequestError, UnknownAudienceError, UnknownTargetError.
        """
        journey = self._journey(plan.journey)
        audience = self.ask.named(plan.audience)
        selected = self.ask.selected(plan.audience, plan.asked)
        at, said = _instants(plan)
        problems = list(_problems(journey, at, order.now, local_time=plan.local_time))
        if problems:
            raise InvalidRequestError(problems)
        this = broadcast_id(str(plan), order.by, instant_to_wire(order.now))
        planned = Broadcast(
            id=this,
            audience=audience.name,
            audience_version=audience.version,
            type=BROADCAST_STARTED,
            at=at,
            properties={"broadcast": this, "journey": plan.journey, "audience": audience.name, "at": said},
            selected=selected,
            journey=plan.journey,
            per_second=plan.per_second,
            planned=self._count(plan.audience, selected),
            by=order.by,
            why=order.why,
            created_at=order.now,
            state=BroadcastState.PLANNED,
        )
        self.audit.write(_entry("plan_broadcast", planned, order))
        self.broadcasts.add(planned)
        return planned

    def approve(self, broadcast: str, members: int | None, order: Order) -> Broadcast:
        """It may go, from its instant on. With `members`, for an audience that has grown to so many."""
        found = self.show(broadcast)
        if found.state not in {BroadcastState.PLANNED, BroadcastState.GROWN}:
            raise NotAllowedError(f"it is {found.state}: only what is planned or has grown is approved")
        present = self._count(found.audience, found.selected)
        approved = replace(found, planned=members or found.planned)
        if approved.has_grown(max(present, found.put + 1)):
            raise NotAllowedError(
                f"the preflight counted {approved.planned} members, and there are {present}: more than {GROWTH} times "
                f"as many. Look at them, and approve it with members: {present}"
            )
        return self._change(found.id, BroadcastState.RUNNING, "approve_broadcast", order, approved.planned)

    def pause(self, broadcast: str, order: Order) -> Broadcast:
        return self._with_journey(broadcast, BroadcastState.PAUSED, "pause_broadcast", self.switch.pause, order)

    def stop(self, broadcast: str, order: Order) -> Broadcast:
        """No further member gets it, and what waits to be sent is dropped."""
        return self._with_journey(broadcast, BroadcastState.STOPPED, "stop_broadcast", self.switch.stop, order)

    def resume(self, broadcast: str, order: Order) -> Broadcast:
        """It goes on behind the last page, after a pause or a stop."""
        found = self.show(broadcast)
        if found.state not in {BroadcastState.PAUSED, BroadcastState.STOPPED}:
            raise NotAllowedError(f"it is {found.state}, neither paused nor stopped")
        if found.journey and not found.approved_by:
            raise NotAllowedError("it was stopped before it was approved: plan it anew")
        again = self.switch.resume if found.state is BroadcastState.PAUSED else self.switch.start
        return self._with_journey(broadcast, BroadcastState.RUNNING, "resume_broadcast", again, order)

    def _with_journey(
        self, broadcast: str, state: BroadcastState, what: str, switch: Callable[..., object], order: Order
    ) -> Broadcast:
        """The broadcast first: a crash in between leaves fewer who get it, and the same order does the rest."""
        found = self.show(broadcast)
        if found.state is not state:
            found = self._change(broadcast, state, what, order)
        if found.journey:
            with suppress(AlreadySwitchedError, InvalidSwitchError):  # it is switched so already
                switch(f"journey:{found.journey}", by=order.by, why=order.why, now=order.now)
        return found

    def _change(
        self, broadcast: str, state: BroadcastState, what: str, order: Order, planned: int | None = None
    ) -> Broadcast:
        self.audit.write(_entry(what, self.show(broadcast), order))
        for _ in self.attempts(ATTEMPTS):
            found = self.show(broadcast)
            if found.state not in MAY_BE[state]:
                raise NotAllowedError(f"it is {found.state}, and cannot be {state} from there")
            after = found.moved_to(state)
            after = after if planned is None else replace(after, planned=planned, approved_by=order.by)
            if self.broadcasts.change(after):
                return after
        raise ConflictError("its pages keep coming first; try once more")

    def _count(self, audience: str, selected: Selection) -> int:
        found, after = 0, ""
        while True:
            counted = self.ask.index.count(self.ask.named(audience), selected, after)
            found += counted.count
            if counted.following is None:
                return found
            after = counted.following

    def _journey(self, name: str) -> Journey:
        version = self.journeys.deployed(name)
        if version is None:
            near = near_target(name, self.journeys.names())
            raise UnknownTargetError(f"journey {name} is not deployed{f'; did you mean {near}?' if near else ''}")
        return self.journeys.version(name, version)


def _instants(plan: Plan) -> tuple[datetime, str]:
    """When the first event is due, and what the journey gets to wait for. Raises InvalidRequestError."""
    at = to_instant(plan.at, UTC)
    if at is None:
        raise InvalidRequestError(["at: an instant, such as 2026-06-01T10:00:00Z"])
    if not plan.local_time:
        return at, instant_to_wire(at)
    local = at.replace(tzinfo=None).isoformat()
    return at - EARLIEST_ZONE, local


def _problems(journey: Journey, at: datetime, now: datetime, *, local_time: bool) -> list[str]:
    problems = []
    if all(match.event != BROADCAST_STARTED for match in journey.entry.matches):
        problems.append(
            f"journey: {journey.name} is entered by no broadcast; write entry: {{event: {BROADCAST_STARTED}, where: "
            f"event.properties.journey == '{journey.name}', key: event.properties.broadcast}}"
        )
    first = journey.steps.get(journey.start or "")
    waits = isinstance(first, Wait) and isinstance(first.moment, Until) and first.moment.date == AT
    if local_time and not waits:
        problems.append(f"local_time: the first step of {journey.name} waits for it: write wait: {{until: {AT}}}")
    if at < now - timedelta(minutes=1):
        problems.append(
            "at: it lies ahead, also where the day begins first (UTC+14)" if local_time else "at: it lies ahead"
        )
    return problems


def _entry(what: str, broadcast: Broadcast, order: Order) -> AuditEntry:
    about = {"broadcast": broadcast.id, "audience": broadcast.audience, "members": broadcast.planned}
    target = f"journey:{broadcast.journey}" if broadcast.journey else f"audience:{broadcast.audience}"
    return AuditEntry(order.now, order.by, what, target, order.why, about)
