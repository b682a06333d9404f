"""What providers are told to report, and how their reports and customers' answers come back: all to one queue.

Through topics, not through EventBridge, which is given events by best effort, and those of texts and
WhatsApp messages without a word of whom they were for.
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
"""Not Send, which tells again what SES answered, nor DeliveryDelay, after which one of these still comes."""

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
"""All that say something of a text's end."""


class FeedbackTopic(ServiceTopic):
    """A topic that one service posts to, and that the feedback queue hears."""

    def __init__(self, scope: Construct, id_: str, *, publisher: str, key: TopicKey, queue: WorkQueue) -> None:
        super().__init__(scope, id_, publisher=publisher, key=key)
        self.add_subscription(
            subscriptions.SqsSubscription(queue, raw_message_delivery=False, dead_letter_queue=queue.dead_letters)
        )


class EmailFeedback(Construct):
    """A configuration set that every e-mail names."""

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
    """A configuration set that every text of End User Messaging names. Its topic also takes what customers answer.

    The number is bought and registered long before, and not ours to change: whoever owns it turns two-way messages on
    and names the topic.
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
        self.configuration_set.node.add_dependency(self.topic)  # whose policy lets the service post a first word
        CfnOutput(
            scope,
            "SmsTopicArn",
            value=self.topic.topic_arn,
            description="Two-way messages of the number or pool that texts are sent from go here",
        )


class WhatsAppFeedback(Construct):
    """The topic that the WhatsApp Business Account reports to, and passes customers' messages on to."""

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
