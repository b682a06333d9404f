"""Where a customer can be reached, by channel."""

from collections.abc import Mapping
from typing import Any

from cairn.domain.identity.identifiers import PHONE, identifier
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import CHANNELS, Channel, channels_at

ATTRIBUTES = tuple((channel, traits.address.value) for channel, traits in CHANNELS.items())
BY_NUMBER = channels_at(PHONE)


def addresses_of(view: Mapping[str, Any]) -> dict[Channel, str]:
    """Where a profile can be reached: `email`, `phone` (SMS and WhatsApp), `push_endpoint` (an SNS endpoint ARN)."""
    given = {channel: (kind, view.get(kind)) for channel, kind in ATTRIBUTES}
    found = {channel: identifier(kind, text).value for channel, (kind, text) in given.items() if isinstance(text, str)}
    return {channel: address for channel, address in found.items() if address}


def addresses_to_send_to(profile: Profile) -> dict[Channel, str]:
    """Where a customer may be written to: those of its addresses whose answers would find it.

    A STOP from a number that two share is heard for the one whose it is, so the other must not be texted there.
    """
    numbers = {one.value for one in profile.identifiers if one.kind == PHONE}
    found = addresses_of(profile.view())
    return {channel: address for channel, address in found.items() if channel not in BY_NUMBER or address in numbers}
