"""A database file in which an export of a table is brought together, with notes of how far the work on it is.

The work may stop anywhere: what is done and the note of it are one transaction. The file has personal data, so its
owner alone may read it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CACHE_KIB = 32 * 1024

TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS items (pk TEXT, sk TEXT, item TEXT NOT NULL, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
"""


class NotedFile:
    def __init__(self, file: Path, further_tables: str = "") -> None:
        file.touch(mode=0o600)
        self.file = file
        self.database = sqlite3.connect(file, isolation_level=None)
        self.database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self.database.executescript(TABLES + further_tables)

    def take(self, item: Any) -> None:
        """Store what is needed of an item."""
        raise NotImplementedError

    def add(self, name: str, items: Iterable[Any]) -> None:
        """The items of a file: all, or none of them."""
        with self.step():
            for item in items:
                self.take(item)
            self.database.execute("INSERT INTO files VALUES (?)", (name,))

    def has(self, name: str) -> bool:
        """Whether the items of a file are there."""
        return self.database.execute("SELECT 1 FROM files WHERE name = ?", (name,)).fetchone() is not None

    def get(self, name: str) -> str:
        """A note; empty without one."""
        row = self.database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def put(self, **values: str) -> None:
        """Write notes."""
        self.database.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    @property
    def size(self) -> int:
        """Partitions of which there are items."""
        return int(self.database.execute("SELECT COUNT(DISTINCT pk) FROM items").fetchone()[0])

    @contextmanager
    def step(self) -> Iterator[None]:
        """Of the block, all is stored or nothing."""
        with self.database:
            self.database.execute("BEGIN")
            yield

    def close(self) -> None:
        self.database.close()

    def delete(self) -> None:
        self.close()
        self.file.unlink()
