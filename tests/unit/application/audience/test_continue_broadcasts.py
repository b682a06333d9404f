"""A broadcast to many members: every page reads and stores as much as any other."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cairn.application.audience.continue_broadcasts import ContinueBroadcasts
from cairn.application.values.audiences import Member, MemberCount, MemberPage
from cairn.domain.audience.audiences import Audience, Audiences
from cairn.domain.audience.broadcasts import Broadcast, BroadcastState
from cairn.domain.audience.selection import Selection
from cairn.domain.event import Event
from tests.unit.makers import MONDAY

AUDIENCE = Audience("all", "v1", "profile.kind")
MEMBERS = 100_000
MEGABYTE = 1024 * 1024


@dataclass
class Index:
    """An audience of so many members, whose pages are made when they are asked for."""

    size: int
    pages: int = 0

    def page(self, audience: Audience, selected: Selection, limit: int, after: str = "") -> MemberPage:  # noqa: ARG002
        self.pages += 1
        begin = int(after or -1) + 1
        end = min(begin + limit, self.size)
        members = tuple(Member(f"c_{number}", f"{number}") for number in range(begin, end))
        return MemberPage(members, str(end - 1) if end < self.size else None)

    def count(self, audience: Audience, selected: Selection, after: str = "") -> MemberCount:  # noqa: ARG002
        return MemberCount(self.size, None)

    def among(self, audience: Audience, customers: Sequence[str]) -> frozenset[str]:  # noqa: ARG002
        return frozenset(customers)

    def filled(self) -> dict[str, object]:
        return {}


@dataclass
class Broadcasts(dict[str, Broadcast]):
    writes: int = 0
    lost: int = 0
    """So many changes come too late: another worker was first."""

    def get(self, broadcast_id: str) -> Broadcast | None:  # type: ignore[override]
        return super().get(broadcast_id)

    def add(self, broadcast: Broadcast) -> bool:
        return self.setdefault(broadcast.id, broadcast) is broadcast

    def change(self, after: Broadcast) -> bool:
        self.writes += 1
        if self[after.id].version != after.version - 1:
            self.lost += 1
            return False
        self[after.id] = after
        return True

    def latest(self, limit: int, before: str = "") -> list[Broadcast]:  # noqa: ARG002
        return list(self.values())[:limit]


@dataclass
class Counted:
    """An inbox that only counts."""

    number: int = 0
    largest: int = 0
    last: list[Event] = field(default_factory=list)

    def put(self, events: Sequence[Event]) -> None:
        self.number, self.largest, self.last = self.number + len(events), max(self.largest, len(events)), list(events)


def ran(size: int) -> tuple[Broadcasts, Index, Counted, int]:
    broadcasts, index, inbox = Broadcasts(), Index(size), Counted()
    broadcasts.add(Broadcast("b", "all", "v1", "listing.created", MONDAY, per_second=500))
    proceed = ContinueBroadcasts(broadcasts, Audiences((AUDIENCE,)), index, inbox)  # type: ignore[arg-type]
    now = MONDAY
    tracemalloc.start()
    while (page := broadcasts["b"].follows) is not None:
        now = max(now, page.at)
        proceed(page, now)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now - MONDAY <= timedelta(seconds=size / 500)
    return broadcasts, index, inbox, peak


def test_memory_and_calls_for_a_member_are_those_of_a_page() -> None:
    few, _, _, peak_of_few = ran(2_000)
    broadcasts, index, inbox, peak = ran(MEMBERS)

    assert broadcasts["b"].state is BroadcastState.DONE
    assert (inbox.number, inbox.largest) == (MEMBERS, 500)
    assert index.pages == broadcasts.writes == MEMBERS / 500
    assert few["b"].put == 2_000
    assert peak < peak_of_few + MEGABYTE


def test_an_old_page_is_stale_and_of_two_workers_one_goes_on() -> None:
    broadcasts, index, inbox = Broadcasts(), Index(1_200), Counted()
    broadcasts.add(Broadcast("b", "all", "v1", "listing.created", MONDAY, per_second=500))
    proceed = ContinueBroadcasts(broadcasts, Audiences((AUDIENCE,)), index, inbox)  # type: ignore[arg-type]
    first = broadcasts["b"].follows
    assert first is not None

    proceed(first, MONDAY)
    proceed(first, MONDAY)

    assert (inbox.number, index.pages, broadcasts["b"].version) == (500, 1, 2)


def test_an_audience_that_was_changed_or_removed_ends_it() -> None:
    for audiences in (Audiences(()), Audiences((Audience("all", "v2", "profile.kind"),))):
        broadcasts, inbox = Broadcasts(), Counted()
        broadcasts.add(Broadcast("b", "all", "v1", "listing.created", MONDAY))
        page = broadcasts["b"].follows
        assert page is not None

        ContinueBroadcasts(broadcasts, audiences, Index(5), inbox)(page, MONDAY)  # type: ignore[arg-type]

        assert (broadcasts["b"].state, inbox.number) == (BroadcastState.OUTDATED, 0)
