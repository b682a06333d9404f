"""Where effects go: the queue of messages, and the place of those that can never be carried out."""

from collections.abc import Callable, Mapping
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.dynamodb.codec import effect_to_wire, message_to_wire
from cairn.adapters.json_text import to_json
from cairn.adapters.queues import DeadLetterQueue
from cairn.domain.effects import Effect
from cairn.domain.errors import CairnError
from cairn.domain.message import Message


class MessagesQueue:
    """Implements the port Outbox."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, message: Message) -> None:
        with calling("sqs"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=to_json(message_to_wire(message)))


def parked_effect(dead_letters: DeadLetterQueue) -> Callable[[str, Effect | Mapping[str, Any], Exception], None]:
    """Keeps what can never be carried out, whole, so that it can be redriven once its cause is mended."""

    def park(customer_id: str, what: Effect | Mapping[str, Any], error: Exception) -> None:
        kept = {"change": what} if isinstance(what, Mapping) else {"effect": effect_to_wire(what)}
        why = f": {error}" if isinstance(error, CairnError) else ""
        dead_letters.park(to_json({"customer": customer_id, **kept}), type(error).__name__ + why)

    return park
