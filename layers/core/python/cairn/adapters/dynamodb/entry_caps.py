"""How many have entered a journey in an hour or a day: a few counters, written with the commits that they count.

They are in the same transaction as the enrollment: it is counted if it begins, once, and never above the limit. Each
of SHARDS items has its part of the limit, so that commits of several workers seldom meet; a customer is counted by the
first that has room, from one of its own on. A counter only grows, so one that is full stays full until its hour or day
is over, and what this process knows to be full costs it no further call.
"""

from datetime import datetime, timedelta

from cairn.adapters.dynamodb.atomic_write import AtomicWrite, Key
from cairn.adapters.dynamodb.items import CAP, CapItem
from cairn.domain.journey.definition import Admission
from cairn.domain.shared.hashing import share

SHARDS = 4

RETENTION = timedelta(days=3)
"""Longer than an hour or a day, in whatever zone."""

MOST_KNOWN = 10_000
"""Full counters that a process knows of; then it begins anew, and learns by a commit that fails."""


class EntryCaps:
    def __init__(self) -> None:
        self._full: set[tuple[Key, int]] = set()

    def is_full(self, admission: Admission) -> bool:
        """As far as this process knows."""
        return all(self._is_full(admission, shard) for shard in range(SHARDS))

    def add(self, write: AtomicWrite, admission: Admission, customer: str, now: datetime) -> Key:
        """Count it with this write, which fails where the counter has no room. Returns the counter's key."""
        first = int(share("cap", customer) * SHARDS)
        order = [(first + number) % SHARDS for number in range(SHARDS)]
        shard = next((one for one in order if not self._is_full(admission, one)), first)
        item, room = _item(admission, shard), _room(admission, shard)
        expires_at = int((now + RETENTION).timestamp())
        write.update(
            item,
            [CapItem.entered.add(1), CapItem.expires_at.set(expires_at)],
            (CapItem.entered.does_not_exist() | (CapItem.entered < room)) if room else CapItem.entered < 0,
        )
        return _key(item)

    def learn(self, admission: Admission, key: Key) -> None:
        """A counter is full."""
        if len(self._full) >= MOST_KNOWN:
            self._full.clear()
        self._full.add((key, admission.limit))

    def _is_full(self, admission: Admission, shard: int) -> bool:
        return not _room(admission, shard) or (_key(_item(admission, shard)), admission.limit) in self._full


def _room(admission: Admission, shard: int) -> int:
    """The part of the limit that this counter has; all of them together have the whole."""
    whole, left = divmod(admission.limit, SHARDS)
    return whole + (shard < left)


def _item(admission: Admission, shard: int) -> CapItem:
    return CapItem(f"{CAP}{admission.journey}#{shard}", admission.window)


def _key(item: CapItem) -> Key:
    return str(item.pk), str(item.sk)
