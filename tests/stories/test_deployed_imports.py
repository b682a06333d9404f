"""An import into a deployment: rows go to S3, the state machine's Map reads them, and its results become the report.

Step Functions is stood in for by a reader of the deployed definition: ItemReader, ItemSelector, ItemBatcher and
ResultWriter do what AWS documents of them, over moto's S3 and the real function.
"""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from authoring.imports.check import ImportFile
from authoring.imports.mapping import mapping_named
from authoring.imports.state import ImportState
from cairn.domain.imports.rows import Import, Kind
from cairn.domain.operations.audit import AuditEntry
from cli.imports_client import DeployedImporter, ImportStoppedError, common_of
from infra.cloud.imports import definition
from infra.local.deployment import LocalDeployment
from tests.stories.shop import RECEIPT, Opens

Json = dict[str, Any]
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:Imports"
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class StepFunctions:
    """Runs an execution at once; `fails` names the batches whose function gives no answer."""

    deployment: LocalDeployment
    s3: Any
    fails: set[int] = field(default_factory=set)
    executions: dict[str, Json] = field(default_factory=dict)
    answers: dict[str, dict[int, Json]] = field(default_factory=dict)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803  AWS's names
        arn = stateMachineArn.replace("stateMachine", "execution") + f":{name}"
        assert arn not in self.executions
        self.executions[arn] = {"input": json.loads(input), "status": "RUNNING"}
        self._run(arn)

    def redrive_execution(self, *, executionArn: str) -> None:  # noqa: N803
        assert self.executions[executionArn]["status"] == "FAILED"
        self._run(executionArn)

    def forget(self, name: str) -> None:
        """Forget executions, as Step Functions does after 90 days; the answers stay, to be compared."""
        self.executions.clear()
        (last,) = (arn for arn in self.answers if arn.startswith("arn:"))
        self.answers[name] = self.answers.pop(last)

    def describe_execution(self, *, executionArn: str) -> Json:  # noqa: N803
        if executionArn not in self.executions:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        return self.executions[executionArn]

    def list_map_runs(self, *, executionArn: str) -> Json:  # noqa: N803
        return {"mapRuns": [{"mapRunArn": executionArn}]}

    def describe_map_run(self, *, mapRunArn: str) -> Json:  # noqa: N803
        return {"itemCounts": {"succeeded": sum(one["rows"] for one in self.answers[mapRunArn].values())}}

    def _run(self, arn: str) -> None:
        asked = self.executions[arn]["input"]
        states = definition("arn:rows")["States"]
        choice = next(one for one in states["FormatOfTheFile"]["Choices"] if one["StringEquals"] == asked["format"])
        each = states[choice["Next"]]
        done = self.answers.setdefault(arn, {})
        for number, batch in enumerate(self._batches(each, asked)):
            if number in self.fails:
                self.executions[arn]["status"] = "FAILED"
                return
            if number not in done:
                answer = self.deployment.import_rows(batch)
                done[number] = {"rows": len(batch["Items"]), "Output": json.dumps(answer)}
        self.executions[arn]["status"] = "SUCCEEDED"
        written = json.dumps([{"Output": one["Output"], "Status": "SUCCEEDED"} for one in done.values()])
        key = f"{asked['results']}/a-run/SUCCEEDED_0.json"
        self.s3.put_object(Bucket=asked["bucket"], Key=key, Body=written.encode())

    def _batches(self, each: Json, asked: Json) -> Iterator[Json]:
        body = self.s3.get_object(Bucket=asked["bucket"], Key=asked["key"])["Body"].read().decode()
        kind = each["ItemReader"]["ReaderConfig"]["InputType"]
        rows = list(csv.DictReader(StringIO(body))) if kind == "CSV" else [json.loads(one) for one in body.splitlines()]
        items = [{"index": index, "value": value} for index, value in enumerate(rows)]
        batcher = each["ItemBatcher"]
        common = {name[:-2]: asked["common"][path.split(".")[-1]] for name, path in batcher["BatchInput"].items()}
        for start in range(0, len(items), batcher["MaxItemsPerBatch"]):
            yield {"BatchInput": common, "Items": items[start : start + batcher["MaxItemsPerBatch"]]}


