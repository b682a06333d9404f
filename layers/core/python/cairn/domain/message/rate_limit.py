"""Pace: no more messages to a provider than it takes, counted for all senders together. Pure: what to write, and when.

A token bucket as one instant, up to which its places are taken (GCRA, ITU-T I.371): taking a place moves it on by what
a message costs. Over any time t, a bucket gives at most `rate * (t + BURST) + 2` places, however many senders ask.

A rate that reserves a share has a bucket for each purpose, whose rates add up to the provider's, so that no broadcast
stands before a receipt; a receipt may also use marketing's while nobody waits there, marketing never a receipt's. One
that reserves nothing has one bucket for all.

Of a country's rate and its channel's, the country's place comes first and the channel's when that has come: customers
of a slow country wait for each other and stand in nobody else's way. What leaves for the provider so keeps exactly to
the channel's rate; to a country's, unless its messages then wait for the channel and leave that line closer together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from cairn.domain.policy import Rate
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.hashing import share

BURST = timedelta(seconds=1)
"""Providers count by the second: after a rest, a second's worth may go at once."""

LOOKAHEAD = timedelta(hours=12)
"""No place is given out further ahead than this: what is switched off meanwhile leaves its places empty."""

RESERVATION_TTL = timedelta(minutes=1)
"""How long after its instant a place is good. After a standstill, those who come too late do not come all at once."""

MAX_RESERVED = 0.95
"""Marketing keeps a twentieth, whatever is reserved: it may be slow, but it comes to an end."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reservation:
    """When a message may go, or ask on."""

    at: datetime
    limit: str = ""
    """Where it has a place then. Empty, and not now: nowhere, all is given out; who comes then is told anew."""


@dataclass(frozen=True, slots=True)
class TokenBucket:
    limit: str
    """What is limited: `sms`, or `sms#US`."""
    lane: str
    """Whose bucket of it this is: `transactional`, `marketing`, or `all`."""
    cost: int
    """Microseconds between two places."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write that takes a place, and holds only where the bucket is as it says."""

    bucket: TokenBucket
    behind: bool
    """Behind those who are there, if any are and not too many; else now, if nobody is there."""


Attempts = tuple[Attempt, ...]
"""What is tried one after the other, until one holds. Where none does, all places are given out: buckets only move on,
so nobody can have slipped in between.
"""


def limits_for(
    rates: Iterable[Rate], channel: Channel, country: str, purpose: Purpose, after: str = ""
) -> tuple[Attempts, ...]:
    """Where the message has to wait, one after the other; only what comes behind the line that it has waited in."""
    ours = [rate for rate in rates if rate.channel is channel and rate.country in {"", country}]
    ours.sort(key=lambda rate: not rate.country)
    names = [limit_for(rate) for rate in ours]
    done = names.index(after) + 1 if after in names else 0
    return tuple(_tries(rate, purpose) for rate in ours[done:])


def limit_for(rate: Rate) -> str:
    return f"{rate.channel}#{rate.country}" if rate.country else rate.channel.value


def reserve(bucket: TokenBucket, moved_to: int, now: datetime) -> Reservation:
    """The place that was taken, by the instant that the bucket was moved to."""
    return Reservation(max(now, EPOCH + timedelta(microseconds=moved_to - bucket.cost) - BURST), bucket.limit)


def no_capacity(now: datetime) -> Reservation:
    """All places are given out."""
    return Reservation(now + LOOKAHEAD)


def retry_at(reservation: Reservation, message_id: str) -> datetime:
    """When a message without a place asks again: each at an instant of its own, while there are new ones every second.

    Who is younger may be before it then; order holds among those who have a place.
    """
    return reservation.at - share("pace", message_id) * (LOOKAHEAD / 2)


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _tries(rate: Rate, purpose: Purpose) -> Attempts:
    own = _bucket(rate, purpose)
    if own.lane == Purpose.TRANSACTIONAL:  # receipts come one by one
        others = _bucket(rate, Purpose.MARKETING)
        return (Attempt(own, behind=False), Attempt(others, behind=False), Attempt(own, behind=True))
    return (
        Attempt(own, behind=True),
        Attempt(own, behind=False),
        Attempt(own, behind=True),
    )  # broadcasts come in crowds


def _bucket(rate: Rate, purpose: Purpose) -> TokenBucket:
    lane, part = "all", 1.0
    if rate.reserved:
        reserved = min(rate.reserved, MAX_RESERVED)
        lane, part = purpose.value, reserved if purpose is Purpose.TRANSACTIONAL else 1 - reserved
    return TokenBucket(limit_for(rate), lane, ceil(1_000_000 / (rate.per_second * part)))
