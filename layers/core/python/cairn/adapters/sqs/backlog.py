"""SQS: how many messages a queue has, and whether it is behind."""

from typing import Any

from cairn.adapters.aws import calling

MANY = 1_000
"""Messages that wait or are in delivery. With so many, what looks lost is probably one of them."""

COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
"""Those that wait, and those in delivery. A delayed message is neither."""


def depth(sqs: Any, url: str) -> int:
    """The messages that wait or are in delivery."""
    with calling("sqs"):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
    return sum(int(found[name]) for name in COUNTS)


def is_behind(sqs: Any, url: str) -> bool:
    return depth(sqs, url) >= MANY
