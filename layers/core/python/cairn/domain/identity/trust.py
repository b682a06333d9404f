"""The sources of events whose content Cairn trusts."""

FEEDBACK_SOURCE = "feedback"
"""The source of the events that record_feedback creates."""

PROVIDERS = (FEEDBACK_SOURCE, "twilio", "whatsapp")
"""Only these sources can report a message's status or a customer's reply."""


def is_provider(source: str) -> bool:
    """Whether a source is one of PROVIDERS, or another one of the same vendor (`twilio-eu`)."""
    return any(source == provider or source.startswith(f"{provider}-") for provider in PROVIDERS)


PREFERENCES_SOURCE = "preferences"
"""The source of the choices that customers make in the preference centre."""

OPERATORS_SOURCE = "operators"
"""The source of operators' commands."""

RESERVED_SOURCES = frozenset({FEEDBACK_SOURCE, PREFERENCES_SOURCE, OPERATORS_SOURCE})
"""Names that no webhook source may have, because their events are trusted."""
