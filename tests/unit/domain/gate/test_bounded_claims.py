"""A contact stores a bounded number of claims, whatever was sent; caps and cooldowns come to the same as with all."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.domain.consent.contact import (
    HISTORY_LENGTH,
    HISTORY_WINDOW,
    MAX_REPORTABLE,
    RECEIPT_WINDOW,
    Claim,
    Contact,
)
from cairn.domain.effects import effect_id
from cairn.domain.gate.limits import next_free
from cairn.domain.policy import Cap, Cooldown, Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, message

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BOTH = frozenset(Purpose)

kinds = st.tuples(st.sampled_from(Purpose), st.sampled_from([Channel.SMS, Channel.EMAIL]), st.sampled_from(["a", "b"]))
gaps = st.sampled_from([timedelta(), MINUTE, HOUR, 5 * HOUR, DAY])
sent = st.lists(st.tuples(st.integers(1, 60), gaps, kinds), max_size=8)
"""So many messages of a kind, each so long after the last."""
caps = st.builds(
    Cap,
    limit=st.sampled_from([1, 6, 30, 60, 100]),
    window=st.sampled_from(["day", "week", HOUR, DAY, 7 * DAY, HISTORY_WINDOW]),
    channel=st.sampled_from([None, Channel.SMS]),
    purposes=st.sampled_from([BOTH, frozenset({Purpose.MARKETING}), frozenset({Purpose.TRANSACTIONAL})]),
    journey=st.sampled_from(["", "a"]),
)
cooldowns = st.builds(
    Cooldown,
    length=st.sampled_from([HOUR, DAY, HISTORY_WINDOW]),
    channel=st.sampled_from([None, Channel.EMAIL]),
    purposes=st.sampled_from([BOTH, frozenset({Purpose.TRANSACTIONAL})]),
)
policies = st.builds(
    Policy, caps=st.lists(caps, max_size=3).map(tuple), cooldowns=st.lists(cooldowns, max_size=1).map(tuple)
)

Kind = tuple[Purpose, Channel, str]


def limited(policy: Policy, contact: Contact, kind: Kind, now: datetime) -> object:
    """Until when, and by what. The count is of what is stored."""
    purpose, channel, journey = kind
    wanted = message(id="next", purpose=purpose, journey=journey)
    free = next_free(policy, wanted, channel, contact.claims, zone=ZoneInfo("America/New_York"), now=now)
    return free.at, [(denial.limit, denial.until) for denial in free.denials]


@settings(max_examples=300)
@given(policies, sent, kinds, st.sampled_from([timedelta(), HOUR, 3 * DAY, 20 * DAY]))
def test_the_limits_come_to_the_same_as_with_all_claims(
    policy: Policy,
    history: list[tuple[timedelta, tuple[Purpose, Channel, str]]],
    kind: tuple[Purpose, Channel, str],
    later: timedelta,
) -> None:
    now, bounded, unbounded = MONDAY, Contact(), Contact()
    messages = [(gap, sent_kind) for number, gap, sent_kind in history for _ in range(number)]
    for number, (gap, (purpose, channel, journey)) in enumerate(messages):
        now += gap
        claim = {f"m-{number}": Claim(now, purpose, channel, journey)}
        bounded = bounded.pruned(now, policy.limits)
        bounded, unbounded = (replace(one, claims={**one.claims, **claim}) for one in (bounded, unbounded))

    now += later

    assert limited(policy, bounded, kind, now) == limited(policy, unbounded, kind, now)
    most = HISTORY_LENGTH + MAX_REPORTABLE + sum(limit.depth for limit in policy.limits) + 1
    assert len(bounded.claims) <= most


@pytest.mark.parametrize("number", [600, 5_000])
def test_a_customer_with_hundreds_of_messages_a_month_stays_small(number: int) -> None:
    receipt = Claim(MONDAY, Purpose.TRANSACTIONAL, Channel.SMS, "orders")
    contact = Contact()
    for n in range(number):
        at = MONDAY + n * HISTORY_WINDOW / number
        contact = contact.pruned(at)
        contact = replace(contact, claims={**contact.claims, f"m-{n}": replace(receipt, at=at)})

    assert HISTORY_LENGTH < len(contact.claims) <= HISTORY_LENGTH + MAX_REPORTABLE + 1


def test_claims_whose_messages_may_still_be_reported_as_failed_are_stored() -> None:
    at = MONDAY + RECEIPT_WINDOW
    of = {number: effect_id(f"enr{number}", "ticket", 3) for number in range(40)}
    receipt = Claim(MONDAY + MINUTE, Purpose.TRANSACTIONAL, Channel.SMS, "orders")
    contact = Contact(claims=dict.fromkeys(of.values(), receipt)).pruned(at)

    assert contact.sent_lately("enr7", at)
    assert not contact.sent_lately("enr7", at + MINUTE)
    assert not contact.sent_lately("enr", at), "another enrollment's name may begin with this one's"
