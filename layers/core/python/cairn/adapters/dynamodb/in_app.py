"""In-app messages, in their customer's partition: an item each, sorted by time, until it expires."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.expressions.update import Action

from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    IN_APP,
    MAX_MERGES,
    STATE,
    CustomerItem,
    RecordItem,
    code_of,
)
from cairn.adapters.dynamodb.message_status import update_record
from cairn.domain.message.in_app import InAppMessage, InAppStatus
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire


class DynamoInAppInbox:
    """Implements the port InAppInbox. A customer who was merged since is followed where the old id has nothing."""

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
        found = _newest(customer_id, limit)
        if not found and (survivor := _survivor(customer_id)) != customer_id:
            found = _newest(survivor, limit)
        return [_message(item) for item in found]

    def find(self, customer_id: str, id_: str) -> InAppMessage | None:
        found = _get(customer_id, id_)
        if found is None and (survivor := _survivor(customer_id)) != customer_id:
            found = _get(survivor, id_)
        return _message(found) if found is not None else None

    def move(self, message: InAppMessage, status: InAppStatus) -> None:
        item = RecordItem(message.customer, IN_APP + message.id)
        moves: list[Action] = [RecordItem.status.set(status.value), RecordItem.rank.set(status.rank)]
        update_record(item, moves, RecordItem.rank < status.rank)  # no rank: it has expired, or was erased


def _newest(customer_id: str, limit: int) -> list[RecordItem]:
    return list(RecordItem.query(customer_id, RecordItem.sk.startswith(IN_APP), scan_index_forward=False, limit=limit))


def _get(customer_id: str, id_: str) -> RecordItem | None:
    try:
        return RecordItem.get(customer_id, IN_APP + id_, consistent_read=True)
    except DoesNotExist:
        return None


def _survivor(customer_id: str) -> str:
    for _ in range(MAX_MERGES):
        try:
            state = CustomerItem.get(customer_id, STATE, attributes_to_get=["pk", "sk", "alias_of", "erased"])
        except DoesNotExist:
            break
        if not state.alias_of or state.erased:  # an identifier of an erased customer may lead to another one
            break
        customer_id = state.alias_of
    return customer_id


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
