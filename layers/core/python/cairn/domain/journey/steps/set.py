"""The step `set`: give the enrollment values of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from cairn.domain.journey.walk import Next, Walk

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
        with_values(walk, self.id, walk.values_of(self.values))
        return self.next


def with_values(walk: Walk, step: str, found: Mapping[str, Any]) -> None:
    """Give the enrollment these values; a null removes one.

    The largest of them for which there is no room are left out; values of earlier steps stay.
    """
    values = {name: one for name, one in walk.enrollment.values.items() if name not in found}
    for name in sorted(found, key=lambda name: (_size(found[name]), name)):
        if found[name] is not None and _size(values | {name: found[name]}) <= MAX_VALUES:
            values[name] = found[name]
        elif found[name] is not None:
            walk.note("dropped", step, field=f"values.{name}", reason="values_full")
    walk.enrollment = replace(walk.enrollment, values=values)
    if found:
        walk.note("set", step, values=sorted(found))


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode(errors="replace"))
