"""Writes that happen together or not at all: one for each item, and a hundred at most."""

from collections.abc import Callable
from typing import Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from cairn.adapters.dynamodb.table import transaction

MAX_ITEMS = 100
"""Items of one transaction (DynamoDB quota)."""

Key = tuple[str, str]
"""Partition and sort key of an item."""


class CancelledWriteError(Exception):
    """DynamoDB has refused the transaction: nothing was written. `reasons` has the code of each item that it names."""

    def __init__(self, reasons: dict[Key, str]) -> None:
        self.reasons = reasons
        super().__init__(", ".join(sorted(set(reasons.values()))))


class AtomicWrite:
    """Collects writes by the item that they change. DynamoDB refuses a transaction with two writes of one item."""

    def __init__(self) -> None:
        self._deletes: dict[Key, Callable[[TransactWrite], None]] = {}
        self._puts: dict[Key, Callable[[TransactWrite], None]] = {}
        self._updates: dict[Key, Callable[[TransactWrite], None]] = {}
        self._checks: dict[Key, Callable[[TransactWrite], None]] = {}

    def __contains__(self, item: Model) -> bool:
        key = _key(item)
        return key in self._checks or key in self._deletes or key in self._puts or key in self._updates

    def __len__(self) -> int:
        return len(self._checks) + len(self._deletes) + len(self._puts) + len(self._updates)

    @property
    def room(self) -> int:
        return MAX_ITEMS - len(self)

    def put(self, item: Model, condition: Condition | None = None) -> None:
        self._add(self._puts, item, lambda write: write.save(item, condition=condition))

    def delete(self, item: Model, condition: Condition | None = None) -> None:
        self._add(self._deletes, item, lambda write: write.delete(item, condition=condition))

    def update(self, item: Model, actions: list[Action], condition: Condition | None = None) -> None:
        self._add(self._updates, item, lambda write: write.update(item, actions=actions, condition=condition))

    def check(self, item: Model, condition: Condition) -> None:
        """That the condition holds of an item that is not written."""
        model: Any = type(item)
        keys: Any = item
        self._add(self._checks, item, lambda write: write.condition_check(model, keys.pk, keys.sk, condition))

    def commit(self) -> None:
        """Raises CancelledWriteError; any other error of the call is PynamoDB's TransactWriteError."""
        in_order = {
            **self._checks,
            **self._deletes,
            **self._puts,
            **self._updates,
        }  # the order in which PynamoDB sends them
        try:
            with transaction() as write:
                for add in in_order.values():
                    add(write)
        except TransactWriteError as error:
            reasons = zip(in_order, error.cancellation_reasons, strict=False)
            cancelled = {key: reason.code for key, reason in reasons if reason}
            if not cancelled:
                raise
            raise CancelledWriteError(cancelled) from error

    def _add(self, writes: dict[Key, Callable[[TransactWrite], None]], item: Model, add: Callable[..., None]) -> None:
        if item in self:
            raise ValueError(f"one transaction writes {_key(item)[1]} of a customer twice")
        writes[_key(item)] = add


def _key(item: Any) -> Key:
    return item.pk, item.sk
