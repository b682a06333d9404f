"""An outage is waited out by time, in order for each customer; and what no time mends stops nobody else."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.calls import Call, watched
from cairn.settings import PATIENCE

QUEUES = ("events", "wakes", "messages", "notices", "feedback", "erasures", "effects")


def error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")


class Outage:
    """Refuses calls while it lasts."""

    def __init__(self, refused: ClientError, **call: str) -> None:
        self.refused, self.call, self.over = refused, call, False

    def __call__(self, call: Call) -> None:
        if not self.over and all(getattr(call, name) == value for name, value in self.call.items()):
            raise self.refused


def dead_lettered(story: Any) -> Counter[str]:
    return +Counter({queue: len(story.dead_letters(queue)) for queue in QUEUES})


def test_while_the_table_is_out_of_order_for_an_hour_all_wait_in_their_order(story: Any) -> None:
    outage = Outage(error("InternalServerError", 500), service="dynamodb")
    story.signs_up(1)
    story.passes("90m")  # the wait of two hours ends within the outage

    with watched(story.deployment, before=outage):
        story.signs_up(2)
        story.happens("profile.changed", "name-2", customer={"user_id": "member-2"})
        story.passes("1h")
        outage.over = True
        story.happens("profile.changed", "name-3", customer={"user_id": "member-2"})
        story.passes("1h")

    events = [line for line in story.timeline("event") if line["customer"] == "member-2"]
    assert dead_lettered(story) == Counter()
    assert [line["type"] for line in events] == ["trial.signup", "profile.changed", "profile.changed"]
    assert [line["step"] for line in story.timeline("message") if line["customer"] == "member-1"] == ["hello", "tips"]


@pytest.mark.parametrize("code", ["ServiceQuotaExceededException", "ThrottlingException", "AccessDeniedException"])
def test_while_no_schedule_can_be_set_for_a_day_all_else_goes_on_and_the_waits_end_in_time(
    story: Any, code: str
) -> None:
    outage = Outage(error(code), service="scheduler")

    with watched(story.deployment, before=outage):
        story.signs_up(1)
        story.signs_up(2)
        assert len(story.sent()) == 2
        story.passes("20h")
        outage.over = True
        story.passes("6h")

    assert dead_lettered(story) == Counter()
    assert Counter(line["step"] for line in story.timeline("message")) == {"hello": 2, "tips": 2}


def test_a_message_waits_while_the_provider_is_busy_for_hours_and_goes_out_once(story: Any) -> None:
    outage = Outage(error("TooManyRequestsException", 429), operation="Publish")

    with watched(story.deployment, before=outage):
        story.signs_up(1)
        story.passes("90m")
        assert story.sent() == []
        outage.over = True
        story.passes("20m")

    assert len(story.sent()) == 1
    assert dead_lettered(story) == Counter()


def test_after_seven_days_it_is_dead_lettered_with_its_reason(story: Any) -> None:
    outage = Outage(error("ThrottlingException"), function="process_event", service="dynamodb")

    with watched(story.deployment, before=outage):
        story.signs_up(1)
        story.passes("6d")
        assert dead_lettered(story) == Counter()
        story.passes("1d1h")

    [(_, reason)] = story.dead_letters("events")
    assert f"after {PATIENCE.days} days" in reason


def test_an_effect_that_can_never_be_carried_out_stops_no_other_customer_and_repeats_nothing(story: Any) -> None:
    def refuse(call: Call) -> None:
        if call.function == "relay_effects" and "member-2" in str(call.arguments):
            raise OverflowError

    story.deployment.stop("relay_effects")
    for number in (1, 2, 3):
        story.signs_up(number)
    with watched(story.deployment, before=refuse):
        story.deployment.start("relay_effects")
        story.passes("2h")

    assert sorted(story.sent()) == sorted(set(story.sent()))
    assert {line["customer"] for line in story.timeline("message")} >= {"member-1", "member-3"}
    assert story.dead_letters("effects")


def test_a_no_does_not_wait_behind_an_event_of_the_customer_that_no_time_mends(story: Any) -> None:
    no = {"channel": "sms", "purpose": "transactional", "status": "denied", "source": "form"}
    failed: list[Call] = []

    def refuse_the_first(call: Call) -> None:
        if call.function == "process_event" and not failed:
            failed.append(call)
            raise OverflowError

    story.signs_up(1)
    story.deployment.stop("process_event")
    story.happens("note.written", "bad", customer={"user_id": "member-1"})
    story.happens("consent.changed", "no", customer={"user_id": "member-1"}, consent=[no])
    with watched(story.deployment, before=refuse_the_first):
        story.deployment.start("process_event")
        story.deployment.settle()

    assert story.timeline("consent")[-1]["status"] == "denied"
    [(body, reason)] = story.dead_letters("events")
    assert '"note.written"' in body
    assert "OverflowError" in reason


def test_no_batch_outlives_its_function(story: Any, lambda_clock: Callable[[], Any]) -> None:
    """A provider that takes four seconds for each message: ten of them take longer than the function may."""
    context = lambda_clock()

    def slow(call: Call) -> None:
        if call.operation == "Publish" and call.function == "deliver_message":
            story.deployment.clock.shift(timedelta(seconds=4))
            assert context.get_remaining_time_in_millis() > 0, "Lambda has ended the process"

    story.deployment.stop("deliver_message")
    for number in range(1, 13):
        story.signs_up(number)
    with watched(story.deployment, after=slow):
        handler = story.deployment.handlers["deliver_message"]

        def timed(event: Any, _: Any) -> Any:
            context.begin()
            return handler(event, context)

        story.deployment.handlers = {**story.deployment.handlers, "deliver_message": timed}
        story.deployment.start("deliver_message")
        story.passes("1h")

    assert len(story.sent()) == 12
    assert dead_lettered(story) == Counter()


@pytest.fixture
def lambda_clock() -> Callable[[], Any]:
    class Context:
        started = datetime.now(UTC)

        def begin(self) -> None:
            self.started = datetime.now(UTC)

        def get_remaining_time_in_millis(self) -> int:
            return int((self.started + timedelta(seconds=30) - datetime.now(UTC)) / timedelta(milliseconds=1))

    return Context
