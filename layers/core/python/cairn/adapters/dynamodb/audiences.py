"""Members of audiences: an item in each member's partition, listed in the sparse index while one is a member.

| pk          | sk                | gsi1pk                             | gsi1sk                             |
|-------------|-------------------|------------------------------------|------------------------------------|
| customer id | `audience#<name>` | `audience#<name>.<version>#<shard>` | `<partition>#<sort value>#<customer>` |

Another version of an audience has an index of its own, so that who was a member by other rules is never among its
members. A customer who has left stays as an item without index, until no older change can arrive any more.

By the client itself and without PynamoDB: a page has a thousand members.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.backoff import attempts
from cairn.adapters.dynamodb.items import AUDIENCE, CONDITION_FAILED, STATE
from cairn.application.values.audiences import FilledAudience, Member, MemberCount, MemberPage
from cairn.domain.audience.audiences import Audience
from cairn.domain.audience.order import shard_of
from cairn.domain.audience.selection import LAST, Selection
from cairn.domain.effects import JoinAudience, LeaveAudience
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

AUDIENCES = "audiences"
"""The partition of what is known about each audience of the deployment."""

INDEX = "gsi1"

LEFT_FOR = timedelta(days=35)
"""How long it is stored that a customer has left: longer than a change can wait in queues and among dead letters."""

COUNTED_AT_ONCE = 25
"""Queries of one count, each over 1 MB of the index: about 100,000 members."""

MAX_KEYS = 100
"""Keys of one BatchGetItem (DynamoDB quota)."""

NO_LATER_CHANGE = "attribute_not_exists(pk) OR #rank < :rank"
NO_LATER_VERSION = "attribute_not_exists(pk) OR #rank <= :rank"


class DynamoAudiences:
    """Implements the ports AudienceMembers, AudienceIndex and AudienceFiller."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def note(self, customer_id: str, change: JoinAudience | LeaveAudience, rank: int, at: datetime) -> None:
        item = member_item(customer_id, change, rank)
        if isinstance(change, LeaveAudience):
            item["expires_at"] = {"N": str(int((at + LEFT_FOR).timestamp()))}
        self._put(item, NO_LATER_CHANGE)
        self._check_present(customer_id, item["sk"]["S"])

    def fill(self, customer_id: str, joining: JoinAudience, rank: int) -> bool:
        """Write that a customer of this version is a member, unless a later change is written; whether it was."""
        item = member_item(customer_id, joining, rank)
        written = self._put(item, NO_LATER_VERSION)
        if written:
            self._check_present(customer_id, item["sk"]["S"])
        return written

    @staticmethod
    def is_listed_in(audience: Audience, listed_as: str) -> bool:
        return listed_as.startswith(_version_key(audience))

    def remove(self, customer_id: str, audience: str, listed_as: str) -> None:
        """Remove a member by other rules, where it is one still."""
        self._write(
            self._client.delete_item,
            Key=_key(customer_id, AUDIENCE + audience),
            ConditionExpression="gsi1pk = :listed",
            ExpressionAttributeValues={":listed": _text(listed_as)},
        )

    def _put(self, item: Mapping[str, Any], condition: str) -> bool:
        return self._write(
            self._client.put_item,
            Item=item,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#rank": "rank"},
            ExpressionAttributeValues={":rank": item["rank"]},
        )

    def _write(self, call: Callable[..., Any], **arguments: Any) -> bool:
        """Write something; False where its condition is not true."""
        try:
            with calling("dynamodb"):
                call(TableName=self._table, **arguments)
        except ServiceRefusedError as error:
            if error.code != CONDITION_FAILED:
                raise
            return False
        return True

    def _check_present(self, customer_id: str, sort_key: str) -> None:
        """Remove what was written for a customer who was erased or merged meanwhile.

        Either removes what there is; this is for what was written a moment later.
        """
        with calling("dynamodb"):
            head = self._client.get_item(
                TableName=self._table,
                Key=_key(customer_id, STATE),
                ConsistentRead=True,
                ProjectionExpression="pk, alias_of, erased",
            ).get("Item", {})
            if head.keys() != {"pk"}:
                self._client.delete_item(TableName=self._table, Key=_key(customer_id, sort_key))

    def page(self, audience: Audience, selected: Selection, limit: int, after: str = "") -> MemberPage:
        """Of each shard its part; of what all of them have shown so far, the members in their order."""
        found: list[Member] = []
        ends: list[str] = []
        each = -(-limit // audience.shards)
        for shard in range(audience.shards):
            answer = self._query(
                audience, shard, selected, after, Limit=each, ProjectionExpression="pk, gsi1sk, #until"
            )
            found += [_member(one) for one in answer["Items"]]
            if "LastEvaluatedKey" in answer:
                ends.append(answer["LastEvaluatedKey"]["gsi1sk"]["S"])
        end = min(ends, default=LAST)
        shown = sorted((one for one in found if one.position <= end), key=lambda one: one.position)
        return MemberPage(tuple(shown), end if ends else None)

    def count(self, audience: Audience, selected: Selection, after: str = "") -> MemberCount:
        shard, _, position = after.partition(":")
        number, left = 0, COUNTED_AT_ONCE
        for this in range(int(shard or 0), audience.shards):
            while True:
                answer = self._query(audience, this, selected, position, Select="COUNT")
                number += answer["Count"]
                position = answer.get("LastEvaluatedKey", {}).get("gsi1sk", {}).get("S", "")
                left -= 1
                if not position:
                    break
                if left <= 0:
                    return MemberCount(number, f"{this}:{position}")
            if left <= 0 and this + 1 < audience.shards:
                return MemberCount(number, f"{this + 1}:")
        return MemberCount(number, None)

    def among(self, audience: Audience, customers: Sequence[str]) -> frozenset[str]:
        """Of these customers, the members."""
        keys = [_key(one, AUDIENCE + audience.name) for one in customers]
        found: set[str] = set()
        for item in self._read(keys):
            customer = item["pk"]["S"]
            if item.get("gsi1pk", {}).get("S") == _index_key(audience, shard_of(customer, audience.shards)):
                found.add(customer)
        return frozenset(found)

    def filled(self) -> Mapping[str, FilledAudience]:
        with calling("dynamodb"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": _text(AUDIENCES)},
            )
        return {one["sk"]["S"]: _filled(one) for one in answer["Items"]}

    def note_filled(self, name: str, filled: FilledAudience) -> None:
        body = {"version": filled.version, "at": instant_to_wire(filled.at), "members": filled.members}
        with calling("dynamodb"):
            self._client.put_item(
                TableName=self._table, Item={**_key(AUDIENCES, name), "body": _text(json.dumps(body))}
            )

    def _query(self, audience: Audience, shard: int, selected: Selection, after: str, **further: Any) -> Any:
        """One page of a shard's members, behind a position. No position begins another one, so a blank is behind it."""
        values = {
            ":pk": _text(_index_key(audience, shard)),
            ":low": _text(max(selected.low, f"{after} " if after else "") or "#"),
            ":high": _text(selected.high),
        }
        names = {"#until": "until"} if "ProjectionExpression" in further else {}
        if selected.contains:
            names, values[":value"] = {"#until": "until"}, _text(selected.contains)
            further["FilterExpression"] = "attribute_not_exists(#until) OR #until >= :value"
        if names:
            further["ExpressionAttributeNames"] = names
        if values[":low"]["S"] > values[":high"]["S"]:
            return {"Items": [], "Count": 0}
        with calling("dynamodb"):
            return self._client.query(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="gsi1pk = :pk AND gsi1sk BETWEEN :low AND :high",
                ExpressionAttributeValues=values,
                **further,
            )

    def _read(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(keys), MAX_KEYS):
            left = list(keys[start : start + MAX_KEYS])
            attempt = attempts()
            while left:
                if next(attempt, None) is None:
                    raise ServiceBusyError("dynamodb leaves keys unread: it is throttled")
                with calling("dynamodb"):
                    answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": left}})
                yield from answer.get("Responses", {}).get(self._table, ())
                left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])


