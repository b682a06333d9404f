"""The one connection to the table, and what PynamoDB's models cannot do: all uses of its private parts are here."""

from collections.abc import Iterable, Mapping
from typing import Any

from pynamodb.connection import Connection
from pynamodb.constants import RESPONSES, UNPROCESSED_KEYS
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from cairn.adapters import aws
from cairn.adapters.dynamodb.items import MODELS, OPEN, SUPPRESSED, CustomerItem, RecordItem, SuppressionItem

MAX_KEYS = 100
"""Keys of one BatchGetItem (DynamoDB quota)."""


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


def read_all(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """Items of any kind by (pk, sk), in one consistent read for each hundred keys; missing items are left out.

    PynamoDB's own batch read takes one kind of item only.
    """
    wanted = sorted(set(keys))
    found: dict[tuple[str, str], Any] = {}
    table = RecordItem.Meta.table_name
    for start in range(0, len(wanted), MAX_KEYS):
        left = [{"pk": pk, "sk": sk} for pk, sk in wanted[start : start + MAX_KEYS]]
        while left:
            # PynamoDB's type hint asks for strings, but the call takes keys.
            answer = _connection_of(RecordItem).batch_get_item(table, left, consistent_read=True)  # type: ignore[arg-type]
            for raw in answer.get(RESPONSES, {}).get(table, ()):
                found[raw["pk"]["S"], raw["sk"]["S"]] = _item_from(raw)
            unread = answer.get(UNPROCESSED_KEYS, {}).get(table, {}).get("Keys", ())
            left = [{name: value["S"] for name, value in key.items()} for key in unread]
    return found


def read_partition(pk: str) -> dict[str, Any]:
    """Every item of a partition by its sort key, whatever its kind."""
    start, items = None, {}
    while True:
        answer = _connection_of(RecordItem).query(
            RecordItem.Meta.table_name, pk, consistent_read=True, exclusive_start_key=start
        )
        items.update({raw["sk"]["S"]: _item_from(raw) for raw in answer["Items"]})
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return items


def is_empty() -> bool:
    """Whether nothing is stored yet. The only scan: it counts up to one item, and returns none."""
    client: Any = _connection_of(RecordItem).client  # PynamoDB's type knows only the calls that it makes itself
    answer = client.scan(TableName=RecordItem.Meta.table_name, Select="COUNT", Limit=1, ConsistentRead=True)
    return int(answer["Count"]) == 0


def _item_from(raw: Mapping[str, Any]) -> Model:
    sk = raw["sk"]["S"]
    if sk == SUPPRESSED:
        return SuppressionItem.from_raw_data(dict(raw))
    return (CustomerItem if sk.startswith(OPEN) else RecordItem).from_raw_data(dict(raw))


def _connection_of(model: type[Model]) -> Connection:
    return model._get_connection().connection  # noqa: SLF001  PynamoDB has no public way to get it
