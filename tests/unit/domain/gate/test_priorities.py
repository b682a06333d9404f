"""Messages of one customer that a limit makes wait: the more important one goes out, and none waits for ever."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.gate import OVERDUE, decide, priority_while
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer, Send, Suppress, Verdict
from cairn.domain.message.message import Message, Terms
from cairn.domain.policy import EVERYWHERE, Cap, Cooldown, Hours, Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.gate_strategies import Case, asleep, crowded
from tests.unit.makers import MONDAY, granted, message

EMAIL, MARKETING = Channel.EMAIL, Purpose.MARKETING
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MIDNIGHT = MONDAY.replace(hour=0, minute=0)
EIGHT = MIDNIGHT + 8 * HOUR

WAKING = Hours(jurisdiction=EVERYWHERE, start=time(8), end=time(21), source="policy.toml")
ONE_A_DAY = Policy(hours=(WAKING,), caps=(Cap(limit=1, window="day"),))
CONSENTED = Contact().after([granted(EMAIL, MARKETING, MONDAY - DAY)])


def news(id_: str, priority: int = 0, decided_at: datetime = MIDNIGHT, **more: object) -> Message:
    about = {"purpose": MARKETING, "channels": (EMAIL,), "addresses": {EMAIL: "a@x.org"}, "time_zone": "UTC", **more}
    terms = Terms(priority=priority)
    return message(**{"id": id_, "enrollment": f"e-{id_}", "decided_at": decided_at, "terms": terms, **about})


def deferred(contact: Contact, one: Message, verdict: Defer) -> Contact:
    """As deliver_message writes it."""
    about = (one.enrollment, *one.order, one.purpose)
    deferral = Deferral(verdict.until, verdict.reason, *about, priority=priority_while(verdict, one))
    return replace(contact, deferrals={**contact.deferrals, one.id: deferral})


def ask(one: Message, contact: Contact, now: datetime, policy: Policy = ONE_A_DAY) -> Verdict:
    return decide(one, contact, contact.claims, GateSettings(policy), now)


def waiting(one: Message, until: datetime = EIGHT, reason: Reason = Reason.QUIET_HOURS) -> Contact:
    deferral = Deferral(until, reason, one.enrollment, *one.order, one.purpose, priority=one.terms.priority)
    return replace(CONSENTED, deferrals={one.id: deferral})


def test_a_message_yields_to_a_more_important_one_that_waits_for_its_hour() -> None:
    verdict = ask(news("newsletter"), waiting(news("offer", 10), EIGHT + 2 * HOUR), EIGHT)

    assert isinstance(verdict, Defer)
    assert (verdict.reason, verdict.until) == (Reason.CAP, EIGHT + 2 * HOUR + MINUTE)
    assert verdict.why == {"purposes": ["marketing"], "limit": 1, "window": "day", "yields_to": "offer"}


@pytest.mark.parametrize(
    ("other", "until", "reason"),
    [
        (news("offer", 0), EIGHT + HOUR, Reason.QUIET_HOURS),  # as important
        (news("offer", -1), EIGHT + HOUR, Reason.QUIET_HOURS),  # less important
        (news("offer", 10), EIGHT + DAY, Reason.QUIET_HOURS),  # another day's
        (news("offer", 10), EIGHT - OVERDUE, Reason.QUIET_HOURS),  # lost
        (news("offer", 10), EIGHT + HOUR, Reason.REVIEW),  # nobody knows when a person decides
        (news("offer", 10), EIGHT + HOUR, Reason.ORDER),  # that one may be yielding itself
        (news("offer", 10, enrollment="e-newsletter"), EIGHT + HOUR, Reason.QUIET_HOURS),  # it waits for this one
        (news("receipt", 10, purpose=Purpose.TRANSACTIONAL), EIGHT + HOUR, Reason.QUIET_HOURS),  # the cap is not its
    ],
)
def test_it_yields_to_no_other(other: Message, until: datetime, reason: Reason) -> None:
    assert isinstance(ask(news("newsletter"), waiting(other, until, reason), EIGHT), Send)


def test_with_room_for_both_it_does_not_yield() -> None:
    two_a_day = replace(ONE_A_DAY, caps=(Cap(limit=2, window="day"),))

    assert isinstance(ask(news("newsletter"), waiting(news("offer", 10)), EIGHT, two_a_day), Send)


def test_a_cooldown_makes_it_yield_too() -> None:
    apart = Policy(cooldowns=(Cooldown(length=HOUR),))
    contact = waiting(news("offer", 10), EIGHT + 30 * MINUTE)

    verdict = ask(news("newsletter"), contact, EIGHT, apart)

    assert isinstance(verdict, Defer)
    assert verdict.why == {"purposes": ["marketing"], "length": "1h", "yields_to": "offer"}
    assert isinstance(ask(news("newsletter"), contact, EIGHT - HOUR, apart), Send)


def test_when_the_more_important_one_was_dropped_the_other_goes() -> None:
    contact = waiting(news("offer", 10))
    verdict = ask(news("newsletter"), contact, EIGHT)
    assert isinstance(verdict, Defer)
    assert verdict.until is not None

    assert isinstance(ask(news("newsletter"), CONSENTED, verdict.until), Send)


def test_a_limit_of_one_channel_or_journey_reserves_and_does_not_yield() -> None:
    by_email = replace(ONE_A_DAY, caps=(Cap(limit=1, window="day", channel=EMAIL),))
    of_a_journey = replace(ONE_A_DAY, caps=(Cap(limit=1, window="day", journey="visit"),))

    for policy in (by_email, of_a_journey):
        assert isinstance(ask(news("newsletter"), waiting(news("offer", 10)), EIGHT, policy), Send)


def test_what_is_reserved_goes_to_a_priority_above_zero() -> None:
    policy = replace(ONE_A_DAY, caps=(Cap(limit=2, window="day", reserved=1),))
    contact = replace(CONSENTED, claims={"early": Claim(EIGHT, MARKETING, EMAIL, "visit")})

    assert isinstance(ask(news("offer", 1), contact, EIGHT + HOUR, policy), Send)
    for priority in (0, -5):
        verdict = ask(news("newsletter", priority), contact, EIGHT + HOUR, policy)
        assert isinstance(verdict, Defer)
        assert (verdict.until, verdict.why["reserved"], verdict.why["count"]) == (EIGHT + DAY, 1, 1)


arrivals = st.lists(
    st.tuples(st.sampled_from([-5, 0, 0, 10, 20]), st.integers(0, 40).map(lambda hours: hours * HOUR)),
    min_size=2,
    max_size=6,
)
"""Priority, and when each message is decided."""

some_caps = st.sampled_from(
    [
        (Cap(limit=1, window="day"),),
        (Cap(limit=2, window="day"),),
        (Cap(limit=2, window="day", reserved=1), Cap(limit=4, window="week")),
        (Cap(limit=3, window=2 * DAY, reserved=2),),
        (),
    ]
)
some_cooldowns = st.sampled_from([(), (Cooldown(length=HOUR),), (Cooldown(length=5 * HOUR),)])
policies = st.builds(
    lambda caps, cooldowns, open_: Policy(hours=open_, caps=caps, cooldowns=cooldowns, max_hold=14 * DAY),
    some_caps,
    some_cooldowns,
    st.sampled_from([(WAKING,), ()]),
)


class Day:
    """One customer's messages, delivered one by one at their times; at one instant, in any order."""

    def __init__(self, wanted: list[Message], policy: Policy, order: st.DataObject) -> None:
        self.contact, self.policy, self.order = CONSENTED, policy, order
        self.due = {one.id: one.decided_at for one in wanted}
        self.messages = {one.id: one for one in wanted}
        self.sent: dict[str, datetime] = {}
        self.dropped: dict[str, datetime] = {}
        self.asked: dict[str, int] = dict.fromkeys(self.due, 0)

    def step(self) -> None:
        now = min(self.due.values())
        id_ = self.order.draw(st.sampled_from(sorted(id_ for id_, at in self.due.items() if at == now)))
        one = self.messages[id_]
        self.asked[id_] += 1
        verdict = ask(one, self.contact, now, self.policy)
        if isinstance(verdict, Defer):
            assert verdict.until is not None
            assert verdict.until > now
            self.due[id_] = verdict.until
            self.contact = deferred(self.contact, one, verdict)
            return
        del self.due[id_]
        left = {other: deferral for other, deferral in self.contact.deferrals.items() if other != id_}
        claims = self.contact.claims
        if isinstance(verdict, Send):
            case = Case(one, self.contact, GateSettings(self.policy), now)
            assert not [*crowded(case, EMAIL), *asleep(case, EMAIL)]
            claims = {**claims, id_: Claim(now, one.purpose, EMAIL, one.journey)}
        self.contact = replace(self.contact, deferrals=left, claims=claims)
        (self.sent if isinstance(verdict, Send) else self.dropped)[id_] = now

    def run(self) -> None:
        while self.due:
            self.step()


