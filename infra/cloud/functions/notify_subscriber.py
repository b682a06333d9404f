"""notify_subscriber: started by the notices queue, makes one delivery to one webhook endpoint."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.secrets_manager import Part
from cairn.settings import NotifySubscriberSettings
from infra.cloud.bundle.journeys import PEOPLE_PATH, POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.schedules import Schedules
from infra.cloud.secrets import StageSecret

BATCH_SIZE = 1
"""A slow endpoint delays no other delivery of its batch."""

CONCURRENCY = 10
"""Concurrent requests: few enough for a CRM, and more than a thousand deliveries a minute."""


class NotifySubscriber(Function):
    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        shared: Shared,
        schedules: Schedules,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        secret: StageSecret,
        public_url: str,
    ) -> None:
        stage, notices = shared.stage, shared.queues.notices
        super().__init__(
            scope,
            "notify_subscriber",
            shared=shared,
            settings=NotifySubscriberSettings(
                stage=stage.name,
                table_name=table.table_name,
                events_queue_url=shared.queues.events.queue_url,
                notices_queue_url=notices.queue_url,
                notices_queue_arn=notices.queue_arn,
                notices_dead_letter_queue_url=notices.dead_letters.queue_url,
                notices_dead_letter_queue_arn=notices.dead_letters.queue_arn,
                schedule_group=schedules.group_name,
                schedule_role_arn=schedules.role.role_arn,
                stage_secret_id=secret.secret_arn,
                subscribers_reach="public",
                public_url=public_url,
                email_sender=stage.email_sender,
                sms_sender_id=stage.sms_sender_id,
                sms_origination=stage.sms_origination,
                policy_path=POLICY_PATH,
                people_path=PEOPLE_PATH,
            ),
        )
        self.consume(
            notices,
            batch_size=BATCH_SIZE,
            max_concurrency=CONCURRENCY,
            enabled=shared.layers.has_deliveries,  # without any, nothing comes, and polling costs
        )
        # For notifications of members: their tasks, and which of them is the one of a period.
        self.may_use(table, "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
        self.may(
            "sqs:SendMessage", on=[shared.queues.events.queue_arn, notices.queue_arn, notices.dead_letters.queue_arn]
        )
        secret.let_read(self, Part.WEBHOOK_ENDPOINTS)
        secret.let_read(self, Part.LINKS)
        self.may_email(stage.email_sender)
        self.may_text(stage.sms_origination)
        # No fingerprint of the identity key makes it wait: without the check it would start with secrets not joined.
        self.node.add_dependency(identity.check)
        schedules.let_set(self)
