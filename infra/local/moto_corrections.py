"""What moto gets wrong about SQS, DynamoDB and Secrets Manager, put right.

tests/integration/test_moto_*.py and test_stage_secret.py show each.

Where a limit depends on the items, DynamoDB cancels a transaction with the reason ValidationError; where it depends on
the request alone, it refuses the request with ValidationException.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import copy, deepcopy
from functools import wraps
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from infra.local.stored_items import StoredItems

MAX_ITEM_BYTES = 400 * 1024
MAX_EXPRESSION_BYTES = 4 * 1024
MAX_UPDATE_OPERATORS = 300
MAX_TRANSACTION_ITEMS = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_BATCH_WRITES = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

TOKEN_SECONDS = 10 * 60
"""How long TransactWriteItems knows a ClientRequestToken."""

DEDUPLICATION_MS = 5 * 60 * 1000
"""How long a FIFO queue knows a deduplication id, whatever became of its message.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

MAX_VISIBILITY_MS = 12 * 60 * 60 * 1000
"""The longest that a message is invisible after one receive.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
OPERATORS = re.compile(r"[-+]|\b(?:if_not_exists|list_append)\b", re.IGNORECASE)
"""What counts as an operator or function of an UpdateExpression; the `=` of SET does not."""

PARSER_DEPTH = 20_000
"""Moto's parser recurses for each clause of an expression; DynamoDB has no such limit."""

CONTAINER_BYTES = 3
ELEMENT_BYTES = 1

Document = Mapping[str, Any]


@contextmanager
def corrected() -> Iterator[None]:
    """Within the block, moto does what AWS documents."""
    with ExitStack() as stack:
        stack.callback(sys.setrecursionlimit, sys.getrecursionlimit())
        sys.setrecursionlimit(PARSER_DEPTH)
        for cls, name, make in _corrections():
            stack.enter_context(patch.object(cls, name, make(getattr(cls, name))))
        yield


def _corrections() -> list[tuple[type, str, Callable[[Any], Any]]]:
    """Each corrected method: its class, its name, and what makes the new one of the old one."""
    from moto.dynamodb.models import DynamoDBBackend  # noqa: PLC0415  slow to import
    from moto.dynamodb.models.dynamo_type import LimitedSizeDict  # noqa: PLC0415
    from moto.dynamodb.models.table import StreamShard, Table  # noqa: PLC0415
    from moto.dynamodb.responses import DynamoHandler  # noqa: PLC0415
    from moto.secretsmanager.models import FakeSecret  # noqa: PLC0415
    from moto.sqs.models import Message, Queue, SQSBackend  # noqa: PLC0415

    actions = ("put_item", "update_item", "delete_item", "query", "scan")
    return [
        (Queue, "add_message", _remember_deduplication),
        (Message, "mark_received", _note_receive),
        (SQSBackend, "receive_message", _forget_expired),
        (SQSBackend, "change_message_visibility", _count_visibility_from_receive),
        (FakeSecret, "reset_default_version", _keep_labels),
        (LimitedSizeDict, "__setitem__", lambda _: dict.__setitem__),
        (StreamShard, "add", _record_changes_only),
        (Table, "put_item", _measure_put),
        (Table, "query", _search_one_partition),
        (DynamoDBBackend, "update_item", _update_whole_or_not),
        (DynamoDBBackend, "transact_write_items", _transact),
        (DynamoHandler, "transact_write_items", _transact_once),
        (DynamoHandler, "batch_write_item", _limit_batch),
        *((DynamoHandler, name, _limit_expressions) for name in actions),
    ]


# SQS


