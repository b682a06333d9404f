"""The step `emit`: say that something has happened, to this or another customer. Other journeys may hear it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from cairn.domain.effects import EmitEvent
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID
from cairn.domain.identity.phones import international
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.journey.walk import Next, Walk, text_of
from cairn.domain.profile.bounds import trimmed
from cairn.domain.shared.channels import Channel, Purpose

MAX_EMITTED = 4_096
"""Bytes of the properties as JSON: they stand beside the enrollment until the event is handed over."""

MAX_NAME = 256
"""Characters of a customer's name, as of any event's."""


@dataclass(frozen=True, slots=True)
class Emit:
    id: str
    next: str | None
    event: str
    properties: Mapping[str, str] = field(default_factory=dict)
    """Name: JMESPath."""
    customer: Mapping[str, str] = field(default_factory=dict)
    """Another customer: `user_id`, `email` or `phone`: JMESPath. Empty: this one."""
    asks_consent: Mapping[Channel, Purpose] = field(default_factory=dict)

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, Any]) -> Self:
        asked = {Channel(channel): Purpose(purpose) for channel, purpose in value.get("asks_consent", {}).items()}
        return cls(id_, after, value["event"], value.get("properties", {}), value.get("customer", {}), asked)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        """Where no expression names the other customer, there is no event, and a line says so."""
        names = {kind: text_of(value) for kind, value in walk.values_of(self.customer).items()}
        customer = {kind: text for kind, text in names.items() if text and _names_somebody(kind, text)}
        if self.customer and not customer:
            walk.note("not_emitted", self.id, event=self.event, reason="no customer")
            return self.next
        properties = content_of(walk, self.id, self.properties)
        enrollment = walk.enrollment
        only_to = None if customer else enrollment.addresses
        effect = EmitEvent(walk.effect_id(self.id), enrollment.id, self.event, properties, customer, only_to)
        walk.effects.append(replace(effect, asks_consent=self.asks_consent))
        walk.note("emitted", self.id, event=self.event)
        return self.next


def content_of(walk: Walk, step: str, expressions: Mapping[str, str]) -> Mapping[str, Any]:
    """What a step says to others, of MAX_EMITTED bytes at most; a line names what is left out."""
    content, dropped = trimmed(walk.values_of(expressions), MAX_EMITTED)
    for name, reason in dropped.items():
        walk.note("dropped", step, field=name, reason=reason)
    return content


def _names_somebody(kind: str, text: str) -> bool:
    """What names nobody would make the event a dead letter."""
    canonical = {EMAIL: canonical_email, PHONE: international}
    is_name = kind == USER_ID or (kind in canonical and canonical[kind](text) is not None)
    return is_name and len(text) <= MAX_NAME and not is_placeholder(text)
