"""What must happen because an enrollment moved (effects, imperative) and what was decided (facts, past tense)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.shared.channels import Channel, Purpose


@dataclass(frozen=True, slots=True)
class SendMessage:
    NAME: ClassVar = "SendMessage"
    id: str
    enrollment: str
    step: str
    channels: tuple[Channel, ...]
    template: str
    purpose: Purpose
    time_zone: str = "UTC"
    """Where the customer is, for the instants that the message names."""


@dataclass(frozen=True, slots=True)
class WakeAt:
    NAME: ClassVar = "WakeAt"
    id: str
    enrollment: str
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenTask:
    NAME: ClassVar = "OpenTask"
    id: str
    enrollment: str
    step: str
    queue: str
    title: str
    due_at: datetime
    context: Mapping[str, Any] = field(default_factory=dict)
    script: str = ""


@dataclass(frozen=True, slots=True)
class UpdateMessageStatus:
    """A provider told what became of a message; its status only moves forward."""

    NAME: ClassVar = "MoveMessage"
    id: str
    message: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AbsorbHistory:
    """Two profiles are one: what was recorded of the other moves to this customer's partition."""

    NAME: ClassVar = "AbsorbHistory"
    id: str
    merged: str


@dataclass(frozen=True, slots=True)
class AnswerKeyword:
    """Say once what the law wants said to a STOP, HELP or START (CTIA Messaging Principles, 5.1)."""

    NAME: ClassVar = "AnswerKeyword"
    id: str
    keyword: str
    channel: Channel
    address: str
    at: datetime
    """When it was said; there are minutes to answer it in."""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class RecordConsent:
    """Whether the customer may be written to has changed: it is recorded for good, and other systems are told."""

    NAME: ClassVar = "RecordConsent"
    id: str
    source: str
    """Who said so, and need not be told."""
    changes: tuple[ConsentChange, ...] = ()
    suppression_changes: tuple[SuppressionChange, ...] = ()


@dataclass(frozen=True, slots=True)
class PauseEnrollment:
    """A timer came while its journey was paused; whoever resumes the journey wakes the enrollment again."""

    NAME: ClassVar = "ParkEnrollment"
    id: str
    enrollment: str
    sequence: int
    target: str


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """The customer is to be forgotten (GDPR Art. 17)."""

    NAME: ClassVar = "EraseCustomer"
    id: str
    by: str
    at: datetime


Effect = (
    SendMessage
    | WakeAt
    | OpenTask
    | UpdateMessageStatus
    | AbsorbHistory
    | AnswerKeyword
    | RecordConsent
    | PauseEnrollment
    | EraseCustomer
)


def effect_id(enrollment: str, step: str, attempt: int) -> str:
    """The schedule's name, the message's key and the dedupe key: doing an effect twice is doing it once.

    At most 64 characters of `[a-z0-9-]`, the limit of an EventBridge Scheduler name.
    """
    return f"{enrollment}-{step}-{attempt}"


def split_effect_id(effect: str) -> tuple[str, str, str]:
    """Enrollment, step and attempt of an effect's id; empty texts for what is no such id."""
    enrollment, _, rest = effect.partition("-")
    step, _, attempt = rest.rpartition("-")
    return (enrollment, step, attempt) if step else ("", "", "")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the customer's timeline: `kind` says what was decided, `detail` why."""

    kind: str
    enrollment: str = ""
    journey: str = ""
    step: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
