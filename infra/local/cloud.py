"""The resources of a deployment, made in moto as the CDK makes them in AWS, and the instants at which they are due."""

import os
import re
from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default as default_policy
from functools import cache
from json import dumps
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from botocore.loaders import Loader

from authoring.defaults import default_file
from cairn.adapters import aws
from cairn.adapters.pages.links import SECRET as LINKS
from cairn.adapters.secrets_manager import IDENTITY_KEY, Part, identity_keys_from
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.settings import DEAD_LETTER_RETENTION, MAX_RECEIVES, QUEUE_RETENTION
from infra.local.answered_here import Around, only_answer
from infra.local.end_user_messaging import EndUserMessaging
from infra.local.fact_log import LocalFactLog
from infra.local.moto_corrections import corrected
from infra.local.moto_speed import quicker
from infra.local.shapes import ACCOUNT, REGION, Shape
from infra.local.stored_items import StoredItems
from infra.local.wiring import QUEUES, Queue, queue_named

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
"""Nothing on a laptop can reach a real account or be reached from one."""

SOURCES = default_file("sources.toml")
"""A laptop accepts the same sources as the deployment."""

EMAIL_SENDER = "Cairn <hello@example.com>"
IDENTITY_SECRET = MappingProxyType({IDENTITY_KEY: "local-identity-key-that-no-deployment-has"})
LINKS_SECRET = "local-links-of-laptops"  # noqa: S105  it signs links of a laptop only
IDENTITY_KEYS = identity_keys_from(IDENTITY_SECRET)
PUBLIC_URL = "https://localhost"
"""The origin of the links in messages, unless a server has its own."""
LOCAL_ENDPOINT_SECRET = "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="  # noqa: S105  public, as that of the sources
SCHEDULE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/schedules"
CHANGES_THAT_STAY = 2_000
"""The newest changes of the table, which its stream has still when they are done."""

PUSH_ENDPOINT = re.compile(rb'arn:aws:sns:[^"\s]+:endpoint/[^"\s]+')


@contextmanager
def sandbox(*, same_ids: bool = False) -> Iterator[None]:
    """Use moto instead of AWS within the block; with `same_ids`, whatever it makes has the same id each time."""
    from moto import mock_aws  # noqa: PLC0415  slow to import, and only wanted here
    from moto.core import models  # noqa: PLC0415
    from moto.moto_api._internal import mock_random  # noqa: PLC0415

    before = {name: os.environ.get(name) for name in SANDBOX}
    os.environ.update(SANDBOX)
    if same_ids:
        mock_random.seed(0)
    with ExitStack() as stack:
        stack.callback(_restore, before)
        # A thousand patterns of URLs for the `requests` library, with which nothing here calls AWS.
        stack.enter_context(patch.object(models, "RESPONSES_METHODS", ()))
        stack.enter_context(mock_aws())
        stack.enter_context(corrected())
        stack.enter_context(quicker())
        aws.forget()
        stack.callback(aws.forget)
        aws.session().register_component("data_loader", _descriptions())
        yield


@cache
def _descriptions() -> Loader:
    """The descriptions of AWS's services, read once for all deployments of this process."""
    return Loader()


