"""One address, one key: the canonical form of an address, by which everything compares, stores and suppresses it.

An address on WhatsApp is a phone number, or the id that Meta gives to a customer who hides the number. Such an id never
becomes a number.
"""

import re
from collections.abc import Callable

from cairn.domain.identity.characters import trimmed
from cairn.domain.identity.emails import ascii_email, canonical_email
from cairn.domain.identity.phones import international, other_forms
from cairn.domain.shared.channels import CHANNELS, AddressKind, Channel

WHATSAPP_USER = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""A business-scoped user id: country, full stop, up to 128 letters and digits; `ENT.` in one of linked portfolios.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

WHATSAPP_NUMBER = re.compile(r"\+?[1-9]\d{0,14}", re.ASCII)
"""Its length is checked with all other numbers'; ids of groups are longer, or have letters."""

ReadPhone = Callable[[str], str | None]
"""Reads a phone number in canonical form. The pure one reads those with a country code, `adapters/phone` all."""


def canonical_address(channel: Channel, text: str, read_phone: ReadPhone = international) -> str | None:
    """The canonical form of an address on a channel; None where it is none."""
    text = trimmed(text)
    if channel is Channel.WHATSAPP and is_whatsapp_user(text):
        return text
    match CHANNELS[channel].address:
        case AddressKind.EMAIL:
            return canonical_email(text)
        case AddressKind.PHONE:
            return read_phone(text)
        case AddressKind.PUSH_ENDPOINT | AddressKind.USER_ID:
            return text or None


def is_whatsapp_user(text: str) -> bool:
    """Whether it is an id of WhatsApp, and no number."""
    return bool(WHATSAPP_USER.fullmatch(text))


def whatsapp_number(text: str) -> str | None:
    """`+5215512345678` from the digits that WhatsApp writes; None for any id that is no number, such as a group's."""
    return f"+{text.lstrip('+')}" if WHATSAPP_NUMBER.fullmatch(text) else None


def written_forms(kind: str, value: str) -> frozenset[str]:
    """Every form in which others may write a canonical address: to find it in their documents."""
    if kind == AddressKind.EMAIL:
        return frozenset({value, ascii_email(value)})
    return frozenset({value, *other_forms(value)}) if kind == AddressKind.PHONE else frozenset({value})
