"""Characters that nobody sees. Two texts that look the same must not be two names."""

import unicodedata

UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Control, format, unassigned, private use, surrogates, line and paragraph separators."""

UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    chr(code) for first, last in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(first, last + 1)
)
"""Others that show nothing: Default_Ignorable_Code_Point of Unicode, and the empty Braille cell."""


MAX_LENGTH = 512
"""Longest text that may be an address or a placeholder: the time to normalise a text grows with the square of the
accents on a letter.
"""


def is_unseen(char: str) -> bool:
    return char in UNSEEN or unicodedata.category(char) in UNSEEN_CATEGORIES


def trimmed(text: str) -> str:
    """The text without blanks and unseen characters at both ends, where a copied text often has them."""
    start, end = 0, len(text)
    while start < end and (text[start].isspace() or is_unseen(text[start])):
        start += 1
    while end > start and (text[end - 1].isspace() or is_unseen(text[end - 1])):
        end -= 1
    return text[start:end]
