"""Messages on their way to a provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cairn.domain.consent.contact import Claim, Contact, Deferral
    from cairn.domain.message.message import Message, MessageStatus


@dataclass(frozen=True, slots=True)
class DeferredMessage:
    """A reference to a deferred message, without its content."""

    customer: str
    id: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed message, where its sender could not write it: it is written as soon as that works."""

    message: Message
    claim: Claim
    deferral: Deferral | None = None
    """The deferral that the claim ended."""
    status: MessageStatus | None = None
    """The outcome. None: it was certainly not sent, and is now delivered."""
    at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def customer(self) -> str:
        return self.message.customer

    @property
    def id(self) -> str:
        return self.message.id


@dataclass(frozen=True, slots=True)
class InAppReport:
    """What became of an in-app message."""

    customer: str
    message: str
    status: str
    """`delivered`, `opened`, `clicked` or `dismissed`."""
    at: datetime
    link: str = ""


DeliveryRequest: TypeAlias = "Message | DeferredMessage | Settlement"
"""The message itself, a reference to a deferred one, or what became of one."""


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """All data about a message when its sender begins."""

    message: Message
    """With the current id of its customer, and the approval of a person, if any."""
    contact: Contact
    """The current contact, with the suppressions of the message's addresses."""
    status: MessageStatus | None = None
    decisions: tuple[Mapping[str, Any], ...] = ()
    """Earlier decisions to defer it."""
    lags: bool = False
    """Whether it may be as it was a moment ago. Only a claim, which holds for the present contact alone, may follow."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to decide. Provider status only: the sender crashed after sending.

        A message that could not be handed over is decided anew where its dead letter is redriven. One that was perhaps
        sent still has its claim; then its purpose decides.
        """
        if self.status == "undecided":
            return self.message.purpose == "marketing" and self.message.id in self.contact.claims
        return self.status not in {None, "held"}
