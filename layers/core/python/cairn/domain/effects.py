"""Effects, which must be carried out after a commit, and facts, which record decisions.

`KIND` is an effect's name in the table, `NAME` its name in metrics. Both stay when a class is renamed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.identity.trust import JOURNEYS_SOURCE
from cairn.domain.people.notification import NotificationKind
from cairn.domain.people.task import Priority, TaskKind
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.invites import Invite


@dataclass(frozen=True, slots=True)
class SendMessage:
    KIND: ClassVar[Literal["send"]] = "send"
    NAME: ClassVar = "SendMessage"
    id: str
    enrollment: str
    step: str
    channels: tuple[Channel, ...]
    template: str
    purpose: Purpose
    time_zone: str = "UTC"
    """The customer's zone, for the instants in the text."""
    values: Mapping[str, Any] | None = None
    """The enrollment's values when the step was performed; later steps may change them. None: those of today."""
    version: str = ""
    """The version of the journey that decided it. Empty: that of the enrollment as the commit left it."""
    invite: Invite | None = None
    """Goes along where it is sent as an e-mail."""


@dataclass(frozen=True, slots=True)
class WakeAt:
    KIND: ClassVar[Literal["wake"]] = "wake"
    NAME: ClassVar = "WakeAt"
    id: str
    enrollment: str
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenTask:
    KIND: ClassVar[Literal["task"]] = "task"
    NAME: ClassVar = "OpenTask"
    id: str
    enrollment: str
    step: str
    queue: str
    title: str
    due_at: datetime
    context: Mapping[str, Any] = field(default_factory=dict)
    script: str = ""
    customer: str = ""
    """The id of the customer that the task is about, where that is not the customer of the commit."""
    kind: TaskKind = TaskKind.TODO
    priority: Priority = Priority.NORMAL
    due: timedelta | None = None
    """The time allowed, in the queue's working hours; None: that of the queue. Where people.toml has no such queue,
    `due_at` counts."""
    reason: str = ""
    """Of two tasks with one reason about one customer, the second is not opened while the first is open."""
    skills: tuple[str, ...] = ()
    member: str = ""
    """The id of the only member who may have it."""
    time_zone: str = ""
    """That of its journey, for a customer whose own is not known; empty: UTC."""


@dataclass(frozen=True, slots=True)
class WithdrawTasks:
    """What an enrollment has asked of people makes no sense any more."""

    KIND: ClassVar[Literal["withdraw"]] = "withdraw"
    NAME: ClassVar = "WithdrawTasks"
    id: str
    enrollment: str
    because: str
    at: datetime
    step: str = ""
    """That of one step; empty: of all."""


@dataclass(frozen=True, slots=True)
class WakeTask:
    """Set a task's timer. A timer with an old number is stale."""

    KIND: ClassVar[Literal["wake_task"]] = "wake_task"
    NAME: ClassVar = "WakeTask"
    id: str
    task: str
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class NotifyMember:
    """A member is to hear of a task."""

    KIND: ClassVar[Literal["notify"]] = "notify"
    NAME: ClassVar = "NotifyMember"
    id: str
    kind: NotificationKind
    member: str
    task: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """An event of this or another customer, which a journey or a person's work says has happened."""

    KIND: ClassVar[Literal["emit"]] = "emit"
    NAME: ClassVar = "EmitEvent"
    id: str
    enrollment: str
    event: str
    """Its type."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    customer: Mapping[str, str] = field(default_factory=dict)
    """The names of another customer: `user_id`, `email`, `phone`; empty: the customer of the commit."""
    only_to: Mapping[Channel, str] | None = None
    """The only addresses that what it starts may write to, where a visitor typed them; None: the customer's own."""
    source: str = JOURNEYS_SOURCE
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What it says about the customer."""
    asks_consent: Mapping[Channel, Purpose] = field(default_factory=dict)
    """What the customer is asked to consent to: a YES on that channel grants it."""


ANSWERED, REFUSED = "webhook.answered", "webhook.refused"
"""Events of Cairn's own: the endpoint took the webhook of a step, or was tried in vain."""


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Post something to a webhook endpoint, whose answer a step waits for."""

    KIND: ClassVar[Literal["call"]] = "call"
    NAME: ClassVar = "CallWebhook"
    id: str
    enrollment: str
    step: str
    endpoint: str
    type: str
    until: datetime
    """It is tried until then."""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CloseTask:
    """Something else has decided what a task asks. A task that a person has done stays as it is."""

    KIND: ClassVar[Literal["close"]] = "close"
    NAME: ClassVar = "CloseTask"
    id: str
    task: str
    outcome: str
    by: str
    """The source or the actor of the decision."""
    at: datetime


@dataclass(frozen=True, slots=True)
class UpdateMessageStatus:
    """A provider has reported a message's status, which only moves forward."""

    KIND: ClassVar[Literal["move"]] = "move"
    NAME: ClassVar = "MoveMessage"
    id: str
    message: str
    status: str
    at: datetime
    counts: bool = True
    """Whether the breaker counts it."""


@dataclass(frozen=True, slots=True)
class AbsorbHistory:
    """Two profiles were merged: the other one's history moves to this customer's partition."""

    KIND: ClassVar[Literal["absorb"]] = "absorb"
    NAME: ClassVar = "AbsorbHistory"
    id: str
    merged: str


