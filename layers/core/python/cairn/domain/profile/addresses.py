"""A customer's addresses, by channel."""

from collections.abc import Mapping
from typing import Any

from cairn.domain.identity.identifiers import PHONE, identifier
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import CHANNELS, Channel, channels_at

ATTRIBUTES = tuple((channel, traits.address.value) for channel, traits in CHANNELS.items())
BY_NUMBER = channels_at(PHONE)


def addresses_of(view: Mapping[str, Any]) -> dict[Channel, str]:
    """From a profile's `email`, `phone` (SMS and WhatsApp) and `push_endpoint` (the ARN of an SNS endpoint)."""
    given = {channel: (kind, view.get(kind)) for channel, kind in ATTRIBUTES}
    normalised = {
        channel: identifier(kind, text).value for channel, (kind, text) in given.items() if isinstance(text, str)
    }
    return {channel: address for channel, address in normalised.items() if address}


def addresses_to_send_to(profile: Profile) -> dict[Channel, str]:
    """The addresses that messages may go to: a phone number only if it also identifies this customer.

    A STOP from a number that two customers share is recorded for the one it identifies, so the other gets no texts.
    """
    numbers = {name.value for name in profile.identifiers if name.kind == PHONE}
    addresses = addresses_of(profile.view())
    return {
        channel: address for channel, address in addresses.items() if channel not in BY_NUMBER or address in numbers
    }
