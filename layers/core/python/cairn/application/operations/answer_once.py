"""Do what a request asks once for its Idempotency-Key, and answer the same again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.ports import AnsweredRequests
from cairn.domain.operations.once import RequestKey
from cairn.domain.shared.errors import CairnError, OrderRefusedError

Answered = tuple[int, Mapping[str, Any]]
"""Status and document."""


@dataclass(frozen=True, slots=True)
class AnswerOnce:
    """A request that failed has done nothing, so its key may be used again.

    Of one that died in the middle nobody knows what it did: the same key is refused then, for a person to look.
    """

    requests: AnsweredRequests

    def __call__(self, key: RequestKey, act: Callable[[], Answered], now: datetime) -> Answered:
        """Raises OrderRefusedError where the key came with another body, or its outcome is not known."""
        earlier = self.requests.begin(key, now)
        if earlier is not None:
            if earlier.body != key.body:
                raise OrderRefusedError("this Idempotency-Key came with another body before; use a new one")
            if not earlier.status:
                raise OrderRefusedError(
                    "a request with this Idempotency-Key has begun, and nobody knows its outcome yet: ask again in a "
                    "minute; if it is the same then, look whether it was done, and use a new key if not"
                )
            return earlier.status, earlier.document
        try:
            status, document = act()
        except CairnError:
            self.requests.forget(key, now)
            raise
        self.requests.answer(key, status, document, now)
        return status, document
