"""When a journey or a channel pauses by itself: judged from what providers told of its messages, in small counts.

A share is of the messages that were told of within the window, not of those sent in it: a complaint may come hours
after its message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cairn.domain.message.message import MessageStatus
from cairn.domain.policy import Breaker

BUCKET = timedelta(minutes=5)
"""What is counted together."""

AT_LEAST = 3
"""Fewer than so many of a kind are chance, whatever their share: one complaint of a hundred messages is 1 %. And so
many complaints more than in the window before it takes for a doubling.
"""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DeliveryOutcome(StrEnum):
    """What is counted. Opens and clicks say nothing of harm, and a message that they are told of was delivered."""

    DELIVERED = MessageStatus.DELIVERED.value
    FAILED = MessageStatus.FAILED.value
    BOUNCED = MessageStatus.BOUNCED.value
    COMPLAINED = MessageStatus.COMPLAINED.value

    @property
    def bad(self) -> bool:
        return self is not DeliveryOutcome.DELIVERED


@dataclass(frozen=True, slots=True)
class Counts:
    delivered: int = 0
    failed: int = 0
    bounced: int = 0
    complained: int = 0

    @property
    def messages(self) -> int:
        """Who complains was delivered to, told of or not."""
        return max(self.delivered, self.complained) + self.failed + self.bounced

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.bounced + other.bounced,
            self.complained + other.complained,
        )


@dataclass(frozen=True, slots=True)
class CountBucket:
    """What was told from an instant on, for as long as a bucket lasts."""

    start: datetime
    counts: Counts


@dataclass(frozen=True, slots=True)
class Trip:
    target: str
    why: str
    """A plain sentence, without anything personal."""


def outcome_of(status: str) -> DeliveryOutcome | None:
    """What a status counts as; None where it does not count."""
    return DeliveryOutcome(status) if status in set(DeliveryOutcome) else None


def bucket_of(at: datetime) -> datetime:
    """When the bucket of an instant began."""
    return EPOCH + (at - EPOCH) // BUCKET * BUCKET


def bucket_range(breaker: Breaker, at: datetime) -> tuple[datetime, datetime]:
    """The starts of the first and the last bucket that are judged at an instant: of two windows, the latest last."""
    last = bucket_of(at)
    return last - (2 * _length(breaker) - 1) * BUCKET, last


def evaluate(
    target: str, buckets: Sequence[CountBucket], breaker: Breaker, *, at: datetime, since: datetime | None = None
) -> Trip | None:
    """Whether the target has to pause.

    `since` is when people last let it go on: what was counted before has been looked at by then, so that only buckets
    which began later count.
    """
    first, last = bucket_range(breaker, at)
    middle = first + _length(breaker) * BUCKET
    ours = [one for one in buckets if first <= one.start <= last and (since is None or one.start >= since)]
    now = sum((one.counts for one in ours if one.start >= middle), Counts())
    before = sum((one.counts for one in ours if one.start < middle), Counts())
    whole = since is None or since <= first  # else there is nothing to compare with
    why = _above(now, breaker) or (_doubled(now, before, breaker) if whole else "")
    return Trip(target, why) if why else None


def _above(now: Counts, breaker: Breaker) -> str:
    if now.messages < breaker.minimum:
        return ""
    for name, count, limit in (
        ("complaints", now.complained, breaker.complaint),
        ("bounces", now.bounced, breaker.bounce),
        ("failures", now.failed, breaker.failure),
    ):
        share = count / now.messages
        if count >= AT_LEAST and share > limit:
            told = f"{name} {_percent(share)} of {now.messages:,} messages in {_minutes(breaker)}"
            return f"{told}, above {_percent(limit)}"
    return ""


def _doubled(now: Counts, before: Counts, breaker: Breaker) -> str:
    """Whether complaints are so many times as frequent as in the window before, both windows having enough messages.

    By share: twice as many complaints of twice as many messages are no news. A window without a complaint is taken for
    one that has one, or a broadcast after a quiet hour would trip at its first three.
    """
    if min(now.messages, before.messages) < breaker.minimum or now.complained - before.complained < AT_LEAST:
        return ""
    if now.complained / now.messages < breaker.doubling * max(before.complained, 1) / before.messages:
        return ""
    return (
        f"{now.complained:,} complaints of {now.messages:,} messages in {_minutes(breaker)}, after "
        f"{before.complained:,} of {before.messages:,} in the {_minutes(breaker)} before"
    )


def _length(breaker: Breaker) -> int:
    """In buckets; a window that is no whole number of them is made longer."""
    return max(1, -(-breaker.window // BUCKET))


def _minutes(breaker: Breaker) -> str:
    return f"{_length(breaker) * BUCKET // timedelta(minutes=1)} minutes"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
