"""The step `send`: send one message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

from cairn.domain.effects import SendMessage
from cairn.domain.journey.walk import Next, Walk
from cairn.domain.message.message import Review
from cairn.domain.replies.question import Question, question_from_document
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import duration

PREFERRED_HOUR = "preferred"


@dataclass(frozen=True, slots=True)
class Send:
    id: str
    next: str | None
    channels: tuple[Channel, ...]
    """In order of preference; the message uses the first one on which the customer can and may be reached."""
    template: str
    purpose: Purpose
    useful_for: timedelta | None = None
    """A message that cannot go out within this time of the step is dropped; None: it never goes stale."""
    preferred_hour: bool = False
    """Send at the customer's preferred time of day (`profile.preferred_time`)."""
    review: Review | None = None
    """A person approves it first."""
    asks: Question | None = None
    """The question in it: a reply to the message is read as the answer."""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, Any]) -> Self:
        channels = value["channel"] if isinstance(value["channel"], list) else [value["channel"]]
        useful_for, review = value.get("useful_for"), value.get("review")
        return cls(
            id_,
            after,
            tuple(Channel(one) for one in channels),
            value["template"],
            Purpose(value["purpose"]),
            useful_for=duration(useful_for) if useful_for else None,
            preferred_hour=value.get("hour") == PREFERRED_HOUR,
            review=_review(review) if review else None,
            asks=question_from_document(value.get("asks")),
        )

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        message = self.message(walk.effect_id(self.id), walk.enrollment.id, self.channels, walk.scope().zone.key)
        walk.effects.append(replace(message, values=walk.enrollment.values) if walk.enrollment.values else message)
        return self.next

    def message(self, id_: str, enrollment: str, channels: tuple[Channel, ...], time_zone: str) -> SendMessage:
        return SendMessage(id_, enrollment, self.id, channels, self.template, self.purpose, time_zone)


def _review(document: Mapping[str, Any]) -> Review:
    send_anyway = document.get("otherwise") == "send"
    return Review(document["queue"], duration(document["within"]), "send" if send_anyway else "drop")
