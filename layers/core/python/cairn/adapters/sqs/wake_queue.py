"""SQS: wake-ups of resumed enrollments."""

from collections.abc import Sequence
from typing import Any

from cairn.adapters.scheduler.timers import wake_body
from cairn.adapters.sqs.batches import send_in_batches
from cairn.application.ports import PausedEnrollment


class WakeQueue:
    """Wakes enrollments at once."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def wake_now(self, paused: Sequence[PausedEnrollment]) -> None:
        entries = (
            {"Id": str(number), "MessageBody": wake_body(one.customer, one.enrollment, one.sequence)}
            for number, one in enumerate(paused)
        )
        send_in_batches(
            self._sqs, self._url, entries, "sqs did not take every wake-up; they are sent again with the next sweep"
        )
