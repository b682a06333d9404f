"""The rows of a file, one at a time: CSV, JSON lines and Parquet, each with its line or the reason why it is no row.

A row that cannot be read loses no other: a quote that is never closed refuses its own line, and reading goes on behind
it. Nothing but the present row is in memory.
"""

import codecs
import csv
import gzip
import io
import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from cairn.domain.imports.rows import Reason, Refusal
from cairn.domain.shared.errors import CairnError

MAX_ROW = 256 * 1024
"""Characters of a row. Step Functions passes 256 KiB to a batch
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""

MAX_LINES = 1_000
"""Lines of one row: more of them means that a quote is not closed."""

DELIMITERS = (",", ";", "\t", "|")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
Numbered = tuple[int, str, Reason | None]
"""A line with its number, and why it is no text."""

ROWS_AT_ONCE = 1_000
"""Rows that DuckDB gives at once."""

FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
FORMATS |= {".parquet": "parquet", ".pq": "parquet"}


class FileProblemsError(CairnError):
    """A file cannot be imported at all; the message names every problem, one a line."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path}: {one}" for one in problems))


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a file; or what is no row, with the reason."""

    line: int
    raw: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is open for reading."""

    path: Path
    format: str
    columns: tuple[str, ...] | None
    """None where each row names its own fields."""
    records: Iterator[Record]


@contextmanager
def opened(path: Path, *, format_: str = "", encoding: str = "", delimiter: str = "") -> Iterator[Source]:
    """Read a file. Raises FileProblemsError with all problems of its header, and OSError."""
    kind = format_ or FORMATS.get(Path(path.stem if path.suffix == ".gz" else path.name).suffix.lower(), "")
    if not kind:
        raise FileProblemsError(path, ["the name does not say the format: add --format csv, jsonl or parquet"])
    if kind == "parquet":
        with _parquet(path) as source:
            yield source
        return
    with _text_of(path, encoding) as text:
        yield _csv(path, text, delimiter) if kind == "csv" else Source(path, kind, None, _json_lines(_lines_of(text)))


