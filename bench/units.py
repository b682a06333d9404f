"""Computes DynamoDB's write and read units from the sizes of the items written and read.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
A write unit is each started kilobyte of the larger of old and new item; in a transaction it counts twice; an index adds
its own. A read unit is each started 4 KB that is read consistently, of a query all together; otherwise it is half.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.calls import Call

KILOBYTE = 1024
INDEX = "gsi1pk"
DUE_TIMES = ("gsi2pk", "gsi2sk")
"""The keys of the index without other attributes."""
IN_TRANSACTION = 2
READ_BYTES = 4 * KILOBYTE
EVENTUALLY_CONSISTENT = 0.5

Item = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class WriteUnits:
    """Pass `before` and `after` to `watched`; `of` then returns the units of calls."""

    read: Callable[[str, Item], Item]
    """The item under a key, or an empty one."""
    _before: dict[int, list[Item]] = field(default_factory=dict)
    _units: dict[int, int] = field(default_factory=dict)

    def before(self, call: Call) -> None:
        self._before[id(call)] = [self.read(table, key) for table, key, _ in _written(call)]

    def after(self, call: Call) -> None:
        items = zip(_written(call), self._before.pop(id(call)), strict=True)
        self._units[id(call)] = sum(
            _units(old, self.read(table, key), in_transaction=in_transaction)
            for (table, key, in_transaction), old in items
        )

    def of(self, calls: list[Call]) -> int:
        return sum(self._units.get(id(call), 0) for call in calls)


@dataclass(slots=True)
class ReadUnits:
    """`of` returns the units of a call that has been answered: nothing may have been written since."""

    read: Callable[[str, Item], Item]
    """The item under a key, or an empty one."""
    query: Callable[[Mapping[str, Any]], list[Item]]
    """The items that a query reads, given its arguments: whole, as its table or index has them."""

    def of(self, call: Call) -> float:
        if call.service != "dynamodb":
            return 0
        match call.operation:
            case "GetItem":
                return self._of_items(call.arguments["TableName"], [call.arguments["Key"]], call.arguments)
            case "BatchGetItem":
                asked = call.arguments["RequestItems"].items()
                return sum(self._of_items(table, one["Keys"], one) for table, one in asked)
            case "Query":
                return _read_units(sum(map(size_of, self.query(call.arguments))), call.arguments)
            case _:
                return 0

    def _of_items(self, table: str, keys: list[Item], asked: Mapping[str, Any]) -> float:
        return sum(_read_units(size_of(self.read(table, key)), asked) for key in keys)


def _read_units(size: int, asked: Mapping[str, Any]) -> float:
    units = max(1, -(-size // READ_BYTES))
    return units * (1 if asked.get("ConsistentRead") else EVENTUALLY_CONSISTENT)


def size_of(item: Item) -> int:
    """Bytes of an item as DynamoDB counts them."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _units(old: Item, new: Item, *, in_transaction: bool) -> int:
    units = max(1, *(-(-size_of(item) // KILOBYTE) for item in (old, new)))
    in_index = INDEX in old or INDEX in new
    return units * (IN_TRANSACTION if in_transaction else 1) + (units if in_index else 0) + _of_due_times(old, new)


def _of_due_times(old: Item, new: Item) -> int:
    """A changed key is one write to delete its entry and one to put the new one; an unchanged key is none."""
    before, after = ([item.get(name) for name in DUE_TIMES] for item in (old, new))
    return 0 if before == after else sum(any(keys) for keys in (before, after))


def _size(value: Mapping[str, Any]) -> int:  # noqa: PLR0911  one for each type
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content.strip("-.0")) // 2 + 2
        case "B":
            return len(content)
        case "M":
            return 3 + sum(len(name.encode()) + _size(one) + 1 for name, one in content.items())
        case "L":
            return 3 + sum(_size(one) + 1 for one in content)
        case "SS":
            return 3 + sum(len(one.encode()) + 1 for one in content)
        case _:
            return 1


def _written(call: Call) -> Iterator[tuple[str, Item, bool]]:
    """(table, key, in a transaction) of every item that a call writes or checks by a condition."""
    if call.service != "dynamodb":
        return
    match call.operation:
        case "PutItem":
            yield call.arguments["TableName"], _key(call.arguments["Item"]), False
        case "UpdateItem" | "DeleteItem":
            yield call.arguments["TableName"], call.arguments["Key"], False
        case "BatchWriteItem":
            for table, requests in call.arguments["RequestItems"].items():
                for [one] in (request.values() for request in requests):
                    yield table, _key(one["Item"]) if "Item" in one else one["Key"], False
        case "TransactWriteItems":
            for [(kind, one)] in (write.items() for write in call.arguments["TransactItems"]):
                yield one["TableName"], _key(one["Item"]) if kind == "Put" else one["Key"], True


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}
