"""The one connection to the table, and what PynamoDB's models cannot do: all uses of its private parts are here.

What every event does is said to DynamoDB directly: PynamoDB takes longer to say it than to send it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection
from pynamodb.constants import RESPONSES, TRANSACT_ITEMS, TRANSACT_WRITE_ITEMS, UNPROCESSED_KEYS
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action, Update
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from cairn.adapters import aws
from cairn.adapters.aws import calling
from cairn.adapters.backoff import attempts
from cairn.adapters.dynamodb.items import (
    DEAL,
    MEMBERS,
    MODELS,
    OPEN,
    PENDING_ERASURE,
    SUPPRESSED,
    WORK,
    CustomerItem,
    DocumentItem,
    RecordItem,
    SuppressionItem,
    WorkItem,
)
from cairn.domain.shared.errors import ServiceBusyError

MAX_KEYS = 100
"""Keys of one BatchGetItem (DynamoDB quota)."""

MAX_WRITES = 25
"""Requests of one BatchWriteItem (DynamoDB quota)."""


def bind(table_name: str, region: str) -> None:
    """Name the table of the models; called by the composition root.

    All models share one connection, with a client of the process's one session: PynamoDB would make a session and a
    client for each model, at 60 ms of CPU apiece. The connection is RecordItem's, which knows the index.
    """
    for model in MODELS:
        model.Meta.table_name = table_name
        model.Meta.region = region
    shared = _connection_of(RecordItem)
    shared._client = aws.client("dynamodb", validated=True)  # noqa: SLF001  PynamoDB has no public way to set it
    for model in MODELS:
        model._get_connection().connection = shared  # noqa: SLF001


def unbind() -> None:
    """Forget the connection, so that `bind` makes a new client."""
    for model in MODELS:
        model._connection = None  # noqa: SLF001


def transaction() -> TransactWrite:
    """Writes that happen together or not at all, when its `with` block ends."""
    return TransactWrite(connection=_connection_of(RecordItem))


Write = tuple[str, dict[str, Any]]
"""One item's part of a TransactWriteItems: the kind of the write, and its arguments."""


def put_of(item: Model, condition: Condition | None = None) -> Write:
    return "Put", {"TableName": item.Meta.table_name, "Item": item.serialize(), **_expressions(condition)}


def delete_of(item: Model, condition: Condition | None = None) -> Write:
    return "Delete", {"TableName": item.Meta.table_name, "Key": _key_of(item), **_expressions(condition)}


def update_of(item: Model, actions: Iterable[Action], condition: Condition | None = None) -> Write:
    expressions = _expressions(condition, Update(*actions))
    return "Update", {"TableName": item.Meta.table_name, "Key": _key_of(item), **expressions}


def check_of(item: Model, condition: Condition) -> Write:
    """That the condition holds of an item that is not written."""
    return "ConditionCheck", {"TableName": item.Meta.table_name, "Key": _key_of(item), **_expressions(condition)}


def transact(writes: Iterable[Write]) -> None:
    """Make all writes or none, in this order. Raises PynamoDB's TransactWriteError, as a `transaction` does."""
    items = [{kind: arguments} for kind, arguments in writes]
    try:
        _connection_of(RecordItem).dispatch(TRANSACT_WRITE_ITEMS, {TRANSACT_ITEMS: items})
    except (BotoCoreError, ClientError) as error:
        raise TransactWriteError("a transaction was not written", error) from error


def _key_of(item: Any) -> dict[str, dict[str, Any]]:
    return {"pk": {"S": item.pk}, "sk": {"S": item.sk}}


def _expressions(condition: Condition | None, update: Update | None = None) -> dict[str, Any]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    expressions = {"UpdateExpression": update, "ConditionExpression": condition}
    found: dict[str, Any] = {name: one.serialize(names, values) for name, one in expressions.items() if one is not None}
    if names:
        found["ExpressionAttributeNames"] = {short: name for name, short in names.items()}
    if values:
        found["ExpressionAttributeValues"] = values
    return found


def first_items(pk: str, prefix: str, most: int, *, may_lag: bool) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """The items of a partition whose sort keys begin so, in pages of so many at most; and whether more may follow."""
    client: Any = _connection_of(RecordItem).client
    arguments = {
        "TableName": RecordItem.Meta.table_name,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": prefix}},
        "ConsistentRead": not may_lag,
        "Limit": most,
    }
    while True:
        with calling("dynamodb"):
            answer = client.query(**arguments)
        last = answer.get("LastEvaluatedKey")
        yield answer["Items"], last is not None
        if last is None:
            return
        arguments["ExclusiveStartKey"] = last


def behind(gsi1pk: str, gsi1sk: str, pk: str, sk: str) -> dict[str, dict[str, str]]:
    """The key of the first index behind which a page begins."""
    return {"gsi1pk": {"S": gsi1pk}, "gsi1sk": {"S": gsi1sk}, "pk": {"S": pk}, "sk": {"S": sk}}


