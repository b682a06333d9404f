"""The addresses of an event in canonical form, before anything compares them.

Each name that identifies nobody is dropped, with its reason. Where none is left, the event cannot be processed.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cairn.domain.customer.resolution import TOO_MANY
from cairn.domain.event import NOT_A_NUMBER, NOT_AN_ADDRESS, PLACEHOLDER, Event, no_name_left
from cairn.domain.identity.addresses import canonical_address, is_whatsapp_user
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.identifiers import EMAIL, PHONE, WHATSAPP, Identifier, identifier
from cairn.domain.identity.phones import international, other_forms, why_no_customer
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.identity.trust import field_of, is_provider
from cairn.domain.policy import MAX_NAMES
from cairn.domain.profile.attributes import COUNTRY, WHATSAPP_ID
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import InvalidEventError, NotACustomerError


class Phones(Protocol):
    def __call__(self, text: str, country: str | None = None, /) -> str | None:
        """A valid number in canonical E.164. Without a country, a national number is the deployment's."""


@dataclass(frozen=True, slots=True)
class CanonicalAddresses:
    read_phone: Phones
    placeholders: Collection[str] = ()
    """The policy's, besides those that are built in."""

    def of(self, event: Event) -> Event:
        """Raises InvalidEventError where no name is left, or NotACustomerError where a provider names a short code."""
        dropped: dict[str, str] = {}
        names = tuple(self._names(event, dropped))
        dropped |= {f"customer.{field_of(name)}": TOO_MANY for name in names[MAX_NAMES:]}
        names = names[:MAX_NAMES]
        attributes = dict(self._attributes(event, dropped))
        if event.identifiers and not names and not event.customer_id:
            raise _nobody(dropped)
        event = event if attributes == event.attributes else replace(event, attributes=attributes)
        event = _with_address(event)
        return event.with_identifiers(names).without(dropped)

    def _names(self, event: Event, dropped: dict[str, str]) -> Iterator[Identifier]:
        for name in event.identifiers:
            if is_placeholder(name.value, self.placeholders):
                dropped[field_of(name)] = PLACEHOLDER
            elif name.kind != PHONE:
                yield identifier(name.kind, name.value)
            elif number := self._number(event, name.value):
                yield Identifier(PHONE, number)
            elif is_provider(event.source) and is_whatsapp_user(name.value):
                yield Identifier(WHATSAPP, name.value)
            else:
                reason = why_no_customer(name.value) if is_provider(event.source) else None
                dropped[field_of(name)] = reason or NOT_A_NUMBER

    def _number(self, event: Event, text: str) -> str | None:
        """A provider has reached the number, so it need not be known as valid: its STOP must count."""
        if is_provider(event.source):
            return international(text)
        country = event.attributes.get(COUNTRY)
        return self.read_phone(text, country) if isinstance(country, str) else self.read_phone(text)

    def _attributes(self, event: Event, dropped: dict[str, str]) -> Iterator[tuple[str, Any]]:
        """An attribute that is no address is left out: what was known before stays."""
        for name, value in event.attributes.items():
            if name not in {EMAIL, PHONE} or not isinstance(value, str):
                yield name, value
            elif is_placeholder(value, self.placeholders):
                dropped[f"attributes.{name}"] = PLACEHOLDER
            elif address := canonical_email(value) if name == EMAIL else self._number(event, value):
                yield name, address
            else:
                dropped[f"attributes.{name}"] = NOT_AN_ADDRESS if name == EMAIL else NOT_A_NUMBER


def _nobody(dropped: dict[str, str]) -> Exception:
    reasons = set(dropped.values())
    strangers = reasons - {PLACEHOLDER, NOT_A_NUMBER, NOT_AN_ADDRESS}
    if strangers and strangers == reasons:
        return NotACustomerError(min(strangers))
    return InvalidEventError(no_name_left(dropped))


def _with_address(event: Event) -> Event:
    """The event with the canonical address that a provider reports on.

    WhatsApp's own form of a number that has several is kept as an attribute: messages go to that form.
    """
    channel, written = event.channel, event.properties.get("address")
    if not is_provider(event.source) or channel is None or not isinstance(written, str):
        return event
    address = canonical_address(channel, written)
    if not address:
        return event
    event = replace(event, properties={**event.properties, "address": address})
    if channel is not Channel.WHATSAPP or not other_forms(address):
        return event
    attributes = {**event.attributes, str(WHATSAPP_ID): written.removeprefix("+")}
    return replace(event, attributes=attributes, vouched=event.vouched | {f"attributes.{WHATSAPP_ID}"})
