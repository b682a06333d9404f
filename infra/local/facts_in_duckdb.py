"""The log of facts in DuckDB: the same SQL that Athena runs in a deployment, on a laptop and in the tests."""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from cairn.adapters.athena.queries import TABLE, sql_of
from cairn.application.values.facts import Question, Row
from cairn.domain.measurement.facts import COLUMNS

TYPES = {int: "BIGINT", str: "VARCHAR"}

NAMES_OF_ATHENA = "CREATE MACRO approx_percentile(x, p) AS approx_quantile(x, p)"
"""The one function that both have under other names."""


class DuckFacts:
    """Implements the port FactQueries on lines of the log, or on a folder of its files."""

    def __init__(self, lines: Iterable[Mapping[str, Any]] = (), folder: Path | None = None) -> None:
        self._db = duckdb.connect()
        self._db.execute(NAMES_OF_ATHENA)
        columns = ", ".join(f"{name} {TYPES[of]}" for name, of in COLUMNS.items())
        self._db.execute(f"CREATE TABLE {TABLE} ({columns})")
        if folder is not None:
            self._read(str(folder / "**" / "*.json*"))
        self.add(lines)

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            written = sum(file.write(json.dumps(line) + "\n") > 0 for line in lines)
            file.flush()
            if written:
                self._read(file.name)

    def _read(self, files: str) -> None:
        """Without a guess at types: a column of which all values are absent has its type all the same."""
        types = ", ".join(f"{name}: '{TYPES[of]}'" for name, of in COLUMNS.items())
        self._db.execute(
            f"INSERT INTO {TABLE} SELECT {', '.join(COLUMNS)} FROM "  # noqa: S608  names of our own
            f"read_json(?, format='newline_delimited', columns={{{types}}})",
            [files],
        )

    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        return [list(self.run(sql_of(query), parameters)[1]) for query, parameters in questions]

    def run(self, sql: str, parameters: Sequence[str | int]) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """The types of the columns by their names, and the rows."""
        answer = self._db.execute(sql, list(parameters))
        types = {name: str(of) for name, of, *_ in answer.description or ()}
        return types, [dict(zip(types, row, strict=True)) for row in answer.fetchall()]
