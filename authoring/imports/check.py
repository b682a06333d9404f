"""The first pass over a file: each row is mapped and checked, and two rows about one customer are found."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from authoring.imports.files import Record, Source, opened
from authoring.imports.mapping import column_problems
from authoring.imports.state import ImportState
from cairn.adapters.imports.batch import nested
from cairn.adapters.imports.mapping import RowMapping
from cairn.adapters.phone.numbers import phones_of
from cairn.domain.imports.rows import Duplicates, Import, Kind, Reason, Refusal, Row, RowRefusedError
from cairn.domain.shared.errors import CairnError
from cairn.settings import IMPORT_BATCH

RECORDED_AT_ONCE = 2_000
"""Rows whose names and refusals are written to the state together."""

SHIPPED_KEYS = frozenset({"title", "needs", "columns", "nested"})
"""Keys of a mapping that the function does not need."""

Advance = Callable[[int], None]


class ColumnsError(CairnError):
    """A file's columns are not those of its mapping; the message names every problem, one a line."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path}: {one}" for one in problems))


@dataclass(frozen=True, kw_only=True)
class ImportFile:
    """A file and how it is read."""

    path: Path
    mapping: Mapping[str, Any]
    of: Import
    on_duplicate: Duplicates = Duplicates.REFUSE
    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    unused: list[str] = field(default_factory=list)
    """What the operator should know of its columns."""

    @property
    def wire_mapping(self) -> dict[str, Any]:
        return {name: value for name, value in self.mapping.items() if name not in SHIPPED_KEYS}

    @property
    def finds_duplicates(self) -> bool:
        return self.of.kind is Kind.CUSTOMERS and not self.mapping.get("rows_add_up")

    def _opened(self) -> Any:
        return opened(self.path, format_=self.format, encoding=self.encoding, delimiter=self.delimiter)

    def check(self, state: ImportState, advance: Advance = lambda _: None) -> int:
        """Check every row, unless an earlier command has; returns their number.

        Raises FileProblemsError and ColumnsError where the file as a whole is wrong.
        """
        if state.rows is not None:
            return state.rows
        with self._opened() as source:
            self._check_columns(source)
            state.begin_check()
            rows = self._check_rows(source, state, advance)
        state.finish_check(rows, self.on_duplicate if self.finds_duplicates else None)
        return rows

    def _check_columns(self, source: Source) -> None:
        problems, notes = column_problems(self.mapping, source.columns, self.of.kind)
        if problems:
            raise ColumnsError(self.path, problems)
        self.unused.extend(notes)

    def _check_rows(self, source: Source, state: ImportState, advance: Advance) -> int:
        reader = self._reader()
        rows, names, refused = 0, list[Any](), list[Refusal]()
        for record in source.records:
            rows += 1
            try:
                event = reader.event_of(self.row_of(record))
                if self.finds_duplicates:
                    names += [(one, record.line) for one in event.identifiers]
            except RowRefusedError as error:
                refused.append(Refusal.of(record.line, error))
            if rows % RECORDED_AT_ONCE == 0:
                self._record(state, names, refused)
                advance(RECORDED_AT_ONCE)
        self._record(state, names, refused)
        return rows

    @staticmethod
    def _record(state: ImportState, names: list[Any], refused: list[Refusal]) -> None:
        with state.at_once():
            state.add_names(names)
            state.refuse(refused)
        names.clear()
        refused.clear()

    def _reader(self) -> RowMapping:
        return RowMapping(
            self.wire_mapping,
            self.of,
            phones_of(self.of.phone_region),
            checks_phones=bool(self.of.phone_region),
            zone=ZoneInfo(self.mapping.get("zone", "UTC")),
        )

    def row_of(self, record: Record) -> Row:
        """The row of a record. Raises RowRefusedError where it is none."""
        if record.refusal is not None:
            raise RowRefusedError(record.refusal.reason, record.refusal.field, record.refusal.detail)
        if not self.mapping.get("nested"):
            return Row(record.line, record.fields)
        known = self.mapping.get("columns", ())
        for name in record.fields:
            if name not in known and f"{name.partition('.')[0]}.*" not in known:
                near = get_close_matches(name, known, 1)
                raise RowRefusedError(Reason.COLUMNS, name, f"unknown; did you mean {near[0]}?" if near else "unknown")
        return Row(record.line, nested(record.fields))

    def batches(self, state: ImportState) -> Iterator[list[Row]]:
        """The rows that the check has not refused, always in the same batches."""
        refused, batch = state.refused_lines(), list[Row]()
        with self._opened() as source:
            for record in source.records:
                if record.line in refused:
                    continue
                batch.append(self.row_of(record))
                if len(batch) == IMPORT_BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def raw_of(self, state: ImportState) -> Iterator[tuple[Refusal, str]]:
        """Every refused row as it stands in the file."""
        refusals = state.refusals()
        refusal = next(refusals, None)
        with self._opened() as source:
            for record in source.records:
                while refusal is not None and refusal.line < record.line:
                    refusal = next(refusals, None)
                if refusal is None:
                    return
                if refusal.line == record.line:
                    yield refusal, record.raw

    def dry(self) -> "ImportFile":
        return replace(self, of=replace(self.of, dry_run=True))
