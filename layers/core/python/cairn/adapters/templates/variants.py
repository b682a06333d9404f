"""The names of a template's variants in a journey's version: one for each channel and language.

Standard library only: the function that stores versions has no Jinja, and synthesis has no table.
"""

from collections.abc import Iterator

REGISTERED = ("dlt_template", "whatsapp_template", "whatsapp_language", "whatsapp_parameters")
"""Fields of a variant that must be registered first: India's DLT, Meta."""

INVITE_TEXTS = {"invite_title": 250, "invite_location": 250, "invite_description": 2_000}
"""Fields of an e-mail's variant for its calendar invite, each with the most characters."""

LINKED = ("link", "button")
"""Fields of an in-app variant: where its button leads, and its text."""

EXPIRES_AFTER = "expires_after"
"""Field of an in-app variant: how long it is shown."""

LONGEST_LOCALE = 35
"""Characters of a language tag that software must support (RFC 5646, 4.4.1)."""


def key_of(template: str, channel: str, locale: str = "") -> str:
    """The variant's key; languages are compared without case (RFC 4647)."""
    return f"{template}.{locale.lower()}.{channel}" if locale else f"{template}.{channel}"


def template_of(key: str) -> str:
    """The name of the template that a key belongs to; a name has no dot."""
    return key.partition(".")[0]


def keys_for(template: str, channel: str, locale: str = "") -> Iterator[str]:
    """The keys of a customer's variant, the closest first: `es-MX`, then `es`, then none (RFC 4647, 3.4)."""
    left = locale[:LONGEST_LOCALE].replace("_", "-").split("-")
    while any(left):
        yield key_of(template, channel, "-".join(left))
        left.pop()
    yield key_of(template, channel)
