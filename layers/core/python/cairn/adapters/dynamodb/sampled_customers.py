"""Customers drawn from the table, without a list of them: all whose ids fall into some of many equal ranges of hashes.

DynamoDB divides a table by the hash of the partition key for parallel scans. A customer's items lie in one partition,
so a segment has each customer whole or not at all, and is as good as drawn by lot.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from random import Random
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.dynamodb.copied_customers import counts, customer_among
from cairn.adapters.dynamodb.items import ENTRIES, STATE
from cairn.application.values.audiences import DrawnCustomers
from cairn.domain.profile.profile import Profile

READ = ("pk", "sk", "alias_of", "erased", "rev", "profile", "entries", "by", "about", "memory")
"""The attributes of a profile's items, as the table has them. The role of the function may scan these alone."""

SEGMENT_BYTES = 250_000
"""Of a segment, about: a page of a scan has a megabyte."""

SEGMENTS, MOST_READS = 12, 16
"""Segments that are drawn, and reads for them. They read some three megabytes: 400 read units."""

MOST_OF_SEGMENT, FINER = 4, 8
"""A segment of more pages shows that the table has grown since it was measured: so many times as many are tried."""

MOST_SEGMENTS = 1_000_000
"""A quota of DynamoDB."""


class SampledCustomers:
    """Implements the port CustomersByLot."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def draw(self, salt: str) -> DrawnCustomers:
        """The same for the same `salt`, as long as the table does not grow much."""
        with calling("dynamodb"):
            size = int(self._client.describe_table(TableName=self._table)["Table"].get("TableSizeBytes", 0))
        total, left = max(1, size // SEGMENT_BYTES), MOST_READS
        while left:
            total = min(total, MOST_SEGMENTS)
            profiles: list[Profile] = []
            whole = 0
            for segment in Random(salt).sample(range(total), min(SEGMENTS, total)):  # noqa: S311  no secret
                pages = list(islice(self._pages(segment, total), min(left, MOST_OF_SEGMENT)))
                left -= len(pages)
                if not pages or "LastEvaluatedKey" in pages[-1]:
                    break
                profiles += _profiles_in(item for page in pages for item in page["Items"])
                whole += 1
            if whole:
                return DrawnCustomers(tuple(profiles), whole / total)
            total *= FINER
        return DrawnCustomers((), 0.0)

    def _pages(self, segment: int, total: int) -> Iterator[Mapping[str, Any]]:
        """Of a segment, the items that are a part of a profile."""
        start: Mapping[str, Any] = {}
        while True:
            with calling("dynamodb"):
                page: Mapping[str, Any] = self._client.scan(
                    TableName=self._table,
                    Segment=segment,
                    TotalSegments=total,
                    ProjectionExpression=", ".join(f"#{name}" for name in READ),
                    ExpressionAttributeNames={f"#{name}": name for name in READ},
                    FilterExpression="begins_with(#sk, :state) OR begins_with(#sk, :entries)",
                    ExpressionAttributeValues={":state": {"S": STATE}, ":entries": {"S": ENTRIES}},
                    **start,
                )
            yield page
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _profiles_in(items: Iterable[Mapping[str, Any]]) -> Iterator[Profile]:
    partitions: dict[str, dict[str, Any]] = {}
    for item in items:
        if counts(item):
            partitions.setdefault(item["pk"]["S"], {})[item["sk"]["S"]] = item
    for parts in partitions.values():
        copied = customer_among(parts)
        if copied is not None:
            yield copied.profile
