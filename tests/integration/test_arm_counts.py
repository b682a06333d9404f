"""Counts of arms: exact, however often a decision is relayed and by how many processes at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pynamodb.exceptions import TransactWriteError

from cairn.adapters import aws
from cairn.adapters.aws import is_transient
from cairn.adapters.dynamodb.arm_counts import RETENTION, DynamoArmCounts
from cairn.application.values.arms import ArmCount, CountedArm
from cairn.domain.journey.arms import ArmOutcome

AT = datetime(2026, 3, 2, 14, tzinfo=UTC)
ENTERED = ArmOutcome("shop", "v1", "offer", "gift", "entered", "enrollment-0")
GIFT = CountedArm("v1", "offer", "gift")


@pytest.fixture
def counts(table: str) -> DynamoArmCounts:  # noqa: ARG001  bound to it
    return DynamoArmCounts()


def until_taken(add: Callable[[], Any]) -> None:
    """As the effects queue does: what fails for now comes again."""
    while True:
        try:
            add()
        except TransactWriteError as error:
            if not is_transient(error):
                raise
        else:
            return


def test_each_customer_counts_once_and_apart_by_version_step_and_arm(counts: DynamoArmCounts) -> None:
    others = [replace(ENTERED, enrollment=f"enrollment-{number}") for number in range(1, 9)]
    for outcome in (ENTERED, *others, ENTERED, replace(ENTERED, what="reached"), replace(ENTERED, what="reached")):
        counts.add(outcome, AT)
    for number, change in enumerate(({"version": "v2"}, {"step": "price"}, {"arm": "nothing"}, {"journey": "other"})):
        counts.add(replace(ENTERED, enrollment=f"other-{number}", **change), AT)

    assert counts.of("shop") == {
        GIFT: ArmCount(9, 1),
        CountedArm("v2", "offer", "gift"): ArmCount(1),
        CountedArm("v1", "price", "gift"): ArmCount(1),
        CountedArm("v1", "offer", "nothing"): ArmCount(1),
    }


@pytest.mark.atomic_writes
def test_many_processes_that_relay_the_same_decisions_count_each_once(counts: DynamoArmCounts) -> None:
    outcomes = [replace(ENTERED, enrollment=f"enrollment-{number % 20}") for number in range(60)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda outcome: until_taken(lambda: counts.add(outcome, AT)), outcomes))

    assert counts.of("shop") == {GIFT: ArmCount(20)}


def test_a_mark_names_nobody_and_expires_and_a_count_stays(counts: DynamoArmCounts, table: str) -> None:
    counts.add(ENTERED, AT)

    mark, counter = sorted(aws.client("dynamodb").scan(TableName=table)["Items"], key=lambda one: "entered" in one)
    assert mark.keys() == {"pk", "sk", "expires_at"}
    assert "enrollment-0" not in str(mark)
    assert mark["expires_at"] == {"N": str(int((AT + RETENTION).timestamp()))}
    assert counter["pk"] == {"S": "arms#shop"}
    assert "expires_at" not in counter
