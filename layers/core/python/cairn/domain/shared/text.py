"""Foreign text, made fit to be shown: without controls and invisible characters, on one line, of a limited length."""

import re
import unicodedata
from collections.abc import Iterator

from cairn.domain.shared.ignorable import DEFAULT_IGNORABLE

SHORTENED = "..."
"""Ends a text that was shortened. Three dots, since GSM-7 lacks the one character for them (3GPP TS 23.038, 6.2.1)."""

ZERO_WIDTH_JOINER = "\u200d"
EMOJI_STYLE = "\ufe0f"

EMOJI = re.compile("[\U0001f000-\U0001faff]")
"""Planes of emoji. Some of their code points have no character in the Unicode version of this Python yet."""

EMOJI_MODIFIER = re.compile("[\U0001f3fb-\U0001f3ff]")
REGIONAL_INDICATOR = re.compile("[\U0001f1e6-\U0001f1ff]")

LONGEST_CLUSTER = 16
"""Characters by which a cut moves back, so that no emoji and no accented letter is cut in two."""


def without_controls(text: str) -> str:
    """The text without control, format and invisible characters; line breaks and tabs stay.

    Directions (bidirectional overrides and isolates), escape sequences and zero-width characters are among these. The
    joiner inside an emoji stays.
    """
    return "\n".join("\t".join(_shown(cell) for cell in line.split("\t")) for line in re.split(r"\r\n?|\n", text))


def one_line(text: str) -> str:
    """As `without_controls`, and each run of blanks, tabs and line breaks is one blank."""
    if not (text.isascii() and text.isprintable()):
        text = _shown("".join(" " if one.isspace() else one for one in text))
    return " ".join(text.split())


def shortened(text: str, limit: int) -> str:
    """The text with at most `limit` characters: cut between words, else between characters as a reader sees them."""
    if len(text) <= limit:
        return text
    room = limit - len(SHORTENED)
    end = text.rfind(" ", room // 2, room + 1)
    if end < 0:
        end = _between_clusters(text, room)
    return text[:end].rstrip() + SHORTENED


def _shown(text: str) -> str:
    return text if text.isascii() and text.isprintable() else "".join(_visible(text))


def _visible(text: str) -> Iterator[str]:
    last = ""
    for index, one in enumerate(text):
        if _is_allowed(one, last, text[index + 1 : index + 2]):
            last = one
            yield one


def _is_allowed(one: str, last: str, following: str) -> bool:
    if one == ZERO_WIDTH_JOINER:
        return _may_join(last) and _is_emoji(following)
    if one == EMOJI_STYLE:
        return bool(last) and last != EMOJI_STYLE and not last.isalpha()
    if unicodedata.category(one).startswith("C"):
        return bool(EMOJI.match(one))
    return one not in DEFAULT_IGNORABLE


def _may_join(one: str) -> bool:
    return one == EMOJI_STYLE or _is_emoji(one)


def _is_emoji(one: str) -> bool:
    return bool(one) and (bool(EMOJI.match(one)) or unicodedata.category(one) == "So")


def _between_clusters(text: str, end: int) -> int:
    for at in range(end, max(end - LONGEST_CLUSTER, 0), -1):
        if not _continues(text, at):
            return at
    return end


def _continues(text: str, at: int) -> bool:
    """Whether the character at this index belongs to the one before it."""
    one, last = text[at], text[at - 1]
    if unicodedata.category(one).startswith("M") or EMOJI_MODIFIER.match(one):
        return True
    return ZERO_WIDTH_JOINER in {one, last} or bool(REGIONAL_INDICATOR.match(one) and REGIONAL_INDICATOR.match(last))
