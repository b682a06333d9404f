"""Addresses, masked so that only their owner recognises them."""

from typing import assert_never

from cairn.domain.shared.channels import CHANNELS, AddressKind, Channel

HIDDEN = "•••"
LAST_DIGITS = 2


def masked(channel: Channel, address: str) -> str:
    """The first letter and the domain of an e-mail address, the last digits of a number; of anything else, nothing."""
    if not address:
        return ""
    kind = CHANNELS[channel].address
    match kind:
        case AddressKind.EMAIL:
            local, _, domain = address.rpartition("@")
            return f"{local[:1]}{HIDDEN}@{domain}"
        case AddressKind.PHONE:
            return f"{HIDDEN} {address[-LAST_DIGITS:]}"
        case AddressKind.PUSH_ENDPOINT | AddressKind.USER_ID:
            return ""
        case _:
            assert_never(kind)
