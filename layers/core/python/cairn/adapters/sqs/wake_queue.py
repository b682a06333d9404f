"""Wake-ups for those who waited for a resume: many at a time."""

from collections.abc import Sequence
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.scheduler.timers import wake_body
from cairn.adapters.sqs.events_queue import batches
from cairn.application.ports import PausedEnrollment
from cairn.domain.shared.errors import ServiceBusyError


class WakeQueue:
    """Wakes enrollments at once."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def wake_now(self, parked: Sequence[PausedEnrollment]) -> None:
        entries = (
            {"Id": str(number), "MessageBody": wake_body(one.customer, one.enrollment, one.sequence)}
            for number, one in enumerate(parked)
        )
        for batch in batches(entries):
            with calling("sqs"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=batch)
            if answer.get("Failed"):
                raise ServiceBusyError("sqs did not take every wake-up; they are sent again with the next sweep")
