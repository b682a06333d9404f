"""One call of a function to AWS, and what it is about, without personal data."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cairn.adapters.dynamodb.items import (
    AUDIT,
    CONTACT,
    ENROLLED,
    ENTRIES,
    IDENTITY,
    OPEN,
    ORDERS,
    OUTBOX,
    PENDING_ERASURE,
    RECENT,
    REVIEWS,
    SETTINGS,
    STATE,
    SUPPRESSED,
    SWITCHES,
)

SORT_KEYS = frozenset(
    {STATE, CONTACT, OPEN, PENDING_ERASURE, SUPPRESSED, SETTINGS, SWITCHES, IDENTITY, AUDIT, ORDERS, RECENT, REVIEWS}
)
"""Keys that are the same for every customer. Of every other one, only its kind is named."""

EVENTUAL = "eventually"
"""The word in `target` of a read that may lag."""

READS = ("GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems")
MOST_NAMED = 3
"""Kinds of items that a target names, where one call has many."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the SDK. Its retries are the same call."""

    number: int
    """From 0, over the whole story."""
    function: str
    invocation: int
    service: str
    """As boto names it."""
    operation: str
    target: str = ""
    """The kind of item, the queue, the topic or the channel."""

    def __str__(self) -> str:
        about = f" ({self.target})" if self.target else ""
        return f"{self.number}. {self.function}: {self.service}.{self.operation}{about}"


def target_of(service: str, operation: str, url: str, body: bytes) -> str:
    read = TARGETS.get(service)
    if read is None:
        return ""
    try:
        return read(operation, url, body)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def _items(operation: str, _: str, body: bytes) -> str:
    document = json.loads(body)
    kinds = list(dict.fromkeys(_kinds(operation, document)))
    named = ", ".join(kinds[:MOST_NAMED]) + (" …" if len(kinds) > MOST_NAMED else "")
    lags = operation in READS and not is_consistent(document)
    return f"{named} {EVENTUAL}" if lags else named


def is_consistent(document: Document) -> bool:
    tables = document.get("RequestItems")
    if isinstance(tables, Mapping):
        return all(isinstance(one, Mapping) and bool(one.get("ConsistentRead")) for one in tables.values())
    return bool(document.get("ConsistentRead")) or "TransactItems" in document


def _kinds(operation: str, document: Document) -> Iterator[str]:
    if operation == "Query":
        values = [next(iter(one.values())) for one in document.get("ExpressionAttributeValues", {}).values()]
        kinds = [_kind(str(one)) for one in values[:2]]
        yield " ".join(filter(None, [document.get("IndexName", ""), *kinds]))
    elif operation in {"TransactWriteItems", "TransactGetItems"}:
        for one in document["TransactItems"]:
            written = next(iter(one.values()))
            yield _kind_of_key(written.get("Item") or written["Key"])
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for asked in document["RequestItems"].values():
            for one in asked["Keys"] if isinstance(asked, Mapping) else map(_written, asked):
                yield _kind_of_key(one)
    elif "Key" in document or "Item" in document:
        yield _kind_of_key(document.get("Item") or document["Key"])


def _written(request: Document) -> Document:
    found: Document = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return found


def _kind_of_key(key: Document) -> str:
    return _kind(key["sk"]["S"]) or _kind(key["pk"]["S"])


def _kind(key: str) -> str:
    """`open#state` as it is, `event#<key>` as `event#`, a customer's id as nothing."""
    if key in SORT_KEYS:
        return key
    for part in (ENTRIES, ENROLLED, OUTBOX):
        if key.startswith(part):
            return part
    kind, mark, _ = key.partition("#")
    return kind + mark if mark else ""


def _queue(_operation: str, _url: str, body: bytes) -> str:
    document = json.loads(body)
    return str(document.get("QueueUrl") or document.get("QueueName", "")).rpartition("/")[2].removeprefix("cairn-")


def _topic(_operation: str, _url: str, body: bytes) -> str:
    fields = parse_qs(body.decode())
    if "TopicArn" in fields:
        return fields["TopicArn"][0].rpartition(":")[2]
    return "sms" if "PhoneNumber" in fields else "push"


def _secret(_operation: str, _url: str, body: bytes) -> str:
    """The secret, and the label of its version where the call names one: `cairn/links`."""
    document = json.loads(body)
    name = str(document["SecretId"]).rpartition(":")[2].rpartition("-")[0]
    return "/".join(filter(None, (name, document.get("VersionStage", ""))))


def _bucket(_operation: str, url: str, _body: bytes) -> str:
    return (urlsplit(url).hostname or "").partition(".")[0]


TARGETS: Mapping[str, Callable[[str, str, bytes], str]] = {
    "dynamodb": _items,
    "sqs": _queue,
    "sns": _topic,
    "secretsmanager": _secret,
    "s3": _bucket,
    "sesv2": lambda *_: "email",
    "pinpoint-sms-voice-v2": lambda *_: "sms",
    "socialmessaging": lambda *_: "whatsapp",
}
