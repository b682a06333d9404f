"""process_event: started by the queues of events and of wake-ups, decides and commits."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.settings import ProcessEventSettings
from infra.cloud.bundle.journeys import CATALOGUE_PATH, PEOPLE_PATH, POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.overflow import OverflowBucket

BATCH_SIZE = 10


class ProcessEvent(Function):
    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        overflow: OverflowBucket,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "process_event",
            shared=shared,
            settings=ProcessEventSettings(
                stage=stage.name,
                table_name=table.table_name,
                events_dead_letter_queue_url=queues.events.dead_letters.queue_url,
                wakes_dead_letter_queue_url=queues.wakes.dead_letters.queue_url,
                overflow_bucket=overflow.bucket_name,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                phone_region=stage.phone_region,
                reply_languages=stage.reply_languages,
                journeys_path=CATALOGUE_PATH,
                policy_path=POLICY_PATH,
                notices_queue_url=queues.notices.queue_url,
                people_path=PEOPLE_PATH,
            ),
        )
        for queue in (queues.events, queues.wakes):
            self.consume(queue, batch_size=BATCH_SIZE, max_concurrency=stage.event_concurrency)
        # TransactWriteItems is authorised by the actions of the items in it.
        self.may_use(
            table,
            "dynamodb:Query",
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",
        )
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        self.may_overflow("s3:GetObject", overflow)
        self.may_overflow("s3:PutObject", overflow)
        self.may(
            "sqs:SendMessage",
            on=[
                queues.events.dead_letters.queue_arn,
                queues.wakes.dead_letters.queue_arn,
                queues.notices.queue_arn,
            ],
        )
