"""The code of DynamoDB's answer, where an answer came and where none did."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from pynamodb.exceptions import PutError, TransactWriteError

from cairn.adapters import aws
from cairn.adapters.dynamodb.items import CONDITION_FAILED, code_of

ADAPTERS = Path(aws.__file__).parent


def test_the_code_of_an_answer() -> None:
    refused = ClientError({"Error": {"Code": CONDITION_FAILED}}, "PutItem")

    assert code_of(PutError("refused", refused)) == CONDITION_FAILED


@pytest.mark.parametrize("lost", [ConnectionClosedError, ReadTimeoutError])
@pytest.mark.parametrize("error", [PutError, TransactWriteError])
def test_an_answer_that_is_lost_has_no_code_and_is_waited_out(
    error: type[PutError | TransactWriteError], lost: type[Exception]
) -> None:
    failed = error("lost", lost(endpoint_url="https://dynamodb"))

    assert code_of(failed) is None
    assert aws.is_transient(failed)


@pytest.mark.parametrize("broken", [".cause_response_code", ".batch_get(", ".batch_write("])
def test_no_adapter_uses_what_pynamodb_does_wrong_when_aws_fails(broken: str) -> None:
    """Its batch read raises TypeError when DynamoDB leaves keys unprocessed; its batch write makes no pauses."""
    using = [path.name for path in ADAPTERS.rglob("*.py") if broken in path.read_text("utf-8")]

    assert using == []