def read_all(keys: Iterable[tuple[str, str]], *, may_lag: bool = False) -> dict[tuple[str, str], Any]:
    """Items of any kind by (pk, sk), in one consistent read for each hundred keys; missing items are left out.

    `may_lag`: in one that is eventually consistent, and costs half. PynamoDB's own batch read takes one kind of item
    only. Raises ServiceBusyError where DynamoDB leaves keys unread, again and again: it is throttled.
    """
    return {(raw["pk"]["S"], raw["sk"]["S"]): item_from(raw) for raw in _read_raw(keys, may_lag=may_lag)}


def read_attributes(keys: Iterable[tuple[str, str]], *names: str) -> dict[tuple[str, str], dict[str, str]]:
    """Some texts of items by (pk, sk), read as `read_all` does; the rest of an item is neither sent nor parsed."""
    return {
        (raw["pk"]["S"], raw["sk"]["S"]): {name: raw[name]["S"] for name in names if name in raw}
        for raw in _read_raw(keys, ["pk", "sk", *names])
    }


def _read_raw(
    keys: Iterable[tuple[str, str]], names: list[str] | None = None, *, may_lag: bool = False
) -> Iterator[Mapping[str, Any]]:
    wanted = sorted(set(keys))
    table = RecordItem.Meta.table_name
    for start in range(0, len(wanted), MAX_KEYS):
        left = [{"pk": pk, "sk": sk} for pk, sk in wanted[start : start + MAX_KEYS]]
        attempt = attempts()
        while left:
            if next(attempt, None) is None:
                raise ServiceBusyError("dynamodb leaves keys unread: it is throttled")
            # PynamoDB's type hint asks for strings, but the call takes keys.
            answer = _connection_of(RecordItem).batch_get_item(
                table,
                left,  # type: ignore[arg-type]
                consistent_read=not may_lag,
                attributes_to_get=names,
            )
            yield from answer.get(RESPONSES, {}).get(table, ())
            unread = answer.get(UNPROCESSED_KEYS, {}).get(table, {}).get("Keys", ())
            if len(unread) < len(left):
                attempt = attempts()  # it goes forward
            left = [{name: value["S"] for name, value in key.items()} for key in unread]


def write_all(puts: Iterable[Model] = (), deletes: Iterable[Any] = ()) -> None:
    """Put and delete items in few calls, without conditions. PynamoDB's own batch write makes no pauses.

    Raises ServiceBusyError as `read_all` does; what was written by then stays written.
    """
    table = RecordItem.Meta.table_name
    requests: list[dict[str, Any]] = [{"PutRequest": {"Item": one.serialize()}} for one in puts]
    requests += [{"DeleteRequest": {"Key": {"pk": {"S": one.pk}, "sk": {"S": one.sk}}}} for one in deletes]
    client: Any = _connection_of(RecordItem).client  # PynamoDB's own call takes no requests as DynamoDB returns them
    for start in range(0, len(requests), MAX_WRITES):
        left = requests[start : start + MAX_WRITES]
        attempt = attempts()
        while left:
            if next(attempt, None) is None:
                raise ServiceBusyError("dynamodb leaves items unwritten: it is throttled")
            with calling("dynamodb"):
                answer = client.batch_write_item(RequestItems={table: left})
            unwritten = answer.get("UnprocessedItems", {}).get(table, [])
            if len(unwritten) < len(left):
                attempt = attempts()
            left = unwritten


def read_partition(pk: str) -> dict[str, Any]:
    """Every item of a partition by its sort key, whatever its kind."""
    start, items = None, {}
    while True:
        answer = _connection_of(RecordItem).query(
            RecordItem.Meta.table_name, pk, consistent_read=True, exclusive_start_key=start
        )
        items.update({raw["sk"]["S"]: item_from(raw) for raw in answer["Items"]})
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return items


def is_empty() -> bool:
    """Whether nothing is stored yet. A scan that counts up to one item, and returns none."""
    client: Any = _connection_of(RecordItem).client  # PynamoDB's type knows only the calls that it makes itself
    answer = client.scan(TableName=RecordItem.Meta.table_name, Select="COUNT", Limit=1, ConsistentRead=True)
    return int(answer["Count"]) == 0


def item_from(raw: Mapping[str, Any]) -> Any:
    """The model of an item as DynamoDB answers it, or exports it."""
    sk = raw["sk"]["S"]
    model: type[Model] = RecordItem
    if sk == SUPPRESSED:
        model = SuppressionItem
    elif sk.startswith(OPEN) or sk == PENDING_ERASURE:
        model = CustomerItem
    elif sk == WORK:
        model = WorkItem
    elif sk in {MEMBERS, DEAL}:
        model = DocumentItem
    return model.from_raw_data(dict(raw))


def _connection_of(model: type[Model]) -> Connection:
    return model._get_connection().connection  # noqa: SLF001  PynamoDB has no public way to get it
