"""What the log of facts counts of five minutes each, in one partition: one read says how the last hour was.

By the client itself and without PynamoDB, which log_facts does not need to write.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cairn.adapters.aws import calling
from cairn.domain.operations.flow import COUNTED, Flow, FlowBucket, bucket_of
from cairn.domain.shared.errors import ServiceRefusedError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

if TYPE_CHECKING:
    from cairn.domain.operations.signs import Sign

FLOW = "health#flow"
SIGNS = "health#signs"
"""The partition keys; the sort keys are the start of a bucket, and the name of a sign."""

RETENTION = timedelta(days=2)

CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoFlowCounters:
    """Implements the port FlowCounters."""

    def __init__(self, make_client: Callable[[], Any], table: str) -> None:
        self._make_client = make_client
        self._table = table

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def add(self, flow: Flow, now: datetime) -> None:
        counted = {name: number for name in COUNTED if (number := getattr(flow, name))}
        if not counted:
            return
        added = ", ".join(f"#{name} :{name}" for name in counted)
        with calling("dynamodb"):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": FLOW}, "sk": {"S": instant_to_wire(bucket_of(now))}},
                UpdateExpression=f"ADD {added} SET expires_at = :expires_at",
                ExpressionAttributeNames={f"#{name}": name for name in counted},  # `events` is a reserved word
                ExpressionAttributeValues={f":{name}": {"N": str(one)} for name, one in counted.items()}
                | {":expires_at": _seconds(now + RETENTION)},
            )

    def between(self, first: datetime, last: datetime) -> Sequence[FlowBucket]:
        with calling("dynamodb"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": FLOW},
                    ":first": {"S": instant_to_wire(first)},
                    ":last": {"S": instant_to_wire(last)},
                },
            )
        return [
            FlowBucket(
                instant_from_wire(item["sk"]["S"]),
                Flow(**{name: int(item[name]["N"]) for name in COUNTED if name in item}),
            )
            for item in answer["Items"]
        ]

    def is_new(self, sign: "Sign", now: datetime, again: timedelta) -> bool:
        try:
            with calling("dynamodb"):
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": SIGNS}, "sk": {"S": sign.value}},
                    UpdateExpression="SET reported = :now, expires_at = :expires_at",
                    ConditionExpression="attribute_not_exists(reported) OR reported <= :before",
                    ExpressionAttributeValues={
                        ":now": {"S": instant_to_wire(now)},
                        ":before": {"S": instant_to_wire(now - again)},
                        ":expires_at": _seconds(now + RETENTION),
                    },
                )
        except ServiceRefusedError as error:
            if error.code != CONDITION_FAILED:
                raise
            return False
        return True


def _seconds(at: datetime) -> dict[str, str]:
    return {"N": str(int(at.timestamp()))}
