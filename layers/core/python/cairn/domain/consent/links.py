"""Links by which customers say what they want to get. Each is for one customer, and names nobody."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cairn.domain.shared.channels import Channel, Purpose


class LinkKind(StrEnum):
    """What a link opens. One made for one kind opens no other."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Link:
    """Who got it, with what and where, by ids and a hash: a link is forwarded, logged and kept by others."""

    customer: str
    message: str
    channel: Channel
    key: str
    """Of the address that it went to (`suppression.key_of`)."""
    purpose: Purpose
    """What it withdraws or confirms on its channel."""
    expires_at: datetime
