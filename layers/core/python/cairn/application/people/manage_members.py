"""What operators do with members: who is away, how much each can do, who leaves; and the deals of partners."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from cairn.application.conflicts import until_committed
from cairn.application.people.assign_tasks import AssignTasks
from cairn.application.ports import Attempts, Deals, MemberBoard, TaskStore
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.people.members import Absence, Deal, Member, Override, People, Work
from cairn.domain.people.routing import EMAIL_DOMAIN, MAX_OPEN, deal_hash, with_overrides
from cairn.domain.people.task import Task
from cairn.domain.shared.errors import (
    DealTakenError,
    InvalidRequestError,
    UnknownDealKeyError,
    UnknownMemberError,
)
from cairn.domain.shared.instants import instant_to_wire, to_instant, zone_named

PASSED_ON = 50
"""Tasks of a member who leaves that one request passes on: a few calls each, well within a function's time."""

MOST_NAMED = 20

NOBODY = Override()


@dataclass(frozen=True, slots=True)
class MemberState:
    member: Member
    """With what operators say; its absences may be over."""
    queues: Sequence[str]
    """Those that it gets tasks of."""
    work: Work
    left: datetime | None = None

    def away_until(self, now: datetime) -> datetime | None:
        """When the present absence ends; None where the member is not away."""
        return max((one.end for one in self.member.absences if one.start <= now < one.end), default=None)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A member who left, and what became of the open tasks so far."""

    passed_on: Sequence[Task] = ()
    """As they are now: with another owner, or with none and a history that says why."""
    rest: int = 0
    """Tasks that are still to be passed on: ask again."""


@dataclass(frozen=True, slots=True)
class Order:
    """The operator who changes something, why and when."""

    by: str
    why: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ManageMembers:
    """Each command raises UnknownMemberError, and ConflictError where other changes kept coming first."""

    people: People
    board: MemberBoard
    store: TaskStore
    assign: AssignTasks
    deals: Deals
    attempts: Attempts = range

    def instant(self, text: str, member: str) -> datetime | None:
        """A date or an instant as an operator writes it: in the member's zone, or in UTC where it has none."""
        found = self.people.members.get(member)
        return to_instant(text, zone_named(found.zone if found else "", "UTC"))

    def states(self) -> Sequence[MemberState]:
        """Everybody of people.toml, by id, in one read for a hundred of them."""
        staff = self.store.staff(sorted(self.people.members))
        there = with_overrides(self.people, staff.overrides)
        return [
            MemberState(
                member=there.members.get(id_, member),
                queues=sorted(name for name, queue in there.queues.items() if id_ in queue.members),
                work=staff.work.get(id_, Work()),
                left=staff.overrides.get(id_, NOBODY).left,
            )
            for id_, member in sorted(self.people.members.items())
        ]

    def absent(self, member: str, start: datetime, end: datetime, order: Order) -> None:
        """Give no new tasks to a member in this time. The open ones stay, until they are overdue."""
        if end <= max(start, order.now):
            raise InvalidRequestError(["until: an absence ends after it begins, and after now"])
        absence, span = Absence(start, end), {"from": instant_to_wire(start), "until": instant_to_wire(end)}
        self._check(member)
        self._update(member, "absent", order, span, lambda said: replace(said, absences=(*said.absences, absence)))

    def back(self, member: str, order: Order) -> None:
        """End the absences of a member that have begun, also one of people.toml, and undo that the member left."""

        def said_now(said: Override) -> Override:
            to_come = tuple(one for one in said.absences if one.start > order.now)
            return replace(said, absences=to_come, back=order.now, left=None)

        self._check(member)
        self._update(member, "back", order, {}, said_now)

    def capacity(self, member: str, most: int, order: Order) -> None:
        """The most open tasks that a member is given. One who has more keeps them."""
        if not 0 < most <= MAX_OPEN:
            raise InvalidRequestError([f"capacity: a whole number from 1 to {MAX_OPEN}"])
        self._check(member)
        self._update(member, "capacity", order, {"capacity": most}, lambda said: replace(said, capacity=most))

    def leaves(self, member: str, order: Order) -> Leaving:
        """Give no more tasks to a member, and the open ones to others. Ask again while there is a rest.

        Can be interrupted at any point and repeated. A member who was removed from people.toml can leave, too.
        """
        if not self.store.of_member(member):
            self._check(member)
        self._update(member, "leaves", order, {}, lambda said: replace(said, left=said.left or order.now))
        tasks = self.store.of_member(member)
        passed_on = [
            self.assign.pass_on(task, order.now, order.by, f"{member} left: {order.why}") for task in tasks[:PASSED_ON]
        ]
        return Leaving(passed_on, len(tasks[PASSED_ON:]))

    def register(self, key: str, value: str, partner: str, until: datetime, order: Order) -> Deal:
        """Register a deal for one partner alone, until then. Raises DealTakenError where another one has it."""
        self._check(partner)
        if until <= order.now:
            raise InvalidRequestError(["until: a deal is registered until a time to come"])
        name, deal = self._deal(key, value), Deal(partner, until)
        before = self.deals.find(name)
        if before is not None and before.until > order.now and before.partner != partner:
            raise DealTakenError(f"{before.partner} has registered it, until {instant_to_wire(before.until)}")
        if before != deal:
            detail = {"partner": partner, "until": instant_to_wire(until), "key": key}
            self.deals.put(name, before, deal, _audited("register_deal", name, order, detail))
        return deal

    def release(self, key: str, value: str, order: Order) -> None:
        """Let everybody have it again."""
        name = self._deal(key, value)
        before = self.deals.find(name)
        if before is not None and before.until > order.now:
            ended = replace(before, until=order.now)
            self.deals.put(name, before, ended, _audited("release_deal", name, order, {"partner": before.partner}))

    def deal(self, key: str, value: str, now: datetime) -> Deal | None:
        """The valid registration of a deal."""
        found = self.deals.find(self._deal(key, value))
        return found if found is not None and found.until > now else None

    def _deal(self, key: str, value: str) -> str:
        if key not in self.people.deal_keys:
            known = ", ".join(self.people.deal_keys) or f'none; write deal_keys = ["{EMAIL_DOMAIN}"] into people.toml'
            raise UnknownDealKeyError(f"deals are registered by {known}")
        return deal_hash(key, value)

    def _check(self, member: str) -> None:
        known = sorted(self.people.members)
        if member not in known:
            near = get_close_matches(member, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there is {', '.join(known[:MOST_NAMED]) or 'nobody'}"
            raise UnknownMemberError(f"people.toml has no member {member}; {meant}")

    def _update(
        self,
        member: str,
        what: str,
        order: Order,
        detail: Mapping[str, Any],
        change: Callable[[Override], Override],
    ) -> None:
        """Absences that are over are left out, so that the item stays small."""

        def attempt() -> None:
            read = self.board.read()
            before = read.of.get(member, NOBODY)
            after = _pruned(change(before), order.now)
            if after != before:
                changed = replace(read, of={**read.of, member: after})
                self.board.put(changed, member, _audited(what, member, order, detail))

        until_committed(self.attempts, attempt, "others keep changing members; try once more")


def _pruned(said: Override, now: datetime) -> Override:
    return replace(said, absences=tuple(dict.fromkeys(one for one in said.absences if one.end > now)))


def _audited(what: str, target: str, order: Order, detail: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(order.now, order.by, what, target, order.why, detail)
