"""What sources send that reaches no customer or has no rule: one item for each source and type, in one partition.

By the client itself and without PynamoDB, which receive_webhook does not import.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cairn.adapters.aws import calling
from cairn.application.values.seen import SeenPage
from cairn.domain.operations.seen import ANY_NAME, Seen, SeenBecause, SeenType
from cairn.domain.shared.errors import ServiceRefusedError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

SEEN = "seen"
"""The partition key. The sort key is `<source>#<type>`; `<source>` alone counts the source's types."""

MAX_TYPES = 100
"""New types of a source in RETENTION; what is beyond is counted under the type `*`."""

RETENTION = timedelta(days=90)
"""How long a type is stored after it was seen last."""

CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoSeenTypes:
    """Implements the port SeenTypes."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, seen: Seen, now: datetime) -> None:
        """One write; of a type that was not seen before, three."""
        if self._count(seen, now, condition="attribute_exists(pk)"):
            return
        if not self._has_room(seen.source, now):
            seen = Seen(seen.source, ANY_NAME, seen.because, count=seen.count)
        self._count(seen, now)

    def page(self, source: str, limit: int, after: str = "") -> SeenPage:
        condition, values = "pk = :pk", {":pk": _text(SEEN)}
        if source:
            condition, values[":source"] = f"{condition} AND begins_with(sk, :source)", _text(f"{source}#")
        start = {"ExclusiveStartKey": _key(after)} if after.startswith(f"{source}#" if source else "") and after else {}
        with calling("dynamodb"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                Limit=limit,
                **start,
            )
        following = answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S")
        return SeenPage([_read(one) for one in answer["Items"] if "#" in one["sk"]["S"]], following)

    def _count(self, seen: Seen, now: datetime, condition: str = "") -> bool:
        sets = {"last_at": _text(instant_to_wire(now)), "expires_at": _expiry(now)}
        sets |= {"shape": _text(json.dumps(seen.shape, separators=(",", ":")))} if seen.shape is not None else {}
        sets |= {"vendors_type": _text(seen.vendors_type)} if seen.vendors_type else {}
        changes = ", ".join(f"{name} = :{name}" for name in sets)
        return self._update(
            f"{seen.source}#{seen.type}",
            f"ADD {seen.because} :count SET first_at = if_not_exists(first_at, :last_at), {changes}",
            {":count": {"N": str(seen.count)}, **{f":{name}": value for name, value in sets.items()}},
            condition,
        )

    def _has_room(self, source: str, now: datetime) -> bool:
        """Count one more type of the source. The counter begins anew when it expires."""
        return self._update(
            source,
            "ADD types :one SET expires_at = if_not_exists(expires_at, :expires_at)",
            {":one": {"N": "1"}, ":expires_at": _expiry(now), ":most": {"N": str(MAX_TYPES)}},
            "attribute_not_exists(types) OR types < :most",
        )

    def _update(self, sort_key: str, changes: str, values: Mapping[str, Any], condition: str) -> bool:
        """Write it; False where the condition is not true."""
        conditional = {"ConditionExpression": condition} if condition else {}
        try:
            with calling("dynamodb"):
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(sort_key),
                    UpdateExpression=changes,
                    ExpressionAttributeValues=dict(values),
                    **conditional,
                )
        except ServiceRefusedError as error:
            if error.code != CONDITION_FAILED:
                raise
            return False
        return True


def _read(item: Mapping[str, Any]) -> SeenType:
    source, _, type_ = item["sk"]["S"].partition("#")
    return SeenType(
        source,
        type_,
        {one: int(item[one]["N"]) for one in SeenBecause if one in item},
        instant_from_wire(item["first_at"]["S"]),
        instant_from_wire(item["last_at"]["S"]),
        json.loads(item["shape"]["S"]) if "shape" in item else None,
        item.get("vendors_type", {}).get("S", ""),
    )


def _key(sort_key: str) -> dict[str, Any]:
    return {"pk": _text(SEEN), "sk": _text(sort_key)}


def _text(value: str) -> dict[str, str]:
    return {"S": value}


def _expiry(now: datetime) -> dict[str, str]:
    return {"N": str(int((now + RETENTION).timestamp()))}
