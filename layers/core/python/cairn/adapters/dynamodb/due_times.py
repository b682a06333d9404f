"""Due times: the hour by which what waits in an item must have gone on, as the key of the second sparse index.

The key is written with the item, so it costs no further write, and an index write only when the hour changes. It may be
too early, never too late: who finds it too early puts it right.
"""

from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from pynamodb.expressions.update import Action
from pynamodb.models import Model

from cairn.domain.customer.overdue import due_hour

PARTITIONS = 16
"""Partitions of the index. Each takes 1,000 writes a second (DynamoDB quota)."""


def partition_of(customer_id: str) -> str:
    return f"due#{crc32(customer_id.encode()) % PARTITIONS}"


def due_time(at: datetime) -> str:
    """The sort key of the index: the full hour in ISO 8601, since every byte of an item counts."""
    return f"{due_hour(at).astimezone(UTC).isoformat(timespec='hours').removesuffix('+00:00')}Z"


def due_keys(customer_id: str, at: datetime | None) -> dict[str, Any]:
    """The attributes of an item with something that waits until `at`; none where nothing waits."""
    return {} if at is None else {"gsi2pk": partition_of(customer_id), "gsi2sk": due_time(at)}


def set_due_time(item: type[Model], customer_id: str, at: datetime | None) -> list[Action]:
    """The same, for the update of an item."""
    model: Any = item
    keys = due_keys(customer_id, at)
    if not keys:
        return [model.gsi2pk.remove(), model.gsi2sk.remove()]
    return [model.gsi2pk.set(keys["gsi2pk"]), model.gsi2sk.set(keys["gsi2sk"])]