def member_item(customer_id: str, change: JoinAudience | LeaveAudience, rank: int) -> dict[str, Any]:
    item: dict[str, Any] = {**_key(customer_id, AUDIENCE + change.audience), "rank": {"N": str(rank)}}
    if isinstance(change, LeaveAudience):
        return item
    listed = f"{AUDIENCE}{change.audience}.{change.version}#{change.shard}"
    item |= {"gsi1pk": _text(listed), "gsi1sk": _text(f"{change.partition}#{change.sort}#{customer_id}")}
    return item | ({"until": _text(change.until)} if change.until else {})


def _index_key(audience: Audience, shard: int) -> str:
    return f"{_version_key(audience)}{shard}"


def _version_key(audience: Audience) -> str:
    return f"{AUDIENCE}{audience.name}.{audience.version}#"


def _member(item: Mapping[str, Any]) -> Member:
    return Member(item["pk"]["S"], item["gsi1sk"]["S"], item.get("until", {}).get("S", ""))


def _filled(item: Mapping[str, Any]) -> FilledAudience:
    body = json.loads(item["body"]["S"])
    return FilledAudience(body["version"], instant_from_wire(body["at"]), body["members"])


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": _text(pk), "sk": _text(sk)}


def _text(value: str) -> dict[str, str]:
    return {"S": value}
