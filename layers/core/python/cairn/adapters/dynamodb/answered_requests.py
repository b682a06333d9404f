"""Operators' requests with an Idempotency-Key, and their answers, for a day. Two writes each, none without a key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.exceptions import PutError

from cairn.adapters.dynamodb.items import CONDITION_FAILED, REQUEST, RecordItem, code_of
from cairn.domain.operations.once import REMEMBERED_FOR, EarlierAnswer, RequestKey
from cairn.domain.shared.instants import instant_to_wire

ANSWER = "answer"
"""The sort key."""


class DynamoAnsweredRequests:
    """Implements the port AnsweredRequests."""

    def begin(self, key: RequestKey, now: datetime) -> EarlierAnswer | None:
        seconds = int(now.timestamp())
        # The table deletes an expired item some hours late.
        is_free = RecordItem.pk.does_not_exist() | (RecordItem.expires_at <= seconds)
        try:
            _item(key, now, {"body": key.body}).save(condition=is_free)
        except PutError as error:
            if code_of(error) != CONDITION_FAILED:
                raise
            found = RecordItem.get(REQUEST + key.id, ANSWER, consistent_read=True).body or {}
            return EarlierAnswer(found["body"], found.get("status", 0), found.get("document", {}))
        return None

    def answer(self, key: RequestKey, status: int, document: Mapping[str, Any], now: datetime) -> None:
        _item(key, now, {"body": key.body, "status": status, "document": dict(document)}).save()

    def forget(self, key: RequestKey, now: datetime) -> None:
        _item(key, now - REMEMBERED_FOR, {"body": key.body}).save()


def _item(key: RequestKey, at: datetime, body: dict[str, Any]) -> RecordItem:
    return RecordItem(
        REQUEST + key.id,
        ANSWER,
        at=instant_to_wire(at),
        body=body,
        expires_at=int((at + REMEMBERED_FOR).timestamp()),
    )
