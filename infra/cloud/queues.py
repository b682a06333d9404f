"""The queues. Each that is consumed has a dead-letter queue of its own."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cairn.settings import (
    DEAD_LETTER_RETENTION,
    ERASURES_VISIBILITY,
    EVENTS_VISIBILITY,
    MAX_RECEIVES,
    MESSAGES_VISIBILITY,
    QUEUE_RETENTION,
    WEBHOOKS_VISIBILITY,
    queues_to_text,
)
from infra.cloud.nag import acknowledge
from infra.cloud.removal import removal
from infra.cloud.stage import Stage


class Queues(Construct):
    """The queues that start functions, and their dead-letter queues."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        events = Duration.seconds(int(EVENTS_VISIBILITY.total_seconds()))
        messages = Duration.seconds(int(MESSAGES_VISIBILITY.total_seconds()))
        self.events = WorkQueue(self, "Events", stage=stage, visibility=events, fifo=True)
        self.wakes = WorkQueue(self, "Wakes", stage=stage, visibility=events, fifo=False)
        self.messages = WorkQueue(self, "Messages", stage=stage, visibility=messages, fifo=False)
        self.marketing = WorkQueue(
            self, "Marketing", stage=stage, visibility=messages, fifo=False, dead_letters=self.messages.dead_letters
        )
        notices = Duration.seconds(int(WEBHOOKS_VISIBILITY.total_seconds()))
        self.notices = WorkQueue(self, "Notices", stage=stage, visibility=notices, fifo=False)
        self.feedback = WorkQueue(self, "Feedback", stage=stage, visibility=events, fifo=False)
        erasures = Duration.seconds(int(ERASURES_VISIBILITY.total_seconds()))
        self.erasures = WorkQueue(self, "Erasures", stage=stage, visibility=erasures, fifo=False)
        self.effects = WorkQueue(self, "Effects", stage=stage, visibility=events, fifo=False)
        self.stream_dead_letters = DeadLetterQueue(self, "StreamDeadLetters", stage=stage, fifo=False)
        self._output_urls()
        acknowledge(
            self.stream_dead_letters,
            "AwsSolutions-SQS3",
            because="a dead-letter queue itself: of the event source that reads the table's stream",
        )

    def _output_urls(self) -> None:
        """Output the URLs, for `cairn dlq`."""
        stack = Stack.of(self)
        for name, work in self.work.items():
            CfnOutput(stack, f"{name}QueueUrl", value=work.queue_url)
        for name, queue in self.dead_letters.items():
            CfnOutput(stack, f"{name}DeadLettersUrl", value=queue.queue_url)

    @staticmethod
    def urls_of(queues: Mapping[str, sqs.IQueue]) -> str:
        """As a setting, by the names that `cairn dlq` and the logs have for them."""
        return queues_to_text({name.lower(): queue.queue_url for name, queue in queues.items()})

    @property
    def work(self) -> "dict[str, WorkQueue]":
        return {
            "Events": self.events,
            "Wakes": self.wakes,
            "Messages": self.messages,
            "Marketing": self.marketing,
            "Notices": self.notices,
            "Feedback": self.feedback,
            "Erasures": self.erasures,
            "Effects": self.effects,
        }

    @property
    def dead_letters(self) -> dict[str, sqs.Queue]:
        """Every dead-letter queue."""
        return {
            **{name: queue.dead_letters for name, queue in self.work.items() if queue is not self.marketing},
            "Stream": self.stream_dead_letters,
        }


class DeadLetterQueue(sqs.Queue):
    """Stores failed work until an operator redrives it."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, fifo: bool) -> None:
        super().__init__(
            scope,
            id_,
            fifo=fifo or None,
            retention_period=Duration.days(DEAD_LETTER_RETENTION.days),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=removal(stage),
        )
        acknowledge(
            self,
            "Serverless-SQSRedrivePolicy",
            because="the end of the road: people look here, and no function consumes it",
        )


class WorkQueue(sqs.Queue):
    """Starts a function. A FIFO queue keeps the order within a group, and each group has its own throughput.

    It has its own dead-letter queue, unless it shares the one that is given.
    """

    def __init__(  # noqa: PLR0913
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        visibility: Duration,
        fifo: bool,
        dead_letters: DeadLetterQueue | None = None,
    ) -> None:
        self.dead_letters = dead_letters or DeadLetterQueue(scope, f"{id_}DeadLetters", stage=stage, fifo=fifo)
        super().__init__(
            scope,
            id_,
            fifo=fifo or None,
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP if fifo else None,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID if fifo else None,
            visibility_timeout=visibility,
            retention_period=Duration.days(QUEUE_RETENTION.days),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=removal(stage),
        )
