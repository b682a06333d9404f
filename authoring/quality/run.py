"""A quality run over an export: it counts customer after customer, and compares customers who share a key.

Bounds. A customer has at most MOST_KEYS keys, and is compared with the next NEIGHBOURS customers of each, in the order
of their names: so with at most 240 others, however many customers there are. Memory is that of one customer's items
and of NEIGHBOURS people. The order of the items in the export, and items that come twice, change nothing.
"""

import json
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from authoring.quality.counting import Counting
from authoring.quality.items import Needed, partition_of
from authoring.quality.likeness import IsCommon, accounts_apart, compare
from authoring.quality.person import Person, features_of, keys_of
from authoring.quality.work import Work
from cairn.domain.quality.reports import Pair

MOST_KEYS = 12

NEIGHBOURS = 20
"""Of a key with more people than that, those whose names and birth dates are next to each other are compared."""

COMMON_SHARE, COMMON_LEAST = 2_000, 5
"""A name is common where more than one in so many customers have it, and more than so many; a number by the latter."""

CUSTOMERS_AT_ONCE = 500
KEYS_AT_ONCE = 2_000
"""Between two notes of how far it is."""


@dataclass(frozen=True, slots=True)
class Progress:
    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class QualityRun:
    work: Work
    counting: Counting

    def steps(self) -> Generator[Progress, None, None]:
        """All that is left to do."""
        yield from self._count()
        yield from self._compare()

    def _count(self) -> Iterator[Progress]:
        total = self.work.size
        partitions = self.work.partitions(self.work.get("counted"))
        done, ended = int(self.work.get("partitions") or 0), self.work.get("all_counted") == "yes"
        while not ended:
            ended = True
            with self.work.step():
                for pk, items in partitions:
                    self._partition(pk, items)
                    done += 1
                    self.work.put(counted=pk, partitions=str(done))
                    if done % CUSTOMERS_AT_ONCE == 0:
                        ended = False
                        break
                if ended:
                    self.work.put(all_counted="yes")
            yield Progress("counting customers", done, total)

    def _partition(self, pk: str, items: Iterator[Needed]) -> None:
        """Whatever a profile holds, the run goes on: one that cannot be read is counted as such."""
        try:
            found = partition_of(items)
            counted = None if found.copied is None else self.counting(found.copied)
            person = None if found.copied is None else Person.of(found.copied.profile)
            keys = sorted(set(keys_of(person))) if person is not None else []
        except Exception:  # noqa: BLE001  a profile may hold anything
            self.work.count([("unreadable",)])
            return
        database = self.work.database
        if found.alias_of:
            database.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (pk, found.alias_of))
        database.executemany(
            "INSERT OR REPLACE INTO apart VALUES (?, ?)", (_both(Pair.of(pk, other)) for other in found.apart_from)
        )
        if counted is None or person is None:
            return
        self.work.count(counted.counts)
        database.executemany(
            "INSERT OR REPLACE INTO findings VALUES (?, ?, ?)", ((*one, pk) for one in counted.findings)
        )
        if keys:
            database.execute("INSERT OR REPLACE INTO people VALUES (?, ?)", (pk, person.to_text()))
            sort = f"{person.name} {person.born}"
            database.executemany("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", ((key, sort, pk) for key in keys))
        self.work.count_features(features_of(person))

    def _compare(self) -> Iterator[Progress]:
        """Key after key; the note says which one was the last."""
        database = self.work.database
        customers = self.work.number_of("people")
        total, done = self.work.number_of("keys"), int(self.work.get("keys") or 0)
        most = max(COMMON_LEAST, customers // COMMON_SHARE)

        def is_common(feature: str) -> bool:
            return self.work.having(feature) > (most if feature.startswith("name ") else COMMON_LEAST)

        after, compared = self.work.get("key"), int(self.work.get("compared") or 0)
        key, window, rows = "", deque[Person](maxlen=NEIGHBOURS), list[tuple[str, str, int, str]]()
        found = database.execute(
            "SELECT key, person FROM keys JOIN people USING (id) WHERE key > ? ORDER BY key, sort, id", (after,)
        )
        noted = done
        for next_key, text in found:
            if next_key != key:
                if done - noted >= KEYS_AT_ONCE:
                    self._note(key, done, compared, rows)
                    rows, noted = [], done
                    yield Progress("comparing", done, total)
                key, window = next_key, deque(maxlen=NEIGHBOURS)
            person = Person.from_text(text)
            compared += len(window)
            rows += [row for other in window if (row := _offered(person, other, is_common)) is not None]
            window.append(person)
            done += 1
        self._note(key or after, done, compared, rows)
        yield Progress("comparing", done, total)

    def _note(self, key: str, done: int, compared: int, rows: list[tuple[str, str, int, str]]) -> None:
        with self.work.step():
            self.work.database.executemany("INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?)", rows)
            self.work.put(key=key, keys=str(done), compared=str(compared))


def _offered(one: Person, other: Person, is_common: IsCommon) -> tuple[str, str, int, str] | None:
    """A row of the table of pairs; None for two who are not alike enough."""
    likeness = compare(one, other, is_common)
    if not likeness.is_offered:
        return None
    pair = Pair.of(one.id, other.id)
    row: dict[str, Any] = {"a": pair.a, "b": pair.b, "points": likeness.points, "because": list(likeness.because)}
    if accounts := accounts_apart(one, other):
        row["accounts"] = list(accounts)
    return pair.a, pair.b, likeness.points, json.dumps(row)


def _both(pair: Pair) -> tuple[str, str]:
    return pair.a, pair.b
