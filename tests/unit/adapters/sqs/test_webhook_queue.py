"""Webhook deliveries: fair among endpoints, retried under unique names, dead-lettered without order."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from cairn.adapters.scheduler.timers import TimerService, TimerTarget
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue, Reason
from cairn.adapters.sqs.webhook_queue import WebhookQueue, WebhookRetries, delivery_from_wire, delivery_to_wire
from cairn.domain.shared.errors import ServiceBusyError
from cairn.domain.webhook_delivery import WebhookDelivery
from tests.unit.makers import MONDAY

DELIVERY = WebhookDelivery("ntc_" + "a" * 26, "crm", "c_ada", "2026-03-02T10:00:00Z#abc", 3)
LINE = TimerTarget(url="https://sqs/notices", arn="arn:notices", dead_letter_arn="arn:dead")


@dataclass
class Aws:
    """SQS and Scheduler, as far as they are asked."""

    failed: list[Any] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def send_message_batch(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        return {"Failed": self.failed}

    def send_message(self, **given: Any) -> None:
        self.asked.append(given)

    def create_schedule(self, **given: Any) -> None:
        self.asked.append(given)


def put_off(aws: Aws, delivery: WebhookDelivery, length: timedelta) -> dict[str, Any]:
    clock = TimerService(sqs=aws, scheduler=aws, role_arn="arn:role", group="cairn")
    WebhookRetries(clock=clock, target=LINE).retry_at(delivery, MONDAY + length, MONDAY)
    return aws.asked[-1]


def test_a_delivery_is_read_as_it_was_written() -> None:
    assert delivery_from_wire(delivery_to_wire(DELIVERY)) == DELIVERY


def test_each_endpoint_is_a_group_of_its_own_and_ten_are_sent_at_once() -> None:
    aws = Aws()
    deliveries = [replace(DELIVERY, endpoint=f"crm-{number % 3}") for number in range(23)]

    WebhookQueue(aws, LINE.url).put(deliveries)

    assert [len(one["Entries"]) for one in aws.asked] == [10, 10, 3]
    entries = [entry for one in aws.asked for entry in one["Entries"]]
    assert [entry["MessageGroupId"] for entry in entries] == [one.endpoint for one in deliveries]
    assert all(len({entry["Id"] for entry in one["Entries"]}) == len(one["Entries"]) for one in aws.asked)


def test_deliveries_that_the_queue_refuses_are_retried() -> None:
    with pytest.raises(ServiceBusyError):
        WebhookQueue(Aws(failed=[{"Id": "1"}]), LINE.url).put([DELIVERY])


def test_a_short_wait_is_a_delay_and_a_long_one_a_schedule() -> None:
    aws = Aws()

    assert put_off(aws, DELIVERY, timedelta(minutes=5))["DelaySeconds"] == 300
    scheduled = put_off(aws, DELIVERY, timedelta(hours=2))

    assert scheduled["Target"]["Arn"] == "arn:notices"
    assert scheduled["Target"]["DeadLetterConfig"] == {"Arn": "arn:dead"}
    assert len(scheduled["Name"]) <= 64


def test_each_attempt_for_each_endpoint_has_a_timer_of_its_own() -> None:
    others = [DELIVERY, DELIVERY.failed(), replace(DELIVERY, endpoint="erp"), replace(DELIVERY, id="ntc_other")]

    names = [put_off(Aws(), one, timedelta(hours=2))["Name"] for one in others]

    assert len(set(names)) == 4
    assert names[0] == put_off(Aws(), DELIVERY, timedelta(hours=5))["Name"], "set twice, it is set once"


@pytest.mark.parametrize(("url", "ordered"), [("https://sqs/dead.fifo", True), ("https://sqs/dead", False)])
def test_only_a_fifo_queue_gets_a_message_group(url: str, ordered: bool) -> None:  # noqa: FBT001
    """SQS takes a deduplication id for no other queue."""
    aws = Aws()

    DeadLetterQueue(aws, url).add("{}", Reason("why", "a test", ""), group="crm", delivery="m-1")

    assert ({"MessageGroupId", "MessageDeduplicationId"} <= aws.asked[0].keys()) is ordered
