"""The breaker: it pauses bad targets, gives the reason in a sentence, and ignores chance."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.breaker import (
    AT_LEAST,
    BUCKET,
    CountBucket,
    Counts,
    DeliveryOutcome,
    bucket_of,
    bucket_range,
    evaluate,
    outcome_of,
)
from cairn.domain.policy import Breaker

NOW = datetime(2026, 3, 2, 14, 3, 20, tzinfo=UTC)
THIS = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
POLICY = Breaker()


def why(
    *buckets: tuple[datetime, Counts], breaker: Breaker = POLICY, at: datetime = NOW, since: datetime | None = None
) -> str | None:
    """The sentence; None if nothing trips."""
    trip = evaluate("journey:visit", [CountBucket(*one) for one in buckets], breaker, at=at, since=since)
    if trip is None:
        return None
    assert trip.target == "journey:visit"
    return trip.why


def test_too_many_complaints_trip_and_say_so() -> None:
    explained = Counts(delivered=1_200, complained=5)

    assert why((THIS, explained)) == "complaints 0.417 % of 1,200 messages in 30 minutes, above 0.08 %"


@pytest.mark.parametrize(
    ("limit", "over", "sentence"),
    [
        (Counts(10_000, complained=8), Counts(10_000, complained=9), "complaints 0.09 % of 10,000 messages"),
        (Counts(97, bounced=3), Counts(96, bounced=4), "bounces 4 % of 100 messages in 30 minutes, above 3 %"),
        (Counts(90, failed=10), Counts(89, failed=11), "failures 11 % of 100 messages in 30 minutes, above 10 %"),
    ],
)
def test_a_share_trips_above_its_limit_and_not_at_it(limit: Counts, over: Counts, sentence: str) -> None:
    explained = why((THIS, over))

    assert explained is not None
    assert explained.startswith(sentence)
    assert why((THIS, limit)) is None


def test_below_the_minimum_volume_no_share_trips() -> None:
    assert why((THIS, Counts(failed=99))) is None
    assert why((THIS, Counts(failed=100))) is not None


def test_one_or_two_are_chance_whatever_their_share() -> None:
    assert AT_LEAST == 3
    assert why((THIS, Counts(100, complained=2))) is None
    assert why((THIS, Counts(100, complained=3))) is not None


def test_only_the_latest_window_counts_for_a_share() -> None:
    first_of_the_window = THIS - HALF_AN_HOUR + BUCKET
    bad = Counts(100, complained=5)

    assert why((first_of_the_window, bad)) is not None
    assert why((first_of_the_window - BUCKET, bad)) is None
    assert why((THIS + BUCKET, bad)) is None


def test_buckets_of_a_window_are_taken_together() -> None:
    assert why((THIS - BUCKET, Counts(60, complained=1)), (THIS, Counts(60, complained=2))) is not None


LOW = (THIS - HALF_AN_HOUR, Counts(10_000, complained=1))
"""The window before."""


def test_complaints_that_double_trip_below_the_limit_as_well() -> None:
    assert why(LOW, (THIS, Counts(10_000, complained=4))) == (
        "4 complaints of 10,000 messages in 30 minutes, after 1 of 10,000 in the 30 minutes before"
    )
    assert why(LOW, (THIS, Counts(10_000, complained=3))) is None, "two more are chance"
    six = (LOW[0], Counts(10_000, complained=4))
    assert why(six, (THIS, Counts(10_000, complained=7))) is None, "not twice as many"


def test_twice_the_complaints_of_twice_the_messages_are_no_news() -> None:
    assert why((LOW[0], Counts(10_000, complained=4)), (THIS, Counts(20_000, complained=8))) is None


def test_a_broadcast_after_a_quiet_hour_is_compared_with_one_complaint() -> None:
    assert why((LOW[0], Counts(150)), (THIS, Counts(100_000, complained=5))) is None
    assert why((LOW[0], Counts(99)), (THIS, Counts(10_000, complained=8))) is None, "too few to compare with"


def test_the_factor_comes_from_the_policy() -> None:
    now = (THIS, Counts(10_000, complained=5))

    assert why(LOW, now, breaker=Breaker(doubling=5)) is not None
    assert why(LOW, now, breaker=Breaker(doubling=5.1)) is None


def test_counts_from_before_an_operator_resumed_trip_nothing() -> None:
    bad = Counts(100, complained=5)
    resumed = THIS + timedelta(minutes=1)

    assert why((THIS, bad), since=THIS) is not None
    assert why((THIS, bad), since=resumed) is None
    later = THIS + timedelta(minutes=9)
    assert why((THIS, bad), (THIS + BUCKET, bad), at=later, since=resumed) == (
        "complaints 5 % of 100 messages in 30 minutes, above 0.08 %"
    )


def test_nothing_doubles_right_after_an_operator_resumed() -> None:
    now = (THIS, Counts(10_000, complained=5))
    start, _ = bucket_range(POLICY, NOW)

    assert why(LOW, now, since=start) is not None
    assert why(LOW, now, since=start + BUCKET) is None


def test_the_window_comes_from_the_policy_and_is_never_shorter() -> None:
    assert bucket_range(POLICY, NOW) == (THIS - timedelta(minutes=55), THIS)
    assert bucket_range(Breaker(window=timedelta(minutes=7)), NOW) == (THIS - timedelta(minutes=15), THIS)
    assert bucket_range(Breaker(window=timedelta(minutes=1)), NOW) == (THIS - BUCKET, THIS)
    explained = why((THIS, Counts(100, complained=5)), breaker=Breaker(window=timedelta(minutes=7)))
    assert explained is not None
    assert "in 10 minutes" in explained


def test_a_complaint_counts_as_a_delivery() -> None:
    assert Counts(complained=4, failed=1).messages == 5
    assert Counts(delivered=10, complained=4, bounced=2).messages == 12


def test_the_outcomes_that_count() -> None:
    counted = {status for status in MessageStatus if outcome_of(status) is not None}

    assert counted == {
        MessageStatus.DELIVERED,
        MessageStatus.FAILED,
        MessageStatus.BOUNCED,
        MessageStatus.COMPLAINED,
    }
    assert {one for one in DeliveryOutcome if one.bad} == {
        DeliveryOutcome.FAILED,
        DeliveryOutcome.BOUNCED,
        DeliveryOutcome.COMPLAINED,
    }


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_lies_in_its_bucket(at: datetime) -> None:
    start = bucket_of(at)

    assert start <= at < start + BUCKET
    assert start.minute % 5 == start.second == start.microsecond == 0


COUNTS = st.builds(Counts, *(st.integers(0, 300) for _ in DeliveryOutcome))


@given(st.lists(COUNTS, min_size=12, max_size=12), st.integers(1, 500))
def test_nothing_trips_without_enough_messages_and_enough_that_went_wrong(
    given_counts: list[Counts], minimum: int
) -> None:
    buckets = [(THIS - number * BUCKET, counts) for number, counts in enumerate(given_counts)]
    latest = sum(given_counts[:6], Counts())

    tripped = why(*buckets, breaker=Breaker(minimum=minimum))

    if tripped is not None:
        assert latest.messages >= minimum
        assert max(latest.complained, latest.bounced, latest.failed) >= AT_LEAST
