"""What each function is told by its environment: one typed object a function.

The CDK builds the environment from the same object, so a setting that is missing or misspelt fails the
type check and the synthesis, not the first customer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Self

from cairn.domain.shared.errors import MissingSettingError

PREFIX = "CAIRN_"

MAX_BODY_BYTES = 3 * 1024 * 1024
"""Largest webhook body taken: what Meta sends at most, and nobody more. API Gateway takes 10 MB, but hands a function
at most 6 MB (Lambda's synchronous payload), in which a body that is not text stands in base64, 4/3 of its length.
"""

OVERFLOW_PREFIX = "bodies/"
"""Where in the bucket the bodies lie that are too large for a queue."""

OVERFLOW_RETENTION = timedelta(days=35)
"""How long they lie there: longer than the queue (7 days) and the dead letters (14, and 14 more once redriven) keep
what points to them.
"""

SQS_MAX_DELAY = timedelta(minutes=15)
"""Longest DelaySeconds of a standard queue (SQS quota); later wake-ups are EventBridge schedules."""

MAX_RECEIVES = 5
"""Deliveries of one queue message before it is parked in the dead-letter queue."""

FUNCTION_TIMEOUT = timedelta(seconds=30)

EVENTS_VISIBILITY = 6 * FUNCTION_TIMEOUT
MESSAGES_VISIBILITY = 6 * FUNCTION_TIMEOUT
NOTICES_VISIBILITY = 6 * FUNCTION_TIMEOUT
"""Six times the function's timeout, as AWS advises for a queue that starts a function: neither a slow invocation
nor one that waits for concurrency is overtaken by its own retry.
"""

SWITCH_TTL = timedelta(seconds=30)
"""How long a sender may go by the switches it read last; half of the minute that is promised."""

SWEEP_EVERY = timedelta(minutes=5)
"""How often those are looked for who wait for something that has been resumed."""

SWEEP_TIMEOUT = timedelta(minutes=4)
"""How long one sweep may take. What it leaves, the next one does."""

TIMELINE_RETENTION = timedelta(days=400)
"""How long events and decisions are kept; a little over a year, and far above the 35 days of the dedupe window."""


LINK_VALIDITY = timedelta(days=400)
"""How long the links of a message work. CAN-SPAM asks for 30 days after sending (15 USC 7704(a)(3)(A)(ii)); people
unsubscribe from the oldest mail that they find.
"""


ERASURE_REST: timedelta = (MAX_RECEIVES + 1) * max(EVENTS_VISIBILITY, MESSAGES_VISIBILITY)
"""How long after the seal everything that was under way for a customer is over: an invocation had its timeout, a
queue's message was delivered for the last time and, if that failed, parked.
"""

ERASURE_TIMEOUT = timedelta(minutes=2)
"""Of the function that erases: it looks through every dead-letter queue."""

ERASURES_VISIBILITY = 6 * ERASURE_TIMEOUT

LETTERS_HOLD = timedelta(minutes=2)
"""How long a dead letter that is being looked at is out of sight, if nobody lets it go."""

MAX_LETTERS = 20_000
"""Dead letters of one queue that an erasure looks through; SQS hands out no more of a FIFO queue at a time (quota)."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The root: fields become `CAIRN_<FIELD>` variables."""

    stage: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read every field, or raise MissingSettingError naming all that are missing."""
        missing = [_variable(one.name) for one in fields(cls) if _variable(one.name) not in environment]
        if missing:
            raise MissingSettingError(f"set {', '.join(missing)}: {cls.__name__} cannot run without")
        return cls(**{one.name: environment[_variable(one.name)] for one in fields(cls)})

    def environment(self) -> dict[str, str]:
        """The inverse of `from_environment`."""
        return {_variable(one.name): getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, kw_only=True)
class ReceiveWebhookSettings(Settings):
    events_queue_url: str
    overflow_bucket: str
    """Takes what is too large for the events queue."""
    sources_secret_id: str
    """Secrets Manager: a JSON object of source: secret, or list of secrets while one is being rotated."""
    sources_path: str
    """The deployment's sources.toml."""


@dataclass(frozen=True, kw_only=True)
class ProcessEventSettings(Settings):
    table_name: str
    events_dead_letter_queue_url: str
    wakes_dead_letter_queue_url: str
    overflow_bucket: str
    identity_salt: str
    """Makes customer ids this deployment's own. Chosen once: another salt is another set of customers."""
    phone_region: str
    """ISO 3166 country whose national phone numbers are understood, such as US."""
    reply_languages: str
    """ISO 639-1 codes, separated by blanks: languages besides English in which STOP, HELP and START are understood."""
    journeys_path: str
    policy_path: str


@dataclass(frozen=True, kw_only=True)
class RelayEffectsSettings(Settings):
    table_name: str
    erasures_queue_url: str
    wakes_queue_url: str
    wakes_queue_arn: str
    wakes_dead_letter_queue_arn: str
    schedule_group: str
    schedule_role_arn: str
    messages_queue_url: str
    marketing_queue_url: str
    notices_queue_url: str
    effects_dead_letter_queue_url: str
    alarm_topic_arn: str
    """SNS: where people are told of what paused itself."""
    policy_path: str


@dataclass(frozen=True, kw_only=True)
class DeliverMessageSettings(Settings):
    table_name: str
    messages_queue_url: str
    """The lane of transactional messages."""
    messages_queue_arn: str
    marketing_queue_url: str
    """The lane of marketing."""
    marketing_queue_arn: str
    messages_dead_letter_queue_url: str
    """Of both lanes."""
    messages_dead_letter_queue_arn: str
    schedule_group: str
    schedule_role_arn: str
    identity_salt: str
    policy_path: str
    journeys_path: str
    links_secret_id: str
    """Secrets Manager: a JSON object with one field, `links`: what links are signed with, or a list of several."""
    public_url: str
    """Where the links of messages lead: an origin, and a path where the pages are not at its root."""
    email_sender: str
    """The From address; its domain is a verified SES identity."""
    email_configuration_set: str
    sms_sender_id: str
    """Shown as the sender where the country allows it; empty for none. SNS only."""
    sms_origination: str
    """Phone number, pool or sender id (an ARN) that End User Messaging texts from; empty to text by SNS."""
    sms_configuration_set: str
    """Of End User Messaging: it says where to report what became of a text."""
    whatsapp_phone_number_id: str
    """`phone-number-id-…` of End User Messaging Social; empty for a deployment without WhatsApp."""


@dataclass(frozen=True, kw_only=True)
class NotifySubscriberSettings(Settings):
    table_name: str
    notices_queue_url: str
    notices_queue_arn: str
    notices_dead_letter_queue_url: str
    notices_dead_letter_queue_arn: str
    schedule_group: str
    schedule_role_arn: str
    subscribers_secret_id: str
    """Secrets Manager: a JSON object of name: secret, or list of secrets while one is being rotated."""
    subscribers_reach: str
    """`public`: the Internet and nothing inside a network. `loopback`: nothing but the machine itself."""
    policy_path: str


@dataclass(frozen=True, kw_only=True)
class RecordFeedbackSettings(Settings):
    events_queue_url: str
    overflow_bucket: str
    feedback_dead_letter_queue_url: str


@dataclass(frozen=True, kw_only=True)
class SweepSettings(Settings):
    table_name: str
    wakes_queue_url: str
    messages_queue_url: str
    marketing_queue_url: str


@dataclass(frozen=True, kw_only=True)
class ServePreferencesSettings(Settings):
    table_name: str
    events_queue_url: str
    links_secret_id: str
    identity_salt: str
    policy_path: str


@dataclass(frozen=True, kw_only=True)
class ManageApiSettings(Settings):
    table_name: str
    events_queue_url: str
    messages_queue_url: str
    marketing_queue_url: str
    identity_salt: str
    phone_region: str


@dataclass(frozen=True, kw_only=True)
class EraseCustomerSettings(Settings):
    table_name: str
    identity_salt: str
    erasures_queue_url: str
    erasures_dead_letter_queue_url: str
    letters_queue_urls: str
    """Every dead-letter queue where something about a customer may lie; separated by blanks."""
    letters_wait_seconds: str
    """How long a look into one of them waits for an answer of all of SQS's servers."""
    overflow_bucket: str
    schedule_group: str


def _variable(name: str) -> str:
    return PREFIX + name.upper()
