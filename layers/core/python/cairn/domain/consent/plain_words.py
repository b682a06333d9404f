"""A customer's text as plain words: without case, accents, emoji and characters that show nothing."""

import unicodedata
from collections.abc import Iterator

from cairn.domain.shared.ignorable import DEFAULT_IGNORABLE

MAX_TEXT = 1_600
"""Characters of a reply that are read: the longest text (ten parts of an SMS). Unicode's normal form takes the square
of the accents on one letter, so more is never read."""

APOSTROPHES = frozenset("'`\u00b4\u02b9\u02bc\u2018\u2019\u2032\uff07")
CLAUSE_ENDS = frozenset(".,;:!?\n\r\u2026\u0964\u0965\u00a1\u00bf\u3002\u2028\u2029\uff01\uff0c\uff1f\u2013\u2014")


def plain_text(text: str) -> str:
    """Words in lower case with single spaces between them: `Opt-out!` is `opt out`, `Don\u2019t` is `dont`."""
    return " ".join(word for clause in clauses(text) for word in clause)


def clauses(text: str) -> list[list[str]]:
    """The words of each clause. Punctuation ends a clause; emoji and other signs only separate words."""
    found = "".join(_plain_characters(text[:MAX_TEXT].replace(" - ", "\n"))).split("\n")
    return [words for clause in found if (words := [word for one in clause.split() if (word := one.strip("_"))])]


def _plain_characters(text: str) -> Iterator[str]:
    """Letters, digits and the vowel signs of Indian scripts; a line feed ends a clause."""
    for shown in text:
        if shown in CLAUSE_ENDS:
            yield "\n"
        elif shown in APOSTROPHES or shown in DEFAULT_IGNORABLE or unicodedata.category(shown) == "Cf":
            continue
        else:
            for one in unicodedata.normalize("NFKD", shown):
                kind = unicodedata.category(one)
                if unicodedata.combining(one) or kind == "Me":
                    continue
                yield one.casefold() if kind[0] in "LMN" or one == "_" else " "
