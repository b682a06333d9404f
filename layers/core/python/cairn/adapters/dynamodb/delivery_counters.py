"""Delivery counters of journeys and channels, counted from providers' reports, in small items that expire."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cairn.adapters.dynamodb.items import HEALTH, CounterItem
from cairn.domain.operations.breaker import CountBucket, Counts, DeliveryOutcome
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

RETENTION = timedelta(days=2)
"""Longer than the breaker looks back, so that an operator can see on the next day why it paused something."""


class DynamoDeliveryCounters:
    """One item for each target and time bucket, so that counting needs no read."""

    def add(self, target: str, bucket: datetime, outcome: DeliveryOutcome) -> None:
        one_more = getattr(CounterItem, outcome.value).add(1)
        expires_at = CounterItem.expires_at.set(int((bucket + RETENTION).timestamp()))
        CounterItem(HEALTH + target, instant_to_wire(bucket)).update([one_more, expires_at])

    def between(self, target: str, first: datetime, last: datetime) -> Sequence[CountBucket]:
        in_time = CounterItem.sk.between(instant_to_wire(first), instant_to_wire(last))
        return [_bucket(item) for item in CounterItem.query(HEALTH + target, in_time, consistent_read=True)]


def _bucket(item: CounterItem) -> CountBucket:
    return CountBucket(
        instant_from_wire(item.sk),
        Counts(**{name: int(getattr(item, name) or 0) for name in (one.value for one in DeliveryOutcome)}),
    )
