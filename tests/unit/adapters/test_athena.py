"""Questions to Athena: what it is asked, what it answers, and that its dialect knows every word of the SQL."""

from typing import Any

import boto3
import pytest
import sqlglot
from botocore.stub import Stubber
from sqlglot import exp

from cairn.adapters.athena import PATIENCE_SECONDS, AthenaFacts, literal
from cairn.adapters.athena.queries import names, sql_of
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError

COLUMNS = [("channel", "varchar"), ("sent", "bigint"), ("share", "double")]


def page(*rows: tuple[str | None, ...], token: str = "") -> dict[str, Any]:
    return {
        "ResultSet": {
            "ResultSetMetadata": {"ColumnInfo": [{"Name": name, "Type": type_} for name, type_ in COLUMNS]},
            "Rows": [{"Data": [{} if one is None else {"VarCharValue": one} for one in row]} for row in rows],
        },
        **({"NextToken": token} if token else {}),
    }


class Stubbed:
    """A client that checks each call against the model of the service, and answers what it is given."""

    def __init__(self) -> None:
        self.client = boto3.client("athena", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        self.stub = Stubber(self.client)
        self.slept: list[float] = []

    def starts(self, id_: str, **asked: Any) -> None:
        self.stub.add_response("start_query_execution", {"QueryExecutionId": id_}, asked or None)

    def state(self, state: str) -> None:
        answer = {"QueryExecution": {"Status": {"State": state, "StateChangeReason": "row 7: 'ada@example.com'"}}}
        self.stub.add_response("get_query_execution", answer)

    def answers(self, *pages: dict[str, Any]) -> None:
        for one in pages:
            self.stub.add_response("get_query_results", one)

    def facts(self) -> AthenaFacts:
        self.stub.activate()
        return AthenaFacts(self.client, "cairn-dev", "cairn_dev", sleep=self.slept.append)


def test_an_answer_of_several_pages_has_the_types_of_its_columns() -> None:
    athena = Stubbed()
    athena.starts("q1")
    athena.state("QUEUED")
    athena.state("RUNNING")
    athena.state("SUCCEEDED")
    names_of_columns = tuple(name for name, _ in COLUMNS)
    athena.answers(page(names_of_columns, ("sms", "3", "0.5"), token="more"), page(("email", "4", None)))

    [rows] = athena.facts().ask([("deliveries", [0, 1])])

    assert rows == [
        {"channel": "sms", "sent": 3, "share": 0.5},
        {"channel": "email", "sent": 4, "share": None},
    ]
    assert len(athena.slept) == 2
    athena.stub.assert_no_pending_responses()


def test_all_questions_are_asked_before_the_first_answer_is_waited_for() -> None:
    athena = Stubbed()
    athena.starts("q1")
    athena.starts("q2")
    for _ in range(2):
        athena.state("SUCCEEDED")
    for _ in range(2):
        athena.answers(page(tuple(name for name, _ in COLUMNS)))

    assert athena.facts().ask([("deliveries", [0, 1]), ("kinds", [0, 1])]) == [[], []]


def test_a_text_is_a_parameter_and_never_sql() -> None:
    athena = Stubbed()
    athena.starts(
        "q1",
        QueryString=sql_of("funnel"),
        ExecutionParameters=["'o''clock'' OR ''1'", "0", "1"],
        QueryExecutionContext={"Database": "cairn_dev"},
        WorkGroup="cairn-dev",
        ResultReuseConfiguration={"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}},
    )
    athena.state("SUCCEEDED")
    athena.answers(page(("channel", "sent", "share")))

    athena.facts().ask([("funnel", ["o'clock' OR '1", 0, 1])])

    assert literal("it's") == "'it''s'"


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_question_that_fails_is_refused_without_a_word_of_the_data(state: str) -> None:
    athena = Stubbed()
    athena.starts("q1")
    athena.state(state)

    with pytest.raises(ServiceRefusedError, match=state) as refused:
        athena.facts().ask([("deliveries", [0, 1])])
    assert "ada@example.com" not in str(refused.value)


def test_a_question_that_takes_long_ends_before_the_api_gives_up() -> None:
    athena = Stubbed()
    athena.starts("q1")
    for _ in range(100):
        athena.state("RUNNING")

    with pytest.raises(ServiceBusyError, match="ask again in a minute"):
        athena.facts().ask([("deliveries", [0, 1])])
    assert sum(athena.slept) == pytest.approx(PATIENCE_SECONDS, abs=0.5)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
def test_the_dialect_knows_every_function_of_a_question(name: str, dialect: str) -> None:
    parsed = sqlglot.parse_one(sql_of(name), read=dialect)

    unknown = {str(one.this).upper() for one in parsed.find_all(exp.Anonymous)}
    assert unknown <= ({"APPROX_PERCENTILE"} if dialect == "duckdb" else set()), unknown


@pytest.mark.parametrize("name", names())
def test_a_question_begins_with_what_it_is_for_and_takes_its_parameters_once(name: str) -> None:
    sql = sql_of(name)

    assert sql.startswith("-- ")
    asked = sql[sql.index("asked AS (") : sql.index(")\n", sql.index("asked AS (")) + 1] if "asked AS" in sql else ""
    placeholders = list(sqlglot.parse_one(sql, read="athena").find_all(exp.Placeholder))
    assert len(placeholders) == asked.count("?"), "parameters stand in `asked`, where they have a name and a type"
