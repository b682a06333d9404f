"""The step `send`: send one message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

from cairn.domain.effects import SendMessage
from cairn.domain.journey.calendar import Missed
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.invite import InviteRule
from cairn.domain.journey.steps.wait import IfMissed
from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.message.message import Review
from cairn.domain.replies.question import Question, question_from_document
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import duration
from cairn.domain.shared.invites import Invite

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
    priority: int | None = None
    """Of the messages that a limit makes wait, those with the most come first; None: that of the journey's entry."""
    invite: InviteRule | None = None
    """Goes along where the message is an e-mail."""
    if_past: IfMissed = IfMissed.CONTINUE
    """Where the invite's date is past, or not there: the message goes without it or not at all, or the journey ends."""
    if_unreadable: IfMissed = IfMissed.EXIT
    """Where the invite's date is there, and nobody can say when that is."""
    asks: Question | None = None
    """The question in it: a reply to the message is read as the answer."""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, Any]) -> Self:
        channels = value["channel"] if isinstance(value["channel"], list) else [value["channel"]]
        useful_for, review, invite = value.get("useful_for"), value.get("review"), value.get("invite")
        return cls(
            id_,
            after,
            tuple(Channel(one) for one in channels),
            value["template"],
            Purpose(value["purpose"]),
            useful_for=duration(useful_for) if useful_for else None,
            preferred_hour=value.get("hour") == PREFERRED_HOUR,
            review=_review(review) if review else None,
            priority=value.get("priority"),
            invite=InviteRule.from_document(invite) if invite else None,
            if_past=IfMissed((invite or {}).get("if_past", IfMissed.CONTINUE)),
            if_unreadable=IfMissed((invite or {}).get("if_unreadable", IfMissed.EXIT)),
            asks=question_from_document(value.get("asks")),
        )

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def priority_in(self, journey: Journey) -> int:
        return journey.entry.priority if self.priority is None else self.priority

    def perform(self, walk: Walk) -> Next:
        invite = self.invite.invite(walk) if self.invite else None
        if isinstance(invite, str):
            walk.note(invite, self.id)
            unreadable = invite == "moment_unreadable"
            match self.if_unreadable if unreadable else self.if_past:
                case IfMissed.CONTINUE:
                    pass
                case IfMissed.SKIP:
                    return self.next
                case IfMissed.EXIT:
                    walk.end("moment_unreadable" if unreadable else "moment_past")
                    return Stop.HERE
        message = self.message(walk.effect_id(self.id), self.channels, walk, invite)
        walk.effects.append(replace(message, values=walk.enrollment.values) if walk.enrollment.values else message)
        return self.next

    def again(self, id_: str, channels: tuple[Channel, ...], walk: Walk) -> SendMessage:
        """The message once more, on other channels."""
        return self.message(id_, channels, walk, self.invite.invite(walk) if self.invite else None)

    def message(
        self, id_: str, channels: tuple[Channel, ...], walk: Walk, invite: Invite | Missed | None
    ) -> SendMessage:
        return SendMessage(
            id_,
            walk.enrollment.id,
            self.id,
            channels,
            self.template,
            self.purpose,
            walk.scope().zone.key,
            invite=None if isinstance(invite, str) else invite,
        )


def _review(document: Mapping[str, Any]) -> Review:
    send_anyway = document.get("otherwise") == "send"
    return Review(document["queue"], duration(document["within"]), "send" if send_anyway else "drop")
