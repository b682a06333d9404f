"""Amazon Athena: questions to the log of facts, which lies in S3."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cairn.adapters.athena.queries import sql_of
from cairn.adapters.aws import calling
from cairn.application.values.facts import Question, Row
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError

POLL_SECONDS, PATIENCE_SECONDS = 0.3, 24.0
"""A report reads a few hundred megabytes at most: seconds. The API waits for half a minute and no longer."""

REUSE_MINUTES = 5
"""A second look within this time costs nothing: Athena gives the first one's answer."""

NUMBERS = {"bigint": int, "integer": int, "double": float, "decimal": float}


class AthenaFacts:
    """Implements the port FactQueries."""

    def __init__(self, athena: Any, workgroup: str, database: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._athena = athena
        self._workgroup = workgroup
        self._database = database
        self._sleep = sleep

    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """All at once: Athena answers them side by side."""
        started = [self._start(query, parameters) for query, parameters in questions]
        waited = 0.0
        for id_ in started:
            waited = self._await(id_, waited)
        return [list(self._pages(id_)) for id_ in started]

    def _start(self, query: str, parameters: Sequence[str | int]) -> str:
        with calling("athena"):
            started = self._athena.start_query_execution(
                QueryString=sql_of(query),
                ExecutionParameters=[literal(one) for one in parameters],
                QueryExecutionContext={"Database": self._database},
                WorkGroup=self._workgroup,
                ResultReuseConfiguration={
                    "ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": REUSE_MINUTES}
                },
            )
        id_: str = started["QueryExecutionId"]
        return id_

    def _await(self, id_: str, waited: float) -> float:
        """How long it was waited for altogether."""
        while True:
            with calling("athena"):
                status = self._athena.get_query_execution(QueryExecutionId=id_)["QueryExecution"]["Status"]
            match status["State"]:
                case "SUCCEEDED":
                    return waited
                case "FAILED" | "CANCELLED":
                    # Its reason may quote a value of the data.
                    raise ServiceRefusedError("athena", status["State"])
                case _:  # it is queued, or runs
                    pass
            if waited >= PATIENCE_SECONDS:
                raise ServiceBusyError("the log of facts does not answer in time; ask again in a minute")
            self._sleep(POLL_SECONDS)
            waited += POLL_SECONDS

    def _pages(self, id_: str) -> Iterator[Row]:
        """The first row of the first page has the names of the columns."""
        token: dict[str, str] = {}
        skip = 1
        while True:
            with calling("athena"):
                page = self._athena.get_query_results(QueryExecutionId=id_, **token)
            columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            for row in page["ResultSet"]["Rows"][skip:]:
                yield {
                    column["Name"]: _value(cell.get("VarCharValue"), column["Type"])
                    for column, cell in zip(columns, row["Data"], strict=True)
                }
            if "NextToken" not in page:
                return
            token, skip = {"NextToken": page["NextToken"]}, 0


def literal(value: str | int) -> str:
    """As a parameter of Athena is written: a text in quotes, of which each within is doubled.

    https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
    """
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _value(text: str | None, type_: str) -> Any:
    return None if text is None else NUMBERS.get(type_, str)(text)
