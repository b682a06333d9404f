"""How members of an audience stand in order: texts that sort as the values do, whatever their type.

The index has them below a partition and a sort value: `<partition>#<value>#<customer>` (adapters/dynamodb/audiences).
"""

import struct
from datetime import UTC
from enum import StrEnum
from hashlib import sha256
from math import isfinite
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from cairn.domain.shared.hashing import short_hash, to_bytes
from cairn.domain.shared.instants import instant_to_wire, since_1970, to_instant

LONGEST_PARTITION = 128
"""Characters of a partition that are stored; of a longer one, the hash stands for the rest."""

LONGEST_TEXT = 64
"""Bytes by which texts are ordered; two that begin alike stand beside each other in any order."""

MOST_SHARDS = 64

HASH_LENGTH = 8

NEGATIVE = 1 << 63
ALL_BITS = (1 << 64) - 1


class SortType(StrEnum):
    """What the sort values of an audience are. A value of another type counts as none."""

    NUMBER = "number"
    TEXT = "text"
    INSTANT = "instant"


def encoded(value: Any, type_: SortType, zone: ZoneInfo | None = None) -> str:
    """The value as a text that sorts as it does; empty for what is no value of the type. Empty sorts first."""
    match type_:
        case SortType.NUMBER:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return _encoded_number(value) if is_number else ""
        case SortType.TEXT:
            return to_bytes(value)[:LONGEST_TEXT].hex() if isinstance(value, str) else ""
        case SortType.INSTANT:
            instant = to_instant(value, zone or UTC)
            return _encoded_number(instant.timestamp()) if instant is not None else ""


def _encoded_number(value: float) -> str:
    """The bits of an IEEE 754 double, changed so that they sort as numbers do. Zero has one form.

    Of a negative number, all bits are changed; of any other, the sign.
    """
    try:
        number = float(value) + 0.0
    except OverflowError:
        return ""
    if not isfinite(number):
        return ""
    (bits,) = struct.unpack(">Q", struct.pack(">d", number or 0.0))
    return f"{bits ^ ALL_BITS if bits & NEGATIVE else bits | NEGATIVE:016x}"


def decoded(text: str, type_: SortType) -> Any:
    """The value that a text of `encoded` stands for; None for the empty one. Of a long text, its beginning."""
    if not text:
        return None
    if type_ is SortType.TEXT:
        return bytes.fromhex(text).decode(errors="replace")
    bits = int(text, 16)
    (number,) = struct.unpack(">d", struct.pack(">Q", bits ^ NEGATIVE if bits & NEGATIVE else bits ^ ALL_BITS))
    if type_ is SortType.INSTANT:
        return instant_to_wire(since_1970(number, 1))
    return int(number) if number.is_integer() else number


def partition_key(value: Any) -> str:
    """The name of a partition in keys, in characters that neither end it nor need quoting; empty for no partition."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str | int | float):
        text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    else:
        return ""
    if len(text) > LONGEST_PARTITION:
        text = f"{text[:LONGEST_PARTITION]} {short_hash(text, length=HASH_LENGTH)}"
    return quote(to_bytes(text), safe="").replace("~", "%7E")


def partition_named(key: str) -> str:
    return unquote(key)


def shard_of(customer: str, shards: int) -> int:
    """The shard of a customer: always the same, and evenly distributed."""
    return int.from_bytes(sha256(customer.encode()).digest()[:4], "big") % shards if shards > 1 else 0
