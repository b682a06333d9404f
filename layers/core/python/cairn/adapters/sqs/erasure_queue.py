"""SQS: orders to erase, each delayed until no message about the customer can still be in delivery."""

import json
from datetime import timedelta
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.scheduler.timers import round_up_seconds
from cairn.domain.effects import EraseCustomer, EraseRecord
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire


class ErasureQueue:
    """Implements the port Erasures."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, customer_id: str, order: EraseCustomer | EraseRecord, delay: timedelta) -> None:
        wire = {"customer": customer_id, "id": order.id, "by": order.by, "at": instant_to_wire(order.at)}
        record = {"source": order.source, "ids": list(order.ids)} if isinstance(order, EraseRecord) else {}
        body = to_json(wire | record)
        with calling("sqs"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=round_up_seconds(delay))


def order_in(body: str) -> tuple[str, EraseCustomer | EraseRecord]:
    """The customer's id and the order of a message. Raises LookupError, TypeError or ValueError for any other body."""
    order = json.loads(body)
    order_id, by, at = order["id"], order["by"], instant_from_wire(order["at"])
    if "source" in order:
        return str(order["customer"]), EraseRecord(order_id, by, at, order["source"], tuple(order["ids"]))
    return str(order["customer"]), EraseCustomer(order_id, by, at)
