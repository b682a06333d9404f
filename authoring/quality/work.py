"""The file of a quality run: what it needs of an export, what it has counted, and how far it is."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from authoring.exports.noted import NotedFile
from authoring.quality.items import Needed, needed, overdue
from cairn.domain.shared.instants import instant_from_wire

TABLES = """
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


class Work(NotedFile):
    def __init__(self, file: Path) -> None:
        super().__init__(file, TABLES)

    @cached_property
    def at(self) -> datetime:
        """The instant of the export."""
        return instant_from_wire(self.get("at"))

    def take(self, item: Any) -> None:
        """One that comes again, in whatever order, changes nothing."""
        if late := overdue(item, self.at):
            self.database.execute("INSERT OR REPLACE INTO overdue VALUES (?, ?, ?, ?)", late)
        if (found := needed(item)) is not None:
            self.database.execute(
                "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET item = MAX(item, excluded.item)",
                (found.pk, found.sk, found.text),
            )

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