@dataclass(slots=True)
class Cloud:
    """The resources of one deployment.

    What the functions do goes through the AWS API. What AWS itself does between them (poll a queue, fire a schedule,
    follow the stream) is done in moto, since it is done at every step of the clock.
    """

    table: str = "cairn"
    group: str = "cairn"
    urls: dict[str, str] = field(default_factory=dict)
    bucket: str = "cairn-overflow"
    identity: Mapping[str, str] = field(default_factory=lambda: IDENTITY_SECRET)
    """The content of the identity secret."""
    identity_secret_id: str = ""
    secret_id: str = ""
    """The stage's secret."""
    webhook_endpoints: Mapping[str, str] = field(default_factory=dict)
    """URLs on loopback by name. A laptop calls no others, whatever policy.toml says."""
    public_url: str = PUBLIC_URL
    configuration: Path = SOURCES
    """The deployment's sources.toml; vendors of its own lie beside it."""
    mails: list[Shape] = field(default_factory=list)
    """The requests to SES; moto stores only part of them."""
    stream_arn: str = ""
    stream_shard_id: str = ""
    alarm_topic_arn: str = ""
    end_user_messaging: EndUserMessaging = field(default_factory=EndUserMessaging)
    fact_log: LocalFactLog = field(default_factory=LocalFactLog)
    bedrock_model: str = ""
    """Where it is set, AWS_ENDPOINT_URL_BEDROCK_RUNTIME names what answers for the model, on loopback."""
    texts_by_end_user_messaging: bool = False
    """Otherwise SMS goes out by SNS."""

    @staticmethod
    def client(service: str) -> Any:
        """The one that the functions have too."""
        return aws.client(service)

    def create(self, secrets: Mapping[str, str | list[str]], around: Around = only_answer) -> None:
        """Create every resource of the functions; `secrets` are those of the sources, as they are stored."""
        # A client hears only what was registered before it was made.
        # Moto's S3 costs a tenth of a second, and few scenarios have a body that is too large for a queue.
        aws.session().register("creating-client-class.s3", self._create_bucket)
        aws.session().register("provide-client-params.sesv2.SendEmail", self._record_mail)
        self.end_user_messaging.register(aws.session(), around)
        self.fact_log.register(aws.session(), around)
        for queue in QUEUES:
            self._create_queue(queue)
        self._create_table()
        self.client("scheduler").create_schedule_group(Name=self.group)
        identity = self.client("secretsmanager").create_secret(
            Name="cairn-identity", SecretString=dumps(dict(self.identity))
        )
        self.identity_secret_id = identity["ARN"]
        secret = self.client("secretsmanager").create_secret(Name="cairn", SecretString=dumps(dict(secrets)))
        self.secret_id = secret["ARN"]
        self.store(Part.LINKS, {LINKS: LINKS_SECRET})
        self.store(Part.WEBHOOK_ENDPOINTS, dict.fromkeys(self.webhook_endpoints, LOCAL_ENDPOINT_SECRET))
        self.client("sesv2").create_email_identity(EmailIdentity="hello@example.com")
        self.client("sesv2").create_configuration_set(ConfigurationSetName="cairn")
        self.alarm_topic_arn = self.client("sns").create_topic(Name="cairn-alarms")["TopicArn"]
        self.client("sns").create_platform_application(
            Name="cairn",
            Platform="GCM",
            Attributes={"PlatformCredential": "local"},
        )

    def store(self, part: Part, content: Mapping[str, Any]) -> None:
        """Write a part of the stage's secret anew."""
        self.client("secretsmanager").put_secret_value(
            SecretId=self.secret_id, SecretString=dumps(dict(content)), VersionStages=[part]
        )

    @property
    def identity_keys(self) -> IdentityKeys:
        return identity_keys_from(self.identity)

    def dead_letter_urls(self) -> list[str]:
        """The dead-letter queues that may hold something about a customer."""
        own = "erasures-dead-letters"
        return [url for name, url in self.urls.items() if name.endswith("-dead-letters") and name != own]

    def receive(self, queue: str, most: int) -> list[Shape]:
        """The messages that are visible now, `most` at once."""
        if not self._messages(queue):
            return []
        backend, name = self._queues(), _physical(queue)
        visibility = backend.queues[name].visibility_timeout
        return [_received(one) for one in backend.receive_message(name, most, 0, visibility, ["All"])]

    def delete(self, queue: str, messages: list[Shape]) -> None:
        for message in messages:
            self._queues().delete_message(_physical(queue), message["ReceiptHandle"])

    def deliver_again(self, queue: str, message: Shape, after: timedelta) -> None:
        """What a queue does that forgets a deletion: the message comes once more.

        A FIFO queue delivers nothing else of its group before, so it can do so only when the visibility timeout ends.
        """
        stored = self._stored(queue, message["MessageId"])
        if stored is not None and not queue_named(queue).fifo:
            stored.visible_at = (datetime.now(UTC) + after).timestamp() * 1000

    def shuffle(self, queue: str, order: Random) -> None:
        """Standard queues keep no order."""
        order.shuffle(self._messages(queue))

    def _stored(self, queue: str, message_id: str) -> Any:
        return next((one for one in self._messages(queue) if one.id == message_id), None)

    def _messages(self, queue: str) -> list[Any]:
        messages: list[Any] = self._queues().queues[_physical(queue)]._messages  # noqa: SLF001
        return messages

    @staticmethod
    def _queues() -> Any:
        from moto.sqs.models import sqs_backends  # noqa: PLC0415

        return sqs_backends[ACCOUNT][REGION]

    def send(self, queue: str, body: str) -> None:
        self.client("sqs").send_message(QueueUrl=self.urls[queue], MessageBody=body)

    def changes(self, after: str | None) -> list[Shape]:
        """The table's changes after a sequence number, in order."""
        shard = self._moto_table().stream_shard
        if shard is None:
            return []
        first = int(after) + 1 - shard.starting_sequence_number if after else 0
        return [_as_records_are_got(one.record) for one in shard.items[max(first, 0) :]]

    def partition_keys(self) -> list[Any]:
        """The keys of all partitions of the table, in moto's own form."""
        return list(self._moto_table().items)

    def items_of(self, key: Any) -> list[Shape]:
        """The items of a partition, as DynamoDB answers them."""
        partition = self._moto_table().items.seen(key) or {}
        return [one.to_json()["Attributes"] for one in partition.values()]

    def _moto_table(self) -> Any:
        from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415

        return dynamodb_backends[ACCOUNT][REGION].tables[self.table]

    def _store_in_a_file(self) -> None:
        self._moto_table().items = StoredItems()

    def forget_changes(self, before: str) -> None:
        """Let the stream forget what is done, but for the newest changes: moto stores each with both images for ever.

        DynamoDB forgets after a day. An import of a hundred thousand rows takes a few minutes.
        """
        shard = self._moto_table().stream_shard
        if shard is None:
            return
        done = min(int(before) + 1 - shard.starting_sequence_number, len(shard.items)) - CHANGES_THAT_STAY
        if done >= CHANGES_THAT_STAY:
            del shard.items[:done]
            shard.starting_sequence_number += done

    def schedules(self) -> dict[str, datetime]:
        """The instant at which each schedule is due, by its name."""
        return {name: _due(one.schedule_expression) for name, one in self._scheduled().items()}

    def fire(self, schedule: str, *, twice: bool = False) -> None:
        """Do what EventBridge Scheduler does at the instant: send Input to the target, then delete the schedule."""
        target = self._scheduled()[schedule].target
        queue = next(name for name in self.urls if arn(name) == target["Arn"])
        for _ in range(2 if twice else 1):
            self._queues().send_message(_physical(queue), target["Input"])
        del self._scheduled()[schedule]

    def _scheduled(self) -> dict[str, Any]:
        from moto.scheduler.models import scheduler_backends  # noqa: PLC0415

        found: dict[str, Any] = scheduler_backends[ACCOUNT][REGION].schedule_groups[self.group].schedules
        return found

    def visible_instants(self, consumed: Collection[str]) -> list[datetime]:
        """The instants at which delayed or invisible messages become visible; no API has them.

        A message of a FIFO group waits until all that are in flight of its group are visible again or deleted.
        """
        found = []
        for name in consumed:
            messages, in_flight = self._messages(name), dict[str, float]()
            if queue_named(name).fifo:
                for one in messages:
                    in_flight[one.group_id] = max(in_flight.get(one.group_id, 0), one.visible_at)
            found += [
                max(one.delayed_until, max(one.visible_at, in_flight.get(one.group_id, 0)) + 1) for one in messages
            ]
        return [datetime.fromtimestamp(at / 1000, UTC) for at in found]

    def create_push_endpoints(self, body: bytes) -> None:
        """Create the push endpoints that an event names; moto has only endpoints that it named itself."""
        from moto.sns.models import PlatformEndpoint, sns_backends  # noqa: PLC0415

        backend = sns_backends[ACCOUNT][REGION]
        application = next(iter(backend.applications.values()))
        for match in PUSH_ENDPOINT.findall(body):
            endpoint = match.decode()
            if endpoint not in backend.platform_endpoints:
                made = PlatformEndpoint(ACCOUNT, REGION, application, "", endpoint, {})
                backend.platform_endpoints[endpoint] = made

    @staticmethod
    def sent_mails() -> Iterator[tuple[str, str]]:
        """The address and the subject of each e-mail that SES took."""
        from moto.ses.models import RawMessage, ses_backends  # noqa: PLC0415  slow to import

        for mail in ses_backends[ACCOUNT][REGION].sent_messages:
            if isinstance(mail, RawMessage):  # with an invite
                yield mail.destinations[0], str(message_from_string(mail.raw_data, policy=default_policy)["Subject"])
            else:
                yield mail.destinations["ToAddresses"][0], mail.subject

    def _record_mail(self, **asked: Any) -> None:
        self.mails.append(asked["params"])

    def _create_bucket(self, **_: Any) -> None:
        from moto.s3.models import s3_backends  # noqa: PLC0415  slow to import

        backend = s3_backends[ACCOUNT]["aws"]
        if self.bucket not in backend.buckets:
            backend.create_bucket(self.bucket, REGION)

    def _create_queue(self, queue: Queue) -> None:
        attributes = {"VisibilityTimeout": str(int(queue.visibility / timedelta(seconds=1)))}
        retention = DEAD_LETTER_RETENTION if "dead-letters" in queue.name else QUEUE_RETENTION
        attributes["MessageRetentionPeriod"] = str(int(retention / timedelta(seconds=1)))
        if queue.fifo:
            attributes["FifoQueue"] = "true"
        if queue.fifo and queue.dead_letter:
            attributes |= {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
        if queue.dead_letter:
            redrive = {"deadLetterTargetArn": arn(queue.dead_letter), "maxReceiveCount": MAX_RECEIVES}
            attributes["RedrivePolicy"] = dumps(redrive)
        name = _physical(queue.name)
        self.urls[queue.name] = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def _create_table(self) -> None:
        strings = ("pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk")
        made = self.client("dynamodb").create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in strings],
            KeySchema=_key("pk", "sk"),
            GlobalSecondaryIndexes=[
                {"IndexName": "gsi1", "KeySchema": _key("gsi1pk", "gsi1sk"), "Projection": {"ProjectionType": "ALL"}},
                {
                    "IndexName": "gsi2",
                    "KeySchema": _key("gsi2pk", "gsi2sk"),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                },
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self._store_in_a_file()
        self.stream_arn = made["TableDescription"]["LatestStreamArn"]
        stream = self.client("dynamodbstreams").describe_stream(StreamArn=self.stream_arn)["StreamDescription"]
        self.stream_shard_id = stream["Shards"][0]["ShardId"]


def arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_physical(queue)}"


