"""How often a model was asked on a day, in one item for all functions. By the client itself, as `seen` does."""

from datetime import datetime, timedelta
from typing import Any

from cairn.adapters.aws import calling
from cairn.domain.shared.errors import NoGuessError, ServiceBusyError, ServiceRefusedError

CALLS = "model_calls"
"""The partition key. The sort key is the day, in UTC: `2026-03-05`."""

RETENTION = timedelta(days=40)
"""So long an operator can see what a month has cost."""

CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoModelCalls:
    """Implements the port ModelCalls: counted before the call, so a call that fails counts, too."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def take(self, limit: int, now: datetime) -> bool:
        """Raises NoGuessError where the table cannot be asked."""
        if limit < 1:
            return False
        try:
            with calling("dynamodb"):
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": CALLS}, "sk": {"S": now.date().isoformat()}},
                    UpdateExpression="ADD calls :one SET expires_at = if_not_exists(expires_at, :expires_at)",
                    ConditionExpression="attribute_not_exists(calls) OR calls < :limit",
                    ExpressionAttributeValues={
                        ":one": {"N": "1"},
                        ":limit": {"N": str(limit)},
                        ":expires_at": {"N": str(int((now + RETENTION).timestamp()))},
                    },
                )
        except ServiceRefusedError as error:
            if error.code == CONDITION_FAILED:
                return False
            raise NoGuessError("could not be counted") from error
        except ServiceBusyError as error:
            raise NoGuessError("could not be counted") from error
        return True
