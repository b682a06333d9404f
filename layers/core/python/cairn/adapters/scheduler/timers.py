"""Timers: an SQS delay for the next minutes, an EventBridge schedule for later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from cairn.adapters.aws import calling, code_of
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.sqs.batches import send_each
from cairn.domain.effects import WakeAt, WakeTask
from cairn.domain.message.message import Message
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import OutOfTimeError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire
from cairn.settings import SQS_MAX_DELAY

RETRY_WINDOW = timedelta(days=1)
"""How long Scheduler retries its target (its maximum); then the wake-up becomes a dead letter."""


HORIZON = timedelta(days=5 * 365)
"""The furthest instant of a schedule. An enrollment that waits longer is woken then, finds that its time has not come,
and sets the next timer: so a date that means "never", such as the last day of the year 9999, is a wait like any other.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerTarget:
    """A queue that timers send to, and the dead-letter queue for what it refuses."""

    url: str
    arn: str
    dead_letter_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerService:
    """Sends a body to a queue at an instant. A schedule has a unique name, so setting it twice has one effect."""

    sqs: Any
    scheduler: Any
    role_arn: str
    group: str

    def set(self, target: TimerTarget, name: str, body: str, at: datetime, now: datetime) -> None:
        if at - now < SQS_MAX_DELAY:
            with calling("sqs"):
                self.sqs.send_message(QueueUrl=target.url, MessageBody=body, DelaySeconds=delay_seconds(at, now))
        else:
            self._schedule(target, name, body, round_up_minute(min(at, now + HORIZON)))

    def _schedule(self, target: TimerTarget, name: str, body: str, at: datetime) -> None:
        with calling("scheduler"):
            try:
                self.scheduler.create_schedule(
                    Name=name,
                    GroupName=self.group,
                    ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
                    ScheduleExpressionTimezone="UTC",
                    FlexibleTimeWindow={"Mode": "OFF"},
                    ActionAfterCompletion="DELETE",
                    Target={
                        "Arn": target.arn,
                        "RoleArn": self.role_arn,
                        "Input": body,
                        "DeadLetterConfig": {"Arn": target.dead_letter_arn},
                        "RetryPolicy": {"MaximumEventAgeInSeconds": int(RETRY_WINDOW.total_seconds())},
                    },
                )
            except ClientError as error:
                if code_of(error) != "ConflictException":
                    raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """Implements the port Timers. A schedule is named after its effect."""

    clock: TimerService
    wakes: TimerTarget

    def wake_each(
        self, wakes: Sequence[tuple[str, WakeAt]], now: datetime, has_time: Callable[[], bool]
    ) -> dict[int, Exception]:
        """Those of the next minutes go in batches; a schedule takes a call of its own."""
        soon, failed = [], dict[int, Exception]()
        for number, (customer, wake) in enumerate(wakes):
            body = wake_body(customer, wake.enrollment, wake.sequence)
            if wake.at - now < SQS_MAX_DELAY:
                soon.append({"Id": str(number), "MessageBody": body, "DelaySeconds": delay_seconds(wake.at, now)})
                continue
            try:
                if not has_time():
                    raise OutOfTimeError("the invocation ends soon")  # noqa: TRY301  as any other failure
                self.clock.set(self.wakes, wake.id, body, wake.at, now)
            except Exception as error:  # noqa: BLE001  the caller decides what becomes of it
                failed[number] = error
        return failed | {int(id_): error for id_, error in send_each(self.clock.sqs, self.wakes.url, soon).items()}

    def wake_task(self, customer_id: str, wake: WakeTask, now: datetime) -> None:
        """Implements the port TaskTimers."""
        body = task_wake_body(customer_id, wake.task, wake.sequence)
        self.clock.set(self.wakes, task_schedule(wake.id), body, wake.at, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferredMessages:
    """Implements the port DeferredMessages. The message stays in the table; the timer carries its key."""

    clock: TimerService
    lanes: Mapping[Purpose, TimerTarget]

    def schedule(self, message: Message, at: datetime, now: datetime) -> None:
        body = deferred_message_body(message.customer, message.id)
        self.clock.set(self.lanes[message.purpose], deferral_schedule(message.id, at), body, at, now)


def deferral_schedule(message_id: str, at: datetime) -> str:
    """The name of the schedule that brings a deferred message back at an instant."""
    return short_hash("held", message_id, instant_to_wire(round_up_minute(at)), length=32)


def delay_seconds(at: datetime, now: datetime) -> int:
    return max(0, round_up_seconds(at - now))


def round_up_seconds(length: timedelta) -> int:
    return -(-length // timedelta(seconds=1))


def round_up_minute(at: datetime) -> datetime:
    """The full minute that is not before `at`.

    Scheduler fires at some time within the minute (60 s precision), and an early wake-up would have to be set again.
    """
    at = at.astimezone(UTC)
    floor = at.replace(second=0, microsecond=0)
    return floor if floor == at else floor + timedelta(minutes=1)


def wake_body(customer_id: str, enrollment_id: str, sequence: int) -> str:
    """The content of a wake-up, on the queue of wake-ups."""
    wake = {"customer": customer_id, "enrollment": enrollment_id, "sequence": sequence}
    return to_json(wake)


def task_schedule(effect_id: str) -> str:
    """The name of the schedule of a task's timer."""
    return short_hash("task", effect_id, length=32)


def task_schedules(task_id: str, sequence: int) -> list[str]:
    """The names of all schedules that a task has ever had: of each sequence, a reminder and the end of its time."""
    return [task_schedule(f"{task_id}-{number}w{nth}") for number in range(1, sequence + 1) for nth in (0, 1)]


def task_wake_body(customer_id: str, task_id: str, sequence: int) -> str:
    """The content of a task's wake-up, on the same queue."""
    return to_json({"customer": customer_id, "task": task_id, "sequence": sequence})


def deferred_message_body(customer_id: str, message_id: str) -> str:
    """The key of a deferred message, on the queues of messages."""
    return to_json({"customer": customer_id, "held": message_id})