def _received(message: Any) -> Shape:
    """A message of moto as ReceiveMessage gives it, with all its attributes."""
    attributes = {
        "SenderId": message.sender_id,
        "SentTimestamp": message.sent_timestamp,
        "ApproximateReceiveCount": message.approximate_receive_count,
        "ApproximateFirstReceiveTimestamp": message.approximate_first_receive_timestamp,
        "MessageDeduplicationId": message.deduplication_id,
        "MessageGroupId": message.group_id,
        "SequenceNumber": message.sequence_number,
    }
    own = message.message_attributes
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": message.body_md5,
        "Body": message.body,
        "Attributes": {name: str(value) for name, value in attributes.items() if value is not None},
        **({"MessageAttributes": own, "MD5OfMessageAttributes": message.attribute_md5} if own else {}),
    }


def _as_records_are_got(value: Any, name: str = "") -> Any:
    """A change of moto as GetRecords gives it: a copy, with binary values as bytes."""
    if isinstance(value, dict):
        return {key: _as_records_are_got(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_records_are_got(one, name) for one in value]
    is_binary = isinstance(value, str) and name in {"B", "BS"}
    return b64decode(value) if is_binary else value


def _due(expression: str) -> datetime:
    """The instant of `at(2026-11-28T09:00:00)`."""
    return datetime.fromisoformat(expression[3:-1]).replace(tzinfo=UTC)


def _physical(queue: str) -> str:
    return f"cairn-{queue}.fifo" if queue_named(queue).fifo else f"cairn-{queue}"


def _key(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
