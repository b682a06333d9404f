"""Acts of operators that are done once for a key, since twice would be twice. All others are idempotent by nature."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cairn.domain.operations.roles import ONLY

REMEMBERED_FOR = timedelta(hours=24)
"""How long a key's answer is given again."""

ONCE: Mapping[str, frozenset[str]] = {
    "POST /manage/broadcasts": frozenset({"plan"}),
    "POST /manage/consent": frozenset({ONLY}),
    "POST /manage/customers": frozenset({"enroll", "leave", "merge"}),
    "POST /manage/dead-letters": frozenset({"redrive"}),
    "POST /manage/detach": frozenset({ONLY}),
    "POST /manage/erase": frozenset({ONLY}),
    "POST /manage/messages": frozenset({"resend"}),
    "POST /manage/migrations": frozenset({"migrate"}),
    "POST /manage/stages": frozenset({ONLY}),
    "POST /manage/suppressions": frozenset({"suppress", "release"}),
    "POST /manage/tasks": frozenset({"note"}),
}
"""By route and action. Their answers name customers by canonical id alone, so they may be stored for a day.

`POST /manage/inbox` has a key of its own in the body, since its message has an id that is made of it.
"""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What an Idempotency-Key stands for: a request of one operator."""

    id: str
    """A hash of the operator, the route and the key."""
    body: str
    """A hash of the body."""


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """An earlier request with the same key."""

    body: str
    status: int
    """0: it has begun, and its outcome is not known."""
    document: Mapping[str, Any]


def is_done_once(route: str, action: str) -> bool:
    return action in ONCE.get(route, ())
