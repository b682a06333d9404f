"""The step `task`: open a task for a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from cairn.domain.effects import OpenTask
from cairn.domain.journey.walk import Next, Walk
from cairn.domain.shared.instants import duration

DEFAULT_DUE = "24h"


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    next: str | None
    queue: str
    title: str
    due: timedelta
    context: Mapping[str, str] = field(default_factory=dict)
    """Name: JMESPath."""
    script: str = ""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, Any]) -> Self:
        due, context = duration(value.get("due", DEFAULT_DUE)), value.get("context", {})
        return cls(id_, after, value["queue"], value["title"], due, context, value.get("script", ""))

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        context = walk.values_of(self.context)
        this, due_at = walk.effect_id(self.id), walk.now + self.due
        walk.effects.append(
            OpenTask(this, walk.enrollment.id, self.id, self.queue, self.title, due_at, context, self.script)
        )
        return self.next
