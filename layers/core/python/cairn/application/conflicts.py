"""Trying again what another writer was faster with."""

from collections.abc import Callable
from typing import TypeVar

from cairn.application.ports import Attempts
from cairn.domain.shared.errors import ConflictError

T = TypeVar("T")

ATTEMPTS = 8
"""Attempts of one request or record. Queues retry after that, and operators."""


def until_committed(attempts: Attempts, attempt: Callable[[], T], otherwise: str) -> T:
    """What an attempt returns that meets no ConflictError. Each reads anew what it changes.

    Raises ConflictError, which says `otherwise`, after the last one.
    """
    for _ in attempts(ATTEMPTS):
        try:
            return attempt()
        except ConflictError:
            continue
    raise ConflictError(otherwise)
