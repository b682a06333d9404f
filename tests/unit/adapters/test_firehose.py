"""Facts on their way to Firehose: as few records as may be, and each fact at least once."""

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cairn.adapters.firehose import MAX_RECORDS, RECORD_BYTES, FactLog
from cairn.domain.measurement.facts import LoggedFact, Stored
from cairn.domain.shared.errors import ServiceBusyError

AT_MS = 1_772_409_600_000
STREAMS = {Stored.LONG: "facts-long", Stored.SHORT: "facts-short"}


class Firehose:
    """Takes what it is asked to, and refuses records of its choice."""

    def __init__(self, *refused: set[int]) -> None:
        self.calls: list[tuple[str, list[bytes]]] = []
        self._refused = list(refused)

    def put_record_batch(self, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> dict[str, Any]:  # noqa: N803  AWS's names
        self.calls.append((DeliveryStreamName, [one["Data"] for one in Records]))
        refused = self._refused.pop(0) if self._refused else set()
        answers = [
            {"ErrorCode": "ServiceUnavailableException"} if number in refused else {"RecordId": str(number)}
            for number in range(len(Records))
        ]
        return {"FailedPutCount": len(refused), "RequestResponses": answers}

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for _, records in self.calls for one in records for line in one.splitlines()]


def facts(number: int, kind: str = "sent", **more: Any) -> list[LoggedFact]:
    return [LoggedFact(id=f"f{nth}", at_ms=AT_MS, kind=kind, customer="c_1", **more) for nth in range(number)]


def test_many_facts_share_a_record_and_each_kind_goes_to_its_stream() -> None:
    firehose = Firehose()

    FactLog(firehose, STREAMS).put([*facts(300), *facts(20, "event")])

    assert [(name, len(records)) for name, records in firehose.calls] == [("facts-long", 1), ("facts-short", 1)]
    assert [line["id"] for line in firehose.lines()] == [f"f{nth}" for nth in (*range(300), *range(20))]


def test_records_and_calls_stay_below_the_limits() -> None:
    firehose = Firehose()

    FactLog(firehose, STREAMS).put(facts(5_000, reason="r" * 900))

    assert len(firehose.calls) > 1
    for _, records in firehose.calls:
        assert len(records) <= MAX_RECORDS
        assert max(map(len, records)) <= RECORD_BYTES
        assert sum(map(len, records)) <= 4 * 2**20
    assert len(firehose.lines()) == 5_000


def test_what_was_not_taken_is_put_again_and_nothing_else() -> None:
    firehose = Firehose({1}, {0})

    FactLog(firehose, STREAMS).put(facts(500, reason="r" * 900))

    (_, first), (_, second), (_, third) = firehose.calls
    assert second == third == [first[1]]


def test_a_batch_that_is_never_taken_fails_as_a_whole() -> None:
    with pytest.raises(ServiceBusyError, match="did not take every fact"):
        FactLog(Firehose({0}, {0}, {0}), STREAMS).put(facts(1))


def test_firehose_takes_a_call_of_this_shape() -> None:
    """By the model of the service in botocore, which the client checks each call against."""
    client = boto3.client("firehose", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stubbed:
        stubbed.add_response(
            "put_record_batch", {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "1"}]}, expected_params=None
        )
        FactLog(client, STREAMS).put(facts(3))
        stubbed.assert_no_pending_responses()
