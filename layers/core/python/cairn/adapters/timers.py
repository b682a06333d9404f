"""Timers: an SQS delay for what is near, an EventBridge schedule for what is further away."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from cairn.adapters.aws import calling, code_of
from cairn.adapters.json_text import to_json
from cairn.domain.effects import WakeAt
from cairn.settings import SQS_MAX_DELAY

RETRY_WINDOW = timedelta(days=1)
"""How long Scheduler keeps trying its target, the most that it allows; after that the wake-up is a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """Implements the port Timers. A schedule is named after its effect, so that setting it twice is setting it once."""

    sqs: Any
    scheduler: Any
    queue_url: str
    queue_arn: str
    dead_letter_arn: str
    role_arn: str
    group: str

    def wake(self, customer_id: str, wake: WakeAt, now: datetime) -> None:
        body = wake_body(customer_id, wake.enrollment, wake.sequence)
        if wake.at - now < SQS_MAX_DELAY:
            delay = max(0, round_up_seconds(wake.at - now))
            with calling("sqs"):
                self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body, DelaySeconds=delay)
        else:
            self._schedule(wake.id, body, round_up_minute(wake.at))

    def _schedule(self, name: str, body: str, at: datetime) -> None:
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
                        "Arn": self.queue_arn,
                        "RoleArn": self.role_arn,
                        "Input": body,
                        "DeadLetterConfig": {"Arn": self.dead_letter_arn},
                        "RetryPolicy": {"MaximumEventAgeInSeconds": int(RETRY_WINDOW.total_seconds())},
                    },
                )
            except ClientError as error:
                if code_of(error) != "ConflictException":
                    raise


def round_up_seconds(length: timedelta) -> int:
    return -(-length // timedelta(seconds=1))


def round_up_minute(at: datetime) -> datetime:
    """The full minute that is not before `at`.

    Scheduler fires at some point within the minute named (60 s precision), and a wake-up that comes early would
    have to be set again.
    """
    at = at.astimezone(UTC)
    floor = at.replace(second=0, microsecond=0)
    return floor if floor == at else floor + timedelta(minutes=1)


def wake_body(customer_id: str, enrollment_id: str, sequence: int) -> str:
    """What a timer brings back, on the wakes queue."""
    wake = {"customer": customer_id, "enrollment": enrollment_id, "sequence": sequence}
    return to_json(wake)
