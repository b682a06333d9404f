"""A batch of rows, as a Distributed Map's ItemBatcher passes it on, and the answer about it.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cairn.application.imports.import_rows import BatchResult
from cairn.domain.imports.rows import Import, Kind, Reason, Refusal, Row
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

BATCH_INPUT, ITEMS = "BatchInput", "Items"
INDEX, VALUE = "index", "value"
"""Of an item: its position in the file as Step Functions counts it, from 0, and what the file says."""

LINE, ROW = "line", "row"
"""Of a value that `cairn import` has prepared: the line of the file that the operator gave, and its row."""


def import_to_wire(of: Import) -> dict[str, Any]:
    return {
        "name": of.name,
        "kind": of.kind.value,
        "as_of": instant_to_wire(of.as_of),
        "phone_region": of.phone_region,
        "day_first": of.day_first,
        "dry_run": of.dry_run,
        "finds_duplicates": of.finds_duplicates,
    }


def import_from_wire(document: Mapping[str, Any]) -> Import:
    return Import(
        name=document["name"],
        kind=Kind(document["kind"]),
        as_of=instant_from_wire(document["as_of"]),
        phone_region=document.get("phone_region", ""),
        day_first=document.get("day_first"),
        dry_run=bool(document.get("dry_run", False)),
        finds_duplicates=bool(document.get("finds_duplicates", False)),
    )


def rows_in(batch: Mapping[str, Any], refused: list[Refusal]) -> Iterator[Row]:
    """The rows of a batch; what is no row is refused. Only `cairn import` prepares them."""
    common = batch[BATCH_INPUT]
    prepared, is_nested = bool(common.get("prepared")), bool(common["mapping"].get("nested"))
    for item in batch[ITEMS]:
        value, line = item[VALUE], int(item[INDEX]) + 1
        if prepared:
            value, line = value[ROW], value[LINE]
        if isinstance(value, Mapping):
            yield Row(line, nested(value) if is_nested and not prepared else value)
        else:
            refused.append(Refusal(line, Reason.NOT_JSON, "", "not an object"))


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Columns such as `attributes.plan` as the objects that they are parts of."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        first, dot, rest = name.partition(".")
        if dot and isinstance(found.setdefault(first, {}), dict):
            found[first][rest] = value
        elif not dot:
            found[name] = value
    return found


def batch_to_wire(of: Import, mapping: Mapping[str, Any], rows: list[Row]) -> dict[str, Any]:
    """A batch of prepared rows."""
    values = [{LINE: row.line, ROW: row.fields} for row in rows]
    items = [{INDEX: number, VALUE: value} for number, value in enumerate(values)]
    return {BATCH_INPUT: {"import": import_to_wire(of), "mapping": mapping, "prepared": True}, ITEMS: items}


def result_to_wire(result: BatchResult, rows: list[Row]) -> dict[str, Any]:
    """With the line of the first row, by which the batch is known."""
    return {
        "first": rows[0].line if rows else 0,
        "counts": {outcome.value: number for outcome, number in sorted(result.counts.items())},
        "refused": [one.to_wire() for one in result.refused],
    }
