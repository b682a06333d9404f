"""The report of the last quality run, in parts that expire, and the pairs of customers who are two people.

A pair is an item of the customer with the lesser id: an erasure removes it, and an export of the table has it, so that
a run needs no further read.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from cairn.adapters.dynamodb.items import DISTINCT, QUALITY, RecordItem
from cairn.adapters.dynamodb.table import read_all
from cairn.domain.quality.reports import REPORT_STORED_FOR, Pair, Section
from cairn.domain.shared.instants import instant_to_wire


class DynamoQuality:
    """Implements the port QualityStore."""

    def put_part(
        self, run: str, section: Section, number: int, rows: Sequence[Mapping[str, Any]], at: datetime
    ) -> None:
        _record(_part(run, section, number), {"rows": list(rows)}, at).save()

    def put_report(self, report: Mapping[str, Any], at: datetime) -> None:
        _record(QUALITY, dict(report), at).save()

    def report(self) -> Mapping[str, Any] | None:
        return _body(QUALITY)

    def part(self, run: str, section: Section, number: int) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = (_body(_part(run, section, number)) or {}).get("rows", ())
        return rows

    def distinguish(self, pair: Pair, at: datetime) -> None:
        RecordItem(*_key(pair), at=instant_to_wire(at)).save()

    def distinguished(self, pairs: Collection[Pair]) -> frozenset[Pair]:
        found = read_all(map(_key, pairs))
        return frozenset(pair for pair in pairs if _key(pair) in found)


def _part(run: str, section: Section, number: int) -> str:
    return f"{run}#{section}#{number}"


def _key(pair: Pair) -> tuple[str, str]:
    return pair.a, DISTINCT + pair.b


def _record(sk: str, body: dict[str, Any], at: datetime) -> RecordItem:
    expires_at = int((at + REPORT_STORED_FOR).timestamp())
    return RecordItem(QUALITY, sk, at=instant_to_wire(at), body=body, expires_at=expires_at)


def _body(sk: str) -> dict[str, Any] | None:
    item = read_all([(QUALITY, sk)]).get((QUALITY, sk))
    return item.body if item is not None else None
