"""process_event: started by the queues of events and of wake-ups, decides and commits."""

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.settings import ProcessEventSettings
from infra.cloud.bundle.journeys import CATALOGUE_PATH, PEOPLE_PATH, POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.nag import acknowledge
from infra.cloud.overflow import OverflowBucket

BATCH_SIZE = 10

GEOGRAPHIES = frozenset({"apac", "au", "ca", "eu", "global", "jp", "sa", "us", "us-gov"})
"""With one of these, the id of an inference profile begins. It calls its model in several regions.
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
"""


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
                bedrock_model=stage.bedrock_model,
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
        if stage.bedrock_model:
            self.may_ask(stage.bedrock_model)
        self.may(
            "sqs:SendMessage",
            on=[
                queues.events.dead_letters.queue_arn,
                queues.wakes.dead_letters.queue_arn,
                queues.notices.queue_arn,
            ],
        )

    def may_ask(self, model: str) -> None:
        """Grant one model. Converse is authorised as InvokeModel.

        https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
        """
        stack = Stack.of(self)
        geography, _, rest = model.partition(".")
        if geography not in GEOGRAPHIES:
            arn = f"arn:{stack.partition}:bedrock:{stack.region}::foundation-model/{model}"
            self.may("bedrock:InvokeModel", on=arn)
            return
        profile = f"arn:{stack.partition}:bedrock:{stack.region}:{stack.account}:inference-profile/{model}"
        anywhere = f"arn:{stack.partition}:bedrock:*::foundation-model/{rest}"
        self.may("bedrock:InvokeModel", on=profile)
        self.may("bedrock:InvokeModel", on=anywhere, when={"StringEquals": {"bedrock:InferenceProfileArn": profile}})
        acknowledge(
            self.execution_role,
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:bedrock:*::foundation-model/{rest}]",
            because="an inference profile calls this one model in any region of its geography; a condition names it",
        )
