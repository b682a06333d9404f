"""The failure policy of all queues; and the reason of a dead letter has no address and no number."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cairn.domain.shared.errors import InvalidEventError, ServiceBusyError
from cairn.settings import PATIENCE
from cairn.sqs_records import LONGEST_WAIT, MASK, Consumer, consume, wait_before, without_personal_data
from tests.unit.fakes import ConsumedQueues, DeadLetters

AS_ONE_PATTERN = re.compile(r"[^\s:;,]+@\S+|\+?(?:\d[ ().-]*){9,}")
"""The mask as one pattern; it takes the square of a long word's length."""

WORDS = st.sampled_from(["mia", "@", "example.com", ":", ";", ",", " ", "x", "+", "4155550123", "(", ")", "1", "\n"])


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("customer.email: mia@example.com is taken", f"customer.email: {MASK} is taken"),
        ("email:mia@example.com", f"email:{MASK}"),
        ("phone +1 (415) 555-0123 again", f"phone {MASK}again"),
        (":@:mia@example.com", f":@:{MASK}"),
        ("12345678 is an order", "12345678 is an order"),
    ],
)
def test_addresses_and_numbers_are_masked(reason: str, shown: str) -> None:
    assert without_personal_data(reason) == shown


@given(st.lists(WORDS, max_size=12).map("".join))
@settings(max_examples=500)
@example("mia4155550123 @mia")
def test_every_address_that_the_slow_pattern_finds_is_masked(reason: str) -> None:
    shown = without_personal_data(reason)

    assert not any(map(AS_ONE_PATTERN.search, shown.split(MASK)))


class Lambda:
    """An invocation whose records take time."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)


class Worker:
    """Handles records; some fail."""

    def __init__(self, context: Lambda | None = None, takes: float = 0) -> None:
        self.dead_letters, self.queues = DeadLetters(), ConsumedQueues()
        self.failing: dict[str, BaseException] = {}
        self.handled: list[str] = []
        self.context, self.takes = context, takes

    def __call__(self, *records: dict[str, Any], queue: str = "events.fifo") -> list[str]:
        """The ids of the records that are delivered again."""
        consumer = Consumer(
            function="process_event", queue="events", dead_letters=self.dead_letters, put_off=self.queues.put_off
        )
        arn = f"arn:aws:sqs:us-east-1:123456789012:{queue}"
        event = {"Records": [{**record, "eventSourceARN": arn} for record in records]}
        answer = consume(event, self.context, self._handle, consumer)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def _handle(self, record: SQSRecord) -> None:
        if self.context:
            self.context.left -= self.takes
        if record.message_id in self.failing:
            raise self.failing[record.message_id]
        self.handled.append(record.message_id)


def record(id_: str, group: str = "", receives: int = 1, age: timedelta = timedelta()) -> dict[str, Any]:
    sent = int((datetime.now(UTC) - age).timestamp() * 1000)
    attributes = {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(sent)}
    attributes |= {"MessageGroupId": group} if group else {}
    return {"messageId": id_, "receiptHandle": f"r-{id_}", "body": "{}", "attributes": attributes}


BUSY = ServiceBusyError("dynamodb is busy: ThrottlingException")
WRONG = InvalidEventError(["customer.email: not an address"])


@pytest.fixture(autouse=True)
def no_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")


def test_what_time_may_mend_waits_and_what_is_behind_it_waits_as_long_in_its_order() -> None:
    worker = Worker()
    worker.failing = {"1": BUSY}

    again = worker(record("1", "ada"), record("2", "bob"), record("3", "ada"), record("4", "ada"))

    assert again == ["1", "3", "4"]
    assert worker.handled == ["2"]
    assert list(worker.queues.waits) == ["r-1", "r-3", "r-4"]
    assert len(set(worker.queues.waits.values())) == 1
    assert worker.dead_letters == []


@pytest.mark.parametrize("error", [WRONG, KeyError("x"), OverflowError("date value out of range"), ValueError("?")])
def test_what_time_does_not_mend_is_dead_lettered_at_once_alone_and_nothing_waits_behind_it(error: Exception) -> None:
    worker = Worker()
    worker.failing = {"1": error}

    again = worker(record("1", "ada"), record("stop", "ada"))

    assert again == []
    assert worker.handled == ["stop"]
    assert len(worker.dead_letters) == 1


def test_a_dead_letter_names_stage_reason_field_and_the_command_that_brings_it_back() -> None:
    worker = Worker()
    worker.failing = {"1": WRONG}

    worker(record("1", "ada"))

    ((_, reason),) = worker.dead_letters
    assert {name: one["StringValue"] for name, one in reason.attributes().items()} == {
        "stage": "process_event of events",
        "reason": "InvalidEventError: customer.email: not an address",
        "field": "customer.email",
        "command": "cairn dlq redrive events",
    }


def test_patience_ends_after_seven_days_from_when_it_was_sent_however_often_it_was_delivered() -> None:
    worker = Worker()
    worker.failing = {"young": BUSY, "old": BUSY}

    again = worker(
        record("young", receives=900, age=PATIENCE - timedelta(minutes=1)),
        record("old", receives=2, age=PATIENCE),
        queue="wakes",
    )

    assert again == ["young"]
    ((_, reason),) = worker.dead_letters
    assert "after 7 days" in reason.text


def test_a_record_stays_in_its_queue_while_the_dead_letters_take_nothing() -> None:
    worker = Worker()
    worker.failing, worker.dead_letters.failure = {"1": WRONG}, BUSY

    assert worker(record("1", "ada")) == ["1"]


def test_what_there_is_no_time_for_is_not_begun_and_comes_again_at_once() -> None:
    worker = Worker(Lambda(30), takes=8)

    again = worker(*(record(str(number)) for number in range(10)), queue="wakes")

    assert worker.handled == ["0", "1", "2"]  # at 30, 22 and 14 seconds before the end
    assert len(again) == 7
    assert set(worker.queues.waits.values()) == {0}


def test_an_invocation_that_can_begin_nothing_waits_longer_each_time() -> None:
    """The reads before it took all of the time: AWS is slow, and a thousand deliveries would soon be spent."""
    worker = Worker(Lambda(8), takes=8)

    again = worker(record("1"), record("2", receives=900), queue="wakes")

    assert worker.handled == []
    assert again == ["1", "2"]
    assert worker.queues.waits["r-1"] >= 1
    assert worker.queues.waits["r-2"] >= LONGEST_WAIT.total_seconds() / 2


def test_records_that_were_brought_most_often_are_begun_last() -> None:
    """One of them may be what kills the process each time."""
    worker = Worker()
    worker.failing = {"killer": SystemExit()}

    with pytest.raises(SystemExit):
        worker(record("killer", receives=7), record("fresh"), record("second", receives=2), queue="wakes")

    assert worker.handled == ["fresh", "second"]


def test_events_of_a_customer_are_never_reordered() -> None:
    worker = Worker()

    worker(record("1", "ada", receives=7), record("2", "ada"))

    assert worker.handled == ["1", "2"]


@given(st.integers(1, 2000))
def test_a_wait_grows_to_fifteen_minutes_and_is_never_under_half_of_its_pause(attempt: int) -> None:
    longest = min(10 * 2 ** (attempt - 1), 900)

    assert longest / 2 <= wait_before(attempt) <= longest
