"""Many senders at once, and a customer who changes meanwhile: a decision on one version is not used on another.

The claim's protocol in small: a sender reads the contact, asks the gate, and claims on the version that it read. Where
the version has changed, it reads again. test_table.py tests the condition in the table.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.gate.gate import decide
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer, Send, Suppress, Verdict
from cairn.domain.message.message import Message
from cairn.domain.policy import Cap, Cooldown, Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, granted, message

EMAIL, MARKETING = Channel.EMAIL, Purpose.MARKETING
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

CAPS = (Cap(limit=2, window="day"), Cap(limit=3, window=2 * DAY), Cap(limit=1, window=HOUR, journey="visit"))
COOLDOWN = Cooldown(length=10 * timedelta(minutes=1))
BOTH = Policy(caps=CAPS, cooldowns=(COOLDOWN,))


@dataclass
class Table:
    """One customer's contact: every change of it is one step of a test."""

    contact: Contact = field(default_factory=lambda: Contact().after([granted(EMAIL, MARKETING, MONDAY - DAY)]))

    def stop(self, now: datetime) -> None:
        stopped = self.contact.after(self.contact.stop_changes(EMAIL, now, "feedback"))
        self.contact = replace(stopped, version=stopped.version + 1)

    def claim(self, read: Contact, id_: str, claim: Claim) -> bool:
        """Adds to whatever is there, as an update of one attribute does, if the version is still the same."""
        others = {other: deferral for other, deferral in self.contact.deferrals.items() if other != id_}
        return self._change(read, replace(self.contact, claims={**self.contact.claims, id_: claim}, deferrals=others))

    def defer(self, read: Contact, id_: str, deferral: Deferral) -> bool:
        return self._change(read, replace(self.contact, deferrals={**self.contact.deferrals, id_: deferral}))

    def _change(self, read: Contact, contact: Contact) -> bool:
        if read.version != self.contact.version:
            return False
        self.contact = replace(contact, version=contact.version + 1)
        return True


@dataclass
class Sender:
    message: Message
    read: Contact | None = None
    verdict: Verdict | None = None
    done: bool = False
    deferred_until: datetime | None = None

    def step(self, table: Table, policy: Policy, now: datetime) -> None:
        """One call of the table: read, or write on what was read."""
        if self.deferred_until is not None and now >= self.deferred_until:
            self.deferred_until, self.done = None, False
        if self.done:
            return
        if self.read is None or self.verdict is None:
            self.read = table.contact
            self.verdict = decide(self.message, self.read, self.read.claims, GateSettings(policy), now)
            return
        before, verdict = self.read, self.verdict
        self.read = self.verdict = None
        match verdict:
            case Send(channel):
                claim = Claim(now, self.message.purpose, channel, self.message.journey)
                self.done = table.claim(before, self.message.id, claim)
            case Defer(until, reason=reason):
                deferral = Deferral(until, reason, self.message.enrollment, *self.message.order)
                self.done = table.defer(before, self.message.id, deferral)
                self.deferred_until = until if self.done else None
            case Suppress():
                self.done = True


def news(number: int) -> Message:
    return message(
        id=f"m-{number}", enrollment=f"e-{number}", purpose=MARKETING, journey="visit" if number % 2 else "x"
    )


schedules = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 0, 0, 1, 15, 70])), min_size=6, max_size=40)
"""Which sender runs next, and how many minutes have passed."""


@settings(max_examples=300)
@given(schedules, st.sampled_from([Policy(caps=CAPS), Policy(cooldowns=(COOLDOWN,)), BOTH]))
def test_no_limit_is_broken_in_any_order_of_senders(
    order: list[tuple[int, int]],
    policy: Policy,
) -> None:
    table, senders, now = Table(), [Sender(news(number)) for number in range(6)], MONDAY

    for number, minutes in order:
        now += minutes * timedelta(minutes=1)
        senders[number].step(table, policy, now)

    claims = sorted(table.contact.claims.values(), key=lambda claim: claim.at)
    for at in {claim.at for claim in claims if policy.caps}:
        assert sum(claim.at.date() == at.date() for claim in claims) <= 2
        assert sum(at - 2 * DAY < claim.at <= at for claim in claims) <= 3
        assert sum(at - HOUR < claim.at <= at and claim.journey == "visit" for claim in claims) <= 1
    if policy.cooldowns:
        gaps = [later.at - claim.at for claim, later in pairwise(claims)]
        assert all(gap >= COOLDOWN.length for gap in gaps)


@settings(max_examples=200)
@given(schedules, st.integers(0, 40))
def test_after_a_stop_nothing_more_is_claimed(order: list[tuple[int, int]], stop_at: int) -> None:
    table, senders, now = Table(), [Sender(news(number)) for number in range(6)], MONDAY
    claimed_before = None

    for moment, (number, minutes) in enumerate(order):
        now += minutes * timedelta(minutes=1)
        if moment == stop_at:
            table.stop(now)
            claimed_before = set(table.contact.claims)
        senders[number].step(table, Policy(), now)

    assert claimed_before is None or set(table.contact.claims) == claimed_before


@settings(max_examples=200)
@given(schedules)
def test_no_message_overtakes_an_earlier_deferred_one_of_its_journey(order: list[tuple[int, int]]) -> None:
    wanted = [
        replace(news(number), enrollment="one", decided_at=MONDAY + number * timedelta(seconds=1))
        for number in range(6)
    ]
    policy = Policy(cooldowns=(Cooldown(length=timedelta(minutes=30)),))
    table, senders, now = Table(), [Sender(one) for one in wanted], MONDAY

    for number, minutes in order:
        now += minutes * timedelta(minutes=1)
        deferred, before = table.contact.deferrals, set(table.contact.claims)
        senders[number].step(table, policy, now)

        for id_ in table.contact.claims.keys() - before:
            mine = wanted[number].order
            assert not [one for other, one in deferred.items() if other != id_ and one.order < mine]
