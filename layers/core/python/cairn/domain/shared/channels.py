"""The channels that a message can take, and what it is for."""

from enum import StrEnum


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    WHATSAPP = "whatsapp"
    PUSH = "push"


class Purpose(StrEnum):
    """Transactional: what the customer asked for (a ticket, a receipt). Marketing: everything else."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
