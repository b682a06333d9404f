"""The report of a run that has counted and compared everything: its counts, and its sections row by row."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from authoring.quality.counting import EVERYBODY, INACTIVE_AFTER, STALE_AFTER
from authoring.quality.work import Work
from cairn.domain.quality.reports import ROWS_IN_A_PART, Pair, Section
from cairn.domain.shared.instants import instant_to_wire

Row = Mapping[str, Any]

MOST_PAIRS = 10_000
"""That are listed, the most alike; all are counted."""

MOST_TITLES, SHOWN = 200, 2
"""Kinds of findings that are counted in the report itself, and journeys that are named for an attribute: it is one
request, of 64 KB."""

BYTES_IN_A_PART = 48 * 1024
"""Of rows, as JSON: a part is one request too."""

MOST_FINDINGS = 1_000
"""Customers that are listed for each finding; all are counted."""


def report_of(work: Work, at: datetime, asked: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The counts, in the shape of docs/openapi.yaml."""
    counts = {tuple(name): number for name, number in work.counted()}
    addresses: dict[str, dict[str, int]] = {}
    for name, number in counts.items():
        if name[0] == "address":
            addresses.setdefault(name[1], {})[name[2]] = number
    return {
        "at": instant_to_wire(at),
        "customers": counts.get(("segment", *EVERYBODY), 0),
        "unreadable": counts.get(("unreadable",), 0),
        "asked": {name: {"journeys": len(by), "such_as": list(by[:SHOWN])} for name, by in asked.items()},
        "addresses": addresses,
        "stale_after_days": STALE_AFTER.days,
        "overdue": list(_overdue(work)),
        "inactive": counts.get(("inactive",), 0),
        "inactive_after_days": INACTIVE_AFTER.days,
        "compared": int(work.get("compared") or 0),
        "offered": sum(1 for _ in offered(work)),
        "found": {_title(*name): number for *name, number in islice(_findings(work), MOST_TITLES)},
    }


def parts_of(work: Work, losses: Sequence[Row]) -> Iterator[tuple[Section, int, list[Row]]]:
    """Every section in parts that fit into a request each."""
    sections: dict[Section, Iterator[Row]] = {
        Section.COMPLETENESS: completeness(work),
        Section.DISAGREEMENTS: disagreements(work),
        Section.LOSSES: iter(losses),
        Section.FINDINGS: findings(work),
        Section.PAIRS: islice(offered(work), MOST_PAIRS),
    }
    for section, rows in sections.items():
        yield from ((section, number, part) for number, part in enumerate(_parts(rows), 1))


def _parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    part, size = list[Row](), 0
    for row in rows:
        length = len(json.dumps(row))  # as it is posted: in ASCII
        if part and (len(part) == ROWS_IN_A_PART or size + length > BYTES_IN_A_PART):
            yield part
            part, size = [], 0
        part.append(row)
        size += length
    if part:
        yield part


def completeness(work: Work) -> Iterator[Row]:
    """For each segment, its customers and how many have each attribute that journeys ask for."""
    segments: dict[tuple[str, str], dict[str, Any]] = {}
    filled: list[tuple[tuple[str, str], str, int]] = []
    for name, number in work.counted():
        if name[0] == "segment":
            segments[name[1], name[2]] = {"segment": name[1], "name": name[2], "customers": number, "filled": {}}
        elif name[0] == "filled":
            filled.append(((name[1], name[2]), name[3], number))
    for segment, attribute, number in filled:
        segments[segment]["filled"][attribute] = number
    yield from sorted(segments.values(), key=lambda one: (one["segment"], -one["customers"], one["name"]))


def disagreements(work: Work) -> Iterator[Row]:
    found = ((name[1:], number) for name, number in work.counted() if name[0] == "disagree")
    for (attribute, *sources), number in sorted(found, key=lambda one: (-one[1], one[0])):
        yield {"attribute": attribute, "sources": sources, "customers": number}


def findings(work: Work) -> Iterator[Row]:
    for finding, attribute, _ in _findings(work):
        rows = work.database.execute(
            "SELECT customer FROM findings WHERE finding = ? AND attribute = ? ORDER BY customer LIMIT ?",
            (finding, attribute, MOST_FINDINGS),
        )
        about = {"attribute": attribute} if attribute else {}
        yield from ({"finding": finding, **about, "customer": customer} for (customer,) in rows)


def offered(work: Work) -> Iterator[Row]:
    """Pairs, the most alike first, without those that a person has called different, under whatever ids that was."""
    apart = {Pair.of(_present(work, a), _present(work, b)) for a, b in work.database.execute("SELECT a, b FROM apart")}
    for a, b, row in work.database.execute("SELECT a, b, row FROM pairs ORDER BY points DESC, a, b"):
        if Pair(a, b) not in apart:
            yield json.loads(row)


def _present(work: Work, id_: str) -> str:
    """The id that a customer has in the export, after whatever merges."""
    seen = set[str]()
    while id_ not in seen:
        seen.add(id_)
        row = work.database.execute("SELECT new FROM aliases WHERE old = ?", (id_,)).fetchone()
        if row is None:
            return id_
        id_ = str(row[0])
    return id_


def _findings(work: Work) -> Iterator[tuple[str, str, int]]:
    yield from work.database.execute(
        "SELECT finding, attribute, COUNT(*) FROM findings GROUP BY finding, attribute ORDER BY finding, attribute"
    )


def _title(finding: str, attribute: str) -> str:
    return f"{finding} {attribute}".strip()


def _overdue(work: Work) -> Iterator[Row]:
    rows = work.database.execute("SELECT kind, COUNT(*), MIN(expired) FROM overdue GROUP BY kind ORDER BY kind")
    for kind, number, expired in rows:
        yield {"kind": kind, "items": number, "since": instant_to_wire(datetime.fromtimestamp(expired, UTC))}
