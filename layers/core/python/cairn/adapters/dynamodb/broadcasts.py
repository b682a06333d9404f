"""Broadcasts: one item each, whose outbox the table's stream carries out, and an index by time for lists.

By the client itself, as audiences are.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb.effect_codec import effect_to_wire
from cairn.adapters.dynamodb.items import BROADCAST, CONDITION_FAILED
from cairn.domain.audience.broadcasts import ENDED, Broadcast, BroadcastState
from cairn.domain.audience.selection import Selection
from cairn.domain.shared.errors import ServiceRefusedError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

BROADCASTS = "broadcasts"
"""The partition of all of them, and their index key."""

INDEX = "gsi1"

STORED_FOR = timedelta(days=90)
"""After its end."""


class DynamoBroadcasts:
    """Implements the port Broadcasts."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, broadcast_id: str) -> Broadcast | None:
        with calling("dynamodb"):
            answer = self._client.get_item(TableName=self._table, Key=_key(broadcast_id), ConsistentRead=True)
        return _read(answer["Item"]) if "Item" in answer else None

    def add(self, broadcast: Broadcast) -> bool:
        return self._put(broadcast, ConditionExpression="attribute_not_exists(pk)")

    def change(self, after: Broadcast) -> bool:
        return self._put(
            after,
            ConditionExpression="#rev = :before",
            ExpressionAttributeNames={"#rev": "rev"},
            ExpressionAttributeValues={":before": {"N": str(after.version - 1)}},
        )

    def latest(self, limit: int, before: str = "") -> Sequence[Broadcast]:
        with calling("dynamodb"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="gsi1pk = :all AND gsi1sk < :before",
                ExpressionAttributeValues={":all": _text(BROADCASTS), ":before": _text(before or "~")},
                ScanIndexForward=False,
                Limit=limit,
            )
        return [_read(one) for one in answer["Items"]]

    def _put(self, broadcast: Broadcast, **condition: Any) -> bool:
        try:
            with calling("dynamodb"):
                self._client.put_item(TableName=self._table, Item=_item(broadcast), **condition)
        except ServiceRefusedError as error:
            if error.code != CONDITION_FAILED:
                raise
            return False
        return True


def listed_as(broadcast: Broadcast) -> str:
    """Its position in the list."""
    return f"{instant_to_wire(broadcast.created_at or broadcast.at)}#{broadcast.id}"


def _item(one: Broadcast) -> dict[str, Any]:
    changed_at = instant_to_wire(one.next_at or one.created_at or one.at)
    item = {
        **_key(one.id),
        "rev": {"N": str(one.version)},
        "body": _text(to_json(_to_wire(one))),
        "gsi1pk": _text(BROADCASTS),
        "gsi1sk": _text(listed_as(one)),
    }
    if one.follows is not None:
        item["outbox"] = _text(to_json({"at": changed_at, "effects": [effect_to_wire(one.follows)]}))
    if one.state in ENDED:
        ends = instant_from_wire(changed_at) + STORED_FOR
        item["expires_at"] = {"N": str(int(ends.timestamp()))}
    return item


def _to_wire(one: Broadcast) -> dict[str, Any]:
    return {
        "audience": one.audience,
        "audience_version": one.audience_version,
        "type": one.type,
        "properties": dict(one.properties),
        "at": instant_to_wire(one.at),
        "selected": [one.selected.low, one.selected.high, one.selected.contains],
        "journey": one.journey,
        "per_second": one.per_second,
        "planned": one.planned,
        "by": one.by,
        "why": one.why,
        "approved_by": one.approved_by,
        "created_at": instant_to_wire(one.created_at) if one.created_at else None,
        "state": one.state.value,
        "put": one.put,
        "after": one.after,
        "next_at": instant_to_wire(one.next_at) if one.next_at else None,
    }


def _read(item: Mapping[str, Any]) -> Broadcast:
    wire = json.loads(item["body"]["S"])
    instants = {name: wire.pop(name) for name in ("at", "created_at", "next_at")}
    selected, state = Selection(*wire.pop("selected")), BroadcastState(wire.pop("state"))
    return Broadcast(
        id=item["sk"]["S"].removeprefix(BROADCAST),
        version=int(item["rev"]["N"]),
        selected=selected,
        state=state,
        at=instant_from_wire(instants["at"]),
        created_at=instant_from_wire(instants["created_at"]) if instants["created_at"] else None,
        next_at=instant_from_wire(instants["next_at"]) if instants["next_at"] else None,
        **wire,
    )


def _key(broadcast_id: str) -> dict[str, Any]:
    return {"pk": _text(BROADCASTS), "sk": _text(BROADCAST + broadcast_id)}


def _text(value: str) -> dict[str, str]:
    return {"S": value}
