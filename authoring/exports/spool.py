"""The items of a table on disk, by customer: an export of DynamoDB has them in no order."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

Raw = Mapping[str, Any]
"""An item as DynamoDB answers it: each value under the name of its type."""

ADDED_AT_ONCE = 5_000
CACHE_KIB = 16 * 1024


@dataclass(frozen=True, slots=True)
class Spool:
    connection: sqlite3.Connection

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[Self]:
        """A file of its owner alone, which ends with the block."""
        with TemporaryDirectory(prefix="cairn-") as folder:
            connection = sqlite3.connect(Path(folder) / "items.sqlite", isolation_level=None)
            try:
                for pragma in (f"cache_size = -{CACHE_KIB}", "journal_mode = OFF", "synchronous = OFF"):
                    connection.execute(f"PRAGMA {pragma}")
                connection.execute(
                    "CREATE TABLE items (pk TEXT, sk TEXT, item TEXT, PRIMARY KEY (pk, sk)) WITHOUT ROWID"
                )
                yield cls(connection)
            finally:
                connection.close()

    def add(self, items: Iterable[Raw]) -> int:
        """Returns their number."""
        number = 0
        self.connection.execute("BEGIN")
        for item in items:
            row = (item["pk"]["S"], item["sk"]["S"], json.dumps(item))
            self.connection.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", row)
            number += 1
            if number % ADDED_AT_ONCE == 0:
                self.connection.execute("COMMIT")
                self.connection.execute("BEGIN")
        self.connection.execute("COMMIT")
        return number

    def partitions(self) -> Iterator[tuple[str, dict[str, Raw]]]:
        """The items of each partition, by sort key."""
        found = self.connection.execute("SELECT pk, sk, item FROM items ORDER BY pk, sk")
        for pk, rows in groupby(found, key=lambda row: row[0]):
            yield pk, {sk: json.loads(item) for _, sk, item in rows}
