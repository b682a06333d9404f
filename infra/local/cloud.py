"""The resources of a deployment, made in moto as the CDK makes them in AWS, and what is due in them."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import dumps
from pathlib import Path
from typing import Any

from cairn.adapters import aws
from cairn.adapters.pages.links import SECRET as LINKS
from cairn.settings import (
    MAX_RECEIVES,
    DeliverMessageSettings,
    EraseCustomerSettings,
    ManageApiSettings,
    NotifySubscriberSettings,
    ProcessEventSettings,
    ReceiveWebhookSettings,
    RecordFeedbackSettings,
    RelayEffectsSettings,
    ServePreferencesSettings,
    Settings,
    SweepSettings,
)
from infra.local.end_user_messaging import (
    SMS_CONFIGURATION_SET,
    SMS_ORIGINATION,
    WHATSAPP_PHONE_NUMBER_ID,
    EndUserMessaging,
)
from infra.local.shapes import ACCOUNT, REGION, Shape
from infra.local.wiring import QUEUES, Function, Queue

SANDBOX = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # moto's streams have no account-based endpoint
    "POWERTOOLS_METRICS_DISABLED": "true",
}
"""Nothing on a laptop can reach, or be reached with, somebody's real account."""

DEAD_LETTER_RETENTION = timedelta(days=14)
"""How long dead letters are kept (SQS quota)."""

SOURCES = Path(__file__).parents[2] / "sources.toml"
"""The deployment's own; a laptop takes from whom the deployment takes."""

EMAIL_SENDER = "Cairn <hello@example.com>"
IDENTITY_SALT = "local"
LINKS_SECRET = "local-links"  # noqa: S105  what is signed with it opens nothing but a laptop
PUBLIC_URL = "https://localhost"
"""Where the links of messages lead, unless a server says otherwise."""
LOCAL_ENDPOINT_SECRET = "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="  # noqa: S105  as that of the sources
SCHEDULE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/schedules"
POLICY = "policy.json"
"""The compiled policy, beside the compiled journeys."""
PUSH_ENDPOINT = re.compile(rb'arn:aws:sns:[^"\s]+:endpoint/[^"\s]+')


@contextmanager
def sandbox() -> Iterator[None]:
    """Moto instead of AWS, for as long as the block lasts."""
    from moto import mock_aws  # noqa: PLC0415  slow to import, and only wanted here

    before = {name: os.environ.get(name) for name in SANDBOX}
    os.environ.update(SANDBOX)
    with ExitStack() as stack:
        stack.callback(_restore, before)
        stack.enter_context(mock_aws())
        aws.session.cache_clear()
        stack.callback(aws.session.cache_clear)
        yield