@dataclass(frozen=True, slots=True)
class AnswerKeyword:
    """Send the one answer that the law requires to a STOP, HELP or START (CTIA Messaging Principles, 5.1)."""

    KIND: ClassVar[Literal["answer"]] = "answer"
    NAME: ClassVar = "AnswerKeyword"
    id: str
    keyword: str
    channel: Channel
    address: str
    at: datetime
    """When the customer wrote; the answer is due within minutes."""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class RecordConsent:
    """Consent or a suppression has changed: store it permanently, and send it to the webhook endpoints."""

    KIND: ClassVar[Literal["record"]] = "record"
    NAME: ClassVar = "RecordConsent"
    id: str
    source: str
    """The source that reported it; its own endpoint gets no delivery."""
    changes: tuple[ConsentChange, ...] = ()
    suppression_changes: tuple[SuppressionChange, ...] = ()


@dataclass(frozen=True, slots=True)
class PauseEnrollment:
    """A timer fired while its journey was paused; resuming the journey wakes the enrollment again."""

    KIND: ClassVar[Literal["park"]] = "park"
    NAME: ClassVar = "ParkEnrollment"
    id: str
    enrollment: str
    sequence: int
    target: str


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """An order to erase the customer (GDPR Art. 17)."""

    KIND: ClassVar[Literal["erase"]] = "erase"
    NAME: ClassVar = "EraseCustomer"
    id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EraseRecord:
    """An order to erase what one source reported about the customer, who stays."""

    KIND: ClassVar[Literal["erase_record"]] = "erase_record"
    NAME: ClassVar = "EraseRecord"
    id: str
    by: str
    at: datetime
    source: str
    ids: tuple[str, ...]
    """The ids of the record, as keys of identifiers."""


AUDIENCE_JOINED, AUDIENCE_LEFT = "audience.joined", "audience.left"
"""Events of Cairn's own, with the name of the `audience`."""

BROADCAST_STARTED = "broadcast.started"
"""Likewise, of each member of a broadcast's audience: the `broadcast`, its `journey`, and `at`, when it goes out."""


@dataclass(frozen=True, slots=True)
class JoinAudience:
    """The customer is a member of an audience from now on, or stands elsewhere in its order."""

    KIND: ClassVar[Literal["join"]] = "join"
    NAME: ClassVar = "JoinAudience"
    id: str
    audience: str
    version: str
    shard: int = 0
    partition: str = ""
    sort: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class LeaveAudience:
    KIND: ClassVar[Literal["leave"]] = "leave"
    NAME: ClassVar = "LeaveAudience"
    id: str
    audience: str
    version: str


@dataclass(frozen=True, slots=True)
class ContinueBroadcast:
    """The next page of a broadcast is due; of an old version it is stale. It is about no customer."""

    KIND: ClassVar[Literal["page"]] = "page"
    NAME: ClassVar = "ContinueBroadcast"
    id: str
    broadcast: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Announce:
    """Other systems are to hear of what happened here; it is about no customer's state, and has ids only."""

    KIND: ClassVar[Literal["announce"]] = "announce"
    NAME: ClassVar = "Announce"
    id: str
    """The `webhook-id`."""
    type: AnnouncedType
    at: datetime
    data: Mapping[str, Any]


Effect = (
    SendMessage
    | WakeAt
    | OpenTask
    | WithdrawTasks
    | WakeTask
    | NotifyMember
    | EmitEvent
    | CallWebhook
    | CloseTask
    | UpdateMessageStatus
    | AbsorbHistory
    | AnswerKeyword
    | RecordConsent
    | PauseEnrollment
    | EraseCustomer
    | EraseRecord
    | JoinAudience
    | LeaveAudience
    | ContinueBroadcast
    | Announce
)

EffectKind = Literal[
    "send",
    "wake",
    "task",
    "withdraw",
    "wake_task",
    "notify",
    "emit",
    "call",
    "close",
    "move",
    "absorb",
    "answer",
    "record",
    "park",
    "erase",
    "erase_record",
    "join",
    "leave",
    "page",
    "announce",
]
"""The name of an effect in the table and in the queues: its `KIND`."""


def effect_id(enrollment: str, step: str, attempt: int) -> str:
    """The name of the schedule, the key of the message, and the key that deduplicates the effect.

    At most 64 characters of `[a-z0-9-]`, the limit of an EventBridge Scheduler name.
    """
    return f"{enrollment}-{step}-{attempt}"


def split_effect_id(effect: str) -> tuple[str, str, str]:
    """Enrollment, step and attempt of an effect's id; three empty texts for any other id."""
    enrollment, _, rest = effect.partition("-")
    step, _, attempt = rest.rpartition("-")
    return (enrollment, step, attempt) if step else ("", "", "")


FactKind = Literal[
    "answered",
    "branched",
    "called",
    "classified",
    "done",
    "dropped",
    "emitted",
    "ended",
    "entered",
    "fell_back",
    "goal_reached",
    "happened",
    "held_out",
    "merged",
    "migrated",
    "misfired",
    "moment_past",
    "moment_unknown",
    "moment_unreadable",
    "not_carried_out",
    "not_counted",
    "not_emitted",
    "not_entered",
    "not_opened",
    "not_staged",
    "passed_over",
    "paused",
    "record_erased",
    "refreshed",
    "refused",
    "resent",
    "resumed",
    "set",
    "slowed",
    "split",
    "staged",
    "stopped",
    "timed_out",
    "updated",
    "waiting",
    "withdrawn",
]
"""`kind` of a line in the timeline, as published in `replay --json`."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A decision in the customer's timeline: `kind` says what was decided, `detail` why."""

    kind: FactKind
    enrollment: str = ""
    journey: str = ""
    step: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
