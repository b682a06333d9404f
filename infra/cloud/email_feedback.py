"""E-mail: what SES is told to report, and how the reports come back."""

from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cloud.queues import WorkQueue
from infra.cloud.topics import ServiceTopic, TopicKey

REPORTED = [
    ses.EmailSendingEvent.SEND,
    ses.EmailSendingEvent.DELIVERY,
    ses.EmailSendingEvent.BOUNCE,
    ses.EmailSendingEvent.COMPLAINT,
    ses.EmailSendingEvent.OPEN,
    ses.EmailSendingEvent.CLICK,
    ses.EmailSendingEvent.REJECT,
    ses.EmailSendingEvent.RENDERING_FAILURE,
    ses.EmailSendingEvent.DELIVERY_DELAY,
]


class EmailFeedback(Construct):
    """A configuration set that every e-mail names; its reports reach the feedback queue through a topic."""

    def __init__(self, scope: Construct, id_: str, *, key: TopicKey, queue: WorkQueue) -> None:
        super().__init__(scope, id_)
        self.topic = ServiceTopic(self, "Topic", publisher="ses.amazonaws.com", key=key)
        self.topic.add_subscription(
            subscriptions.SqsSubscription(queue, raw_message_delivery=False, dead_letter_queue=queue.dead_letters)
        )
        self.configuration_set = ses.ConfigurationSet(
            self, "ConfigurationSet", tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE, reputation_metrics=True
        )
        self.configuration_set.add_event_destination(
            "Reports", destination=ses.EventDestination.sns_topic(self.topic), events=REPORTED
        )
