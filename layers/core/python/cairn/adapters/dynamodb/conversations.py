"""Conversations that wait for a person: the open tasks of a queue that are about one, found by the sparse index."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from cairn.adapters.dynamodb.items import TASK, RecordItem
from cairn.adapters.dynamodb.timeline import OPEN
from cairn.application.ports import ConversationPage, OpenConversation
from cairn.domain.replies.conversations import CONVERSATION
from cairn.domain.shared.errors import InvalidRequestError

KEYS = ("pk", "sk", "gsi1sk")
"""What a cursor has of the last item of a page; the queue is named anew with each page."""


class DynamoConversations:
    """Implements the port Conversations."""

    def page(self, queue: str, limit: int, after: str = "") -> ConversationPage:
        found = RecordItem.by_index.query(
            f"queue#{queue}", limit=limit, page_size=limit, last_evaluated_key=_key(queue, after)
        )
        waiting = [_open(item) for item in found if _is_about_one(item)]
        return ConversationPage(waiting, _cursor(found.last_evaluated_key))

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


def _cursor(last: Mapping[str, Any] | None) -> str | None:
    return urlsafe_b64encode(json.dumps([last[name]["S"] for name in KEYS]).encode()).decode() if last else None


def _key(queue: str, after: str) -> dict[str, Any] | None:
    """Raises InvalidRequestError for what is no cursor."""
    if not after:
        return None
    try:
        texts = json.loads(urlsafe_b64decode(after.encode()))
        named = dict(zip(KEYS, texts, strict=True))
        key = {name: {"S": text} for name, text in named.items() if isinstance(text, str) and text}
    except (ValueError, TypeError):
        key = {}
    if len(key) != len(KEYS):
        raise InvalidRequestError(["after: take it from the page before"])
    return key | {"gsi1pk": {"S": f"queue#{queue}"}}
