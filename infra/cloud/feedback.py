"""The reports of providers and the answers of customers, all led to one queue.

By topics and not by EventBridge: it gets events by best effort, and those of texts and WhatsApp messages name no
recipient.
"""

from aws_cdk import CfnOutput
from aws_cdk import aws_ses as ses
from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cloud.queues import WorkQueue
from infra.cloud.topics import ServiceTopic, TopicKey

EMAIL_REPORTS = [
    ses.EmailSendingEvent.DELIVERY,
    ses.EmailSendingEvent.BOUNCE,
    ses.EmailSendingEvent.COMPLAINT,
    ses.EmailSendingEvent.OPEN,
    ses.EmailSendingEvent.CLICK,
    ses.EmailSendingEvent.REJECT,
    ses.EmailSendingEvent.RENDERING_FAILURE,
]
"""Not Send, which repeats the answer of SES, nor DeliveryDelay, which one of these still follows."""

SMS_REPORTS = [
    "TEXT_BLOCKED",
    "TEXT_CARRIER_BLOCKED",
    "TEXT_CARRIER_UNREACHABLE",
    "TEXT_DELIVERED",
    "TEXT_INVALID",
    "TEXT_INVALID_MESSAGE",
    "TEXT_PROTECT_BLOCKED",
    "TEXT_SPAM",
    "TEXT_SUCCESSFUL",
    "TEXT_TTL_EXPIRED",
    "TEXT_UNREACHABLE",
]
"""All that report the final state of a text."""


class FeedbackTopic(ServiceTopic):
    """A topic that one service posts to and the feedback queue subscribes to."""

    def __init__(self, scope: Construct, id_: str, *, publisher: str, key: TopicKey, queue: WorkQueue) -> None:
        super().__init__(scope, id_, publisher=publisher, key=key)
        self.add_subscription(
            subscriptions.SqsSubscription(queue, raw_message_delivery=False, dead_letter_queue=queue.dead_letters)
        )


class EmailFeedback(Construct):
    """The configuration set of every e-mail."""

    def __init__(self, scope: Construct, id_: str, *, key: TopicKey, queue: WorkQueue) -> None:
        super().__init__(scope, id_)
        self.topic = FeedbackTopic(self, "Topic", publisher="ses.amazonaws.com", key=key, queue=queue)
        self.configuration_set = ses.ConfigurationSet(
            self, "ConfigurationSet", tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE, reputation_metrics=True
        )
        self.configuration_set.add_event_destination(
            "Reports", destination=ses.EventDestination.sns_topic(self.topic), events=EMAIL_REPORTS
        )


class SmsFeedback(Construct):
    """The configuration set of every text by End User Messaging. Its topic also gets customers' replies.

    The number is registered long before and not part of the stack: its owner turns two-way messages on and sets this
    topic.
    """

    def __init__(self, scope: Construct, id_: str, *, key: TopicKey, queue: WorkQueue) -> None:
        super().__init__(scope, id_)
        self.topic = FeedbackTopic(self, "Topic", publisher="sms-voice.amazonaws.com", key=key, queue=queue)
        self.topic.grant_publish(self.topic.publisher)
        self.configuration_set = smsvoice.CfnConfigurationSet(
            self,
            "ConfigurationSet",
            event_destinations=[
                smsvoice.CfnConfigurationSet.EventDestinationProperty(
                    enabled=True,
                    event_destination_name="reports",
                    matching_event_types=SMS_REPORTS,
                    sns_destination=smsvoice.CfnConfigurationSet.SnsDestinationProperty(topic_arn=self.topic.topic_arn),
                )
            ],
        )
        self.configuration_set.node.add_dependency(self.topic)  # its policy allows the service to post
        CfnOutput(
            scope,
            "SmsTopicArn",
            value=self.topic.topic_arn,
            description="Two-way messages of the number or pool that texts are sent from go here",
        )


class WhatsAppFeedback(Construct):
    """The topic for reports and customers' messages of the WhatsApp Business Account."""

    def __init__(self, scope: Construct, id_: str, *, key: TopicKey, queue: WorkQueue) -> None:
        super().__init__(scope, id_)
        self.topic = FeedbackTopic(self, "Topic", publisher="social-messaging.amazonaws.com", key=key, queue=queue)
        self.topic.grant_publish(self.topic.publisher)
        CfnOutput(
            scope,
            "WhatsAppTopicArn",
            value=self.topic.topic_arn,
            description="The event destination of the WhatsApp Business Account",
        )
