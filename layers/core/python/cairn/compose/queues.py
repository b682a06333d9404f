"""What every function needs that a queue starts."""

from cairn.adapters import aws
from cairn.adapters.sqs.consumed_queues import ConsumedQueues


def consumed_queues() -> ConsumedQueues:
    return ConsumedQueues(lambda: aws.client("sqs"))
