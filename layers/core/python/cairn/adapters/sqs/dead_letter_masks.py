"""Dead letters without personal data: values are hidden unless their field is known to be safe."""

import json
import re
from typing import Any

MASK = "•••"

SAFE_FIELDS = frozenset(
    {"id", "type", "source", "occurred_at", "backfill", "cairn_id", "customer", "enrollment", "sequence", "do", "step"}
    | {"subscriber", "record", "attempt"}
    | {"journey", "version", "channels", "channel", "template", "purpose", "decided_at", "time_zone", "at", "message"}
    | {"status", "queue", "due_at", "merged", "s3", "problems", "encoding", "eventType", "notificationType"}
    | {"Type", "MessageId", "TopicArn", "Timestamp", "condition", "approximateInvokeCount", "functionArn"}
    | {"shardId", "startSequenceNumber", "endSequenceNumber", "batchSize", "streamArn"}
    | {"approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"}
)
"""Fields that describe the dead letter and hold nothing personal."""

SAFE_OBJECTS = frozenset({"effect", "unreadable", "Message", "mail", "tags", "DDBStreamBatchInfo", "requestContext"})
"""Objects whose own fields may be shown; all others are masked completely."""

WORD = re.compile(r"\S+")
NUMBER = re.compile(r"\+\d{7,}")


def masked(document: Any) -> Any:
    """The document of a dead letter; only safe fields keep their values."""
    if isinstance(document, dict):
        return {name: _masked(name, value) for name, value in document.items()}
    return [masked(one) for one in document] if isinstance(document, list) else MASK


def _masked(name: str, value: Any) -> Any:
    if name in SAFE_OBJECTS:
        inner = decoded(value) if isinstance(value, str) else value
        return masked(inner)
    if name in SAFE_FIELDS and not isinstance(value, dict):
        values = value if isinstance(value, list) else [value]
        safe = [_safe(one) if isinstance(one, str) else one for one in values if not isinstance(one, dict)]
        return safe if isinstance(value, list) else safe[0]
    return _hidden(value)


def _safe(text: str) -> str:
    """Without addresses and numbers, word by word: a pattern around the @ takes the square of a long word's length."""
    return NUMBER.sub(MASK, WORD.sub(lambda word: MASK if "@" in word[0] else word[0], text))


def _hidden(value: Any) -> Any:
    """The shape without the values."""
    if isinstance(value, dict):
        return {name: _hidden(one) for name, one in value.items()}
    return [_hidden(one) for one in value] if isinstance(value, list) else MASK


def decoded(body: str) -> Any:
    """The JSON document of a body, or the body itself where it is not JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return body
