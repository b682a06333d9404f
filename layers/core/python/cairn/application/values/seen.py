"""What sources have sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cairn.domain.operations.seen import SeenType


@dataclass(frozen=True, slots=True)
class SeenPage:
    types: Sequence[SeenType]
    following: str | None = None
    """What gives the next page; None after the last one."""
