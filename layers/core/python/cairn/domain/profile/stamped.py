"""A value with its instant: a last-writer-wins register."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Stamped:
    """A value and its instant: a last-writer-wins register."""

    value: Any
    at: datetime

    def latest(self, other: "Stamped | None") -> "Stamped":
        """The later value; at the same instant the greater one as JSON, so that any order gives the same result."""
        if other is None:
            return self
        if self.at != other.at:  # the texts are compared at one instant alone: they cost
            return self if self.at > other.at else other
        return max(self, other, key=_order)

    def earliest(self, other: "Stamped | None") -> "Stamped":
        """The earlier value, by the same order."""
        return self if other is None else min(self, other, key=_order)


def _order(one: Stamped) -> tuple[datetime, str]:
    return one.at, json.dumps(one.value, sort_keys=True, default=str)
