"""SQS: notifications of members about their tasks, on the queue of webhook deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.scheduler.timers import TimerService, TimerTarget
from cairn.adapters.sqs.batches import send_in_batches
from cairn.domain.people.notification import MemberNotification, NotificationKind
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

Wire = dict[str, Any]

MEMBER = "member"
"""The field that only a notification has."""


class NotificationQueue:
    """Implements the port MemberNotifications. The notifications of one member form a message group."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, notifications: Sequence[MemberNotification]) -> None:
        entries = (
            {"Id": str(number), "MessageBody": to_json(notification_to_wire(one)), "MessageGroupId": one.member}
            for number, one in enumerate(notifications)
        )
        send_in_batches(self._sqs, self._url, entries, "sqs did not take every notification of a member")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsLater:
    """Queues what is not to be sent now, such as at night."""

    clock: TimerService
    target: TimerTarget

    def queue_at(self, one: MemberNotification, at: datetime, now: datetime) -> None:
        name = f"notified-{short_hash(one.id, one.member, instant_to_wire(at))}"
        self.clock.set(self.target, name, to_json(notification_to_wire(one)), at, now)


def notification_to_wire(one: MemberNotification) -> Wire:
    about = {"task": one.task, "customer": one.customer, "at": instant_to_wire(one.at)}
    return {"id": one.id, "kind": one.kind.value, MEMBER: one.member, **about}


def notification_from_wire(wire: Wire) -> MemberNotification:
    kind, at = NotificationKind(wire["kind"]), instant_from_wire(wire["at"])
    return MemberNotification(wire["id"], kind, wire[MEMBER], wire["task"], wire["customer"], at)