def _remember_deduplication(_: Any) -> Any:
    """Moto forgets the id of a deleted message, and compares ids of different groups."""

    def add_message(queue: Any, message: Any) -> None:
        if queue.fifo_queue and message.approximate_receive_count:  # it comes from the queue whose dead letter it is
            message.sent_timestamp = _now_ms()
        elif queue.fifo_queue and message.deduplication_id:
            known = queue.__dict__.setdefault("deduplication_ids", {})
            scope = message.group_id if queue.deduplication_scope == "messageGroup" else ""
            key = (scope, message.deduplication_id)
            if message.sent_timestamp - known.get(key, -DEDUPLICATION_MS) < DEDUPLICATION_MS:
                return
            known[key] = message.sent_timestamp
        with queue._messages_lock:  # noqa: SLF001
            queue._messages.append(message)  # noqa: SLF001
            queue._messages_lock.notify_all()  # noqa: SLF001

    return add_message


def _note_receive(really: Any) -> Any:
    def mark_received(message: Any, visibility_timeout: int | None = None) -> None:
        message.received_timestamp = _now_ms()
        really(message, visibility_timeout)

    return mark_received


def _forget_expired(really: Any) -> Any:
    """Moto receives a message after its retention, and a FIFO group out of order when several become visible again."""

    def receive_message(backend: Any, queue_name: str, *arguments: Any, **named: Any) -> Any:
        queue = backend.get_queue(queue_name)
        oldest = _now_ms() - queue.message_retention_period * 1000
        messages = [message for message in queue._messages if message.sent_timestamp > oldest]  # noqa: SLF001
        queue._messages[:] = messages  # noqa: SLF001
        queue.pending_messages.intersection_update([message for message in messages if not message.visible])
        return really(backend, queue_name, *arguments, **named)

    return receive_message


