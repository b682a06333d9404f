"""SQS: whether a queue is behind."""

from typing import Any

from cairn.adapters.aws import calling

MANY = 1_000
"""Messages that wait or are in delivery. With so many, what looks lost is probably one of them."""

COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def is_behind(sqs: Any, url: str) -> bool:
    with calling("sqs"):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
    return sum(int(found[name]) for name in COUNTS) >= MANY
