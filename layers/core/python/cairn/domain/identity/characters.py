"""Characters that nobody sees. Two texts that look the same must not be two names."""

import unicodedata

from cairn.domain.shared.ignorable import DEFAULT_IGNORABLE

UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Control, format, unassigned, private use, surrogates, line and paragraph separators."""

UNSEEN = DEFAULT_IGNORABLE | {"\u2800"}
"""Others that show nothing, and the empty Braille cell."""

MAX_LENGTH = 512
"""Longest text that may be an address or a placeholder: the time to normalise a text grows with the square of the
accents on a letter.
"""


def is_unseen(char: str) -> bool:
    return char in UNSEEN or unicodedata.category(char) in UNSEEN_CATEGORIES


def trimmed(text: str) -> str:
    """The text without blanks and unseen characters at both ends, where a copied text often has them."""
    if text.isascii() and text.isprintable():
        return text.strip()
    start, end = 0, len(text)
    while start < end and (text[start].isspace() or is_unseen(text[start])):
        start += 1
    while end > start and (text[end - 1].isspace() or is_unseen(text[end - 1])):
        end -= 1
    return text[start:end]
