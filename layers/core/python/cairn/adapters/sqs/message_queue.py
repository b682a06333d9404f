"""SQS: the queues of messages, one for each purpose."""

from collections.abc import Mapping, Sequence
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb.codec import message_to_wire, settlement_to_wire
from cairn.adapters.scheduler.timers import deferred_message_body
from cairn.adapters.sqs.backlog import is_behind
from cairn.adapters.sqs.batches import send_each
from cairn.application.values.messages import Settlement
from cairn.domain.message.message import Message
from cairn.domain.shared.channels import Purpose


class MessageQueue:
    """Implements the ports MessageQueue and Settlements: a queue for each purpose, so no broadcast delays a receipt."""

    def __init__(self, sqs: Any, lanes: Mapping[Purpose, str]) -> None:
        self._sqs = sqs
        self._lanes = lanes

    def put(self, settlement: Settlement) -> None:
        self._send(settlement.message.purpose, to_json(settlement_to_wire(settlement)))

    def put_each(self, messages: Sequence[Message]) -> dict[int, Exception]:
        failed: dict[int, Exception] = {}
        for purpose, url in self._lanes.items():
            entries = (
                {"Id": str(number), "MessageBody": to_json(message_to_wire(one))}
                for number, one in enumerate(messages)
                if one.purpose is purpose
            )
            failed |= {int(id_): error for id_, error in send_each(self._sqs, url, entries).items()}
        return failed

    def put_deferred(self, customer_id: str, message_id: str, purpose: Purpose) -> None:
        self._send(purpose, deferred_message_body(customer_id, message_id))

    def is_behind(self, purpose: Purpose) -> bool:
        return is_behind(self._sqs, self._lanes[purpose])

    def _send(self, purpose: Purpose, body: str) -> None:
        with calling("sqs"):
            self._sqs.send_message(QueueUrl=self._lanes[purpose], MessageBody=body)
