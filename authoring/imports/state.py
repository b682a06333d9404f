"""The progress of an import on the operator's machine: a SQLite file, so that a killed command goes on where it was.

It has no row and no value of one: hashes of names, lines, reasons and counts.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from cairn.domain.identity.identifiers import Identifier
from cairn.domain.imports.rows import Duplicates, Reason, Refusal
from cairn.domain.shared.errors import CairnError

CACHE_KIB = 16 * 1024
"""Memory of SQLite for its pages, whatever the size of the import."""

HASH_BYTES = 16

TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS named (key BLOB, line INTEGER);
CREATE TABLE IF NOT EXISTS refused (line INTEGER PRIMARY KEY, reason TEXT, field TEXT, detail TEXT, checked INTEGER);
CREATE TABLE IF NOT EXISTS batches (first INTEGER PRIMARY KEY, counts TEXT);
"""

CHECKED = "checked"


class OtherImportError(CairnError):
    """An import of this name was begun with another file or mapping."""


@dataclass(slots=True)
class ImportState:
    """Every change is one transaction: a kill at any point leaves what was recorded before."""

    connection: sqlite3.Connection
    salt: bytes

    @classmethod
    @contextmanager
    def at(cls, path: Path, definition: Mapping[str, Any]) -> Iterator[Self]:
        """Open or begin it. Raises OtherImportError where it is about another import."""
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA temp_store = FILE")
            connection.executescript(TABLES)
            state = cls(connection, b"")
            state.salt = bytes.fromhex(state._about("salt", os.urandom(HASH_BYTES).hex()))
            wanted = json.dumps(definition, sort_keys=True)
            if state._about("definition", wanted) != wanted:
                raise OtherImportError(
                    f"an import of this name was begun with another file or mapping: give this one another --name, "
                    f"or remove {path} where that one is over"
                )
            yield state
        finally:
            connection.close()

    def _about(self, name: str, otherwise: str) -> str:
        self.connection.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", [name, otherwise])
        (found,) = self.connection.execute("SELECT value FROM about WHERE name = ?", [name]).fetchone()
        return str(found)

    def get(self, name: str) -> str | None:
        found = self.connection.execute("SELECT value FROM about WHERE name = ?", [name]).fetchone()
        return None if found is None else str(found[0])

    def note(self, name: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", [name, value])

    @property
    def rows(self) -> int | None:
        """The rows of the file, once all of them were checked."""
        found = self.get(CHECKED)
        return None if found is None else int(found)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Write all of the block, or nothing of it."""
        self.connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def begin_check(self) -> None:
        """A check that was killed is done again from the first row."""
        with self.at_once():
            for table in ("named", "refused", "batches"):
                self.connection.execute(f"DELETE FROM {table}")  # noqa: S608  a name of ours
            self.connection.execute("DROP INDEX IF EXISTS by_key")

    def add_names(self, names: Iterable[tuple[Identifier, int]]) -> None:
        hashed = (
            (blake2b(one.key.encode(), digest_size=HASH_BYTES, key=self.salt).digest(), line) for one, line in names
        )
        self.connection.executemany("INSERT INTO named VALUES (?, ?)", hashed)

    def refuse(self, refusals: Iterable[Refusal], *, checked: bool = True) -> None:
        """Rows that the check has refused are in no batch; those that the function has refused stay in theirs."""
        rows = ((one.line, one.reason.value, one.field, one.detail, checked) for one in refusals)
        self.connection.executemany("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)", rows)

    def refuse_duplicates(self, policy: Duplicates) -> None:
        """Refuse rows that share a name with another row: all of them, or all but the first or the last."""
        self.connection.execute("CREATE INDEX IF NOT EXISTS by_key ON named (key, line)")
        # Whether the first and the last row of a customer stay, by the policy.
        first, last = policy is Duplicates.FIRST, policy is Duplicates.LAST
        self.connection.execute(
            "INSERT OR IGNORE INTO refused SELECT named.line, ?, 'customer', 'the same customer is in row ' || "
            "CASE WHEN named.line = least THEN most ELSE least END, 1 FROM named JOIN "
            "(SELECT key, MIN(line) AS least, MAX(line) AS most FROM named GROUP BY key "
            "HAVING MIN(line) <> MAX(line)) "
            "AS several ON named.key = several.key "
            "WHERE NOT (? AND named.line = least) AND NOT (? AND named.line = most)",
            [Reason.DUPLICATE.value, first, last],
        )
        self.connection.execute("DROP INDEX by_key")
        self.connection.execute("DELETE FROM named")

    def finish_check(self, rows: int, policy: Duplicates | None) -> None:
        with self.at_once():
            if policy is not None:
                self.refuse_duplicates(policy)
            self.note(CHECKED, str(rows))

    def refused_lines(self) -> "RefusedLines":
        return RefusedLines(self.connection)

    def refusals(self) -> Iterator[Refusal]:
        """In the order of their lines."""
        found = self.connection.execute("SELECT line, reason, field, detail FROM refused ORDER BY line")
        for line, reason, field, detail in found:
            yield Refusal(line, Reason(reason), field, detail)

    def reasons(self) -> dict[Reason, int]:
        found = self.connection.execute("SELECT reason, COUNT(*) FROM refused GROUP BY reason ORDER BY 2 DESC, 1")
        return {Reason(reason): number for reason, number in found}

    def is_done(self, first: int) -> bool:
        """Whether the batch that begins with this line was answered."""
        return self.connection.execute("SELECT 1 FROM batches WHERE first = ?", [first]).fetchone() is not None

    def finish_batch(self, first: int, counts: Mapping[str, int], refusals: Iterable[Refusal]) -> None:
        with self.at_once():
            self.connection.execute("INSERT OR REPLACE INTO batches VALUES (?, ?)", [first, json.dumps(counts)])
            self.refuse(refusals, checked=False)

    def counts(self) -> dict[str, int]:
        """What became of the rows that were not refused."""
        total: dict[str, int] = {}
        for (counts,) in self.connection.execute("SELECT counts FROM batches"):
            for outcome, number in json.loads(counts).items():
                total[outcome] = total.get(outcome, 0) + number
        return total


class RefusedLines:
    """Whether the check has refused lines, asked in their order: one pass over the table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._lines = connection.execute("SELECT line FROM refused WHERE checked ORDER BY line")
        self._next: int | None = None
        self._step()

    def _step(self) -> None:
        found = self._lines.fetchone()
        self._next = None if found is None else found[0]

    def __contains__(self, line: int) -> bool:
        while self._next is not None and self._next < line:
            self._step()
        return self._next == line
