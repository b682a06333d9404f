"""A customer's addresses, by channel, in canonical form."""

from collections.abc import Mapping
from typing import Any

from cairn.domain.consent.suppression import suppression_key
from cairn.domain.event import Event
from cairn.domain.identity.addresses import canonical_address, is_whatsapp_user, whatsapp_number
from cairn.domain.identity.identifiers import EXTERNAL, PHONE, USER_ID, Identifier, identifier
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.domain.profile.attributes import WHATSAPP_ID
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import CHANNELS, AddressKind, Channel, channels_at

BY_NUMBER = channels_at(PHONE)


def addresses_of(view: Mapping[str, Any]) -> dict[Channel, str]:
    """From a profile's `email`, `phone` (SMS and WhatsApp), `push_endpoint` (the ARN of an SNS endpoint) and `user_id`.

    A customer without a number is reached on WhatsApp by the id that Meta gave.
    """
    found = {channel: _address(view, channel) for channel in CHANNELS}
    return {channel: address for channel, address in found.items() if address}


def _address(view: Mapping[str, Any], channel: Channel) -> str | None:
    traits = CHANNELS[channel]
    text = view.get(traits.address.value)
    address = canonical_address(channel, text) if isinstance(text, str) else None
    if address is None and traits.external_id:
        id_ = view.get("external_ids", {}).get(traits.external_id)
        return id_ if isinstance(id_, str) and is_whatsapp_user(id_) else None
    return address


def own_addresses(profile: Profile) -> dict[Channel, str]:
    """The customer's own addresses: vouched for or confirmed; without any, the one that a visitor typed first of all.

    A phone number only if it also identifies this customer: a STOP from a number that two customers share is recorded
    for the one it identifies, so the other gets no texts.
    """
    own = set(profile.own_identifiers)
    view: dict[str, Any] = {kind: profile.get(kind) for kind in AddressKind}  # not the whole view of a large profile
    view[USER_ID] = next((name.value for name in profile.identifiers if name.kind == USER_ID and name in own), None)
    view["external_ids"] = {
        name.kind.removeprefix(EXTERNAL): name.value for name in profile.identifiers if name.kind.startswith(EXTERNAL)
    }
    found = {channel: (address, identifier_at(channel, address)) for channel, address in addresses_of(view).items()}
    return {
        channel: address
        for channel, (address, name) in found.items()
        if name in own or (name not in profile.identifiers and channel not in BY_NUMBER)
    }


def sending_form(profile: Profile, channel: Channel, address: str) -> str:
    """The form of an address that its channel delivers to: on WhatsApp the one that WhatsApp itself uses.

    Both forms have the same key, so all that is known of the one holds for the other.
    """
    wa_id = profile.get(WHATSAPP_ID) if channel is Channel.WHATSAPP else None
    number = whatsapp_number(wa_id) if isinstance(wa_id, str) else None
    return number if number and canonical_address(channel, number) == address else address


def identifier_at(channel: Channel, address: str) -> Identifier | None:
    """The identifier that an address also is; None for an address that identifies nobody."""
    traits = CHANNELS[channel]
    if channel is Channel.WHATSAPP and is_whatsapp_user(address):
        return identifier(EXTERNAL + traits.external_id, address)
    return identifier(traits.address.value, address) if traits.address.identifies else None


def addresses_for(
    profile: Profile, own: Mapping[Channel, str], event: Event, *, by_vouched: bool
) -> Mapping[Channel, str] | None:
    """Where the messages may go of an enrollment that this event starts; None: to the customer's `own` addresses.

    What a visitor typed is answered at the address that was typed, and nowhere else. An event that a source vouches for
    may also be answered at the addresses that it names, if they lead to this customer.
    """
    if not event.identifiers:
        return None if profile.is_known else own
    named = {
        channel: address
        for channel, address in _named_addresses(event).items()
        if identifier_at(channel, address) in profile.identifiers
    }
    if not profile.is_known:
        return named
    if not by_vouched:
        return dict(named.items() & own.items())
    return None if named.items() <= own.items() else {**named, **own}


def still_led_to(profile: Profile, own: Mapping[Channel, str], only_to: Mapping[Channel, str]) -> Mapping[Channel, str]:
    """Of the addresses that an emitted event is limited to, those that lead to the customer yet."""
    return {
        channel: address
        for channel, address in only_to.items()
        if own.get(channel) == address or identifier_at(channel, address) in profile.identifiers
    }


def addresses_to_send_to(profile: Profile, allowed: Mapping[Channel, str] | None = None) -> dict[Channel, str]:
    """The addresses that messages may go to: the customer's own, or those that their enrollment is limited to.

    Each in the form that its channel delivers to.
    """
    addresses = own_addresses(profile) if allowed is None else allowed
    return {channel: sending_form(profile, channel, address) for channel, address in addresses.items()}


def narrower(
    allowed: Mapping[Channel, str] | None, event_allows: Mapping[Channel, str] | None, profile: Profile
) -> Mapping[Channel, str] | None:
    """The addresses of an enrollment that took over data from another event: those that both allow."""
    own = own_addresses(profile)
    before = own if allowed is None else allowed
    # An event that a source vouches for allows the customer's own addresses, whatever they become, and perhaps more.
    if allowed is None and (event_allows is None or own.items() < event_allows.items()):
        return None
    return dict(before.items() & (own if event_allows is None else event_allows).items())


def is_owners_address(profile: Profile, channel: Channel, key: str, by: SuppressionKey) -> bool:
    """Whether a link that was sent to the address with this key speaks for the customer: now, or once before.

    A visitor who typed an address beside another person's gets links there, and must not speak for that person.
    """
    return any(suppression_key(channel, address, by) == key for address in _owned(profile, channel))


def speaks_for(profile: Profile, channel: Channel, address: str) -> bool:
    """Whether an answer from this address is the customer's own word: now, or once before."""
    return (canonical_address(channel, address) or address) in _owned(profile, channel)


def _owned(profile: Profile, channel: Channel) -> set[str]:
    """The customer's addresses on a channel, also earlier ones; of a visitor who is not known, all that were typed."""
    names = profile.own_identifiers if profile.is_known else profile.identifiers
    theirs = {name.value for name in names if channel in channels_at(name.kind)}
    return theirs | {address for one, address in own_addresses(profile).items() if one is channel}


def _named_addresses(event: Event) -> dict[Channel, str]:
    """The addresses by which an event names its customer. WhatsApp's id only where no number is named."""
    by_id = {
        channel: name.value
        for channel, traits in CHANNELS.items()
        for name in event.identifiers
        if traits.external_id and name.kind == EXTERNAL + traits.external_id and is_whatsapp_user(name.value)
    }
    by_kind = {channel: name.value for name in reversed(event.identifiers) for channel in channels_at(name.kind)}
    return by_id | by_kind
