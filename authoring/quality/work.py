"""The file of a quality run: what it needs of an export, what it has counted, and how far it is.

A run may stop anywhere. Each step is a transaction with the note of how far it is, so that nothing is counted twice.
The file has personal data: its owner alone may read it, and it is deleted at the end.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from authoring.quality.items import Needed, needed, overdue

CACHE_KIB = 32 * 1024

TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS items (pk TEXT, sk TEXT, item TEXT NOT NULL, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS overdue (pk TEXT, sk TEXT, kind TEXT NOT NULL, expired INTEGER NOT NULL,
  PRIMARY KEY (pk, sk)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aliases (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS apart (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS findings (finding TEXT, attribute TEXT, customer TEXT,
  PRIMARY KEY (finding, attribute, customer)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS features (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY, person TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (key TEXT, sort TEXT, id TEXT, PRIMARY KEY (key, sort, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pairs (a TEXT, b TEXT, points INTEGER NOT NULL, row TEXT NOT NULL, PRIMARY KEY (a, b))
  WITHOUT ROWID;
"""


class Work:
    """Implements what an export of a table is read into (cli/table_copy)."""

    def __init__(self, file: Path) -> None:
        file.touch(mode=0o600)
        self.file = file
        self.database = sqlite3.connect(file, isolation_level=None)
        self.database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = NORMAL")
        self.database.executescript(TABLES)

    def get(self, name: str) -> str:
        row = self.database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def put(self, **values: str) -> None:
        self.database.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    def has(self, name: str) -> bool:
        return self.database.execute("SELECT 1 FROM files WHERE name = ?", (name,)).fetchone() is not None

    def add(self, name: str, items: Iterable[Any]) -> None:
        """All items of a file, or none of them. One that comes again, in whatever order, changes nothing."""
        at = int(self.get("at_seconds") or 0)
        with self.step():
            for item in items:
                self._add(item, at)
            self.database.execute("INSERT OR REPLACE INTO files VALUES (?)", (name,))

    def _add(self, item: Any, at: int) -> None:
        if late := overdue(item, at):
            self.database.execute("INSERT OR REPLACE INTO overdue VALUES (?, ?, ?, ?)", late)
        found = needed(item)
        if found is None:
            return
        self.database.execute(
            "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET item = MAX(item, excluded.item)",
            (found.pk, found.sk, found.text),
        )

    @contextmanager
    def step(self) -> Iterator[None]:
        with self.database:
            self.database.execute("BEGIN")
            yield

    def partitions(self, after: str) -> Iterator[tuple[str, Iterator[Needed]]]:
        """The items of each partition behind this one, in order; one that is not used up is left out."""
        pk = after
        while True:
            first = self.database.execute("SELECT MIN(pk) FROM items WHERE pk > ?", (pk,)).fetchone()[0]
            if first is None:
                return
            pk = str(first)
            rows = self.database.execute("SELECT pk, sk, item FROM items WHERE pk = ? ORDER BY sk", (pk,))
            yield pk, (Needed(*row) for row in rows)

    def count(self, names: Iterable[tuple[str, ...]]) -> None:
        one_more = "INSERT INTO counts VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1"
        self.database.executemany(one_more, ((json.dumps(name),) for name in names))

    def count_features(self, names: Iterable[str]) -> None:
        one_more = "INSERT INTO features VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1"
        self.database.executemany(one_more, ((name,) for name in names))

    def having(self, feature: str) -> int:
        """The number of customers who have it."""
        row = self.database.execute("SELECT number FROM features WHERE name = ?", (feature,)).fetchone()
        return int(row[0]) if row else 0

    def counted(self) -> Iterator[tuple[list[str], int]]:
        for name, number in self.database.execute("SELECT name, number FROM counts ORDER BY name"):
            yield json.loads(name), number

    def number_of(self, table: str) -> int:
        return int(self.database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608  ours

    def close(self) -> None:
        self.database.close()

    def delete(self) -> None:
        self.close()
        for name in ("", "-wal", "-shm"):
            self.file.with_name(self.file.name + name).unlink(missing_ok=True)
