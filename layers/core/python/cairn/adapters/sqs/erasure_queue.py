"""SQS: orders to erase a customer, each delayed until no message of theirs can still be in delivery."""

import json
from datetime import timedelta
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.scheduler.timers import round_up_seconds
from cairn.domain.effects import EraseCustomer
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire


class ErasureQueue:
    """Implements the port Erasures."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, customer_id: str, order: EraseCustomer, delay: timedelta) -> None:
        body = to_json({"customer": customer_id, "id": order.id, "by": order.by, "at": instant_to_wire(order.at)})
        with calling("sqs"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=round_up_seconds(delay))


def order_in(body: str) -> tuple[str, EraseCustomer]:
    """The customer's id and the order of a message. Raises LookupError, TypeError or ValueError for any other body."""
    order = json.loads(body)
    return str(order["customer"]), EraseCustomer(order["id"], order["by"], instant_from_wire(order["at"]))
