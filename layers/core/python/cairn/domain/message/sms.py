"""The parts of an SMS, which are sent and paid for one by one (3GPP TS 23.038 and 23.040)."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""GSM 7-bit default alphabet: one septet each."""

EXTENDED = frozenset("\f^{}\\[~]|€")
"""Its extension table: two septets each, which stand in one part."""

ONE_PART, MANY_PARTS = 160, 153
"""Septets of a text in one part, and of each part of a longer one, whose header takes the rest."""

ONE_PART_UCS_2, MANY_PARTS_UCS_2 = 70, 67
"""The same in UTF-16 code units, for a text with any other character."""

DEFAULT_MAX_PARTS = 4
"""Parts of an SMS, where its template allows no other number."""

MOST_PARTS = 10
"""Parts that a template may allow: 1,600 characters, the most that SendTextMessage and Publish take."""


def parts_of(text: str) -> int:
    """The number of parts in which the text is sent."""
    if all(one in BASIC or one in EXTENDED for one in text):
        return _parts([2 if one in EXTENDED else 1 for one in text], ONE_PART, MANY_PARTS)
    return _parts([2 if ord(one) > 0xFFFF else 1 for one in text], ONE_PART_UCS_2, MANY_PARTS_UCS_2)  # noqa: PLR2004  the basic plane ends there


def _parts(widths: list[int], one_part: int, of_many: int) -> int:
    if sum(widths) <= one_part:
        return 1
    parts, room = 1, of_many
    for width in widths:
        if width > room:
            parts, room = parts + 1, of_many
        room -= width
    return parts
