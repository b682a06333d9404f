"""Everything that runs."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.cloud.alarms import Alarms, AlarmTopic, Functions
from infra.cloud.api import Api
from infra.cloud.bundle import Bundle
from infra.cloud.data_stack import DataStack
from infra.cloud.feedback import EmailFeedback, SmsFeedback, WhatsAppFeedback
from infra.cloud.function import Shared
from infra.cloud.functions.deliver_message import DeliverMessage
from infra.cloud.functions.process_event import ProcessEvent
from infra.cloud.functions.receive_webhook import ReceiveWebhook
from infra.cloud.functions.record_feedback import RecordFeedback
from infra.cloud.functions.relay_effects import RelayEffects
from infra.cloud.layers import Layers
from infra.cloud.queues import Queues
from infra.cloud.schedules import Schedules
from infra.cloud.stage import Stage
from infra.cloud.topics import TopicKey


class EngineStack(Stack):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage, data: DataStack, bundle: Bundle) -> None:
        super().__init__(scope, id_, description=f"Cairn {stage.name}: functions, queues, timers, API and alarms")
        table = data.table
        key = TopicKey(self, "TopicKey")
        queues = Queues(self, "Queues", stage=stage)
        schedules = Schedules(self, "Schedules", stage=stage, targets=[queues.wakes])
        email = EmailFeedback(self, "EmailFeedback", key=key, queue=queues.feedback)
        sms = SmsFeedback(self, "SmsFeedback", key=key, queue=queues.feedback) if stage.sms_origination else None
        if stage.whatsapp_phone_number_id:
            WhatsAppFeedback(self, "WhatsAppFeedback", key=key, queue=queues.feedback)
        shared = Shared(stage=stage, layers=Layers(self, "Layers", bundle=bundle), queues=queues)

        functions = Functions(
            receive=ReceiveWebhook(self, shared=shared, sources=data.sources, overflow=data.overflow),
            process=ProcessEvent(self, shared=shared, table=table, overflow=data.overflow),
            relay=RelayEffects(self, shared=shared, schedules=schedules, table=table),
            deliver=DeliverMessage(self, shared=shared, table=table, email=email, sms=sms),
            record=RecordFeedback(self, shared=shared, overflow=data.overflow),
        )

        api = Api(self, "Api", stage=stage, handler=functions.receive)
        topic = AlarmTopic(self, "AlarmTopic", stage=stage, key=key)
        Alarms(self, topic=topic, queues=queues, functions=functions, api=api)
        CfnOutput(self, "ApiUrl", value=api.api.api_endpoint)
