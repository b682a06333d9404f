"""Reads the body of a request as JSON or as a form; its source says which, never the Content-Type.

Whether it is compressed, its own bytes say: nobody signs a Content-Encoding.
"""

import json
import re
import zlib
from typing import Any, NoReturn
from urllib.parse import parse_qs

from cairn.domain.shared.errors import BodyTooLargeError, MalformedBodyError
from cairn.settings import MAX_BODY_BYTES

FORM = "application/x-www-form-urlencoded"

FORMATS = ("json", "form")
"""How a mapping may have a body read, whatever its Content-Type."""

COMPRESSED = re.compile(rb"\x1f\x8b|\x78[\x01\x5e\x9c\xda]")
"""How gzip (RFC 1952) and deflate (RFC 1950, with its four levels) begin. JSON begins otherwise."""

MAX_MEMBERS = 16
"""Members of one gzip body. Senders write one; the format allows any number, empty ones too."""

MAX_DEPTH = 100
"""Lists and objects in one another. Vendors' bodies have ten; the parser's own limit is another in each Python."""

STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""The brackets of JSON, and its texts, so that no bracket in a text counts. An unfinished text ends with the body."""


STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


def unpacked(body: bytes, most: int = MAX_BODY_BYTES) -> bytes:
    """The body without its compression. Raises MalformedBodyError where that is broken.

    Raises BodyTooLargeError where it has more than `most` bytes then, without unpacking more.
    """
    if not COMPRESSED.match(body) or body.isascii():
        return body  # a form may have a field called x^; a compressed body is ASCII by a rare chance only
    parts: list[bytes] = []
    left, size = body, 0
    for _ in range(MAX_MEMBERS):
        reader = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or deflate, whichever the header says
        try:
            parts.append(reader.decompress(left, most + 1 - size))
        except zlib.error:
            raise MalformedBodyError("the body is compressed, and broken") from None
        size += len(parts[-1])
        if size > most:
            raise BodyTooLargeError(f"the body has more than {most} bytes when it is unpacked")
        if not reader.eof:
            raise MalformedBodyError("the body is compressed, and its end is missing")
        left = reader.unused_data
        if not left:
            return b"".join(parts)
    raise MalformedBodyError("the body is compressed, and broken")


def content_of(body: bytes, *, form: bool) -> Any:
    """The JSON, or the fields of a form by name: a text, or a list of them. Raises as `unpacked` and `json_of` do."""
    body = unpacked(body)
    if not form:
        return json_of(body)
    return {name: several[0] if len(several) == 1 else several for name, several in form_of(body).items()}


def form_of(body: bytes) -> dict[str, list[str]]:
    """Every field with all its values."""
    return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)


def json_of(body: bytes) -> Any:
    """Whole numbers stay exact, up to Python's 4,300 digits. Raises MalformedBodyError."""
    if is_deep(body):
        raise MalformedBodyError(f"the body has more than {MAX_DEPTH} lists and objects in one another")
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise MalformedBodyError("the body is not JSON") from None


def is_deep(body: bytes) -> bool:
    """Whether JSON nests too deep to be read. No recursion, and a short look at most bodies."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for found in STRUCTURE.finditer(body):
        depth += STEPS.get(found[0], 0)
        if depth > MAX_DEPTH:
            return True
    return False


def _finite(text: str) -> float:
    number = float(text)
    return number if abs(number) < float("inf") else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"JSON has no {text}")
