"""SQS: wake-ups of enrollments that were resumed, and of those whose timer is gone."""

from collections.abc import Sequence
from typing import Any

from cairn.adapters.scheduler.timers import task_wake_body, wake_body
from cairn.adapters.sqs.backlog import is_behind
from cairn.adapters.sqs.batches import send_in_batches
from cairn.application.values.paused import PausedEnrollment
from cairn.application.values.waiting import StuckEnrollment, StuckTask


class WakeQueue:
    """Wakes enrollments and tasks at once."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def is_behind(self) -> bool:
        return is_behind(self._sqs, self._url)

    def wake_now(self, sleepers: Sequence[PausedEnrollment | StuckEnrollment | StuckTask]) -> None:
        entries = ({"Id": str(number), "MessageBody": _body(one)} for number, one in enumerate(sleepers))
        send_in_batches(
            self._sqs, self._url, entries, "sqs did not take every wake-up; they are sent again with the next sweep"
        )


def _body(one: PausedEnrollment | StuckEnrollment | StuckTask) -> str:
    if isinstance(one, StuckTask):
        return task_wake_body(one.customer, one.task, one.sequence)
    return wake_body(one.customer, one.enrollment, one.sequence)
