"""Links to unsubscribe, confirm or choose. Each is for one customer, and contains no personal data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cairn.domain.shared.channels import Channel, Purpose


class LinkKind(StrEnum):
    """The page that a link opens. A link of one kind does not open another."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Link:
    """The link's customer, message and address as ids and a hash, because others forward, log and store links."""

    customer: str
    message: str
    channel: Channel
    key: str
    """Of the address that it was sent to (`suppression_key`)."""
    purpose: Purpose
    """The purpose that it withdraws or confirms on its channel."""
    expires_at: datetime