@settings(max_examples=300)
@given(arrivals, policies, st.data())
def test_no_limit_is_broken_and_nothing_waits_for_ever(
    wanted: list[tuple[int, timedelta]], policy: Policy, order: st.DataObject
) -> None:
    day = Day([news(f"m{n}", one, MIDNIGHT + after) for n, (one, after) in enumerate(wanted)], policy, order)

    day.run()

    assert day.sent.keys() | day.dropped.keys() == day.messages.keys()
    for id_, at in {**day.sent, **day.dropped}.items():
        assert at <= day.messages[id_].decided_at + policy.max_hold
    assert max(day.asked.values()) <= 8 * len(wanted), "each yields to each other at most once a slot"
    assert not day.dropped, "two weeks are enough for six of them"


@settings(max_examples=300)
@given(st.permutations([-5, 0, 10, 20]), policies, st.data())
def test_of_messages_that_wait_for_one_morning_the_more_important_goes_first(
    priorities: list[int], policy: Policy, order: st.DataObject
) -> None:
    wanted = [news(f"m{n}", one, MIDNIGHT + n * MINUTE) for n, one in enumerate(priorities)]
    day = Day(wanted, replace(policy, hours=(WAKING,)), order)

    day.run()

    by_priority = sorted(wanted, key=lambda one: -one.terms.priority)
    went = [day.sent[one.id] for one in by_priority]
    if policy.caps or policy.cooldowns:
        # A message may go at the very instant of a more important one, where there is room for both.
        assert went == sorted(went), [(one.terms.priority, day.sent[one.id]) for one in by_priority]


@given(st.permutations([0, 0, 0]), policies, st.data())
def test_without_priorities_the_order_of_arrival_decides_as_ever(
    priorities: list[int], policy: Policy, order: st.DataObject
) -> None:
    wanted = [news(f"m{n}", one, EIGHT + n * MINUTE) for n, one in enumerate(priorities)]
    day = Day(wanted, policy, order)

    day.step()

    assert isinstance(ask(wanted[0], CONSENTED, EIGHT, policy), Send | Suppress)
    assert set(day.sent) == {"m0"}
