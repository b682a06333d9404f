"""What the variants of a template are called in a journey's version: one a channel, and one a language.

Standard library only: the function that keeps versions has no Jinja, and synthesis has no table.
"""

from collections.abc import Iterator

REGISTERED = ("dlt_template", "whatsapp_template", "whatsapp_language", "whatsapp_parameters")
"""What stands in a variant beside its parts where somebody approves it first: India's DLT, Meta."""

LONGEST_LOCALE = 35
"""Characters of a language tag that anybody has to expect (RFC 5646, 4.4.1)."""


def key_of(template: str, channel: str, locale: str = "") -> str:
    """The variant's key; languages are compared without regard to case (RFC 4647)."""
    return f"{template}.{locale.lower()}.{channel}" if locale else f"{template}.{channel}"


def keys_for(template: str, channel: str, locale: str = "") -> Iterator[str]:
    """Where to look for a customer's variant, the closest first: `es-MX`, then `es`, then without (RFC 4647, 3.4)."""
    left = locale[:LONGEST_LOCALE].replace("_", "-").split("-")
    while any(left):
        yield key_of(template, channel, "-".join(left))
        left.pop()
    yield key_of(template, channel)
