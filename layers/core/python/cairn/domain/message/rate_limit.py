"""Rate limits: no more messages to a provider than it accepts, counted over all senders. Pure: what to write, and when.

A token bucket is stored as one instant, up to which its capacity is reserved (GCRA, ITU-T I.371). A reservation moves
it by the cost of a message. In any time t a bucket grants at most `rate * (t + BURST) + 2` reservations, however many
senders ask.

A rate that reserves a share has a bucket for each purpose. Their rates add up to the provider's, so no broadcast blocks
a receipt. A receipt may also use the marketing bucket while it is idle; marketing never uses the other one. A rate that
reserves nothing has one bucket.

With a rate for the country and one for the channel, a message first waits for the country's and then for the channel's:
customers of a slow country delay only each other. Messages to the provider keep exactly to the channel's rate. They may
exceed the country's rate where they waited for the channel and then leave closer together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from cairn.domain.policy import Rate
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.hashing import share

BURST = timedelta(seconds=1)
"""Providers count by the second: after a pause, the messages of one second may go at once."""

LOOKAHEAD = timedelta(hours=12)
"""The furthest reservation. Messages that are switched off meanwhile leave their reservations unused."""

RESERVATION_TTL = timedelta(minutes=1)
"""How long a reservation is valid after its instant, so that late messages do not all leave at once."""

MAX_RESERVED = 0.95
"""Marketing always has a twentieth of the rate: slow, but it finishes."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reservation:
    """When a message may go, or ask again."""

    at: datetime
    limit: str = ""
    """The limit that it has capacity of. Empty with a future time: no capacity; retry then."""


@dataclass(frozen=True, slots=True)
class TokenBucket:
    limit: str
    """The limit: `sms`, or `sms#US`."""
    lane: str
    """The purpose that the bucket is for: `transactional`, `marketing`, or `all`."""
    cost: int
    """Microseconds between two reservations."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A conditional write that makes a reservation. Its condition is the state of the bucket."""

    bucket: TokenBucket
    behind: bool
    """True: the bucket has reservations, and capacity behind them. False: the bucket is idle."""


Attempts = tuple[Attempt, ...]
"""Attempts in order, until one succeeds. If none does, there is no capacity: buckets only move forward, so no capacity
can appear between two attempts.
"""


def limits_for(
    rates: Iterable[Rate], channel: Channel, country: str, purpose: Purpose, after: str = ""
) -> tuple[Attempts, ...]:
    """The limits that the message must wait for, in order; without those up to `after`, where it has waited."""
    applying = [rate for rate in rates if rate.channel is channel and rate.country in {"", country}]
    applying.sort(key=lambda rate: not rate.country)
    names = [limit_for(rate) for rate in applying]
    done = names.index(after) + 1 if after in names else 0
    return tuple(_attempts(rate, purpose) for rate in applying[done:])


def limit_for(rate: Rate) -> str:
    return f"{rate.channel}#{rate.country}" if rate.country else rate.channel.value


def reserve(bucket: TokenBucket, moved_to: int, now: datetime) -> Reservation:
    """The reservation, from the instant that the bucket was moved to."""
    return Reservation(max(now, EPOCH + timedelta(microseconds=moved_to - bucket.cost) - BURST), bucket.limit)


def no_capacity(now: datetime) -> Reservation:
    """No capacity within LOOKAHEAD."""
    return Reservation(now + LOOKAHEAD)


def retry_at(reservation: Reservation, message_id: str) -> datetime:
    """When a message without a reservation asks again: each at its own instant, as capacity appears every second.

    A newer message may get capacity first; order is kept among reservations only.
    """
    return reservation.at - share("pace", message_id) * (LOOKAHEAD / 2)


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _attempts(rate: Rate, purpose: Purpose) -> Attempts:
    own = _bucket(rate, purpose)
    if own.lane == Purpose.TRANSACTIONAL:  # receipts come one by one
        others = _bucket(rate, Purpose.MARKETING)
        return (Attempt(own, behind=False), Attempt(others, behind=False), Attempt(own, behind=True))
    return (
        Attempt(own, behind=True),
        Attempt(own, behind=False),
        Attempt(own, behind=True),
    )  # broadcasts come in bursts


def _bucket(rate: Rate, purpose: Purpose) -> TokenBucket:
    lane, part = "all", 1.0
    if rate.reserved:
        reserved = min(rate.reserved, MAX_RESERVED)
        lane, part = purpose.value, reserved if purpose is Purpose.TRANSACTIONAL else 1 - reserved
    return TokenBucket(limit_for(rate), lane, ceil(1_000_000 / (rate.per_second * part)))
