"""Conversations that wait for a person: the open tasks of a queue that are about one, found by the sparse index."""

from collections.abc import Mapping, Sequence
from typing import Any

from cairn.adapters.dynamodb.items import TASK, ByIndex, RecordItem
from cairn.adapters.dynamodb.timeline import OPEN
from cairn.application.ports import ConversationPage, OpenConversation
from cairn.domain.replies.conversations import CONVERSATION


class DynamoConversations:
    """Implements the port Conversations. A page is named by where its last task stands in the queue."""

    def page(self, queue: str, limit: int, after: str = "") -> ConversationPage:
        behind = ByIndex.gsi1sk > after if after else None
        found = list(RecordItem.by_index.query(f"queue#{queue}", behind, limit=limit, page_size=limit))
        following = found[-1].gsi1sk if len(found) == limit else None
        return ConversationPage([_open(item) for item in found if _is_about_one(item)], following)

    def of(self, customer_id: str) -> Sequence[OpenConversation]:
        tasks = RecordItem.query(customer_id, RecordItem.sk.startswith(TASK), consistent_read=True)
        return [_open(item) for item in tasks if item.status == OPEN and _is_about_one(item)]


def _is_about_one(item: RecordItem) -> bool:
    return (item.body or {}).get("reason") == CONVERSATION


def _open(item: RecordItem) -> OpenConversation:
    body: Mapping[str, Any] = item.body or {}
    return OpenConversation(
        task=item.sk.removeprefix(TASK),
        customer=item.pk,
        opened_at=item.at or "",
        due_at=str(body.get("due_at", "")),
        context=body.get("context") or {},
    )
