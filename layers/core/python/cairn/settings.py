"""The settings of each function, from its environment: one typed object per function.

The CDK builds the environment from the same object, so a missing or misspelt setting fails the type check and the
synthesis.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Self

from cairn.domain.shared.errors import MissingSettingError

PREFIX = "CAIRN_"

MAX_BODY_BYTES = 3 * 1024 * 1024
"""Largest accepted webhook body: Meta sends up to this, other vendors less. API Gateway accepts 10 MB, but passes at
most 6 MB to a function (Lambda's synchronous payload), where a binary body is base64, 4/3 of its length.
"""

OVERFLOW_PREFIX = "bodies/"
"""Prefix in the bucket of bodies that are too large for a queue."""

OVERFLOW_RETENTION = timedelta(days=45)
"""Their retention: longer than messages and dead letters keep a pointer to them. A message waits for a week at most
(PATIENCE), its dead letter lies there for two; once redriven, it may wait and lie there as long again.
"""

IMPORTS_PREFIX = "imports/"
"""Prefix in the same bucket of the rows of imports, and of what became of them."""

EXPORTS_PREFIX = "exports/"
"""Prefix of exports of the table."""

IMPORTS_RETENTION = timedelta(days=14)
"""Their retention, and that of exports: an import that failed can be continued for as long (Step Functions' redrive,
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html).
"""

IMPORT_TIMEOUT = timedelta(minutes=2)
"""Timeout of import_rows, for a batch of IMPORT_BATCH rows: the usual one takes two seconds."""

IMPORT_BATCH = 100
"""Rows of one batch. Its answer, with every row refused, is a tenth of what Step Functions passes on (256 KiB)."""

SQS_MAX_DELAY = timedelta(minutes=15)
"""Longest DelaySeconds of a standard queue (SQS quota); later wake-ups are EventBridge schedules."""

PATIENCE = timedelta(days=7)
"""How long a queue's message waits for trouble that time mends, from when it was sent; then it becomes a dead letter.
Long enough for an outage over a long weekend, and half of what SQS can keep it.
"""

QUEUE_RETENTION = timedelta(days=14)
"""How long SQS keeps a message (SQS quota): twice PATIENCE, so that a message waits through a stop of its function
without being lost, and still has its whole patience.
"""

DEAD_LETTER_RETENTION = timedelta(days=14)
"""The same maximum."""

MAX_RECEIVES = 1000
"""Deliveries of one queue message before SQS itself makes it a dead letter: its maximum. Not a matter of patience: it
is for a message that kills the process each time, whose failure nobody can report. Waiting out PATIENCE takes fewer
(sqs_records.LONGEST_WAIT).
"""

FUNCTION_TIMEOUT = timedelta(seconds=30)

RECORD_TIME = timedelta(seconds=10)
"""The time that must be left of an invocation to begin another record: it is enough for the few calls of a record, one
of which gets no answer once (7 seconds) and is then repeated, or is throttled to the end (adapters/backoff). A record
that is not begun is delivered again at once; where none could be begun, after a pause.
"""

SEND_TIME = timedelta(seconds=20)
"""The time that must be left to begin a message: 12 seconds for the provider, the longest that its client waits
(adapters/aws), and 8 for reading, claiming and recording. So no process ends while a provider is sending.
"""

EVENTS_VISIBILITY = 6 * FUNCTION_TIMEOUT
MESSAGES_VISIBILITY = 6 * FUNCTION_TIMEOUT
WEBHOOKS_VISIBILITY = 6 * FUNCTION_TIMEOUT
"""Six times the function's timeout, as AWS advises for a queue that starts a function: so no retry starts while an
invocation is slow or waits for concurrency.
"""

SWITCH_TTL = timedelta(seconds=30)
"""How long a sender may cache the switches; half of the promised minute."""

RESUME_EVERY = timedelta(minutes=5)
"""How often `sweep` looks for paused work of resumed targets, and for what is stuck."""

RESUME_TIMEOUT = timedelta(minutes=4)
"""Timeout of one run. The next run continues."""

LATE = timedelta(minutes=10)
"""The age of work above which people are called: longer than a short trouble with its retries takes."""

LATE_ERASURE = timedelta(hours=1)
"""The same of an erasure order, which waits on purpose until all work for the customer has ended."""

LATE_MARKETING = timedelta(hours=1)
"""The same of marketing messages: a broadcast needs its time, and a message that fails is called for after LATE."""

TIMELINE_RETENTION = timedelta(days=400)
"""How long events and decisions are kept; a little over a year, and far above the 35 days of the dedupe window."""


LONG_FACTS_RETENTION = timedelta(days=800)
"""How long the log stores the facts from which effects are counted: two years and the window of a goal."""

SHORT_FACTS_RETENTION = timedelta(days=100)
"""The same of facts that explain the present: waits, branches, events."""


LINK_VALIDITY = timedelta(days=400)
"""How long the links of a message work. CAN-SPAM asks for 30 days after sending (15 USC 7704(a)(3)(A)(ii)), but people
unsubscribe from old mails too.
"""


ERASURE_REST = timedelta(minutes=18)
"""The time after an erasure order by which every invocation that began before it has ended: several times the longest
one that reads a customer and writes later (RESUME_TIMEOUT). What began after the order sees the tombstone and
does nothing. So does a message that waits in a queue, however late it comes: an outage lets it wait for a week.
"""

ERASURE_TIMEOUT = timedelta(minutes=2)
"""Timeout of erase_customer, which searches every dead-letter queue."""

ERASURES_VISIBILITY = 6 * ERASURE_TIMEOUT

DEAD_LETTER_READ_TIME = timedelta(minutes=2)
"""How long a dead letter is invisible to others while it is read."""

MAX_DEAD_LETTERS = 20_000
"""Dead letters of one queue that an erasure reads; the SQS quota of in-flight messages of a FIFO queue."""


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
    table_name: str
    """For the counts of what reaches no customer, and nothing else."""
    events_queue_url: str
    overflow_bucket: str
    """For bodies that are too large for the events queue."""
    identity_secret_id: str
    stage_secret_id: str
    """Secrets Manager: the stage's secret, whose part of the sources is read (adapters/secrets_manager.Part)."""
    sources_path: str
    """The deployment's sources.toml."""


@dataclass(frozen=True, kw_only=True)
class ProcessEventSettings(Settings):
    table_name: str
    events_dead_letter_queue_url: str
    wakes_dead_letter_queue_url: str
    overflow_bucket: str
    identity_secret_id: str
    """Secrets Manager: a JSON object with the field `key`, the identity key (domain/identity/identity_key)."""
    identity_fingerprint: str
    """Of the identity key that made the customer ids. A function does not start with another one."""
    phone_region: str
    """ISO 3166 country of phone numbers without a country code, such as US; empty: such a number is none."""
    reply_languages: str
    """ISO 639-1 codes, separated by blanks: languages besides English in which STOP, HELP and START are understood."""
    bedrock_model: str
    """The model of Amazon Bedrock, or its inference profile, that reads what no rule reads; empty: none is asked."""
    journeys_path: str
    policy_path: str
    notices_queue_url: str
    """For notifications of members."""
    people_path: str


@dataclass(frozen=True, kw_only=True)
class RelayEffectsSettings(Settings):
    table_name: str
    events_queue_url: str
    erasures_queue_url: str
    effects_queue_url: str
    """For effects that wait until AWS can carry them out."""
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
    """SNS topic of alerts when the breaker pauses something."""
    policy_path: str
    people_path: str


@dataclass(frozen=True, kw_only=True)
class DeliverMessageSettings(Settings):
    table_name: str
    messages_queue_url: str
    """For transactional messages."""
    messages_queue_arn: str
    marketing_queue_url: str
    """For marketing messages."""
    marketing_queue_arn: str
    messages_dead_letter_queue_url: str
    """Of both queues."""
    messages_dead_letter_queue_arn: str
    schedule_group: str
    schedule_role_arn: str
    identity_secret_id: str
    identity_fingerprint: str
    policy_path: str
    journeys_path: str
    stage_secret_id: str
    """Its part of the links is read: a JSON object with a field `links`, the key that signs, or a list of keys."""
    public_url: str
    """The base URL of links in messages: an origin, with a path where the pages are not at its root."""
    email_sender: str
    """The From address; its domain is a verified SES identity."""
    email_configuration_set: str
    sms_sender_id: str
    """Shown as the sender where the country allows it; empty for none. SNS only."""
    sms_origination: str
    """Phone number, pool or sender id (an ARN) that End User Messaging texts from; empty to text by SNS."""
    sms_configuration_set: str
    """Of End User Messaging: it names the destination of delivery reports."""
    whatsapp_phone_number_id: str
    """`phone-number-id-…` of End User Messaging Social; empty for a deployment without WhatsApp."""
    whatsapp_api_version: str
    """The version of Meta's API that messages are written for, such as v25.0."""
    feedback_queue_url: str
    """For the reports that in-app messages have arrived."""


@dataclass(frozen=True, kw_only=True)
class ServeInAppSettings(Settings):
    table_name: str
    feedback_queue_url: str
    """For what readers do."""
    stage_secret_id: str
    """Its part of the links is read."""
    in_app_origins: str
    """The origins whose pages may call it, separated by blanks."""


@dataclass(frozen=True, kw_only=True)
class NotifySubscriberSettings(Settings):
    table_name: str
    events_queue_url: str
    notices_queue_url: str
    notices_queue_arn: str
    notices_dead_letter_queue_url: str
    notices_dead_letter_queue_arn: str
    schedule_group: str
    schedule_role_arn: str
    stage_secret_id: str
    """Its part of the webhook endpoints is read."""
    subscribers_reach: str
    """Allowed addresses. `public`: the Internet, no private network. `loopback`: this machine only."""
    public_url: str
    """The origin of the links to tasks."""
    email_sender: str
    sms_sender_id: str
    sms_origination: str
    """As those of deliver_message: for notifications of members."""
    policy_path: str
    people_path: str


@dataclass(frozen=True, kw_only=True)
class RecordFeedbackSettings(Settings):
    table_name: str
    events_queue_url: str
    overflow_bucket: str
    identity_secret_id: str
    feedback_queue_url: str
    """For reports from logs, which start the function without a queue."""
    feedback_dead_letter_queue_url: str
    status_reports_heard: str
    """The types of status reports that a deployed journey may hear, separated by blanks."""


@dataclass(frozen=True, kw_only=True)
class LogFactsSettings(Settings):
    table_name: str
    long_stream: str
    """The name of the Firehose stream of the facts that are stored for long."""
    short_stream: str


@dataclass(frozen=True, kw_only=True)
class SweepSettings(Settings):
    table_name: str
    wakes_queue_url: str
    messages_queue_url: str
    marketing_queue_url: str
    erasures_queue_url: str
    work_queue_urls: str
    """Every queue that starts a function, as `queues_to_text` writes them."""
    dead_letter_queue_urls: str
    """Every dead-letter queue, likewise; each has the name that `cairn dlq` knows it by."""
    journeys_path: str
    people_path: str


@dataclass(frozen=True, kw_only=True)
class ServePreferencesSettings(Settings):
    table_name: str
    events_queue_url: str
    stage_secret_id: str
    identity_secret_id: str
    identity_fingerprint: str
    policy_path: str


@dataclass(frozen=True, kw_only=True)
class ServeTasksSettings(Settings):
    table_name: str
    stage_secret_id: str
    """Its part of the links is read."""
    identity_secret_id: str
    identity_fingerprint: str
    policy_path: str
    people_path: str
    """The compiled call scripts lie beside it."""


@dataclass(frozen=True, kw_only=True)
class ManageApiSettings(Settings):
    table_name: str
    stage_secret_id: str
    """Its part of the links is read."""
    work_queue_urls: str
    """Every queue that starts a function, as `queues_to_text` writes them: dead letters go back there."""
    dead_letter_queue_urls: str
    """Every dead-letter queue, likewise; each has the name that `cairn dlq` knows it by."""
    letters_wait_seconds: str
    """Long-polling wait of each read of dead letters: it asks all of SQS's servers."""
    facts_workgroup: str
    """Athena's, for the log of facts."""
    facts_database: str
    events_queue_url: str
    messages_queue_url: str
    marketing_queue_url: str
    identity_secret_id: str
    identity_fingerprint: str
    phone_region: str
    journeys_path: str
    """For the targets that can be stopped and paused."""
    people_path: str
    policy_path: str


@dataclass(frozen=True, kw_only=True)
class ServeConsoleSettings(ManageApiSettings):
    """It carries out the same commands as manage_api, in its own process."""

    console_issuer: str
    """Of OpenID Connect: an https address, or a path below our own origin, which a laptop alone has."""
    console_client_id: str
    console_roles_claim: str
    """Of the id token: a list of roles, such as Cognito's groups."""


@dataclass(frozen=True, kw_only=True)
class EraseCustomerSettings(Settings):
    table_name: str
    identity_secret_id: str
    identity_fingerprint: str
    erasures_queue_url: str
    erasures_dead_letter_queue_url: str
    letters_queue_urls: str
    """URLs of all dead-letter queues that may hold customer data, separated by blanks."""
    letters_wait_seconds: str
    """Long-polling wait of each read: it asks all of SQS's servers."""
    overflow_bucket: str
    schedule_group: str


@dataclass(frozen=True, kw_only=True)
class ImportRowsSettings(Settings):
    table_name: str
    identity_secret_id: str
    identity_fingerprint: str
    phone_region: str
    journeys_path: str
    policy_path: str


@dataclass(frozen=True, kw_only=True)
class CheckIdentityKeySettings(Settings):
    table_name: str
    identity_secret_id: str
    stage_secret_id: str
    """The labels of its versions are read, and no value."""


def queues_to_text(urls: Mapping[str, str]) -> str:
    """URLs by the queue's name as one setting: `events=https://… wakes=https://…`."""
    return " ".join(f"{name}={url}" for name, url in urls.items())


def queues_from_text(text: str) -> dict[str, str]:
    """The inverse of `queues_to_text`."""
    return dict(one.split("=", 1) for one in text.split())


def _variable(name: str) -> str:
    return PREFIX + name.upper()
