"""The report of a quality run: counts, and lists of rows, by ids and codes alone (docs/quality.md).

It is made outside of the functions, from an export of the table, and arrives in parts. A part has few enough rows for
one item and one request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import Any

from cairn.domain.identity.identifiers import CUSTOMER_ID
from cairn.domain.shared.instants import to_instant

Row = Mapping[str, Any]


class Section(StrEnum):
    """The lists of a report."""

    COMPLETENESS = "completeness"
    DISAGREEMENTS = "disagreements"
    LOSSES = "losses"
    FINDINGS = "findings"
    PAIRS = "pairs"


ROWS_IN_A_PART = 200
"""Of pairs, a page looks up two customers and a decision each: so many are nine reads of a hundred items."""

MOST_PARTS = 1_000
"""Of a section."""

REPORT_STORED_FOR = timedelta(days=90)


COUNTS = ("customers", "unreadable", "inactive", "compared", "offered")
"""The counts that a report has at least: whole numbers."""

IDS = {Section.FINDINGS: ("customer",), Section.PAIRS: ("a", "b")}
"""The fields of rows that are ids of customers."""

FIELDS: Mapping[Section, Mapping[str, type]] = {
    Section.FINDINGS: {"finding": str},
    Section.PAIRS: {"points": int, "because": list},
}
"""Other fields that rows have at least."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ids of customers, the lesser one first."""

    a: str
    b: str

    @classmethod
    def of(cls, one: str, other: str) -> "Pair":
        return cls(*sorted((one, other)))


def problems_of_report(report: Row, parts: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a report from being stored."""
    if not isinstance(report.get("at"), str) or to_instant(report["at"], UTC) is None:
        yield "report.at: the instant of the export, in ISO 8601"
    yield from (f"report.{name}: a whole number" for name in COUNTS if not _is_count(report.get(name)))
    for name, number in parts.items():
        if name not in set(Section) or not _is_count(number) or number > MOST_PARTS:
            yield f"parts.{name}: of {', '.join(Section)}, at most {MOST_PARTS} each"


def problems_of_rows(section: Section, rows: Sequence[Any]) -> Iterator[str]:
    """What keeps a part from being stored: rows are objects, and customers are named by ids alone."""
    if not 0 < len(rows) <= ROWS_IN_A_PART:
        yield f"rows: 1 to {ROWS_IN_A_PART} of them"
    for number, row in enumerate(rows[:ROWS_IN_A_PART]):
        if not isinstance(row, Mapping):
            yield f"rows[{number}]: a JSON object"
            continue
        for name in IDS.get(section, ()):
            if not isinstance(row.get(name), str) or not CUSTOMER_ID.fullmatch(row[name]):
                yield f"rows[{number}].{name}: the id of a customer, such as c_ and 26 characters"
        for name, kind in FIELDS.get(section, {}).items():
            if not isinstance(row.get(name), kind):
                yield f"rows[{number}].{name}: {'a list' if kind is list else 'a number' if kind is int else 'a text'}"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
