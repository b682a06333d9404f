"""The breaker: when a journey or a channel pauses by itself, from counts of the providers' reports.

A share is of the messages reported within the window, not of those sent in it: a complaint may come hours after its
message. `application/operations/watch_health` does the pause itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.flow import BUCKET, bucket_of
from cairn.domain.policy import Breaker

BREAKER = "breaker"
"""The actor in the audit."""

AT_LEAST = 3
"""Fewer reports of a kind are chance, whatever their share: one complaint in a hundred messages is 1 %. A doubling
needs at least this many extra complaints.
"""


class DeliveryOutcome(StrEnum):
    """The outcomes that count. Opens and clicks are no sign of harm, and their messages were delivered."""

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
        """A complaint means a delivery, whether that was reported or not."""
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
    """The reports of one bucket, by its start."""

    start: datetime
    counts: Counts


@dataclass(frozen=True, slots=True)
class Trip:
    target: str
    why: str
    """A plain sentence, without anything personal."""


def outcome_of(status: str) -> DeliveryOutcome | None:
    """The outcome of a status; None if it does not count."""
    return DeliveryOutcome(status) if status in set(DeliveryOutcome) else None


def bucket_range(breaker: Breaker, at: datetime) -> tuple[datetime, datetime]:
    """The starts of the first and the last bucket that `evaluate` needs: two windows, the current one last."""
    last = bucket_of(at)
    return last - (2 * _length(breaker) - 1) * BUCKET, last


def evaluate(
    target: str, buckets: Sequence[CountBucket], breaker: Breaker, *, at: datetime, since: datetime | None = None
) -> Trip | None:
    """Whether the target has to pause.

    `since` is when an operator last resumed it. The operator has seen the earlier counts, so only later buckets count.
    """
    first, last = bucket_range(breaker, at)
    middle = first + _length(breaker) * BUCKET
    counted = [
        bucket for bucket in buckets if first <= bucket.start <= last and (since is None or bucket.start >= since)
    ]
    now = sum((bucket.counts for bucket in counted if bucket.start >= middle), Counts())
    before = sum((bucket.counts for bucket in counted if bucket.start < middle), Counts())
    whole = since is None or since <= first  # else the window before is incomplete
    why = _above(now, breaker) or (doubled(now, before, breaker) if whole else "")
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
            found = f"{name} {_percent(share)} of {now.messages:,} messages in {_minutes(breaker)}"
            return f"{found}, above {_percent(limit)}"
    return ""


def doubled(now: Counts, before: Counts, breaker: Breaker) -> str:
    """Whether the share of complaints has grown by `doubling` since the window before; both need enough messages.

    Twice as many complaints about twice as many messages are normal. A window without complaints counts as one
    complaint, or a broadcast after a quiet hour would trip at its first three.
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
    """The window in buckets, rounded up."""
    return max(1, -(-breaker.window // BUCKET))


def _minutes(breaker: Breaker) -> str:
    return f"{_length(breaker) * BUCKET // timedelta(minutes=1)} minutes"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
