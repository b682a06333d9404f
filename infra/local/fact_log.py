"""Firehose, S3 and Athena for the log of facts: what is put is stored as lines, and DuckDB answers the queries.

Firehose delivers at least once, and in no order: lines here come as they were put, and tests put them twice.
"""

import base64
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from botocore.session import Session

from cairn.domain.measurement.facts import Stored
from infra.local.answered_here import Around, answer_here, only_answer

WORKGROUP, DATABASE = "cairn-local", "cairn_local"

STREAMS = {Stored.LONG: "cairn-facts-long", Stored.SHORT: "cairn-facts-short"}


PAGE = 1000
"""Rows that Athena gives at once, at most."""

ATHENA_TYPES = {"BIGINT": "bigint", "HUGEINT": "bigint", "INTEGER": "integer", "DOUBLE": "double"}


@dataclass(slots=True)
class LocalFactLog:
    _put_so_far: list[bytes] = field(default_factory=list)
    """Compressed, as S3 has it: an import leaves more facts than there is room for as objects."""
    _answers: dict[str, tuple[dict[str, str], list[dict[str, Any]]]] = field(default_factory=dict)

    def register(self, session: Session, around: Around = only_answer) -> None:
        answer_here(session, "firehose.PutRecordBatch", self._put, around)
        answer_here(session, "athena.StartQueryExecution", self._start, around)
        answer_here(session, "athena.GetQueryExecution", self._status, around)
        answer_here(session, "athena.GetQueryResults", self._results, around)

    def _put(self, asked: dict[str, Any]) -> dict[str, Any]:
        records = asked["Records"]
        self._put_so_far.append(zlib.compress(b"".join(base64.b64decode(one["Data"]) for one in records)))
        answers = [{"RecordId": f"{len(self._put_so_far)}-{number}"} for number in range(len(records))]
        return {"FailedPutCount": 0, "Encrypted": True, "RequestResponses": answers}

    @property
    def lines(self) -> list[dict[str, Any]]:
        """In the order of their arrival, some of them more than once."""
        return [json.loads(line) for put in self._put_so_far for line in zlib.decompress(put).splitlines()]

    def facts(self) -> list[dict[str, Any]]:
        """Each fact once."""
        return list({one["id"]: one for one in self.lines}.values())

    def _start(self, asked: dict[str, Any]) -> dict[str, Any]:
        from infra.local.facts_in_duckdb import DuckFacts  # noqa: PLC0415  few runs measure anything

        values = [_value(one) for one in asked.get("ExecutionParameters", ())]
        id_ = f"query-{len(self._answers)}"
        self._answers[id_] = DuckFacts(self.lines).run(asked["QueryString"], values)
        return {"QueryExecutionId": id_}

    def _status(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"QueryExecution": {"QueryExecutionId": asked["QueryExecutionId"], "Status": {"State": "SUCCEEDED"}}}

    def _results(self, asked: dict[str, Any]) -> dict[str, Any]:
        """In pages, as Athena gives them: the names of the columns are the first row of the first page."""
        types, rows = self._answers[asked["QueryExecutionId"]]
        lines: list[list[str | None]] = [
            list(types),
            *([None if one is None else str(one) for one in row.values()] for row in rows),
        ]
        start = int(asked.get("NextToken", 0))
        page, after = lines[start : start + PAGE], start + PAGE
        cells = [{"Data": [{} if one is None else {"VarCharValue": one} for one in line]} for line in page]
        columns = [{"Name": name, "Type": ATHENA_TYPES.get(of, "varchar")} for name, of in types.items()]
        more = {"NextToken": str(after)} if after < len(lines) else {}
        return {"ResultSet": {"Rows": cells, "ResultSetMetadata": {"ColumnInfo": columns}}, **more}


def _value(literal: str) -> str | int:
    """Of a parameter as Athena takes it."""
    return literal[1:-1].replace("''", "'") if literal.startswith("'") else int(literal)
