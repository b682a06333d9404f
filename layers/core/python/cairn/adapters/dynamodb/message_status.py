"""The status of a message in its record: it only moves forward."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from cairn.adapters.dynamodb.items import CONDITION_FAILED, MESSAGE, RecordItem, code_of
from cairn.domain.message.message import MessageStatus
from cairn.domain.shared.instants import instant_to_wire

MAY_BE_DELIVERED_AGAIN = frozenset({MessageStatus.DEFERRED, MessageStatus.UNDECIDED})
"""A message of these stays as it was deferred: the queue, or a dead letter, has only its key."""


def advance_status(
    item: RecordItem, status: MessageStatus, what: list[Action], condition: Condition | None = None
) -> bool:
    """Whether the status moved. A message that may be delivered again may be deferred again, too."""
    further = RecordItem.rank.does_not_exist() | (RecordItem.rank < status.rank)
    if status is MessageStatus.DEFERRED:
        for before in MAY_BE_DELIVERED_AGAIN:
            further |= RecordItem.rank == before.rank
    condition = further if condition is None else condition & further
    moves = [*what, RecordItem.status.set(status.value), RecordItem.rank.set(status.rank)]
    return update_record(item, moves, condition)


def update_record(item: RecordItem, actions: list[Action], condition: Condition) -> bool:
    """Whether the item was as the condition says, and so was updated."""
    try:
        item.update(actions, condition=condition)
    except UpdateError as error:
        if code_of(error) != CONDITION_FAILED:
            raise
        return False
    return True


def reported(status: MessageStatus, at: datetime) -> list[Action]:
    """What a provider's report of this status adds to the record."""
    return [RecordItem.delivered_at.set(instant_to_wire(at))] if status is MessageStatus.DELIVERED else []


class DynamoReportedMessages:
    """Implements the port ReportedMessages."""

    def move_sent(
        self, customer_id: str, message_id: str, status: MessageStatus, at: datetime
    ) -> Mapping[str, Any] | None:
        item = RecordItem(customer_id, MESSAGE + message_id)
        went_out = RecordItem.status == MessageStatus.SENT.value
        if status.rank > MessageStatus.SENT.rank and advance_status(item, status, reported(status, at), went_out):
            return item.body or {}
        try:
            found = RecordItem.get(item.pk, item.sk, consistent_read=True)
        except DoesNotExist:
            return None
        return {} if (found.rank or 0) >= max(status.rank, MessageStatus.SENT.rank) else None
