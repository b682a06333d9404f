"""The channels that a message can take: a row for each, with all differences between channels."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal, assert_never


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    WHATSAPP = "whatsapp"
    PUSH = "push"
    IN_APP = "in_app"
    """The inbox in the business's own app or site (docs/in-app.md)."""


class Purpose(StrEnum):
    """Transactional: what the customer asked for (a ticket, a receipt). Marketing: everything else."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


class AddressKind(StrEnum):
    """What an address is: the attribute of a profile that has it, or for USER_ID the identifier."""

    EMAIL = "email"
    PHONE = "phone"
    PUSH_ENDPOINT = "push_endpoint"
    """The ARN of an endpoint in Amazon SNS."""
    USER_ID = "user_id"
    """The customer's account in the business's own system: who has one can sign in, and be shown messages there."""

    @property
    def identifies(self) -> bool:
        """Whether it is also an identifier, by which events find their customer."""
        return self is not AddressKind.PUSH_ENDPOINT

    @property
    def is_attribute(self) -> bool:
        """Whether it is an attribute, which has one value that changes."""
        return self is not AddressKind.USER_ID


TRANSACTIONAL = frozenset({Purpose.TRANSACTIONAL})

WHATSAPP_SESSION = timedelta(hours=24)
"""Meta's customer service window; error 131047."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTraits:
    address: AddressKind
    noun: str
    plural: str
    address_noun: str
    """Subject of a sentence about the address."""
    template_kind: Literal["html", "txt"]
    """The ending of a template's file."""
    implied_consent: frozenset[Purpose] = frozenset()
    """Purposes that need no consent of their own: a customer who leaves the address agrees to them."""
    answers_keywords: bool = False
    """Whether customers reply there with STOP, HELP and START."""
    session: timedelta | None = None
    """How long after a customer's message free text may go out; later, only templates approved by the provider."""
    external_id: str = ""
    """The system whose external ids are addresses here too."""
    exempt_from_hours: str = ""
    """Why the legal hours of texts do not hold here. Empty: law.toml must name the channel in each of its hours."""

    @property
    def article(self) -> str:
        return "an" if self.noun[0] in "aeiou" else "a"


def _traits(channel: Channel) -> ChannelTraits:
    match channel:
        case Channel.SMS:
            return ChannelTraits(
                address=AddressKind.PHONE,
                noun="text",
                plural="texts",
                address_noun="The number for texts",
                template_kind="txt",
                implied_consent=TRANSACTIONAL,  # FCC 92-443, paragraph 31; 47 CFR 64.1200(a)(1)
                answers_keywords=True,
            )
        case Channel.EMAIL:
            return ChannelTraits(
                address=AddressKind.EMAIL,
                noun="e-mail",
                plural="e-mails",
                address_noun="The e-mail address",
                template_kind="html",
                implied_consent=TRANSACTIONAL,
                exempt_from_hours="CAN-SPAM (15 USC 7704) sets no hours, and e-mail makes no phone ring",
            )
        case Channel.WHATSAPP:  # always needs an opt-in (Meta's business policy)
            return ChannelTraits(
                address=AddressKind.PHONE,
                noun="WhatsApp message",
                plural="WhatsApp messages",
                address_noun="The number on WhatsApp",
                template_kind="txt",
                answers_keywords=True,
                session=WHATSAPP_SESSION,
                external_id="whatsapp",
                exempt_from_hours="no call or text to a number (47 USC 227); policy.toml sets its night hours",
            )
        case Channel.PUSH:
            return ChannelTraits(
                address=AddressKind.PUSH_ENDPOINT,
                noun="push notification",
                plural="push notifications",
                address_noun="The device",
                template_kind="txt",
                implied_consent=TRANSACTIONAL,
                exempt_from_hours="no call or text to a number (47 USC 227); policy.toml sets its night hours",
            )
        case Channel.IN_APP:
            return ChannelTraits(
                address=AddressKind.USER_ID,
                noun="in-app message",
                plural="in-app messages",
                address_noun="The inbox in the app",
                template_kind="txt",
                implied_consent=TRANSACTIONAL,
                exempt_from_hours="it rings nowhere: it waits until its reader opens the app",
            )
        case _:
            assert_never(channel)


CHANNELS = {channel: _traits(channel) for channel in Channel}


def channels_at(kind: str) -> tuple[Channel, ...]:
    """The channels that reach a customer by an identifier of this kind."""
    return tuple(
        channel
        for channel, traits in CHANNELS.items()
        if (traits.address.identifies and traits.address.value == kind)
        or (traits.external_id and kind == f"external:{traits.external_id}")
    )
