"""The contract of the port RateLimiter, run on moto and on an independent store."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters import aws
from cairn.adapters.dynamodb.items import RateItem
from cairn.adapters.dynamodb.rate_limiter import TokenBuckets, Unlimited
from cairn.domain.message.rate_limit import BURST, LOOKAHEAD, Reservation
from cairn.domain.policy import Rate
from cairn.domain.shared.channels import Channel, Purpose

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SMS, EMAIL = Channel.SMS, Channel.EMAIL
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL

TEN = Rate(channel=SMS, per_second=10, reserved=0.2)
AMERICA = Rate(channel=SMS, per_second=2, country="US")


def most_within(window: timedelta, slots: Iterable[datetime]) -> int:
    ordered = sorted(slots)
    return max((bisect_left(ordered, one + window) - position for position, one in enumerate(ordered)), default=0)


@pytest.fixture
def limiter(table: str) -> TokenBuckets:  # noqa: ARG001  the limiter is bound to it
    return TokenBuckets((TEN,))


def items(table: str) -> dict[tuple[str, str], int]:
    found = aws.client("dynamodb").scan(TableName=table)["Items"]
    return {(one["pk"]["S"], one["sk"]["S"]): int(one["expires_at"]["N"]) for one in found}


def test_a_channel_without_a_rate_makes_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateItem, "update", None)

    assert Unlimited().reserve(SMS, "US", MARKETING, NOW) == Reservation(NOW)
    assert TokenBuckets((TEN,)).reserve(EMAIL, "US", MARKETING, NOW) == Reservation(NOW)


def test_marketing_waits_for_the_rate_and_transactional_messages_go_at_once(limiter: TokenBuckets) -> None:
    crowd = [limiter.reserve(SMS, "US", MARKETING, NOW).at for _ in range(60)]

    assert crowd == sorted(crowd)
    assert crowd[8] == NOW
    assert crowd[-1] == NOW + timedelta(seconds=6.375)
    assert limiter.reserve(SMS, "US", TRANSACTIONAL, NOW) == Reservation(NOW)


def test_two_processes_share_one_rate(limiter: TokenBuckets) -> None:
    other = TokenBuckets((TEN,))

    slots = [(other if number % 2 else limiter).reserve(SMS, "", MARKETING, NOW).at for number in range(20)]

    assert len(set(slots)) == 12, "nine at once, and then one after the other"


def test_transactional_messages_use_what_marketing_leaves(limiter: TokenBuckets) -> None:
    slots = [limiter.reserve(SMS, "", TRANSACTIONAL, NOW + number * SECOND / 5).at for number in range(20)]

    assert slots == [NOW + number * SECOND / 5 for number in range(20)], "five a second, and two are reserved"


def test_a_country_limit_applies_before_the_channel_limit(table: str) -> None:
    limiter = TokenBuckets((TEN, AMERICA))

    americans = [limiter.reserve(SMS, "US", MARKETING, NOW) for _ in range(12)]

    assert americans[-1] == Reservation(NOW + 4.5 * SECOND, "sms#US")
    assert limiter.reserve(SMS, "FR", MARKETING, NOW) == Reservation(NOW)
    assert limiter.reserve(SMS, "US", MARKETING, americans[-1].at, "sms#US") == Reservation(americans[-1].at)
    assert items(table).keys() == {("rate#sms", "marketing"), ("rate#sms#US", "all")}


def test_capacity_returns_with_time(limiter: TokenBuckets) -> None:
    for _ in range(30):
        limiter.reserve(SMS, "", MARKETING, NOW)

    assert limiter.reserve(SMS, "", MARKETING, NOW + 10 * SECOND) == Reservation(NOW + 10 * SECOND)


@pytest.mark.usefixtures("table")
def test_no_reservation_is_beyond_the_lookahead() -> None:
    limiter = TokenBuckets((Rate(channel=SMS, per_second=0.001),))

    slots = [limiter.reserve(SMS, "", MARKETING, NOW) for _ in range(50)]

    assert [one.limit for one in slots] == [""] + ["sms"] * 43 + [""] * 6
    assert slots[-1] == Reservation(NOW + LOOKAHEAD)


def test_an_idle_bucket_expires_within_two_days_and_after_its_last_reservation(
    table: str, limiter: TokenBuckets
) -> None:
    limiter.reserve(SMS, "", MARKETING, NOW)

    assert (
        NOW + LOOKAHEAD < datetime.fromtimestamp(items(table)["rate#sms", "marketing"], UTC) <= NOW + timedelta(days=2)
    )


@pytest.mark.atomic_writes
@pytest.mark.usefixtures("table")
def test_concurrent_senders_never_exceed_the_rate() -> None:
    limiter = TokenBuckets((TEN,))

    def reserve(number: int) -> tuple[Purpose, datetime]:
        purpose = TRANSACTIONAL if number % 4 == 0 else MARKETING
        return purpose, limiter.reserve(SMS, "US", purpose, NOW + number * timedelta(milliseconds=7)).at

    with ThreadPoolExecutor(12) as pool:
        slots = list(pool.map(reserve, range(300)))

    for window in (SECOND, 5 * SECOND, 20 * SECOND):
        assert most_within(window, [at for _, at in slots]) <= 10 * (window + BURST).total_seconds() + 4
    times_by_purpose = defaultdict(list)
    for purpose, at in slots:
        times_by_purpose[purpose].append(at)
    assert most_within(SECOND, times_by_purpose[MARKETING]) <= 8 * 2 + 2
