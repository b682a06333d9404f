"""What time may mend, by the codes that AWS documents; and pauses between attempts."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError
from pynamodb.exceptions import QueryError

from cairn.adapters import backoff
from cairn.adapters.aws import ACCOUNT, TRANSIENT, is_transient
from cairn.adapters.backoff import ATTEMPTS, FIRST, LONGEST, attempts
from cairn.domain.shared.errors import ConflictError, InvalidEventError
from cairn.settings import RECORD_TIME


def refused(code: str, status: int = 400, **more: object) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}, "Any")  # type: ignore[typeddict-item]


@pytest.mark.parametrize("code", sorted({code for codes in (*TRANSIENT.values(), *ACCOUNT.values()) for code in codes}))
def test_every_documented_code_of_an_outage_is_waited_out(code: str) -> None:
    assert is_transient(refused(code))
    assert is_transient(QueryError("could not read", refused(code))), "as PynamoDB wraps it"


def test_a_code_is_an_outage_of_the_service_or_of_the_account_and_not_both() -> None:
    assert frozenset().union(*TRANSIENT.values()) & frozenset().union(*ACCOUNT.values()) == set()


@pytest.mark.parametrize(
    "error",
    [
        refused("Whatever", 500),
        refused("Whatever", 503),
        refused("Whatever", 429),
        refused(
            "TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}]
        ),
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
        ConflictError("another writer came first"),
        TimeoutError(),
    ],
    ids=str,
)
def test_trouble_that_passes_is_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        refused("ValidationException"),
        refused("ConditionalCheckFailedException"),
        refused("InvalidParameterValue"),
        refused("TransactionCanceledException", CancellationReasons=[{"Code": "ValidationError"}]),
        QueryError("could not read", refused("ValidationException")),
        ParamValidationError(report="no such parameter"),
        InvalidEventError(["customer: missing"]),
        OverflowError("date value out of range"),
        KeyError("step"),
    ],
    ids=str,
)
def test_whatever_is_not_known_to_pass_is_permanent(error: Exception) -> None:
    assert not is_transient(error)


def test_pauses_grow_with_jitter_and_fit_into_the_time_of_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(backoff.time, "sleep", slept.append)

    assert list(attempts()) == list(range(ATTEMPTS))

    assert len(slept) == ATTEMPTS - 1
    assert all(0 <= pause <= min(LONGEST, FIRST * 2**number) for number, pause in enumerate(slept))
    longest = sum(min(LONGEST, FIRST * 2**number) for number in range(ATTEMPTS - 1))
    assert longest < RECORD_TIME.total_seconds() / 2