@dataclass(slots=True)
class Cloud:
    """One deployment. Everything is asked of it through the AWS API, but for the instants at which queues stir."""

    table: str = "cairn"
    group: str = "cairn"
    urls: dict[str, str] = field(default_factory=dict)
    bucket: str = "cairn-overflow"
    secret_id: str = ""
    links_secret_id: str = ""
    subscribers_secret_id: str = ""
    webhook_endpoints: Mapping[str, str] = field(default_factory=dict)
    """URLs on loopback by name. A laptop tells nobody else, whatever policy.toml says."""
    public_url: str = PUBLIC_URL
    mails: list[Shape] = field(default_factory=list)
    """What SES was asked to send; moto forgets half of it."""
    stream_arn: str = ""
    alarm_topic_arn: str = ""
    clients: dict[str, Any] = field(default_factory=dict)
    end_user_messaging: EndUserMessaging = field(default_factory=EndUserMessaging)
    texts_by_end_user_messaging: bool = False
    """Else SMS goes out by SNS."""

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = aws.client(service)
        return self.clients[service]

    def create(self, secrets: Mapping[str, str]) -> None:
        """Make everything that the functions need; `secrets` are the sources' signing secrets."""
        for queue in QUEUES:
            self._create_queue(queue)
        self._create_table()
        # Moto's S3 and its client take a tenth of a second, and few stories have a body that no queue takes.
        aws.session().register("creating-client-class.s3", self._create_bucket)
        self.end_user_messaging.register(aws.session())
        aws.session().register("provide-client-params.sesv2.SendEmail", self._record_mail)
        self.client("scheduler").create_schedule_group(Name=self.group)
        secret = self.client("secretsmanager").create_secret(Name="cairn-sources", SecretString=dumps(dict(secrets)))
        self.secret_id = secret["ARN"]
        links = self.client("secretsmanager").create_secret(
            Name="cairn-links", SecretString=dumps({LINKS: LINKS_SECRET})
        )
        self.links_secret_id = links["ARN"]
        known = dict.fromkeys(self.webhook_endpoints, LOCAL_ENDPOINT_SECRET)
        subscribers = self.client("secretsmanager").create_secret(Name="cairn-subscribers", SecretString=dumps(known))
        self.subscribers_secret_id = subscribers["ARN"]
        self.client("sesv2").create_email_identity(EmailIdentity="hello@example.com")
        self.client("sesv2").create_configuration_set(ConfigurationSetName="cairn")
        self.alarm_topic_arn = self.client("sns").create_topic(Name="cairn-alarms")["TopicArn"]
        self.client("sns").create_platform_application(
            Name="cairn",
            Platform="GCM",
            Attributes={"PlatformCredential": "local"},
        )

    def settings(self, function: Function, catalogue: Path) -> Settings:
        """What the CDK would put into this function's environment."""
        made: dict[type[Settings], Settings] = {
            ReceiveWebhookSettings: ReceiveWebhookSettings(
                stage="local",
                events_queue_url=self.urls["events"],
                overflow_bucket=self.bucket,
                sources_secret_id=self.secret_id,
                sources_path=str(SOURCES),
            ),
            ProcessEventSettings: ProcessEventSettings(
                stage="local",
                table_name=self.table,
                events_dead_letter_queue_url=self.urls["events-dead-letters"],
                wakes_dead_letter_queue_url=self.urls["wakes-dead-letters"],
                overflow_bucket=self.bucket,
                identity_salt=IDENTITY_SALT,
                phone_region="US",
                reply_languages="de es fr",
                journeys_path=str(catalogue),
                policy_path=str(catalogue.with_name(POLICY)),
            ),
            RelayEffectsSettings: RelayEffectsSettings(
                stage="local",
                table_name=self.table,
                erasures_queue_url=self.urls["erasures"],
                wakes_queue_url=self.urls["wakes"],
                wakes_queue_arn=arn("wakes"),
                wakes_dead_letter_queue_arn=arn("wakes-dead-letters"),
                schedule_group=self.group,
                schedule_role_arn=SCHEDULE_ROLE,
                messages_queue_url=self.urls["messages"],
                marketing_queue_url=self.urls["marketing"],
                notices_queue_url=self.urls["notices"],
                effects_dead_letter_queue_url=self.urls["effects-dead-letters"],
                alarm_topic_arn=self.alarm_topic_arn,
                policy_path=str(catalogue.with_name(POLICY)),
            ),
            DeliverMessageSettings: DeliverMessageSettings(
                stage="local",
                table_name=self.table,
                messages_queue_url=self.urls["messages"],
                messages_queue_arn=arn("messages"),
                marketing_queue_url=self.urls["marketing"],
                marketing_queue_arn=arn("marketing"),
                messages_dead_letter_queue_url=self.urls["messages-dead-letters"],
                messages_dead_letter_queue_arn=arn("messages-dead-letters"),
                schedule_group=self.group,
                schedule_role_arn=SCHEDULE_ROLE,
                identity_salt=IDENTITY_SALT,
                policy_path=str(catalogue.with_name(POLICY)),
                journeys_path=str(catalogue),
                links_secret_id=self.links_secret_id,
                public_url=self.public_url,
                email_sender=EMAIL_SENDER,
                email_configuration_set="cairn",
                sms_sender_id="",
                sms_origination=SMS_ORIGINATION if self.texts_by_end_user_messaging else "",
                sms_configuration_set=SMS_CONFIGURATION_SET if self.texts_by_end_user_messaging else "",
                whatsapp_phone_number_id=WHATSAPP_PHONE_NUMBER_ID,
            ),
            NotifySubscriberSettings: NotifySubscriberSettings(
                stage="local",
                table_name=self.table,
                notices_queue_url=self.urls["notices"],
                notices_queue_arn=arn("notices"),
                notices_dead_letter_queue_url=self.urls["notices-dead-letters"],
                notices_dead_letter_queue_arn=arn("notices-dead-letters"),
                schedule_group=self.group,
                schedule_role_arn=SCHEDULE_ROLE,
                subscribers_secret_id=self.subscribers_secret_id,
                subscribers_reach="loopback",
                policy_path=str(catalogue.with_name(POLICY)),
            ),
            RecordFeedbackSettings: RecordFeedbackSettings(
                stage="local",
                events_queue_url=self.urls["events"],
                overflow_bucket=self.bucket,
                feedback_dead_letter_queue_url=self.urls["feedback-dead-letters"],
            ),
            ServePreferencesSettings: ServePreferencesSettings(
                stage="local",
                table_name=self.table,
                events_queue_url=self.urls["events"],
                links_secret_id=self.links_secret_id,
                identity_salt=IDENTITY_SALT,
                policy_path=str(catalogue.with_name(POLICY)),
            ),
            ManageApiSettings: ManageApiSettings(
                stage="local",
                table_name=self.table,
                events_queue_url=self.urls["events"],
                messages_queue_url=self.urls["messages"],
                marketing_queue_url=self.urls["marketing"],
                identity_salt=IDENTITY_SALT,
                phone_region="US",
            ),
            EraseCustomerSettings: EraseCustomerSettings(
                stage="local",
                table_name=self.table,
                identity_salt=IDENTITY_SALT,
                erasures_queue_url=self.urls["erasures"],
                erasures_dead_letter_queue_url=self.urls["erasures-dead-letters"],
                letters_queue_urls=" ".join(self.dead_letter_urls()),
                letters_wait_seconds="0",
                overflow_bucket=self.bucket,
                schedule_group=self.group,
            ),
            SweepSettings: SweepSettings(
                stage="local",
                table_name=self.table,
                wakes_queue_url=self.urls["wakes"],
                messages_queue_url=self.urls["messages"],
                marketing_queue_url=self.urls["marketing"],
            ),
        }
        return made[function.settings]

    def dead_letter_urls(self) -> list[str]:
        """The dead-letter queues where something about a customer may lie."""
        own = "erasures-dead-letters"
        return [url for name, url in self.urls.items() if name.endswith("-dead-letters") and name != own]

    def receive(self, queue: str, most: int) -> list[Shape]:
        """What the queue hands over now."""
        answer = self.client("sqs").receive_message(
            QueueUrl=self.urls[queue],
            MaxNumberOfMessages=most,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        return list(answer.get("Messages", []))

    def delete(self, queue: str, messages: list[Shape]) -> None:
        for message in messages:
            self.client("sqs").delete_message(QueueUrl=self.urls[queue], ReceiptHandle=message["ReceiptHandle"])

    def make_visible(self, _: Any, url: str, receipts: Collection[str]) -> None:
        """Have messages be seen by others at once. Moto's own way fails for what has lain for twelve hours."""
        from moto.sqs.models import sqs_backends  # noqa: PLC0415

        queue = sqs_backends[ACCOUNT][REGION].queues[url.rpartition("/")[2]]
        for message in queue._messages:  # noqa: SLF001
            if any(message.had_receipt_handle(receipt) for receipt in receipts):
                message.visible_at = 0
                queue.pending_messages.discard(message)

    def send(self, queue: str, body: str) -> None:
        self.client("sqs").send_message(QueueUrl=self.urls[queue], MessageBody=body)

    def changes(self, after: str | None) -> list[Shape]:
        """The table's changes after a sequence number, in order; what the stream hands over."""
        streams = self.client("dynamodbstreams")
        shards = streams.describe_stream(StreamArn=self.stream_arn)["StreamDescription"]["Shards"]
        found: list[Shape] = []
        for shard in shards:
            place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
            iterator = streams.get_shard_iterator(
                StreamArn=self.stream_arn,
                ShardId=shard["ShardId"],
                **(place if after else {"ShardIteratorType": "TRIM_HORIZON"}),
            )["ShardIterator"]
            found += streams.get_records(ShardIterator=iterator)["Records"]
        return found

    def schedules(self) -> dict[str, datetime]:
        """When each schedule is due."""
        scheduler = self.client("scheduler")
        pages = scheduler.get_paginator("list_schedules").paginate(GroupName=self.group)
        return {one["Name"]: self._due(one["Name"]) for page in pages for one in page["Schedules"]}

    def fire(self, schedule: str) -> None:
        """Do what EventBridge Scheduler does at the instant named: Input to the target, then delete."""
        target = self.client("scheduler").get_schedule(Name=schedule, GroupName=self.group)["Target"]
        queue = next(name for name in self.urls if arn(name) == target["Arn"])
        self.send(queue, target["Input"])
        self.client("scheduler").delete_schedule(Name=schedule, GroupName=self.group)

    def visible_instants(self, consumed: Collection[str]) -> list[datetime]:
        """When delayed or invisible messages of consumed queues come back. Asked of moto itself: no API tells."""
        from moto.sqs.models import sqs_backends  # noqa: PLC0415

        queues = sqs_backends[ACCOUNT][REGION].queues
        return [
            datetime.fromtimestamp(max(message.delayed_until, message.visible_at + 1) / 1000, UTC)
            for name in consumed
            for message in queues[_physical(name)]._messages  # noqa: SLF001
        ]

    def create_push_endpoints(self, body: bytes) -> None:
        """Every push endpoint that an event names exists here; moto knows only those that it named itself."""
        from moto.sns.models import PlatformEndpoint, sns_backends  # noqa: PLC0415

        backend = sns_backends[ACCOUNT][REGION]
        application = next(iter(backend.applications.values()))
        for match in PUSH_ENDPOINT.findall(body):
            endpoint = match.decode()
            if endpoint not in backend.platform_endpoints:
                made = PlatformEndpoint(ACCOUNT, REGION, application, "", endpoint, {})
                backend.platform_endpoints[endpoint] = made

    def _due(self, schedule: str) -> datetime:
        expression = self.client("scheduler").get_schedule(Name=schedule, GroupName=self.group)["ScheduleExpression"]
        return datetime.fromisoformat(expression[3:-1]).replace(tzinfo=UTC)

    def _record_mail(self, **asked: Any) -> None:
        self.mails.append(asked["params"])

    def _create_bucket(self, **_: Any) -> None:
        from moto.s3.models import s3_backends  # noqa: PLC0415  slow to import

        backend = s3_backends[ACCOUNT]["aws"]
        if self.bucket not in backend.buckets:
            backend.create_bucket(self.bucket, REGION)

    def _create_queue(self, queue: Queue) -> None:
        attributes = {"VisibilityTimeout": str(int(queue.visibility / timedelta(seconds=1)))}
        if "dead-letters" in queue.name:
            attributes["MessageRetentionPeriod"] = str(int(DEAD_LETTER_RETENTION / timedelta(seconds=1)))
        if queue.fifo:
            attributes["FifoQueue"] = "true"
        if queue.dead_letter:
            redrive = {"deadLetterTargetArn": arn(queue.dead_letter), "maxReceiveCount": MAX_RECEIVES}
            attributes["RedrivePolicy"] = dumps(redrive)
        name = _physical(queue.name)
        self.urls[queue.name] = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def _create_table(self) -> None:
        strings = ("pk", "sk", "gsi1pk", "gsi1sk")
        made = self.client("dynamodb").create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in strings],
            KeySchema=_key("pk", "sk"),
            GlobalSecondaryIndexes=[
                {"IndexName": "gsi1", "KeySchema": _key("gsi1pk", "gsi1sk"), "Projection": {"ProjectionType": "ALL"}},
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.stream_arn = made["TableDescription"]["LatestStreamArn"]


def arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_physical(queue)}"


def _physical(queue: str) -> str:
    fifo = next(one.fifo for one in QUEUES if one.name == queue)
    return f"cairn-{queue}.fifo" if fifo else f"cairn-{queue}"


def _key(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