@contextmanager
def _text_of(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    opener: Any = gzip.open if path.suffix == ".gz" else Path.open
    with opener(path, "rb") as raw:
        start = raw.read(4096)
        raw.seek(0)
        named = encoding or next((name for bom, name in BOMS if start.startswith(bom)), "utf-8")
        if not encoding and named == "utf-8" and start[1:2] == b"\0":
            named = "utf-16-le"
        if named.lower().replace("_", "-") == "utf-8":
            named = "utf-8-sig"
        try:
            codecs.lookup(named)
        except LookupError:
            raise FileProblemsError(path, [f"no encoding is called {named}; usual ones are utf-8, latin-1"]) from None
        newline = "\r" if b"\r" in start and b"\n" not in start else "\n"
        # Bytes that are not in the encoding are marked, so that only their row is refused. UTF-16 knows no such mark.
        errors = "strict" if named.startswith("utf-16") else "surrogateescape"
        with io.TextIOWrapper(raw, encoding=named, errors=errors, newline=newline) as text:
            try:
                yield text
            except UnicodeDecodeError:
                raise FileProblemsError(path, [f"it is not {named}: name its encoding with --encoding"]) from None


def _lines_of(text: io.TextIOWrapper) -> Iterator[Numbered]:
    """Each line with its number, without its end; and why it is no text."""
    number = 0
    while line := text.readline(MAX_ROW):
        number += 1
        end = text.newlines if isinstance(text.newlines, str) else "\n"
        too_long = len(line) >= MAX_ROW and not line.endswith(("\n", "\r"))
        if too_long:
            while (more := text.readline(MAX_ROW)) and not more.endswith(("\n", "\r", end)):
                pass
        line = line.rstrip("\r\n")
        yield number, line, Reason.TOO_LONG if too_long else _unreadable(line)


def _unreadable(line: str) -> Reason | None:
    if "\0" in line:
        return Reason.NUL
    if line.isascii():
        return None
    return Reason.ENCODING if any("\ud800" <= one <= "\udfff" for one in line) else None


DETAILS = {
    Reason.NUL: "has a NUL character",
    Reason.ENCODING: "has bytes that are not in the file's encoding",
    Reason.TOO_LONG: "is longer than 256 KB",
    Reason.QUOTES: "has a quote that is not closed, or that stands within a word",
    Reason.NOT_JSON: "is not a JSON object",
}


def _refused(line: int, raw: str, reason: Reason, detail: str = "") -> Record:
    shown = raw[:MAX_ROW].encode("utf-8", "replace").decode()
    return Record(line, shown, refusal=Refusal(line, reason, "", detail or DETAILS[reason]))


def _csv(path: Path, text: io.TextIOWrapper, delimiter: str) -> Source:
    lines = _Rereadable(_lines_of(text))
    first = next(lines, None)
    while first is not None and not first[1].strip():
        first = next(lines, None)
    if first is None:
        raise FileProblemsError(path, ["it is empty: the first line names the columns"])
    number, header, unreadable = first
    if unreadable is not None:
        raise FileProblemsError(path, [f"line {number}: the header {DETAILS[unreadable]}"])
    delimiter = delimiter or max(DELIMITERS, key=header.count)
    while header.count('"') % 2 and (more := next(lines, None)) is not None and len(header) < MAX_ROW:
        header += "\n" + more[1]
    columns = [one.strip() for one in next(csv.reader([header], delimiter=delimiter))]
    if problems := _header_problems(columns):
        raise FileProblemsError(path, problems)
    return Source(path, "csv", tuple(columns), _csv_records(lines, tuple(columns), delimiter))


def _header_problems(columns: list[str]) -> list[str]:
    seen: dict[str, list[int]] = {}
    for number, column in enumerate(columns, 1):
        seen.setdefault(column, []).append(number)
    problems = [
        f"the column {name!r} is there {len(at)} times, as number {', '.join(map(str, at))}: rename all but one"
        for name, at in seen.items()
        if len(at) > 1 and name
    ]
    if blank := [str(number) for number, column in enumerate(columns, 1) if not column]:
        problems.append(f"column {', '.join(blank)} has no name")
    if data := [column for column in columns if "@" in column or column.replace("+", "").isdigit()]:
        problems.append(f"the first line is no header, it has data in {len(data)} columns: add a line with their names")
    return problems


class _Rereadable:
    """Lines that can be given back, to be read again."""

    def __init__(self, lines: Iterator[Numbered]) -> None:
        self._lines = lines
        self._again: deque[Numbered] = deque()

    def __iter__(self) -> Iterator[Numbered]:
        return self

    def __next__(self) -> Numbered:
        return self._again.popleft() if self._again else next(self._lines)

    def give_back(self, lines: list[Numbered]) -> None:
        self._again.extendleft(reversed(lines))


def _csv_records(lines: _Rereadable, columns: tuple[str, ...], delimiter: str) -> Iterator[Record]:
    for number, line, unreadable in lines:
        if not line.strip():
            continue
        if unreadable is not None:
            yield _refused(number, line, unreadable)
            continue
        raw, followers = line, list[Numbered]()
        values = _fields_of(line, delimiter)
        if values is None and line.count('"') % 2:
            raw, followers = _closed(line, lines)
            values = _fields_of(raw, delimiter)
        refusal = _refusal_of(values, followers, len(columns))
        if refusal is not None:
            lines.give_back(followers)  # they may be rows of their own
            yield _refused(number, line, *refusal)
        else:
            named = zip(columns, values or (), strict=True)
            yield Record(number, raw, {name: one for name, one in named if one.strip()})


def _refusal_of(values: list[str] | None, followers: list[Numbered], columns: int) -> tuple[Reason, str] | None:
    if values is None:
        return Reason.QUOTES, ""
    if len(values) != columns:
        return Reason.COLUMNS, f"has {len(values)} fields, and the header has {columns}"
    unreadable = next((reason for _, _, reason in followers if reason is not None), None)
    return None if unreadable is None else (unreadable, "")


def _closed(line: str, lines: _Rereadable) -> tuple[str, list[Numbered]]:
    """A row over several lines, to the end of its quotes, with the lines behind the first; just the first otherwise."""
    text, followers = line, list[Numbered]()
    quotes = line.count('"')
    for follower in lines:
        followers.append(follower)
        text += "\n" + follower[1]
        quotes += follower[1].count('"')
        if quotes % 2 == 0:
            return text, followers
        if len(text) > MAX_ROW or len(followers) > MAX_LINES:
            break
    return line, followers


def _fields_of(raw: str, delimiter: str) -> list[str] | None:
    try:
        rows = list(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _json_lines(lines: Iterator[Numbered]) -> Iterator[Record]:
    for number, line, unreadable in lines:
        if not line.strip():
            continue
        if unreadable is not None:
            yield _refused(number, line, unreadable)
            continue
        try:
            found = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield Record(number, line, found)
        else:
            yield _refused(number, line, Reason.NOT_JSON)


def _no_constant(_: str) -> None:
    raise ValueError("JSON has no such number")


@contextmanager
def _parquet(path: Path) -> Iterator[Source]:
    try:
        import duckdb  # noqa: PLC0415  slow to import, and only Parquet needs it
    except ImportError:
        raise FileProblemsError(path, ["Parquet needs DuckDB: pip install duckdb"]) from None
    with duckdb.connect(config={"threads": "1", "memory_limit": "256MB"}) as connection:
        try:
            rows = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
            columns = tuple(one[0] for one in rows.description or ())
        except duckdb.Error as error:
            raise FileProblemsError(path, [f"not Parquet: {str(error).splitlines()[0]}"]) from None
        yield Source(path, "parquet", columns, _parquet_records(rows, columns))


def _parquet_records(rows: Any, columns: tuple[str, ...]) -> Iterator[Record]:
    number = 0
    while some := rows.fetchmany(ROWS_AT_ONCE):
        for values in some:
            number += 1
            fields = {name: _plain(one) for name, one in zip(columns, values, strict=True) if one is not None}
            yield Record(number, json.dumps(fields, ensure_ascii=False), fields)


def _plain(value: Any) -> Any:
    """A value of Parquet as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, UUID) else value