def _count_visibility_from_receive(_: Any) -> Any:
    """Moto counts the twelve hours from when the message was sent."""
    from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid  # noqa: PLC0415

    def change_message_visibility(backend: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        queue = backend.get_queue(queue_name)
        message = next((one for one in queue._messages if one.had_receipt_handle(receipt_handle)), None)  # noqa: SLF001
        if message is None:
            raise ReceiptHandleIsInvalid
        ends = _now_ms() + int(visibility_timeout) * 1000
        if ends - message.received_timestamp > MAX_VISIBILITY_MS:
            raise InvalidParameterValue(
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total "
                "VisibilityTimeout for the message is beyond the limit [43200 seconds]"
            )
        if int(visibility_timeout):
            message.change_visibility(visibility_timeout)
        else:
            message.visible_at = 0
            queue.pending_messages.discard(message)

    return change_message_visibility


def _now_ms() -> int:
    from moto.core.utils import unix_time_millis  # noqa: PLC0415

    return int(unix_time_millis())


# Secrets Manager


def _keep_labels(really: Any) -> Any:
    """Moto takes every label from the version that was current, where Secrets Manager moves AWSCURRENT alone."""

    def reset_default_version(secret: Any, secret_version: dict[str, Any], version_id: str) -> None:
        before = {id_: list(one["version_stages"]) for id_, one in secret.versions.items()}
        really(secret, secret_version, version_id)
        for id_, labels in before.items():
            now = secret.versions[id_]["version_stages"]
            own = [label for label in labels if not label.startswith("AWS")]
            now += [label for label in own if label not in (*now, *secret_version["version_stages"])]

    return reset_default_version


# DynamoDB


def attribute_size(value: Any) -> int:
    """Bytes of an attribute's value.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    kind, content = next(iter(value.items())) if isinstance(value, Mapping) else (value.type, value.value)
    match kind:
        case "S" | "B":
            size = _length(content)
        case "N":
            size = _number_size(content)
        case "SS" | "BS":
            size = sum(map(_length, content))
        case "NS":
            size = sum(map(_number_size, content))
        case "L":
            size = CONTAINER_BYTES + sum(ELEMENT_BYTES + attribute_size(one) for one in content)
        case "M":
            size = CONTAINER_BYTES + ELEMENT_BYTES * len(content) + item_size(content)
        case _:
            size = 1
    return size


def _length(content: str | bytes) -> int:
    return len(content.encode() if isinstance(content, str) else content)


def item_size(attributes: Document) -> int:
    """Bytes of an item: its attributes' names and values."""
    return sum(len(name.encode()) + attribute_size(value) for name, value in attributes.items())


def _number_size(number: Any) -> int:
    """A byte for each two significant digits, one more, and one for a minus."""
    text = str(number)
    digits = len(text.lstrip("-").partition("e")[0].replace(".", "").strip("0"))
    return (digits + 1) // 2 + 1 + text.startswith("-")


def _measure_put(really: Any) -> Any:
    """Moto measures by other rules, and not all of the item."""
    from moto.dynamodb.exceptions import ItemSizeTooLarge  # noqa: PLC0415

    def put_item(table: Any, item_attrs: Document, *arguments: Any, **named: Any) -> Any:
        if item_size(item_attrs) > MAX_ITEM_BYTES:
            raise ItemSizeTooLarge
        return really(table, item_attrs, *arguments, **named)

    return put_item


def _search_one_partition(really: Any) -> Any:
    """Moto sorts all items of the table; with those of one partition only, or of one key of an index, it answers so."""

    def query(table: Any, hash_key: Any, *arguments: Any, **named: Any) -> Any:
        conditions = named.get("hash_key_conditions")
        view = copy(table)
        if not (named.get("index_name") or (len(arguments) > 6 and arguments[6])):  # noqa: PLR2004  its place
            view.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
        elif conditions and table.range_key_attr:
            stored = isinstance(table.items, StoredItems)
            partitions = table.items.with_index_key(*conditions[0]) if stored else table.items.items()
            view.items = {
                pk: {sk: item for sk, item in partition.items() if _has(item, conditions)}
                for pk, partition in partitions
            }
        return really(view, hash_key, *arguments, **named)

    return query


def _has(item: Any, conditions: list[tuple[str, Any]]) -> bool:
    return all(name in item.attrs and item.attrs[name] == value for name, value in conditions)


def _record_changes_only(_: Any) -> Any:
    """Moto records writes that change nothing, and images that later writes change."""
    from moto.dynamodb.models.table import StreamRecord  # noqa: PLC0415

    def add(shard: Any, old: Any, new: Any) -> None:
        if old is not None and new is not None and old.attrs == new.attrs:
            return
        event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        view, sequence = shard.table.stream_specification["StreamViewType"], shard.starting_sequence_number
        record = StreamRecord(shard.table, view, event, old, deepcopy(new), len(shard.items) + sequence)
        shard.items.append(record)

    return add


def _update_whole_or_not(really: Any) -> Any:
    """Moto leaves a part of a failed update, and records a new item twice."""
    from moto.dynamodb.exceptions import ItemSizeToUpdateTooLarge  # noqa: PLC0415

    def update_item(backend: Any, table_name: str, key: Document, *arguments: Any, **named: Any) -> Any:
        table = backend.get_table(table_name)
        undo = _Undo(table, key)
        shard, table.stream_shard = table.stream_shard, None
        try:
            item = really(backend, table_name, key, *arguments, **named)
            if item_size(item.attrs) > MAX_ITEM_BYTES:
                raise ItemSizeToUpdateTooLarge  # noqa: TRY301  the item is put back below
        except BaseException:
            table.stream_shard = shard
            undo()
            raise
        table.stream_shard = shard
        if shard is not None:
            shard.add(undo.item, item)
        return item

    return update_item


class _Undo:
    """An item of a table as it is now, to be put back."""

    def __init__(self, table: Any, key: Document) -> None:
        from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415

        self.table = table
        names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
        self.keys = [DynamoType(key[name]) if name in key else None for name in names]
        found = table.get_item(*self.keys) if all(self.keys) else None
        self.item = deepcopy(found)

    def __call__(self) -> None:
        if not all(self.keys):
            return
        pk, sk = (*self.keys, None)[:2]
        where = self.table.items if sk is None else self.table.items[pk]
        name = pk if sk is None else sk
        if self.item is None:
            where.pop(name, None)
        else:
            where[name] = self.item


def _transact(_: Any) -> Any:
    """Moto copies the whole table, and answers a limit of an item as one of the request."""
    from moto.dynamodb.exceptions import TransactionCanceledException  # noqa: PLC0415

    def transact_write_items(backend: Any, transact_items: list[Document]) -> None:
        keys = _checked_keys(backend, transact_items)
        writes = [(*next(iter(one.items())), key) for one, key in zip(transact_items, keys, strict=True)]
        errors = [_condition_error(backend, operation, key) for _, operation, key in writes]
        if not any(errors):
            with _all_or_nothing(backend, writes) as failed:
                errors = [_write(backend, *write) for write in writes]
                failed[:] = filter(None, errors)
        if any(errors):
            raise TransactionCanceledException([one or (None, None, None) for one in errors])

    return transact_write_items


def _checked_keys(backend: Any, items: list[Document]) -> list[Document]:
    """Raises for what is wrong with the request; gives the key of each item."""
    from moto.dynamodb import exceptions  # noqa: PLC0415

    if len(items) > MAX_TRANSACTION_ITEMS:
        raise exceptions.TooManyTransactionsException
    if any(len(one) > 1 for one in items):
        raise exceptions.TransactWriteSingleOpException
    keys = [_key_of(backend, one) for one in items]
    seen = {(next(iter(one.values()))["TableName"], json.dumps(key)) for one, key in zip(items, keys, strict=True)}
    if len(seen) < len(items):
        raise exceptions.MultipleTransactionsException
    puts = [one["Put"]["Item"] for one in items if "Put" in one]
    if any(item_size(one) > MAX_ITEM_BYTES for one in puts):
        raise exceptions.ItemSizeTooLarge
    if sum(map(item_size, puts)) > MAX_TRANSACTION_BYTES:
        raise exceptions.MockValidationException("Transaction request exceeds the 4MB transaction size limit")
    return keys


def _condition_error(backend: Any, operation: Document, key: Document) -> Any:
    """The reason why a condition does not hold, or None."""
    from moto.dynamodb.comparisons import get_filter_expression  # noqa: PLC0415
    from moto.dynamodb.exceptions import ConditionalCheckFailed  # noqa: PLC0415

    condition = operation.get("ConditionExpression")
    if condition is None:
        return None
    current = backend.get_item(operation["TableName"], key)
    names, values = operation.get("ExpressionAttributeNames"), operation.get("ExpressionAttributeValues")
    if get_filter_expression(condition, names, values).expr(current):
        return None
    wanted = operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and current
    shown = current.to_json()["Attributes"] if wanted else None
    return ("ConditionalCheckFailed", str(ConditionalCheckFailed().message), shown)


def _write(backend: Any, kind: str, operation: Document, key: Document) -> Any:
    """Write an item of a transaction; gives the reason where the item itself does not allow it."""
    from moto.dynamodb import exceptions  # noqa: PLC0415

    table = operation["TableName"]
    try:
        if kind == "Put":
            backend.put_item(table, operation["Item"], overwrite=True)
        elif kind == "Delete":
            backend.delete_item(table, key)
        elif kind == "Update":
            names, values = operation.get("ExpressionAttributeNames"), operation.get("ExpressionAttributeValues")
            backend.update_item(table, key, operation["UpdateExpression"], names, values)
    except (
        exceptions.AttributeDoesNotExist,
        exceptions.IncorrectDataType,
        exceptions.IncorrectOperandType,
        exceptions.InvalidUpdateExpressionInvalidDocumentPath,
        exceptions.ItemSizeToUpdateTooLarge,
    ) as error:
        return ("ValidationError", str(error.message), None)
    return None


@contextmanager
def _all_or_nothing(backend: Any, writes: list[tuple[str, Document, Document]]) -> Iterator[list[Any]]:
    """Put all items back if the block raises, or puts an error into its list."""
    tables = {operation["TableName"]: backend.get_table(operation["TableName"]) for _, operation, _ in writes}
    shards = [table.stream_shard for table in tables.values() if table.stream_shard is not None]
    lengths = [len(shard.items) for shard in shards]
    undo = [_Undo(tables[operation["TableName"]], key) for _, operation, key in writes]
    failed: list[Any] = ["it raised"]
    try:
        yield failed
    finally:
        if failed:
            for one in undo:
                one()
            for shard, length in zip(shards, lengths, strict=True):
                del shard.items[length:]


def _key_of(backend: Any, item: Document) -> Document:
    kind, operation = next(iter(item.items()))
    if kind != "Put":
        return dict(sorted(operation["Key"].items()))
    table = backend.get_table(operation["TableName"])
    names = sorted(name for name in (table.hash_key_attr, table.range_key_attr) if name)
    return {name: operation["Item"][name] for name in names}


def _transact_once(really: Any) -> Any:
    """Moto forgets a ClientRequestToken at once, so that the SDK's own retry writes twice."""
    from moto.core.responses import ActionResult  # noqa: PLC0415
    from moto.dynamodb.exceptions import DynamodbException  # noqa: PLC0415

    @wraps(really)
    def transact_write_items(handler: Any) -> Any:
        for item in handler.body["TransactItems"]:
            _check_expressions(next(iter(item.values())))
        token, backend = handler.body.get("ClientRequestToken"), handler.dynamodb_backend
        if token is None:
            return really(handler)
        known = backend.__dict__.setdefault("client_request_tokens", {})
        content, now = sha256(json.dumps(handler.body["TransactItems"], default=str).encode()).digest(), _now_ms()
        at, before = known.get(token, (-TOKEN_SECONDS * 1000, None))
        if now - at >= TOKEN_SECONDS * 1000:
            answer = really(handler)
            known[token] = (now, content)
            while (oldest := next(iter(known))) != token and now - known[oldest][0] >= TOKEN_SECONDS * 1000:
                del known[oldest]
            return answer
        if content != before:
            raise DynamodbException(
                error_type="com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
                message="Request ignored because the content of the same token was different",
            )
        return ActionResult({})

    return transact_write_items


def _limit_batch(really: Any) -> Any:
    """Moto takes more than 25 writes, and a put and a deletion of one item."""
    from moto.dynamodb.exceptions import MockValidationException  # noqa: PLC0415

    @wraps(really)
    def batch_write_item(handler: Any) -> Any:
        requests = handler.body["RequestItems"]
        if sum(map(len, requests.values())) > MAX_BATCH_WRITES:
            raise MockValidationException("Too many items requested for the BatchWriteItem call")
        for table_name, asked in requests.items():
            table = handler.dynamodb_backend.get_table(table_name)
            names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
            written = [next(iter(next(iter(one.values())).values())) for one in asked]
            keys = {json.dumps([item.get(name) for name in names], default=str) for item in written}
            if len(keys) < len(asked):
                raise MockValidationException("Provided list of item keys contains duplicates")
        return really(handler)

    return batch_write_item


def _limit_expressions(really: Any) -> Any:
    """Moto takes expressions of any length."""

    @wraps(really)
    def action(handler: Any) -> Any:
        _check_expressions(handler.body)
        return really(handler)

    return action


def _check_expressions(asked: Document) -> None:
    from moto.dynamodb.exceptions import MockValidationException  # noqa: PLC0415

    for name in EXPRESSIONS:
        text = asked.get(name) or ""
        if len(text) > MAX_EXPRESSION_BYTES or len(text.encode()) > MAX_EXPRESSION_BYTES:
            raise MockValidationException(
                f"Invalid {name}: Expression size has exceeded the maximum allowed size; expression size: {len(text)}"
            )
    update = asked.get("UpdateExpression") or ""
    if len(OPERATORS.findall(update)) > MAX_UPDATE_OPERATORS:
        raise MockValidationException(
            "Invalid UpdateExpression: The expression contains too many operators; "
            f"maximum operator count: {MAX_UPDATE_OPERATORS}"
        )
