"""The benchmark runs, in its short form: its figures are for people to read, but nobody may miss a crash."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local.wiring import FUNCTIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def printed() -> str:
    command = [sys.executable, "-m", "bench", "--quick"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "core" / "python")])
    environment = {name: value for name, value in os.environ.items() if name != "DYNAMODB_LOCAL"} | {
        "PYTHONPATH": paths
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_benchmark_measures_the_start_of_every_function(printed: str) -> None:
    measured = [line for line in printed.splitlines() if "import of " in line]

    assert len(measured) == len(FUNCTIONS)
    for function in FUNCTIONS:
        assert any(f"import of `{function.name}` " in line for line in measured), function.name


def test_without_dynamodb_local_the_benchmark_says_how_to_get_it(printed: str) -> None:
    assert "DYNAMODB_LOCAL" in printed


def test_the_readme_and_the_page_have_the_same_costs() -> None:
    from bench.page import PAGE, README, costs_in

    assert costs_in(README.read_text()) == costs_in(PAGE.read_text())
    assert "**Cairn**" in costs_in(README.read_text())


def test_each_chart_of_the_page_is_there() -> None:
    from xml.etree import ElementTree as ET

    from bench.page import PAGE

    charts = re.findall(r"!\[[^\]]+\]\(([^)]+\.svg)\)", PAGE.read_text())

    assert len(charts) == 3
    for chart in charts:
        ET.parse(PAGE.with_name(chart))  # noqa: S314  our own file


def test_computed_units_are_those_that_aws_documents() -> None:
    from bench.calls import Call
    from bench.units import ReadUnits, WriteUnits

    item = {"pk": {"S": "c_1"}, "sk": {"S": "open"}, "text": {"S": "x" * 5_000}}
    key = {name: item[name] for name in ("pk", "sk")}

    def call(operation: str, **arguments: Any) -> Call:
        return Call(function="f", invocation=1, service="dynamodb", operation=operation, arguments=arguments)

    put = {"TableName": "t", "Item": item}
    writes = WriteUnits(lambda _, __: item)
    calls = [
        call("PutItem", **put),
        call("TransactWriteItems", TransactItems=[{"Put": put}]),
        call("BatchWriteItem", RequestItems={"t": [{"PutRequest": {"Item": item}}, {"DeleteRequest": {"Key": key}}]}),
    ]
    for one in calls:
        writes.before(one)
        writes.after(one)
    reads = ReadUnits(lambda _, __: item, lambda _: [item, item, item])

    assert [writes.of([one]) for one in calls] == [5, 10, 10]  # each started kilobyte, twice in a transaction
    assert reads.of(call("GetItem", TableName="t", Key=key, ConsistentRead=True)) == 2  # each started 4 KB
    assert reads.of(call("GetItem", TableName="t", Key=key)) == 1
    assert reads.of(call("BatchGetItem", RequestItems={"t": {"Keys": [key, key], "ConsistentRead": True}})) == 4
    assert reads.of(call("Query", TableName="t", ConsistentRead=True)) == 4  # 15 KB together


def test_growth_is_measured_on_another_store() -> None:
    """DynamoDB Local is asked for by hand; MiniStack stands in, so that a bench that cannot use it is seen."""
    from bench.growth import curves
    from tests.ministack import ministack

    none: tuple[int, ...] = ()
    sizes = {"attributes": (1,), "open enrollments": none, "journeys": none, "customers": none}
    with ministack({"SERVICES": "dynamodb,dynamodbstreams"}) as endpoint:
        points = list(curves(endpoint, sizes, repeated=1))

    assert {one.of for one in points} == {"attributes"}
