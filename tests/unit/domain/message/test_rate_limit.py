"""Rate limits: never more than a provider accepts, however many senders reserve at once; receipts first."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.domain.message import rate_limit
from cairn.domain.message.rate_limit import BURST, LOOKAHEAD, Attempt, Attempts, Reservation, TokenBucket
from cairn.domain.policy import Rate
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY

SMS = Channel.SMS
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL
SECOND = timedelta(seconds=1)

TEN = Rate(channel=SMS, per_second=10, reserved=0.2)
AMERICA = Rate(channel=SMS, per_second=1, country="US")

Arrival = tuple[Purpose, str, int, int]


@dataclass
class Table:
    """The items that all senders share; a conditional write fails if one has changed."""

    rates: tuple[Rate, ...] = (TEN,)
    instants: dict[tuple[str, str], int] = field(default_factory=dict)
    writes: int = 0
    given: dict[str, list[datetime]] = field(default_factory=dict)
    """The instants of all reservations, by limit."""

    def take(self, one: Attempt, now: datetime) -> Reservation | None:
        self.writes += 1
        key = (one.bucket.limit, one.bucket.lane)
        tat, at = self.instants.get(key), rate_limit.micros(now)
        if one.behind and not (tat is not None and at < tat <= rate_limit.micros(now + LOOKAHEAD)):
            return None
        if not one.behind and tat is not None and tat > at:
            return None
        self.instants[key] = ((tat or 0) if one.behind else at) + one.bucket.cost
        slot = rate_limit.reserve(one.bucket, self.instants[key], now)
        self.given.setdefault(slot.limit, []).append(slot.at)
        return slot

    def sender(self, purpose: Purpose, now: datetime = MONDAY, country: str = "", after: str = "") -> "Sender":
        return Sender(self, list(rate_limit.limits_for(self.rates, SMS, country, purpose, after)), now)

    def slot(self, purpose: Purpose, now: datetime = MONDAY, country: str = "", after: str = "") -> Reservation:
        return self.sender(purpose, now, country, after).done()


@dataclass
class Sender:
    """Makes its reservations one write at a time, so that other senders come in between."""

    table: Table
    lines: list[Attempts]
    now: datetime
    tried: int = 0
    slot: Reservation | None = None

    def step(self) -> None:
        if not self.lines:
            self.slot = Reservation(self.now)
            return
        found = self.table.take(self.lines[0][self.tried], self.now)
        self.tried += 1
        if found is None and self.tried == len(self.lines[0]):
            self.slot = rate_limit.no_capacity(self.now)
        elif found is not None and found.at > self.now:
            self.slot = found
        elif found is not None:
            self.lines, self.tried = self.lines[1:], 0

    def done(self) -> Reservation:
        while self.slot is None:
            self.step()
        return self.slot


def most_within(window: timedelta, slots: Iterable[datetime]) -> int:
    """The largest number of slots in any window of a length."""
    ordered = sorted(slots)
    return max((bisect_left(ordered, one + window) - start for start, one in enumerate(ordered)), default=0)


rates = st.sampled_from(
    [
        (TEN,),
        (Rate(channel=SMS, per_second=0.5),),
        (Rate(channel=SMS, per_second=1, reserved=0.5),),
        (TEN, Rate(channel=SMS, per_second=2, country="US", reserved=0.5)),
        (TEN, AMERICA),
        (AMERICA, Rate(channel=SMS, per_second=7, country="FR", reserved=0.3)),
    ]
)
arrivals = st.lists(
    st.tuples(
        st.sampled_from([MARKETING, MARKETING, TRANSACTIONAL]),
        st.sampled_from(["US", "FR", ""]),
        st.sampled_from([0, 0, 0, 1, 50, 400, 3_000]),  # milliseconds since the one before
        st.integers(0, 4),  # steps of earlier ones in between
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=300)
@given(rates, arrivals, st.sampled_from([SECOND, 3 * SECOND, 10 * SECOND]))
def test_no_window_has_more_reservations_than_its_rate_and_a_burst(
    rates: tuple[Rate, ...], arrivals: list[Arrival], window: timedelta
) -> None:
    table, senders, now = Table(rates), [], MONDAY
    for purpose, country, milliseconds, steps in arrivals:
        now += timedelta(milliseconds=milliseconds)
        senders.append(table.sender(purpose, now, country))
        for number in range(steps):
            waiting = [one for one in senders if one.slot is None]
            if waiting:
                waiting[number % len(waiting)].step()
    for sender in senders:
        sender.done()

    for rate in rates:
        slots_taken = table.given.get(rate_limit.limit_for(rate), ())
        assert most_within(window, slots_taken) <= rate.per_second * (window + BURST).total_seconds() + 2


@given(rates, arrivals)
def test_reservations_of_one_bucket_are_in_order_of_asking_and_never_in_the_past(
    rates: tuple[Rate, ...], arrivals: list[Arrival]
) -> None:
    table, now = Table(rates), MONDAY
    last: dict[tuple[str, Purpose], datetime] = {}
    for purpose, country, milliseconds, _ in arrivals:
        now += timedelta(milliseconds=milliseconds)
        slot = table.slot(purpose, now, country)
        assert slot.at >= now
        if slot.limit and purpose is MARKETING:  # a receipt may use marketing's lane, and so be earlier than another
            assert slot.at >= last.get((slot.limit, purpose), now)
            last[slot.limit, purpose] = slot.at


def test_without_a_rate_there_is_no_limit() -> None:
    assert rate_limit.limits_for((), SMS, "US", MARKETING) == ()
    assert rate_limit.limits_for((TEN,), Channel.EMAIL, "", MARKETING) == ()
    assert rate_limit.limits_for((Rate(channel=SMS, per_second=1, country="FR"),), SMS, "US", MARKETING) == ()


def test_a_broadcast_goes_out_at_the_unreserved_rate() -> None:
    table = Table()

    slots = [table.slot(MARKETING).at for _ in range(1_000)]

    assert slots == sorted(slots)
    assert slots[-1] - MONDAY == pytest.approx(timedelta(seconds=124), abs=SECOND)  # eight a second
    assert most_within(SECOND, slots) <= 8 * 2 + 1


def test_a_broadcast_does_not_delay_a_receipt() -> None:
    table = Table()
    for _ in range(1_000):
        table.slot(MARKETING)

    assert table.slot(TRANSACTIONAL) == Reservation(MONDAY)


def test_receipts_use_the_idle_capacity_of_marketing() -> None:
    table = Table((Rate(channel=SMS, per_second=10, reserved=0.1),))
    instants = [MONDAY + number * SECOND / 5 for number in range(100)]

    assert [table.slot(TRANSACTIONAL, at).at for at in instants] == instants, "five a second, and one is reserved"


def test_marketing_never_uses_the_capacity_reserved_for_receipts() -> None:
    table = Table()
    for _ in range(50):
        table.slot(MARKETING)

    assert set(table.instants) == {("sms", "marketing")}


def test_a_rate_without_a_reserved_share_has_one_bucket() -> None:
    table = Table((Rate(channel=SMS, per_second=10),))
    for _ in range(100):
        table.slot(MARKETING)

    assert table.slot(TRANSACTIONAL).at > MONDAY + 8 * SECOND
    assert set(table.instants) == {("sms", "all")}


def test_after_a_pause_the_messages_of_one_second_go_at_once_and_no_more() -> None:
    table = Table((Rate(channel=SMS, per_second=10),))

    slots = [table.slot(MARKETING).at for _ in range(15)]

    assert slots.count(MONDAY) == 11
    assert slots[11] == MONDAY + timedelta(milliseconds=100)


def test_each_message_of_a_broadcast_costs_one_write_and_so_does_a_receipt() -> None:
    table = Table()
    for _ in range(100):
        table.slot(MARKETING)
    assert table.writes == 101, "the first finds nobody before it, and asks once more"

    table.slot(TRANSACTIONAL)
    assert table.writes == 102


def test_no_reservation_is_made_too_far_ahead_and_the_result_says_so() -> None:
    table = Table((Rate(channel=SMS, per_second=0.001),))
    slots = [table.slot(MARKETING) for _ in range(100)]

    first, *slots_taken = table.given["sms"]

    assert first == MONDAY
    assert max(slots_taken) <= MONDAY + LOOKAHEAD
    assert len(slots_taken) == LOOKAHEAD / timedelta(seconds=1_000) // 1
    assert slots[1 + len(slots_taken) :] == [Reservation(MONDAY + LOOKAHEAD)] * (99 - len(slots_taken))
    assert table.slot(MARKETING, MONDAY + LOOKAHEAD).limit


def test_messages_without_a_reservation_ask_again_each_at_its_own_instant() -> None:
    nowhere = rate_limit.no_capacity(MONDAY)
    again = [rate_limit.retry_at(nowhere, f"message-{number}") for number in range(1_000)]

    assert again == [rate_limit.retry_at(nowhere, f"message-{number}") for number in range(1_000)]
    assert min(again) > MONDAY + LOOKAHEAD / 2
    assert max(again) <= MONDAY + LOOKAHEAD
    assert most_within(LOOKAHEAD / 60, again) < 80, "about thirty, if they are even"


def test_a_country_has_its_own_rate_within_the_channels() -> None:
    table = Table((TEN, AMERICA))

    americans = [table.slot(MARKETING, country="US") for _ in range(20)]
    first, *_, last = americans

    assert first == Reservation(MONDAY)
    assert last.limit == "sms#US"
    assert last.at == MONDAY + 18 * SECOND
    assert table.slot(MARKETING, last.at, "US", after=last.limit) == Reservation(last.at), (
        "now it asks for the channel's place"
    )
    assert table.slot(MARKETING, last.at, "US", after="sms") == Reservation(last.at), "it has waited for everything"


def test_a_slow_country_delays_no_other() -> None:
    table = Table((TEN, AMERICA))
    for _ in range(3_000):
        table.slot(MARKETING, country="US")

    assert table.slot(MARKETING, country="FR") == Reservation(MONDAY)


def test_a_limit_that_was_removed_is_not_remembered() -> None:
    assert len(rate_limit.limits_for((TEN, AMERICA), SMS, "US", MARKETING, after="sms#FR")) == 2


def test_marketing_always_has_a_small_share() -> None:
    all_reserved = Rate(channel=SMS, per_second=10, reserved=1.0)

    ((first, *_),) = rate_limit.limits_for((all_reserved,), SMS, "", MARKETING)

    assert first.bucket == TokenBucket("sms", "marketing", 2_000_000)
