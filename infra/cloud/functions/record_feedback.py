"""record_feedback: started by the feedback queue, turns what providers report into events."""

from constructs import Construct

from cairn.settings import RecordFeedbackSettings
from infra.cloud.function import Function, Shared

BATCH_SIZE = 10


class RecordFeedback(Function):
    def __init__(self, scope: Construct, *, shared: Shared) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "record_feedback",
            shared=shared,
            settings=RecordFeedbackSettings(
                stage=stage.name,
                events_queue_url=queues.events.queue_url,
                feedback_dead_letter_queue_url=queues.feedback.dead_letters.queue_url,
            ),
        )
        self.consume(queues.feedback, batch_size=BATCH_SIZE)
        self.may("sqs:SendMessage", on=[queues.events.queue_arn, queues.feedback.dead_letters.queue_arn])
