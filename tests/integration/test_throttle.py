"""The contract of the port Pace, held against moto and against an independent store."""

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
    return max((bisect_left(ordered, one + window) - place for place, one in enumerate(ordered)), default=0)


@pytest.fixture
def pace(table: str) -> TokenBuckets:  # noqa: ARG001  it is bound to it
    return TokenBuckets((TEN,))


def items(table: str) -> dict[tuple[str, str], int]:
    found = aws.client("dynamodb").scan(TableName=table)["Items"]
    return {(one["pk"]["S"], one["sk"]["S"]): int(one["expires_at"]["N"]) for one in found}


def test_where_no_rate_is_named_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateItem, "update", None)

    assert Unlimited().reserve(SMS, "US", MARKETING, NOW) == Reservation(NOW)
    assert TokenBuckets((TEN,)).reserve(EMAIL, "US", MARKETING, NOW) == Reservation(NOW)


def test_a_crowd_goes_at_the_rate_and_receipts_at_once(pace: TokenBuckets) -> None:
    crowd = [pace.reserve(SMS, "US", MARKETING, NOW).at for _ in range(60)]

    assert crowd == sorted(crowd)
    assert crowd[8] == NOW
    assert crowd[-1] == NOW + timedelta(seconds=6.375)
    assert pace.reserve(SMS, "US", TRANSACTIONAL, NOW) == Reservation(NOW)


def test_two_processes_share_one_pace(pace: TokenBuckets) -> None:
    other = TokenBuckets((TEN,))

    slots = [(other if number % 2 else pace).reserve(SMS, "", MARKETING, NOW).at for number in range(20)]

    assert len(set(slots)) == 12, "nine at once, and then one after the other"


def test_receipts_take_what_marketing_leaves(pace: TokenBuckets) -> None:
    slots = [pace.reserve(SMS, "", TRANSACTIONAL, NOW + number * SECOND / 5).at for number in range(20)]

    assert slots == [NOW + number * SECOND / 5 for number in range(20)], "five a second, and two are reserved"


def test_a_slow_country_waits_for_itself_and_then_for_the_channel(table: str) -> None:
    pace = TokenBuckets((TEN, AMERICA))

    americans = [pace.reserve(SMS, "US", MARKETING, NOW) for _ in range(12)]

    assert americans[-1] == Reservation(NOW + 4.5 * SECOND, "sms#US")
    assert pace.reserve(SMS, "FR", MARKETING, NOW) == Reservation(NOW)
    assert pace.reserve(SMS, "US", MARKETING, americans[-1].at, "sms#US") == Reservation(americans[-1].at)
    assert items(table).keys() == {("rate#sms", "marketing"), ("rate#sms#US", "all")}


def test_after_a_rest_there_is_room_again(pace: TokenBuckets) -> None:
    for _ in range(30):
        pace.reserve(SMS, "", MARKETING, NOW)

    assert pace.reserve(SMS, "", MARKETING, NOW + 10 * SECOND) == Reservation(NOW + 10 * SECOND)


@pytest.mark.usefixtures("table")
def test_no_place_is_given_out_too_far_ahead() -> None:
    pace = TokenBuckets((Rate(channel=SMS, per_second=0.001),))

    slots = [pace.reserve(SMS, "", MARKETING, NOW) for _ in range(50)]

    assert [one.limit for one in slots] == [""] + ["sms"] * 43 + [""] * 6
    assert slots[-1] == Reservation(NOW + LOOKAHEAD)


def test_a_bucket_that_nobody_asks_is_gone_after_two_days_and_not_before_its_last_place(
    table: str, pace: TokenBuckets
) -> None:
    pace.reserve(SMS, "", MARKETING, NOW)

    assert (
        NOW + LOOKAHEAD < datetime.fromtimestamp(items(table)["rate#sms", "marketing"], UTC) <= NOW + timedelta(days=2)
    )


@pytest.mark.atomic_writes
@pytest.mark.usefixtures("table")
def test_senders_at_once_never_take_more_than_there_is() -> None:
    pace = TokenBuckets((TEN,))

    def take(number: int) -> tuple[Purpose, datetime]:
        purpose = TRANSACTIONAL if number % 4 == 0 else MARKETING
        return purpose, pace.reserve(SMS, "US", purpose, NOW + number * timedelta(milliseconds=7)).at

    with ThreadPoolExecutor(12) as pool:
        slots = list(pool.map(take, range(300)))

    for window in (SECOND, 5 * SECOND, 20 * SECOND):
        assert most_within(window, [at for _, at in slots]) <= 10 * (window + BURST).total_seconds() + 4
    lanes = defaultdict(list)
    for purpose, at in slots:
        lanes[purpose].append(at)
    assert most_within(SECOND, lanes[MARKETING]) <= 8 * 2 + 2
