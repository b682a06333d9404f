"""The rate at which messages are passed to a provider."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pynamodb.exceptions import UpdateError

from cairn.adapters.dynamodb.items import CONDITION_FAILED, RATE, RateItem, code_of
from cairn.domain.message import rate_limit
from cairn.domain.message.rate_limit import LOOKAHEAD, Attempt, Attempts, Reservation
from cairn.domain.policy import Rate
from cairn.domain.shared.channels import Channel, Purpose

RETENTION = timedelta(days=2)
"""How long an unused bucket is stored. Long before that, it has the effect of no bucket."""


class Unlimited:
    """Implements the port RateLimiter where the policy has no rate."""

    def reserve(self, channel: Channel, country: str, purpose: Purpose, now: datetime, after: str = "") -> Reservation:  # noqa: ARG002
        return Reservation(now)


class TokenBuckets:
    """Implements the port RateLimiter for all senders: a bucket is an item, a reservation one conditional write."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rates = tuple(rates)

    def reserve(self, channel: Channel, country: str, purpose: Purpose, now: datetime, after: str = "") -> Reservation:
        for line in rate_limit.limits_for(self._rates, channel, country, purpose, after):
            slot = _reserve_in(line, now)
            if slot.at > now:
                return slot
        return Reservation(now)


def _reserve_in(line: Attempts, now: datetime) -> Reservation:
    for one in line:
        moved_to = _take(one, now)
        if moved_to is not None:
            return rate_limit.reserve(one.bucket, moved_to, now)
    return rate_limit.no_capacity(now)


def _take(one: Attempt, now: datetime) -> int | None:
    """The new instant of the bucket; None where its condition does not hold."""
    at, cost = rate_limit.micros(now), one.bucket.cost
    if one.behind:
        condition = (RateItem.tat > at) & (RateItem.tat <= rate_limit.micros(now + LOOKAHEAD))
        moves = RateItem.tat.set(RateItem.tat + cost)
    else:
        condition = RateItem.tat.does_not_exist() | (RateItem.tat <= at)
        moves = RateItem.tat.set(at + cost)
    item = RateItem(RATE + one.bucket.limit, one.bucket.lane)
    try:
        item.update([moves, RateItem.expires_at.set(int((now + RETENTION).timestamp()))], condition=condition)
    except UpdateError as error:
        if code_of(error) != CONDITION_FAILED:
            raise
        return None
    return int(item.tat)
