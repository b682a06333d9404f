"""The step `set`: give the enrollment values of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from cairn.domain.journey.conditions import evaluate
from cairn.domain.journey.walk import Next, Walk
from cairn.domain.profile.bounds import trimmed

MAX_VALUES = 512
"""Bytes, as JSON, of an enrollment's values: a head of four hundred enrollments has room for them."""


@dataclass(frozen=True, slots=True)
class Set:
    id: str
    next: str | None
    values: Mapping[str, str] = field(default_factory=dict)
    """Name: JMESPath. Null removes a value."""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, str]) -> Self:
        return cls(id_, after, value)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        found = {name: evaluate(expression, walk.scope()) for name, expression in self.values.items()}
        after: dict[str, Any] = {**walk.enrollment.values, **found}
        fit, dropped = trimmed({name: one for name, one in after.items() if one is not None}, MAX_VALUES)
        walk.enrollment = replace(walk.enrollment, values=fit)
        for name, reason in dropped.items():
            walk.note("dropped", self.id, field=name.replace("data.", "values.", 1), reason=reason)
        walk.note("set", self.id, values=sorted(found))
        return self.next
