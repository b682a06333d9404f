"""Caps and cooldowns, counted in sent messages; no interleaving of senders exceeds them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.contact import Claim
from cairn.domain.gate.limits import NextFree, next_free
from cairn.domain.policy import Cap, Cooldown, Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, at, message
from tests.unit.strategies import instants, zones

NEW_YORK = ZoneInfo("America/New_York")
TWO_A_DAY = Policy(caps=(Cap(limit=2, window="day"),))
OFFER = message(id="offer", purpose=Purpose.MARKETING, channels=(Channel.SMS,))


def sent(*when: str, channel: Channel = Channel.SMS, **more: str) -> dict[str, Claim]:
    """A sent marketing message, or the given purpose or journey."""
    purpose = Purpose(more.get("purpose", "marketing"))
    return {
        f"{channel}-{number}": Claim(at(one), purpose, channel, more.get("journey", "visit"))
        for number, one in enumerate(when)
    }


def room(policy: Policy, claims: Mapping[str, Claim], now: str, zone: ZoneInfo = NEW_YORK) -> NextFree:
    return next_free(policy, OFFER, Channel.SMS, claims, zone=zone, now=at(now))


def test_without_limits_a_message_may_go_now() -> None:
    assert room(Policy(), sent("2026-03-02 10:00"), "2026-03-02 10:00") == NextFree(at("2026-03-02 10:00"))


def test_a_cap_allows_messages_until_it_is_reached() -> None:
    now = "2026-03-02 18:00"

    assert room(TWO_A_DAY, sent("2026-03-02 15:00"), now).denial is None
    full = room(TWO_A_DAY, sent("2026-03-02 15:00", "2026-03-02 16:00"), now)
    assert full.denial is not None
    assert full.denial.why() == {"purposes": ["marketing"], "limit": 2, "count": 2, "window": "day"}
    assert full.at == at("2026-03-03 05:00")  # midnight in New York


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        ("2026-03-08 05:00", "2026-03-09 04:00"),  # a day of 23 hours
        ("2026-11-01 04:00", "2026-11-02 05:00"),  # and one of 25
    ],
)
def test_a_day_is_the_customer_s_whatever_its_length(now: str, midnight: str) -> None:
    last = f"{at(midnight) - timedelta(seconds=1):%Y-%m-%d %H:%M:%S}"

    assert room(TWO_A_DAY, sent(now, now), last).at == at(midnight)
    assert room(TWO_A_DAY, sent(now, now), midnight).denials == ()


def test_a_week_begins_on_monday() -> None:
    weekly = Policy(caps=(Cap(limit=1, window="week"),))

    monday = at("2026-03-09 04:00")  # its midnight in New York, in summer time
    assert room(weekly, sent("2026-03-02 05:00"), "2026-03-09 03:59:59").at == monday
    assert room(weekly, sent("2026-03-02 04:59:59"), "2026-03-02 05:00").denial is None


def test_a_week_goes_on_over_new_year() -> None:
    weekly = Policy(caps=(Cap(limit=1, window="week"),))

    assert room(weekly, sent("2026-12-31 12:00"), "2027-01-01 12:00").at == at("2027-01-04 05:00")


def test_a_rolling_window_allows_more_as_messages_leave_it() -> None:
    rolling = Policy(caps=(Cap(limit=2, window=timedelta(days=7)),))
    claims = sent("2026-03-01 10:00", "2026-03-03 10:00", "2026-03-04 10:00")

    found = room(rolling, claims, "2026-03-05 10:00")

    assert found.at == at("2026-03-10 10:00")  # when the third last but one is out, one more may follow
    assert found.denial is not None
    assert found.denial.why()["count"] == 3
    assert found.denial.why()["window"] == "7d"
    assert room(rolling, claims, "2026-03-10 10:00").denial is None
    assert room(rolling, claims, "2026-03-10 09:59:59").denial is not None


def test_a_cooldown_counts_from_the_last_message() -> None:
    calm = Policy(cooldowns=(Cooldown(length=timedelta(hours=4)),))

    found = room(calm, sent("2026-03-02 08:00", "2026-03-02 10:00"), "2026-03-02 13:59:59.999999")

    assert found.at == at("2026-03-02 14:00")
    assert found.denial is not None
    assert (found.denial.kind, found.denial.why()) == ("cooldown", {"purposes": ["marketing"], "length": "4h"})
    assert room(calm, sent("2026-03-02 10:00"), "2026-03-02 14:00").denial is None


def test_all_limits_must_allow_it() -> None:
    policy = Policy(
        caps=(Cap(limit=1, window="day"), Cap(limit=1, window=timedelta(days=3), channel=Channel.SMS)),
        cooldowns=(Cooldown(length=timedelta(days=4)),),
    )

    found = room(policy, sent("2026-03-02 10:00"), "2026-03-02 11:00")

    assert found.at == at("2026-03-06 10:00")
    assert [one.kind for one in found.denials] == ["cap", "cap", "cooldown"]
    assert found.denial == found.denials[-1]


def test_receipts_neither_count_nor_are_limited() -> None:
    receipts = sent("2026-03-02 10:00", "2026-03-02 10:01", purpose="transactional")
    receipt = replace(OFFER, purpose=Purpose.TRANSACTIONAL)
    offers = sent("2026-03-02 10:00", "2026-03-02 10:01")
    now = at("2026-03-02 11:00")

    assert room(TWO_A_DAY, receipts, "2026-03-02 11:00").denial is None
    assert next_free(TWO_A_DAY, receipt, Channel.SMS, offers, zone=NEW_YORK, now=now).denial is None
    capped = Policy(caps=(Cap(limit=2, window="day", purposes=frozenset(Purpose)),))
    assert room(capped, receipts, "2026-03-02 11:00").denial is not None


def test_a_cap_on_a_channel_or_a_journey_counts_no_other() -> None:
    texts = Policy(caps=(Cap(limit=1, window="day", channel=Channel.SMS),))
    visits = Policy(caps=(Cap(limit=1, window="day", journey="visit"),))
    other_visits = Policy(caps=(Cap(limit=1, window="day", journey="trial"),))
    now = "2026-03-02 11:00"

    assert room(texts, sent("2026-03-02 10:00", channel=Channel.EMAIL), now).denial is None
    assert room(texts, sent("2026-03-02 10:00"), now).denial is not None
    mail = next_free(texts, OFFER, Channel.EMAIL, sent("2026-03-02 10:00"), zone=NEW_YORK, now=at(now))
    assert mail.denial is None
    assert room(visits, sent("2026-03-02 10:00", journey="trial"), now).denial is None
    full = room(visits, sent("2026-03-02 10:00", channel=Channel.EMAIL), now).denial
    assert full is not None
    assert full.why()["journey"] == "visit"
    assert room(other_visits, sent("2026-03-02 10:00", journey="trial"), now).denial is None


def test_a_message_does_not_count_against_itself() -> None:
    claims = sent("2026-03-02 10:00") | {
        "offer": Claim(at("2026-03-02 10:30"), Purpose.MARKETING, Channel.SMS, "visit")
    }

    assert room(TWO_A_DAY, claims, "2026-03-02 11:00").denial is None


def test_a_claim_from_a_clock_that_is_ahead_counts() -> None:
    claims = sent("2026-03-02 10:00:02")

    assert room(Policy(cooldowns=(Cooldown(length=timedelta(hours=1)),)), claims, "2026-03-02 10:00").at == at(
        "2026-03-02 11:00:02"
    )
    rolling = Policy(caps=(Cap(limit=1, window=timedelta(hours=1)),))
    assert room(rolling, claims, "2026-03-02 10:00").at == at("2026-03-02 11:00:02")


# By law.

windows = st.sampled_from(["day", "week"]) | st.integers(1, 30 * 24).map(lambda hours: timedelta(hours=hours))
purposes = st.sampled_from([frozenset({Purpose.MARKETING}), frozenset({Purpose.MARKETING}), frozenset(Purpose)])
channels = st.none() | st.sampled_from([Channel.SMS, Channel.EMAIL])
policies = st.builds(
    Policy,
    caps=st.lists(
        st.builds(
            Cap,
            limit=st.integers(1, 3),
            window=windows,
            channel=channels,
            purposes=purposes,
            journey=st.sampled_from(["", "", "visit"]),
        ),
        max_size=3,
    ).map(tuple),
    cooldowns=st.lists(
        st.builds(Cooldown, length=st.integers(1, 100).map(lambda hours: timedelta(hours=hours)), channel=channels),
        max_size=2,
    ).map(tuple),
)
asked = st.lists(
    st.tuples(
        st.integers(0, 60 * 24 * 40).map(lambda minutes: MONDAY + timedelta(minutes=minutes)),
        st.sampled_from([Channel.SMS, Channel.EMAIL]),
        st.sampled_from([Purpose.MARKETING, Purpose.MARKETING, Purpose.TRANSACTIONAL]),
        st.sampled_from(["visit", "trial"]),
    ),
    max_size=25,
)


def is_within(policy: Policy, claims: Mapping[str, Claim], zone: ZoneInfo) -> bool:
    """Checks all sent messages: counts from each of them on."""
    for cap in policy.caps:
        counted = sorted(
            claim.at
            for claim in claims.values()
            if claim.purpose in cap.purposes
            and cap.channel in {None, claim.channel}
            and cap.journey in {"", claim.journey}
        )
        if isinstance(cap.window, timedelta):
            counts = [sum(first <= one < first + cap.window for one in counted) for first in counted]
        else:
            days = [one.astimezone(zone).date() for one in counted]
            named = [one if cap.window == "day" else one.isocalendar()[:2] for one in days]
            counts = [named.count(one) for one in named]
        if any(count > cap.limit for count in counts):
            return False
    for cooldown in policy.cooldowns:
        counted = sorted(
            claim.at
            for claim in claims.values()
            if claim.purpose in cooldown.purposes and cooldown.channel in {None, claim.channel}
        )
        if any(later - earlier < cooldown.length for earlier, later in pairwise(counted)):
            return False
    return True


@given(policies, asked, zones.map(ZoneInfo))
def test_messages_sent_when_allowed_never_exceed_a_limit(
    policy: Policy, wanted: list[tuple[datetime, Channel, Purpose, str]], zone: ZoneInfo
) -> None:
    """Messages come in any order. Each asks, and comes back when the limit says. One at a time is decided."""
    waiting = [
        (when, f"m{number}", channel, purpose, journey)
        for number, (when, channel, purpose, journey) in enumerate(wanted)
    ]
    claims: dict[str, Claim] = {}
    while waiting:
        waiting.sort()
        now, id_, channel, purpose, journey = waiting.pop(0)
        one = message(id=id_, purpose=purpose, journey=journey)
        found = next_free(policy, one, channel, claims, zone=zone, now=now)
        if found.at == now:
            claims[id_] = Claim(now, purpose, channel, journey)
        else:
            assert found.at > now
            waiting.append((found.at, id_, channel, purpose, journey))

    assert len(claims) == len(wanted)
    assert is_within(policy, claims, zone)


@given(policies, asked, zones.map(ZoneInfo), instants)
def test_no_earlier_instant_is_allowed(
    policy: Policy, earlier: list[tuple[datetime, Channel, Purpose, str]], zone: ZoneInfo, now: datetime
) -> None:
    claims = {
        f"m{number}": Claim(when, purpose, channel, journey)
        for number, (when, channel, purpose, journey) in enumerate(earlier)
        if when <= now
    }
    found = next_free(policy, OFFER, Channel.SMS, claims, zone=zone, now=now)

    again = next_free(policy, OFFER, Channel.SMS, claims, zone=zone, now=found.at)
    assert again == NextFree(found.at)
    if found.at > now:
        just_before = max(now, found.at - timedelta(seconds=1))
        assert next_free(policy, OFFER, Channel.SMS, claims, zone=zone, now=just_before).at == found.at
