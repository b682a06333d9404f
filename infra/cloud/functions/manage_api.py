"""manage_api: started by the HTTP API for authorised operators, carries out their commands."""

from collections.abc import Callable

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.dynamodb.sampled_customers import READ
from cairn.adapters.secrets_manager import Part
from cairn.settings import ManageApiSettings
from infra.cloud.bundle.journeys import CATALOGUE_PATH, PEOPLE_PATH, POLICY_PATH
from infra.cloud.fact_log import FactLog
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.secrets import StageSecret
from infra.cloud.table import DUE_TIMES, INDEX


class ManageApi(Function):
    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        log: FactLog,
        secret: StageSecret,
        name: str = "manage_api",
        made_of: Callable[..., ManageApiSettings] = ManageApiSettings,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            name,
            shared=shared,
            settings=made_of(
                stage=stage.name,
                table_name=table.table_name,
                stage_secret_id=secret.secret_arn,
                work_queue_urls=queues.urls_of(queues.work),
                dead_letter_queue_urls=queues.urls_of(queues.dead_letters),
                letters_wait_seconds="1",
                facts_workgroup=log.workgroup.name,
                facts_database=log.database,
                events_queue_url=queues.events.queue_url,
                messages_queue_url=queues.messages.queue_url,
                marketing_queue_url=queues.marketing.queue_url,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                phone_region=stage.phone_region,
                journeys_path=CATALOGUE_PATH,
                people_path=PEOPLE_PATH,
                policy_path=POLICY_PATH,
            ),
        )
        # It reads customers, and writes switches, decisions on messages in review, their tasks and the audit. Changes
        # of customers go through the events queue.
        self.may_use(
            table,
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            adds_to_audit=True,
        )
        # A condition is tried on customers drawn by lot, from some segments of the table: on their profiles alone.
        self.may("dynamodb:DescribeTable", on=table.table_arn)
        self.may(
            "dynamodb:Scan",
            on=table.table_arn,
            when={
                "ForAllValues:StringEquals": {"dynamodb:Attributes": list(READ)},
                "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
            },
        )
        self.may("dynamodb:Query", on=[f"{table.table_arn}/index/{index}" for index in (INDEX, DUE_TIMES)])
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        # Dead letters go back to their queues.
        self.may("sqs:SendMessage", on=[queue.queue_arn for queue in queues.work.values()])
        self.may(
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            on=[queue.queue_arn for queue in queues.dead_letters.values()],
        )
        log.let_ask(self)
        secret.let_read(self, Part.LINKS)  # tokens of in-app inboxes are signed
