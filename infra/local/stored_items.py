"""The items of the local table: those that were used lately in memory, all others compressed in a file.

Moto stores every item as objects of Python, six kilobytes each. A hundred thousand imported customers are four
gigabytes of them, and some fifty megabytes here. A story has too few customers for the file to be made.
"""

import pickle
import sqlite3
import zlib
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from functools import cached_property
from itertools import islice
from typing import Any

MOST_IN_MEMORY = 4_000
"""Partitions. Half of them, those that were not used for longest, go to the file when there are more."""

INDEX_KEYS = ("gsi1pk", "gsi2pk")
"""The partition keys of the table's indexes, by which moto would look through all items."""

CACHE_KIB = 8 * 1024

Partition = dict[Any, Any]
"""Items by their sort key, as moto has them."""


class StoredItems(MutableMapping[Any, Partition]):
    """What moto's table has as `items`: a partition by its key, which is empty where there is none."""

    def __init__(self) -> None:
        self._in_memory: OrderedDict[Any, Partition] = OrderedDict()
        self._has_file = False

    @cached_property
    def _file(self) -> sqlite3.Connection:
        """Made with the first partitions that leave memory. A database without a name is deleted however we end."""
        made = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            made.execute(f"PRAGMA {pragma}")
        made.execute("CREATE TABLE partitions (pk TEXT PRIMARY KEY, items BLOB) WITHOUT ROWID")
        made.execute(
            "CREATE TABLE indexed (name TEXT, value TEXT, pk TEXT, PRIMARY KEY (name, value, pk)) WITHOUT ROWID"
        )
        made.execute("CREATE INDEX by_pk ON indexed (pk)")
        self._has_file = True
        return made

    def __getitem__(self, key: Any) -> Partition:
        found = self._in_memory.get(key)
        if found is not None:
            self._in_memory.move_to_end(key)
            return found
        found = self._taken_from_file(key) or {}
        self[key] = found
        return found

    def __setitem__(self, key: Any, partition: Partition) -> None:
        self._in_memory[key] = partition
        self._in_memory.move_to_end(key)
        if len(self._in_memory) > MOST_IN_MEMORY:
            self._make_room()

    def __delitem__(self, key: Any) -> None:
        if self._in_memory.pop(key, None) is None and self._taken_from_file(key) is None:
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return key in self._in_memory or self._look(key) is not None

    def __iter__(self) -> Iterator[Any]:
        yield from list(self._in_memory)
        if self._has_file:
            keys = [pk for (pk,) in self._file.execute("SELECT pk FROM partitions")]
            yield from (_key(pk) for pk in keys)

    def __len__(self) -> int:
        stored = self._file.execute("SELECT COUNT(*) FROM partitions").fetchone()[0] if self._has_file else 0
        return len(self._in_memory) + int(stored)

    def clear(self) -> None:
        self._in_memory.clear()
        if self._has_file:
            self._file.execute("DELETE FROM partitions")
            self._file.execute("DELETE FROM indexed")

    def get(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            return default
        return self[key]

    def values(self) -> Any:
        return (partition for _, partition in self.items())

    def items(self) -> Any:
        """Every partition once. Those of the file are copies, and stay there."""
        for key in self:
            if (partition := self.seen(key)) is not None:
                yield key, partition

    def seen(self, key: Any) -> Partition | None:
        """A partition, without bringing it into memory; None where there is none any more."""
        return self._in_memory.get(key) or self._look(key)

    def with_index_key(self, name: str, value: Any) -> Iterator[tuple[Any, Partition]]:
        """The partitions with an item that has this key of an index."""
        for key, partition in list(self._in_memory.items()):
            if any(name in item.attrs and item.attrs[name] == value for item in partition.values()):
                yield key, partition
        if self._has_file:
            query = "SELECT pk FROM indexed WHERE name = ? AND value = ?"
            for (pk,) in self._file.execute(query, [name, value.value]).fetchall():
                key = _key(pk)
                if key not in self._in_memory and (found := self._look(key)) is not None:
                    yield key, found

    def _look(self, key: Any) -> Partition | None:
        if not self._has_file:
            return None
        found = self._file.execute("SELECT items FROM partitions WHERE pk = ?", [key.value]).fetchone()
        return None if found is None else pickle.loads(zlib.decompress(found[0]))  # noqa: S301  our own

    def _taken_from_file(self, key: Any) -> Partition | None:
        found = self._look(key)
        if found is not None:
            self._file.execute("DELETE FROM partitions WHERE pk = ?", [key.value])
            self._file.execute("DELETE FROM indexed WHERE pk = ?", [key.value])
        return found

    def _make_room(self) -> None:
        """Move what was not used for longest into the file. Empty partitions are nobody's."""
        oldest = list(islice(self._in_memory, MOST_IN_MEMORY // 2))
        file = self._file
        file.execute("BEGIN")
        for key in oldest:
            partition = self._in_memory.pop(key)
            if not partition:
                continue
            packed = zlib.compress(pickle.dumps(partition, protocol=pickle.HIGHEST_PROTOCOL), 1)
            file.execute("INSERT INTO partitions VALUES (?, ?)", [key.value, packed])
            names = {
                (name, item.attrs[name].value, key.value)
                for item in partition.values()
                for name in INDEX_KEYS
                if name in item.attrs
            }
            file.executemany("INSERT INTO indexed VALUES (?, ?, ?)", names)
        file.execute("COMMIT")


def _key(pk: str) -> Any:
    from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415  slow to import

    return DynamoType({"S": pk})
