"""Who can say what became of a message, or what was answered to it."""

FEEDBACK_SOURCE = "feedback"
"""The source of events that record_feedback makes."""

PROVIDERS = (FEEDBACK_SOURCE, "twilio", "whatsapp")
"""The sources that can say what became of a message, or what was answered; nobody else is believed."""


def is_provider(source: str) -> bool:
    """Whether a source is one of PROVIDERS, or another of its kind (`twilio-eu`)."""
    return any(source == one or source.startswith(f"{one}-") for one in PROVIDERS)


PREFERENCES_SOURCE = "preferences"
"""The source of what customers choose behind the links that we sent them."""

OPERATORS_SOURCE = "operators"
"""The source of what our own people do."""

RESERVED_SOURCES = frozenset({FEEDBACK_SOURCE, PREFERENCES_SOURCE, OPERATORS_SOURCE})
"""Names that no source of a deployment may take: what they say is believed."""
