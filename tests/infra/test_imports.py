"""The imports' state machine: what it reads, how it batches, and what it may do."""

import json
from typing import Any

import pytest

from cairn.settings import IMPORT_BATCH, IMPORT_TIMEOUT
from infra.cloud.imports import READERS, definition
from tests.infra.conftest import Templates

EXPRESS_MINUTES = 5


def machine(templates: Templates) -> tuple[dict[str, Any], str]:
    (one,) = templates.all("AWS::StepFunctions::StateMachine").values()
    return one, json.dumps(one["DefinitionString"])


def test_every_format_is_read_as_step_functions_calls_it() -> None:
    states = definition("arn:rows")["States"]

    types = {name: states[f"{name.capitalize()}Rows"]["ItemReader"]["ReaderConfig"]["InputType"] for name in READERS}
    assert types == {"prepared": "JSONL", "jsonl": "JSONL", "csv": "CSV", "parquet": "PARQUET"}


@pytest.mark.parametrize("format_", READERS)
def test_a_batch_has_the_import_and_each_row_with_its_position(format_: str) -> None:
    each = definition("arn:rows")["States"][f"{format_.capitalize()}Rows"]

    assert each["ItemBatcher"]["MaxItemsPerBatch"] == IMPORT_BATCH
    assert each["ItemBatcher"]["BatchInput"] == {
        "import.$": "$.common.import",
        "mapping.$": "$.common.mapping",
        "prepared.$": "$.common.prepared",
    }
    assert each["ItemSelector"] == {"index.$": "$$.Map.Item.Index", "value.$": "$$.Map.Item.Value"}
    assert "ToleratedFailurePercentage" not in each, "a batch that failed is not forgotten"


def test_a_batch_and_its_retries_end_within_an_express_workflow() -> None:
    task = definition("arn:rows")["States"]["CsvRows"]["ItemProcessor"]["States"]["CsvBatch"]

    (retry,) = task["Retry"]
    pauses = sum(min(2 * 2**number, retry["MaxDelaySeconds"]) for number in range(retry["MaxAttempts"]))
    assert pauses + IMPORT_TIMEOUT.total_seconds() < EXPRESS_MINUTES * 60


def test_it_starts_one_function_and_uses_one_folder(dev: Templates) -> None:
    one, written = machine(dev)
    statements = dev.statements_of(one["RoleArn"]["Fn::GetAtt"][0])

    granted = {action: json.dumps(each["Resource"]) for each in statements for action in _list(each["Action"])}
    assert dev.alias_of("import_rows") in written
    assert granted.keys() - {name for name in granted if name.startswith("xray:")} == {
        "lambda:InvokeFunction",
        *("s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
        *("states:StartExecution", "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"),
    }
    assert dev.alias_of("import_rows") in granted["lambda:InvokeFunction"]
    assert '"/imports/*"' in granted["s3:GetObject"]
    assert "ImportsArn" in dev.engine["Outputs"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