@dataclass
class Moved:
    """A deployment to which a file is imported."""

    steps: StepFunctions
    importer: DeployedImporter
    audit: list[AuditEntry]
    folder: Path

    def file(self, *rows: str, header: str = "user_id,email,attributes.plan") -> ImportFile:
        path = self.folder / "list.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        of = Import(name="spring", kind=Kind.CUSTOMERS, as_of=AS_OF)
        return ImportFile(path=path, mapping=mapping_named("", Kind.CUSTOMERS), of=of)

    def run(self, file: ImportFile) -> tuple[int, dict[str, int], dict[int, str]]:
        """The rows that progress has seen, the outcomes, and the reasons by line."""
        seen: list[int] = []
        with ImportState.at(self.folder / "state.sqlite", {}) as state:
            file.check(state)
            self.importer.run(file, state, seen.append)
            return sum(seen), state.counts(), {one.line: one.reason.value for one in state.refusals()}


@pytest.fixture
def moved(opens: Opens, tmp_path: Path) -> Moved:
    shop = opens(RECEIPT)
    s3, audit = shop.deployment.cloud.client("s3"), list[AuditEntry]()
    steps = StepFunctions(shop.deployment, s3)
    outputs = {"ImportsArn": MACHINE, "OverflowBucket": shop.deployment.cloud.bucket}
    clients = {"s3": s3, "stepfunctions": steps}
    importer = DeployedImporter("Cairn-dev", 5, clients.__getitem__, outputs, audit.append, "ada", sleep=lambda _: None)
    return Moved(steps, importer, audit, tmp_path)


ROWS = [f"u-{number},u{number}@example.com,gold" for number in range(250)]


def test_rows_are_imported_in_batches_and_the_report_names_the_lines_of_the_file(moved: Moved) -> None:
    rows = [*ROWS[:100], "u-900,nobody,gold", *ROWS[100:]]

    seen, counts, refused = moved.run(moved.file(*rows))

    assert (seen, counts, refused) == (250, {"created": 250}, {102: "email"})
    (execution,) = moved.steps.executions.values()
    assert (execution["input"]["format"], execution["input"]["concurrency"]) == ("prepared", 5)


def test_an_execution_that_failed_is_redriven_and_ends_exactly(moved: Moved) -> None:
    file = moved.file(*ROWS)
    for number in (0, 1, 2):
        moved.steps.fails = {number}
        with pytest.raises(ImportStoppedError, match="Run the same command again"):
            moved.run(file)
    moved.steps.fails = set()

    _, counts, refused = moved.run(file)

    assert (counts, refused) == ({"created": 250}, {})
    assert len(moved.steps.executions) == 1


def test_an_execution_that_is_over_is_shown_and_not_started_again(moved: Moved) -> None:
    file = moved.file(*ROWS)
    first = moved.run(file)

    assert moved.run(file)[1:] == first[1:]


def test_the_function_refuses_what_only_the_deployment_knows(moved: Moved) -> None:
    file = moved.file("u-1,u1@example.com,+1 12", header="user_id,email,phone")

    _, counts, refused = moved.run(file)

    assert (counts, refused) == ({}, {2: "phone"}), "without its country, only the deployment knows what is a number"


def test_the_audit_says_who_imports_what(moved: Moved) -> None:
    moved.importer.begin(moved.file(*ROWS), "the move")

    (entry,) = moved.audit
    assert (entry.actor, entry.action, entry.target, entry.reason) == ("ada", "import", "import:spring", "the move")
    assert not re.search("u-1|example.com", json.dumps(entry.detail))


def test_a_file_in_s3_is_read_where_it_lies_and_a_second_row_about_a_customer_is_refused(
    moved: Moved, tmp_path: Path
) -> None:
    rows = [*ROWS[:150], "u-3,u3@example.com,silver"]
    moved.steps.s3.put_object(
        Bucket="cairn-overflow", Key="raw.csv", Body="\n".join(["user_id,email,plan", *rows]).encode()
    )
    of = Import(name="raw", kind=Kind.CUSTOMERS, as_of=AS_OF, finds_duplicates=True)
    mapping = {"customer": {"user_id": "row.user_id", "email": "row.email"}, "attributes": {"plan": "row.plan"}}
    reported: list[dict[int, str]] = []

    for name in ("raw", "again"):
        with ImportState.at(tmp_path / f"{name}.sqlite", {}) as state:
            url, common = "s3://cairn-overflow/raw.csv", common_of(of, mapping)
            moved.importer.run_from_s3(url, "csv", common, state, lambda _: None)
            reported.append({one.line: one.detail for one in state.refusals()})
        moved.steps.forget(f"raw {name}")

    first, second = [[json.loads(one["Output"]) for one in run.values()] for run in moved.steps.answers.values()]
    assert [one["counts"] for one in first] == [{"created": 100}, {"created": 50}]
    assert [one["counts"] for one in second] == [{"repeated": 100}, {"repeated": 50}]
    assert reported == [{151: "row 4 is about the same customer"}] * 2
