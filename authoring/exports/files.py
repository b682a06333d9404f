"""Rows as JSON lines, CSV or Parquet. A file has all rows of an export, and its owner alone may read it."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from authoring.imports.files import FORMATS
from cairn.domain.shared.errors import CairnError

Row = dict[str, Any]
Rows = Callable[[], Iterable[Row]]
"""The rows, as often as they are asked for: columns are known only when all rows were seen."""

NESTED = ("external_ids", "attributes", "properties")
"""Objects whose names are columns of their own: `attributes.plan`."""

FIRST = ("cairn_id", "id", "type", "at", "user_id", "email", "phone")
"""The order of the first columns."""

DUCKDB_TYPES = {"text": "VARCHAR", "number": "DOUBLE", "whole": "BIGINT", "boolean": "BOOLEAN", "json": "VARCHAR"}


class ExportFileError(CairnError):
    """A file cannot be written so; the message says what to do."""


def format_of(path: Path) -> str:
    """Raises ExportFileError."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise ExportFileError(f"{path}: end the name with .jsonl, .csv or .parquet, which says the format")
    return found


def write_rows(path: Path, rows: Rows) -> int:
    """Write a file, in the place of one that is there; returns the number of rows."""
    format_ = format_of(path)
    with TemporaryDirectory(prefix=".cairn-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        os.close(os.open(made, os.O_WRONLY | os.O_CREAT, 0o600))
        if format_ == "jsonl":
            number = _write_json(made, rows())
        elif format_ == "csv":
            number = _write_csv(made, rows)
        else:
            number = _write_parquet(made, rows)
        made.chmod(0o600)
        made.replace(path)
    return number


def _write_json(path: Path, rows: Iterable[Row]) -> int:
    number = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            number += 1
    return number


def _write_csv(path: Path, rows: Rows) -> int:
    columns = _columns(rows())
    number = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([_named(name, kind) for name, kind in columns.items()])
        for row in rows():
            flat = dict(_flat(row))
            writer.writerow([_text(flat.get(name), name, kind) for name, kind in columns.items()])
            number += 1
    return number


def _write_parquet(path: Path, rows: Rows) -> int:
    import duckdb  # noqa: PLC0415  slow to import, and only Parquet needs it

    columns = _columns(rows())
    types = {f"{name}:json" if kind == "json" and _is_ours(name) else name: kind for name, kind in columns.items()}
    spool = path.with_suffix(".jsonl")
    number = 0
    with spool.open("w", encoding="utf-8") as file:
        for row in rows():
            flat = dict(_flat(row))
            values = zip(types, columns.items(), strict=True)
            typed = {column: _json(flat.get(name), name, kind) for column, (name, kind) in values}
            file.write(json.dumps(typed) + "\n")
            number += 1
    shape = {name: DUCKDB_TYPES[kind] for name, kind in types.items()} or {"cairn_id": "VARCHAR"}
    with duckdb.connect(config={"threads": "1", "memory_limit": "256MB"}) as connection:
        read = connection.read_json(str(spool), format="newline_delimited", columns=shape)
        read.write_parquet(str(path), compression="zstd")
    return number


def _columns(rows: Iterable[Row]) -> dict[str, str]:
    """Every column with its type: `json` where its values are not all of one kind."""
    found: dict[str, str] = {}
    for row in rows:
        for name, value in _flat(row):
            kind = _kind(value)
            before = found.get(name, kind)
            numbers = {before, kind} == {"number", "whole"}
            found[name] = before if before == kind else "number" if numbers else "json"
    order = {name: number for number, name in enumerate(FIRST)}
    return dict(sorted(found.items(), key=lambda one: (order.get(one[0], len(order)), one[0])))


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if name in NESTED and isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "whole" if abs(value) < 2**63 else "json"
    return "number" if isinstance(value, float) else "text" if isinstance(value, str) else "json"


def _is_ours(name: str) -> bool:
    """Whether a column has values of any type, so that its name says which."""
    return name.startswith(("attributes.", "properties."))


def _named(name: str, kind: str) -> str:
    return f"{name}:{'number' if kind == 'whole' else kind}" if _is_ours(name) and kind != "text" else name


def _text(value: Any, name: str, kind: str) -> str:
    """A value of a column. One of several types is JSON; the names of customers are JSON only where they are lists."""
    if value is None:
        return ""
    plain = kind == "text" or (isinstance(value, str) and not _is_ours(name))
    return str(value) if plain else json.dumps(value)


def _json(value: Any, name: str, kind: str) -> Any:
    return None if value is None else _text(value, name, kind) if kind in {"json", "text"} else value
