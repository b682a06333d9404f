"""The step `update`: change the profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cairn.domain.journey.walk import Next, Walk
from cairn.domain.profile.bounds import fitting


@dataclass(frozen=True, slots=True)
class Update:
    id: str
    next: str | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """None removes an attribute."""
    attributes_from: Mapping[str, str] = field(default_factory=dict)
    """Attribute: JMESPath."""
    tags: Mapping[str, bool] = field(default_factory=dict)
    """True adds a tag, False removes it."""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, Any]) -> Self:
        tags = value.get("tags", {})
        changed = dict.fromkeys(tags.get("add", ()), True) | dict.fromkeys(tags.get("remove", ()), False)
        return cls(id_, after, value.get("set", {}), value.get("set_from", {}), changed)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        changes = dict(self.attributes)
        changes |= walk.values_of(self.attributes_from)
        fit, dropped = fitting(walk.profile, changes | {"tags": self.tags})
        walk.profile = walk.profile.updated(fit, walk.now)
        for field_, reason in dropped.items():
            walk.note("dropped", self.id, field=field_, reason=reason)
        walk.note("updated", self.id, attributes=sorted(changes), tags=dict(self.tags))
        return self.next
