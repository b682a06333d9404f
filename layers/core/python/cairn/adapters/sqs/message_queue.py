"""SQS: the queues of messages, one for each purpose, and dead-lettered effects."""

from collections.abc import Callable, Mapping
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb.codec import message_to_wire, settlement_to_wire
from cairn.adapters.dynamodb.effect_codec import effect_to_wire
from cairn.adapters.scheduler.timers import deferred_message_body
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.application.ports import Settlement
from cairn.domain.effects import Effect
from cairn.domain.message.message import Message
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import CairnError


class MessageQueue:
    """Implements the ports MessageQueue and Settlements: a queue for each purpose, so no broadcast delays a receipt."""

    def __init__(self, sqs: Any, lanes: Mapping[Purpose, str]) -> None:
        self._sqs = sqs
        self._lanes = lanes

    def put(self, message: Message | Settlement) -> None:
        if isinstance(message, Settlement):
            self._send(message.message.purpose, to_json(settlement_to_wire(message)))
        else:
            self._send(message.purpose, to_json(message_to_wire(message)))

    def put_deferred(self, customer_id: str, message_id: str, purpose: Purpose) -> None:
        self._send(purpose, deferred_message_body(customer_id, message_id))

    def _send(self, purpose: Purpose, body: str) -> None:
        with calling("sqs"):
            self._sqs.send_message(QueueUrl=self._lanes[purpose], MessageBody=body)


def dead_letter_effect(dead_letters: DeadLetterQueue) -> Callable[[str, Effect | Mapping[str, Any], Exception], None]:
    """Stores an effect that always fails, so that an operator can redrive it after fixing the cause."""

    def dead_letter(customer_id: str, what: Effect | Mapping[str, Any], error: Exception) -> None:
        failed = {"change": what} if isinstance(what, Mapping) else {"effect": effect_to_wire(what)}
        why = f": {error}" if isinstance(error, CairnError) else ""
        dead_letters.add(to_json({"customer": customer_id, **failed}), type(error).__name__ + why)

    return dead_letter
