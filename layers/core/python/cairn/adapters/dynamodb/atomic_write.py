"""Writes that happen together or not at all: one for each item, and a hundred at most."""

from collections.abc import Callable
from functools import partial
from typing import Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from cairn.adapters.dynamodb.table import Write, check_of, delete_of, put_of, transact, update_of

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
        self._writes: dict[Key, Callable[[], Write]] = {}

    def __contains__(self, item: Model) -> bool:
        return _key(item) in self._writes

    def __len__(self) -> int:
        return len(self._writes)

    @property
    def room(self) -> int:
        return MAX_ITEMS - len(self)

    def put(self, item: Model, condition: Condition | None = None) -> None:
        self._add(item, partial(put_of, item, condition))

    def delete(self, item: Model, condition: Condition | None = None) -> None:
        self._add(item, partial(delete_of, item, condition))

    def update(self, item: Model, actions: list[Action], condition: Condition | None = None) -> None:
        self._add(item, partial(update_of, item, actions, condition))

    def check(self, item: Model, condition: Condition) -> None:
        """That the condition holds of an item that is not written."""
        self._add(item, partial(check_of, item, condition))

    def commit(self) -> None:
        """Raises CancelledWriteError; any other error of the call is PynamoDB's TransactWriteError."""
        try:
            transact([write() for write in self._writes.values()])
        except TransactWriteError as error:
            reasons = zip(self._writes, error.cancellation_reasons, strict=False)
            cancelled = {key: reason.code for key, reason in reasons if reason}
            if not cancelled:
                raise
            raise CancelledWriteError(cancelled) from error

    def _add(self, item: Model, write: Callable[[], Write]) -> None:
        key = _key(item)
        if key in self._writes:
            raise ValueError(f"one transaction writes {key[1]} of a customer twice")
        self._writes[key] = write


def _key(item: Any) -> Key:
    return item.pk, item.sk
