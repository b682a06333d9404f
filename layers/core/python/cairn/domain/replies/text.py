"""A reply as words and numbers, and the phrases in it."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from cairn.domain.consent.plain_words import MAX_TEXT, plain_text

Tokens = Sequence[str]
Phrases = Collection[tuple[str, ...]]

NUMERIC = re.compile(r"(?:(?<![\w.,])-)?\d+(?:[.,:/h-]\d+)*", re.ASCII | re.IGNORECASE)
"""A number, a time or a date in digits, as one token: `5`, `1.500,50`, `17:30`, `17h30`, `06.03.2026`, `2026-03-06`."""

MERIDIEM = re.compile(r"(?<=\d)\s?([ap])\.\s?m\b\.?|(?<=\d)\s?(p)m\b|(?<=\d)(a)m\b", re.IGNORECASE)
"""`5 p.m.`, `5 pm`, `5am`. `5 am` is not among them: in German it may be 5 on a day that follows."""
HALVES = {"a": " antemeridiem ", "p": " postmeridiem "}

LONGEST_PHRASE = 5
"""Tokens."""


def tokens(text: str) -> list[str]:
    """The plain words of a text, with its numbers as they are written, in the digits 0 to 9."""
    digits = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text[:MAX_TEXT])
    written = MERIDIEM.sub(lambda half: HALVES[(half[1] or half[2] or half[3]).lower()], digits)
    found: list[str] = []
    end = 0
    for numeric in NUMERIC.finditer(written):
        found += plain_text(written[end : numeric.start()]).split()
        found.append(numeric[0].lower())
        end = numeric.end()
    return found + plain_text(written[end:]).split()


def length_at(words: Tokens, position: int, among: Phrases) -> int:
    """How many words the longest of these phrases has that begins here; 0 where none does."""
    for length in range(min(LONGEST_PHRASE, len(words) - position), 0, -1):
        if tuple(words[position : position + length]) in among:
            return length
    return 0


def positions(words: Tokens, among: Phrases) -> Iterator[tuple[int, int]]:
    """Where these phrases stand, from left to right: the first word and the number of words."""
    position = 0
    while position < len(words):
        length = length_at(words, position, among)
        if length:
            yield position, length
        position += length or 1
