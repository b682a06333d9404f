"""In-app messages, in their customer's partition: an item each, sorted by time, until it expires."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pynamodb.exceptions import DoesNotExist, PutError

from cairn.adapters.dynamodb.items import CONDITION_FAILED, IN_APP, RecordItem, code_of
from cairn.adapters.dynamodb.message_status import update_record
from cairn.domain.message.in_app import InAppMessage, InAppStatus
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire


class DynamoInAppInbox:
    """Implements the port InAppInbox. A merge needs nothing here: the customer with the account keeps its id."""

    def put(self, message: InAppMessage) -> None:
        item = RecordItem(
            message.customer,
            IN_APP + message.id,
            at=instant_to_wire(message.sent_at),
            body={
                "message": message.message,
                "title": message.title,
                "text": message.text,
                **({"link": message.link, "button": message.button} if message.link else {}),
            },
            status=message.status.value,
            rank=message.status.rank,
            expires_at=int(message.expires_at.timestamp()),
        )
        try:
            item.save(condition=RecordItem.pk.does_not_exist())
        except PutError as error:
            if code_of(error) != CONDITION_FAILED:  # it is stored already
                raise

    def newest(self, customer_id: str, limit: int) -> Sequence[InAppMessage]:
        own = RecordItem.sk.startswith(IN_APP)
        return [_message(one) for one in RecordItem.query(customer_id, own, scan_index_forward=False, limit=limit)]

    def find(self, customer_id: str, id_: str) -> InAppMessage | None:
        try:
            return _message(RecordItem.get(customer_id, IN_APP + id_, consistent_read=True))
        except DoesNotExist:
            return None

    def move(self, message: InAppMessage, status: InAppStatus) -> None:
        item = RecordItem(message.customer, IN_APP + message.id)
        moves = RecordItem.status.set(status.value), RecordItem.rank.set(status.rank)
        update_record(item, [*moves], RecordItem.rank < status.rank)  # no rank: it has expired, or was erased


def _message(item: RecordItem) -> InAppMessage:
    body = item.body or {}
    return InAppMessage(
        id=item.sk.removeprefix(IN_APP),
        message=body["message"],
        customer=item.pk,
        sent_at=instant_from_wire(item.at or ""),
        expires_at=datetime.fromtimestamp(item.expires_at or 0, UTC),
        title=body["title"],
        text=body["text"],
        link=body.get("link", ""),
        button=body.get("button", ""),
        status=InAppStatus(item.status),
    )
