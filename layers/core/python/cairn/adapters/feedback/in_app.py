"""Reports on in-app messages, which our own functions put into the feedback queue."""

from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.feedback.event_builder import Origin, Report, build_event
from cairn.adapters.sqs.batches import send_one
from cairn.application.values.messages import InAppReport
from cairn.domain.event import MESSAGE_EVENTS, Event
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

FORM = "cairnInApp"
"""The field by which such a report is known among those of the providers."""

STATUSES = frozenset({"delivered", "opened", "clicked", "dismissed"})


class FeedbackQueue:
    """Implements the port InAppReports."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, report: InAppReport) -> None:
        document = {
            "customer": report.customer,
            "message": report.message,
            "status": report.status,
            "at": instant_to_wire(report.at),
            "link": report.link,
        }
        send_one(self._sqs, self._url, to_json({FORM: document}))


def read(report: Report, origin: Origin) -> list[Event]:
    """One event for each message and status, however often it is reported. Raises InvalidEventError."""
    said = report[FORM]
    status = str(said["status"])
    if status not in STATUSES:
        raise InvalidEventError(["an in-app message was reported to have a status that is not known here"])
    return build_event(
        MESSAGE_EVENTS + status,
        origin,
        id=(said["message"], "in_app", status),
        at=instant_from_wire(said["at"]),
        customer={"cairn_id": said["customer"]},
        properties={
            "message_id": said["message"],
            "channel": Channel.IN_APP.value,
            "link": said.get("link") if status == "clicked" else "",
        },
    )
