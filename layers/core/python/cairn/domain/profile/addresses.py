"""A customer's addresses, by channel, in canonical form."""

from collections.abc import Mapping
from typing import Any

from cairn.domain.identity.addresses import canonical_address, is_whatsapp_user, whatsapp_number
from cairn.domain.identity.identifiers import EXTERNAL, PHONE, Identifier, identifier
from cairn.domain.profile.attributes import WHATSAPP_ID
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import CHANNELS, Channel, channels_at

BY_NUMBER = channels_at(PHONE)


def addresses_of(view: Mapping[str, Any]) -> dict[Channel, str]:
    """From a profile's `email`, `phone` (SMS and WhatsApp) and `push_endpoint` (the ARN of an SNS endpoint).

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


def addresses_to_send_to(profile: Profile) -> dict[Channel, str]:
    """The addresses that messages may go to: a phone number only if it also identifies this customer.

    A STOP from a number that two customers share is recorded for the one it identifies, so the other gets no texts.
    """
    numbers = {name.value for name in profile.identifiers if name.kind == PHONE}
    return {
        channel: sending_form(profile, channel, address)
        for channel, address in addresses_of(profile.view()).items()
        if channel not in BY_NUMBER or address in numbers or is_whatsapp_user(address)
    }


def sending_form(profile: Profile, channel: Channel, address: str) -> str:
    """The form of an address that its channel delivers to: on WhatsApp the one that WhatsApp itself has told.

    Both forms have the same key, so all that is known of the one holds for the other.
    """
    told = profile.get(WHATSAPP_ID) if channel is Channel.WHATSAPP else None
    number = whatsapp_number(told) if isinstance(told, str) else None
    return number if number and canonical_address(channel, number) == address else address


def identifier_at(channel: Channel, address: str) -> Identifier | None:
    """The identifier that an address also is; None for an address that identifies nobody."""
    traits = CHANNELS[channel]
    if channel is Channel.WHATSAPP and is_whatsapp_user(address):
        return identifier(EXTERNAL + traits.external_id, address)
    return identifier(traits.address.value, address) if traits.address.identifies else None
