"""Questions to the log of facts, and what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row: TypeAlias = "Mapping[str, Any]"
Question: TypeAlias = "tuple[str, Sequence[str | int]]"
"""The name of a query to the log of facts, and its parameters in order."""


class BusinessStage(NamedTuple):
    """A stage of the business, from awareness to advocacy, and the events by which customers come to it."""

    name: str
    events: tuple[str, ...]
