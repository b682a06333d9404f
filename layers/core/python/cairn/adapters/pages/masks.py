"""Addresses as somebody knows their own again, and nobody learns another's."""

from cairn.domain.shared.channels import Channel

HIDDEN = "•••"
LAST_DIGITS = 2


def masked(channel: Channel, address: str) -> str:
    """The first letter and the domain of an e-mail address, the last digits of a number, and nothing of a device."""
    if not address or channel is Channel.PUSH:
        return ""
    if channel is Channel.EMAIL:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}{HIDDEN}@{domain}"
    return f"{HIDDEN} {address[-LAST_DIGITS:]}"
