"""Reads of DynamoDB that are not of one instant: eventually consistent ones lag, and those of several items are torn.

DynamoDB serializes a transaction with single reads and writes of items, but not with a Query, Scan or BatchGetItem as a
whole: those are read-committed.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSResponse

from infra.local.faults.errors import answer
from infra.local.shapes import ACCOUNT, REGION

Document = Mapping[str, Any]


@contextmanager
def as_it_was(asked: Document, at: datetime, *, at_least_one: bool = False) -> Iterator[None]:
    """Within the block, the tables of a request look as they did; with `at_least_one`, without their last change."""
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415  slow to import

    tables = dynamodb_backends[ACCOUNT][REGION].tables
    names = [name for name in asked.get("RequestItems", (asked.get("TableName"),)) if name in tables]
    present = [(tables[name], _undo(tables[name], at, at_least_one=at_least_one)) for name in names]
    try:
        yield
    finally:
        for table, changed in present:
            for (pk, sk), item in changed.items():
                _put(table, pk, sk, item)


def _undo(table: Any, at: datetime, *, at_least_one: bool) -> dict[tuple[Any, Any], Any]:
    """Undo the changes since then; gives the present items."""
    from moto.dynamodb.models.dynamo_type import DynamoType, Item  # noqa: PLC0415

    present: dict[tuple[Any, Any], Any] = {}
    records = table.stream_shard.items if table.stream_shard else ()
    last = records[-1].record["dynamodb"]["ApproximateCreationDateTime"] if records and at_least_one else None
    for record in reversed(records):
        change = record.record["dynamodb"]
        made = change["ApproximateCreationDateTime"]
        if made.replace(tzinfo=UTC) <= at and made != last:
            break
        pk, sk = (DynamoType(change["Keys"][name]) for name in (table.hash_key_attr, table.range_key_attr))
        present.setdefault((pk, sk), table.items.get(pk, {}).get(sk))
        old = change.get("OldImage")
        _put(table, pk, sk, Item(pk, sk, deepcopy(old)) if old else None)
    return present


def _put(table: Any, pk: Any, sk: Any, item: Any) -> None:
    if item is None:
        table.items.get(pk, {}).pop(sk, None)
    else:
        table.items[pk][sk] = item


def torn(operation: str, before: AWSResponse | None, after: AWSResponse | None) -> AWSResponse | None:
    """One answer of which the first item is from before a commit and the others from after it."""
    if before is None or after is None or before.status_code != 200 or after.status_code != 200:  # noqa: PLR2004
        return after
    old, new = json.loads(before.content), json.loads(after.content)
    if operation == "BatchGetItem":
        for table, items in new.get("Responses", {}).items():
            new["Responses"][table] = _mixed(old.get("Responses", {}).get(table, []), items)
    elif "Items" in new:
        new["Items"] = _mixed(old.get("Items", []), new["Items"])
        new["Count"] = len(new["Items"])
    else:
        return before  # one item: it was read before the commit
    return answer(str(after.url), 200, json.dumps(new).encode(), {"Content-Type": "application/x-amz-json-1.0"})


def _mixed(before: list[Document], after: list[Document]) -> list[Document]:
    if not before:
        return list(after)
    first = before[0]
    same = [_key(first) == _key(one) for one in after]
    return [first, *(one for one, is_first in zip(after, same, strict=True) if not is_first)]


def _key(item: Document) -> tuple[str, str]:
    return json.dumps(item.get("pk")), json.dumps(item.get("sk"))
