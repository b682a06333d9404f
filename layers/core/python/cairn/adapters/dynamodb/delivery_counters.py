"""Delivery counters of journeys and channels, counted from providers' reports, in small items that expire."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from cairn.adapters.dynamodb.items import HEALTH, LAST_CHARACTER, CounterItem
from cairn.domain.operations.breaker import CountBucket, Counts, DeliveryOutcome
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

RETENTION = timedelta(days=2)
"""Longer than the breaker looks back, so that an operator can see on the next day why it paused something."""

BY = "by-"
"""Before the channel, in the key of counters of a journey in a channel. Until version 0.2 each target had its own."""

JOURNEY, CHANNEL = "journey:", "channel:"
"""How targets begin."""

CHANNELS = (*(CHANNEL + one.value for one in Channel), "")


class DynamoDeliveryCounters:
    """One item for each channel, journey and time bucket, so that counting is one write, and needs no read.

    Where something goes wrong, the breaker adds them up: the items of one channel, or of a journey in each channel.
    """

    def add(self, targets: Collection[str], bucket: datetime, outcome: DeliveryOutcome) -> None:
        one_more = getattr(CounterItem, outcome.value).add(1)
        expires_at = CounterItem.expires_at.set(int((bucket + RETENTION).timestamp()))
        journey, channel = (next((one for one in targets if one.startswith(kind)), "") for kind in (JOURNEY, CHANNEL))
        item = CounterItem(HEALTH + BY + channel, f"{instant_to_wire(bucket)}#{journey}")
        item.update([one_more, expires_at])

    def between(self, target: str, first: datetime, last: datetime) -> Sequence[CountBucket]:
        counts: dict[datetime, Counts] = {}
        for start, counted in _counted(target, instant_to_wire(first), instant_to_wire(last)):
            counts[start] = counts.get(start, Counts()) + counted
        return [CountBucket(start, counts[start]) for start in sorted(counts)]


def _counted(target: str, first: str, last: str) -> Iterator[tuple[datetime, Counts]]:
    own = CounterItem.query(HEALTH + target, CounterItem.sk.between(first, last), consistent_read=True)
    yield from ((instant_from_wire(item.sk), _counts(item)) for item in own)
    for channel in CHANNELS if target.startswith(JOURNEY) else (target,):
        in_time = CounterItem.sk.between(first, last + LAST_CHARACTER)
        for item in CounterItem.query(HEALTH + BY + channel, in_time, consistent_read=True):
            bucket, _, journey = item.sk.partition("#")
            if target in {channel, journey}:
                yield instant_from_wire(bucket), _counts(item)


def _counts(item: CounterItem) -> Counts:
    return Counts(**{name: int(getattr(item, name) or 0) for name in (one.value for one in DeliveryOutcome)})
