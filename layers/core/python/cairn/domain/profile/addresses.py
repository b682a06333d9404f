"""Where a customer can be reached, by channel."""

from collections.abc import Mapping
from typing import Any

from cairn.domain.identity.identifiers import EMAIL, PHONE, identifier
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel


def addresses_of(view: Mapping[str, Any]) -> dict[Channel, str]:
    """Where a profile can be reached: `email`, `phone` (SMS and WhatsApp), `push_endpoint` (an SNS endpoint ARN)."""
    names = {Channel.EMAIL: EMAIL, Channel.SMS: PHONE, Channel.WHATSAPP: PHONE, Channel.PUSH: "push_endpoint"}
    told = {channel: (name, view.get(name)) for channel, name in names.items()}
    found = {channel: identifier(name, text).value for channel, (name, text) in told.items() if isinstance(text, str)}
    return {channel: address for channel, address in found.items() if address}


BY_NUMBER = (Channel.SMS, Channel.WHATSAPP)


def addresses_to_send_to(profile: Profile) -> dict[Channel, str]:
    """Where a customer may be written to: those of its addresses whose answers would find it.

    A STOP from a number that two share is heard for the one whose it is, so the other must not be texted there.
    """
    numbers = {one.value for one in profile.identifiers if one.kind == PHONE}
    found = addresses_of(profile.view())
    return {channel: told for channel, told in found.items() if channel not in BY_NUMBER or told in numbers}
