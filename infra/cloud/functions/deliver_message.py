"""deliver_message: started by the messages queue, asks the gate and sends by a provider."""

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.secrets_manager import Part
from cairn.settings import DeliverMessageSettings
from infra.cloud.bundle.journeys import CATALOGUE_PATH, POLICY_PATH
from infra.cloud.feedback import EmailFeedback, SmsFeedback
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.nag import acknowledge
from infra.cloud.schedules import Schedules
from infra.cloud.secrets import StageSecret
from infra.cloud.stage import PHONE_NUMBER_ID

BATCH_SIZE = 10


class DeliverMessage(Function):
    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        shared: Shared,
        schedules: Schedules,
        table: dynamodb.ITable,
        email: EmailFeedback,
        sms: SmsFeedback | None,
        identity: CheckIdentityKey,
        secret: StageSecret,
        public_url: str,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "deliver_message",
            shared=shared,
            settings=DeliverMessageSettings(
                stage=stage.name,
                table_name=table.table_name,
                messages_queue_url=queues.messages.queue_url,
                messages_queue_arn=queues.messages.queue_arn,
                marketing_queue_url=queues.marketing.queue_url,
                marketing_queue_arn=queues.marketing.queue_arn,
                messages_dead_letter_queue_url=queues.messages.dead_letters.queue_url,
                messages_dead_letter_queue_arn=queues.messages.dead_letters.queue_arn,
                schedule_group=schedules.group_name,
                schedule_role_arn=schedules.role.role_arn,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                policy_path=POLICY_PATH,
                journeys_path=CATALOGUE_PATH,
                stage_secret_id=secret.secret_arn,
                public_url=public_url,
                email_sender=stage.email_sender,
                email_configuration_set=email.configuration_set.configuration_set_name,
                sms_sender_id=stage.sms_sender_id,
                sms_origination=stage.sms_origination,
                sms_configuration_set=sms.configuration_set.ref if sms else "",
                whatsapp_phone_number_id=stage.whatsapp_phone_number_id,
                whatsapp_api_version=stage.whatsapp_api_version,
                feedback_queue_url=queues.feedback.queue_url,
            ),
        )
        for lane in (queues.messages, queues.marketing):
            self.consume(lane, batch_size=BATCH_SIZE, max_concurrency=stage.delivery_concurrency)
        self.may_use(
            table,
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        )
        self.may(
            "sqs:SendMessage",
            on=[
                queues.messages.queue_arn,
                queues.marketing.queue_arn,
                queues.messages.dead_letters.queue_arn,
                queues.feedback.queue_arn,  # in-app messages arrive by being stored
            ],
        )
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        secret.let_read(self, Part.LINKS)
        schedules.let_set(self)
        self.may_email(stage.email_sender, email.configuration_set.configuration_set_name)
        self.may_text(stage.sms_origination)
        self._may_push()
        if stage.whatsapp_phone_number_id:
            self._may_send_whatsapp(stage.whatsapp_phone_number_id)

    def _may_push(self) -> None:
        self.may("sns:Publish", on=Stack.of(self).format_arn(service="sns", resource="endpoint", resource_name="*"))
        acknowledge(
            self.execution_role,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:sns:<AWS::Region>:<AWS::AccountId>:endpoint/*]",
            because="each device of a customer is an endpoint of its own, made when the app is installed",
        )

    def _may_send_whatsapp(self, phone_number_id: str) -> None:
        """The ARN ends in the id without its prefix."""
        arn = Stack.of(self).format_arn(
            service="social-messaging",
            resource="phone-number-id",
            resource_name=phone_number_id.removeprefix(PHONE_NUMBER_ID),
        )
        self.may("social-messaging:SendWhatsAppMessage", on=arn)
