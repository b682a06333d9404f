"""erase_customer: started by the erasures queue, deletes a customer's data everywhere."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.settings import ERASURE_TIMEOUT, EraseCustomerSettings
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.overflow import OverflowBucket
from infra.cloud.schedules import Schedules

BATCH_SIZE = 1
"""Each reads all dead letters, which are invisible to others meanwhile."""

CONCURRENCY = 2
"""The minimum of an event source; one more would only wait for dead letters that the others have received."""

WAIT_SECONDS = 2


class EraseCustomer(Function):
    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        shared: Shared,
        schedules: Schedules,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        overflow: OverflowBucket,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        erasures = queues.erasures
        dead_letters = [queue for queue in queues.dead_letters.values() if queue is not erasures.dead_letters]
        super().__init__(
            scope,
            "erase_customer",
            shared=shared,
            timeout=ERASURE_TIMEOUT,
            settings=EraseCustomerSettings(
                stage=stage.name,
                table_name=table.table_name,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                erasures_queue_url=erasures.queue_url,
                erasures_dead_letter_queue_url=erasures.dead_letters.queue_url,
                letters_queue_urls=" ".join(queue.queue_url for queue in dead_letters),
                letters_wait_seconds=str(WAIT_SECONDS),
                overflow_bucket=overflow.bucket_name,
                schedule_group=schedules.group_name,
            ),
        )
        self.consume(erasures, batch_size=BATCH_SIZE, max_concurrency=CONCURRENCY)
        # TransactWriteItems is authorised by the actions of the items in it, BatchWriteItem by its own name.
        self.may_use(
            table,
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:BatchWriteItem",
            adds_to_audit=True,
        )
        self.may("sqs:SendMessage", on=[erasures.queue_arn, erasures.dead_letters.queue_arn])
        self.may(
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            on=[queue.queue_arn for queue in dead_letters],
        )
        self.may_overflow("s3:GetObject", overflow)
        self.may_overflow("s3:PutObject", overflow)
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        schedules.let_cancel(self)
