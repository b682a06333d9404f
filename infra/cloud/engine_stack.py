"""The stack of the functions, queues, topics and the API."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.cloud.alarms import Alarms, AlarmTopic, Functions
from infra.cloud.api import Api
from infra.cloud.bundle import Bundle
from infra.cloud.dashboard import Dashboard
from infra.cloud.data_stack import DataStack
from infra.cloud.domain import Domain
from infra.cloud.feedback import EmailFeedback, SmsFeedback, WhatsAppFeedback
from infra.cloud.function import Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.functions.deliver_message import DeliverMessage
from infra.cloud.functions.erase_customer import EraseCustomer
from infra.cloud.functions.import_rows import ImportRows
from infra.cloud.functions.log_facts import LogFacts
from infra.cloud.functions.manage_api import ManageApi
from infra.cloud.functions.notify_subscriber import NotifySubscriber
from infra.cloud.functions.process_event import ProcessEvent
from infra.cloud.functions.receive_webhook import ReceiveWebhook
from infra.cloud.functions.record_feedback import RecordFeedback
from infra.cloud.functions.relay_effects import RelayEffects
from infra.cloud.functions.serve_console import ServeConsole
from infra.cloud.functions.serve_in_app import ServeInApp
from infra.cloud.functions.serve_preferences import ServePreferences
from infra.cloud.functions.serve_tasks import ServeTasks
from infra.cloud.functions.sweep import Sweep
from infra.cloud.imports import Imports
from infra.cloud.layers import Layers
from infra.cloud.operators import issuer_of
from infra.cloud.queues import Queues
from infra.cloud.rollout import Rollout
from infra.cloud.schedules import Schedules
from infra.cloud.stage import ALL_AT_ONCE, Stage
from infra.cloud.topics import TopicKey


class EngineStack(Stack):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage, data: DataStack, bundle: Bundle) -> None:
        super().__init__(scope, id_, description=f"Cairn {stage.name}: functions, queues, timers, API and alarms")
        table = data.table_in_use
        key = TopicKey(self, "TopicKey")
        queues = Queues(self, "Queues", stage=stage)
        schedules = Schedules(
            self,
            "Schedules",
            stage=stage,
            targets=[queues.wakes, queues.messages, queues.marketing, queues.notices],
        )
        email = EmailFeedback(self, "EmailFeedback", key=key, queue=queues.feedback)
        sms = SmsFeedback(self, "SmsFeedback", key=key, queue=queues.feedback) if stage.sms_origination else None
        if stage.whatsapp_phone_number_id:
            WhatsAppFeedback(self, "WhatsAppFeedback", key=key, queue=queues.feedback)
        topic = AlarmTopic(self, "AlarmTopic", stage=stage, key=key)
        shared = Shared(stage=stage, layers=Layers(self, "Layers", bundle=bundle), queues=queues)

        api = Api(self, "Api", stage=stage)
        if stage.domain_name:
            Domain(self, "Domain", stage=stage, api=api)
        identity = CheckIdentityKey(
            self, shared=shared, table=table, identity_secret=data.identity, stage_secret=data.secret
        )
        issuer = issuer_of(self, stage, list(dict.fromkeys([api.public_url, api.url])))
        functions = Functions(
            check=identity,
            receive=ReceiveWebhook(
                self,
                shared=shared,
                table=table,
                identity=identity,
                secret=data.secret,
                overflow=data.overflow,
            ),
            process=ProcessEvent(
                self,
                shared=shared,
                table=table,
                identity=identity,
                overflow=data.overflow,
            ),
            relay=RelayEffects(self, shared=shared, schedules=schedules, table=table, alarms=topic, key=key),
            log=LogFacts(self, shared=shared, table=table, log=data.facts),
            deliver=DeliverMessage(
                self,
                shared=shared,
                schedules=schedules,
                table=table,
                email=email,
                sms=sms,
                identity=identity,
                secret=data.secret,
                public_url=api.public_url,
            ),
            record=RecordFeedback(self, shared=shared, table=table, identity=identity, overflow=data.overflow),
            notify=NotifySubscriber(
                self,
                shared=shared,
                schedules=schedules,
                table=table,
                identity=identity,
                secret=data.secret,
                public_url=api.public_url,
            ),
            serve=ServePreferences(
                self,
                shared=shared,
                table=table,
                identity=identity,
                secret=data.secret,
            ),
            tasks=ServeTasks(self, shared=shared, table=table, identity=identity, secret=data.secret),
            in_app=ServeInApp(self, shared=shared, table=table, secret=data.secret),
            sweep=Sweep(self, shared=shared, table=table),
            erase=EraseCustomer(
                self,
                shared=shared,
                schedules=schedules,
                table=table,
                identity=identity,
                overflow=data.overflow,
            ),
            manage=ManageApi(self, shared=shared, table=table, identity=identity, log=data.facts, secret=data.secret),
            console=ServeConsole(
                self,
                shared=shared,
                table=table,
                identity=identity,
                log=data.facts,
                issuer=issuer,
                secret=data.secret,
            )
            if issuer
            else None,
            rows=ImportRows(self, shared=shared, table=table, identity=identity),
        )

        api.take_webhooks(functions.receive)
        api.open_links(functions.serve)
        api.open_tasks(functions.tasks)
        api.open_inbox(functions.in_app)
        api.open_manage(functions.manage)
        if functions.console:
            api.open_console(functions.console)
            CfnOutput(self, "ConsoleUrl", value=f"{api.public_url}/console")
        Imports(self, stage=stage, overflow=data.overflow, rows=functions.rows)
        alarms = None
        if stage.alarm_email:
            alarms = Alarms(self, stage=stage, topic=topic, schedules=schedules, functions=functions, api=api)
            if stage.rollout != ALL_AT_ONCE:
                Rollout(self, stage=stage, functions=functions, alarms=alarms, topic=topic)
        if stage.dashboard:
            Dashboard(self, stage=stage, functions=functions, queues=queues, api=api, alarms=alarms)
        CfnOutput(self, "ApiUrl", value=api.url)
        CfnOutput(self, "PublicUrl", value=api.public_url, description="The origin of the links in messages")
        CfnOutput(self, "NotesStatusReports", value="yes", description="What cairn migrate-table looks for")
        CfnOutput(self, "AccessLogGroup", value=api.access_log.log_group_name)
        CfnOutput(self, "AlarmTopicArn", value=topic.topic_arn)
        CfnOutput(self, "EmailTopicArn", value=email.topic.topic_arn, description="What SES reports goes here")
