"""The queues, and the functions that they start. A test compares this with the CDK's templates."""

from dataclasses import dataclass
from datetime import timedelta

from cairn.settings import (
    ERASURES_VISIBILITY,
    EVENTS_VISIBILITY,
    MAX_RECEIVES,
    MESSAGES_VISIBILITY,
    RESUME_EVERY,
    WEBHOOKS_VISIBILITY,
    CheckIdentityKeySettings,
    DeliverMessageSettings,
    EraseCustomerSettings,
    ImportRowsSettings,
    LogFactsSettings,
    ManageApiSettings,
    NotifySubscriberSettings,
    ProcessEventSettings,
    ReceiveWebhookSettings,
    RecordFeedbackSettings,
    RelayEffectsSettings,
    ServeConsoleSettings,
    ServeInAppSettings,
    ServePreferencesSettings,
    ServeTasksSettings,
    Settings,
    SweepSettings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    name: str
    fifo: bool = False
    visibility: timedelta = EVENTS_VISIBILITY
    max_receives: int | None = None
    dead_letter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    name: str
    settings: type[Settings]
    queues: tuple[str, ...] = ()
    stream: bool = False
    every: timedelta | None = None
    """The interval of the rule that starts it."""
    batch_size: int = 10
    """Of each of its queues."""
    stream_batch_size: int = 100


DEAD_LETTERS = "-dead-letters"
"""The end of the name of every dead-letter queue."""


def _with_dead_letters(name: str, *, visibility: timedelta, fifo: bool = False) -> tuple[Queue, Queue]:
    dead = Queue(name=f"{name}{DEAD_LETTERS}", fifo=fifo)
    alive = Queue(name=name, fifo=fifo, visibility=visibility, max_receives=MAX_RECEIVES, dead_letter=dead.name)
    return dead, alive


QUEUES = (
    *_with_dead_letters("events", visibility=EVENTS_VISIBILITY, fifo=True),
    *_with_dead_letters("wakes", visibility=EVENTS_VISIBILITY),
    *_with_dead_letters("messages", visibility=MESSAGES_VISIBILITY),
    Queue(
        name="marketing",
        visibility=MESSAGES_VISIBILITY,
        max_receives=MAX_RECEIVES,
        dead_letter="messages-dead-letters",
    ),
    *_with_dead_letters("notices", visibility=WEBHOOKS_VISIBILITY),
    *_with_dead_letters("feedback", visibility=EVENTS_VISIBILITY),
    *_with_dead_letters("erasures", visibility=ERASURES_VISIBILITY),
    *_with_dead_letters("effects", visibility=EVENTS_VISIBILITY),
    Queue(name="stream-dead-letters"),
)

FUNCTIONS = (
    Function(name="receive_webhook", settings=ReceiveWebhookSettings),
    Function(name="process_event", settings=ProcessEventSettings, queues=("events", "wakes")),
    Function(name="relay_effects", settings=RelayEffectsSettings, queues=("effects",), stream=True),
    Function(name="log_facts", settings=LogFactsSettings, stream=True, stream_batch_size=1000),
    Function(name="deliver_message", settings=DeliverMessageSettings, queues=("messages", "marketing")),
    Function(name="record_feedback", settings=RecordFeedbackSettings, queues=("feedback",)),
    Function(name="notify_subscriber", settings=NotifySubscriberSettings, queues=("notices",), batch_size=1),
    Function(name="serve_preferences", settings=ServePreferencesSettings),
    Function(name="serve_tasks", settings=ServeTasksSettings),
    Function(name="serve_in_app", settings=ServeInAppSettings),
    Function(name="sweep", settings=SweepSettings, every=RESUME_EVERY),
    Function(name="erase_customer", settings=EraseCustomerSettings, queues=("erasures",), batch_size=1),
    Function(name="manage_api", settings=ManageApiSettings),
    Function(name="serve_console", settings=ServeConsoleSettings),
    Function(name="import_rows", settings=ImportRowsSettings),
    Function(name="check_identity_key", settings=CheckIdentityKeySettings),
)


def queue_named(name: str) -> Queue:
    return next(one for one in QUEUES if one.name == name)
