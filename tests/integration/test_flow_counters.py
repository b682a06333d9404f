"""The contract of the port FlowCounters, run on moto and on the fake."""

from datetime import timedelta

import pytest

from cairn.adapters import aws
from cairn.adapters.dynamodb.flow_counters import DynamoFlowCounters
from cairn.application import ports
from cairn.domain.operations.flow import Flow, FlowBucket
from cairn.domain.operations.signs import Sign
from tests.unit import fakes
from tests.unit.makers import MONDAY

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["moto", "fake"])
def counters(request: pytest.FixtureRequest, table: str) -> ports.FlowCounters:
    return (
        fakes.FlowCounters() if request.param == "fake" else DynamoFlowCounters(lambda: aws.client("dynamodb"), table)
    )


def test_counts_of_five_minutes_add_up_in_one_bucket(counters: ports.FlowCounters) -> None:
    counters.add(Flow(events=3, late=1, delivered=2), MONDAY + 4 * MINUTE)
    counters.add(Flow(events=2, unmatched=7, failed=1, bounced=1, complained=1, misfired=1), MONDAY)
    counters.add(Flow(events=1), MONDAY + 5 * MINUTE)

    assert counters.between(MONDAY, MONDAY + 5 * MINUTE) == [
        FlowBucket(MONDAY, Flow(2, 1, 1, 1, events=5, late=1, unmatched=7, misfired=1)),
        FlowBucket(MONDAY + 5 * MINUTE, Flow(events=1)),
    ]
    assert counters.between(MONDAY + MINUTE, MONDAY + 4 * MINUTE) == []


def test_a_sign_is_new_again_after_the_given_time(counters: ports.FlowCounters) -> None:
    def is_new(sign: Sign, after: timedelta) -> bool:
        return counters.is_new(sign, MONDAY + after, 60 * MINUTE)

    assert is_new(Sign.MISFIRES, 0 * MINUTE)
    assert not is_new(Sign.MISFIRES, 59 * MINUTE)
    assert is_new(Sign.EVENTS_LATE, 59 * MINUTE), "each by itself"
    assert is_new(Sign.MISFIRES, 60 * MINUTE)
    assert not is_new(Sign.MISFIRES, 61 * MINUTE)
