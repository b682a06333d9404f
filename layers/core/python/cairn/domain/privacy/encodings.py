"""What a text may hide: every encoding that a webhook's body is known to arrive in, undone step by step.

Each step reads a text once, whatever the text is: no pattern here looks at a character more than a fixed number of
times. A nesting deeper than MAX_DEPTH, and more than MAX_CHARACTERS in all, are not looked into; the caller learns it.
"""

import binascii
import codecs
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import unquote

MAX_DEPTH = 5
"""Encodings inside each other that are undone: SNS has JSON in JSON, our envelope base64, in which gzip may be."""

MAX_CHARACTERS = 32 * 1024 * 1024
"""Characters of one dead letter that are looked at, all its decoded forms together: the largest body (3 MiB), which
came as bytes that are no text, is 4 MiB of base64, and each of its four readings has 3.
"""

MIN_BASE64 = 16
"""Characters of the shortest base64 that is decoded: 12 bytes, a phone number. Shorter ones are words."""

SEPARATOR = "\x02"
"""Between texts that are searched together. It is part of no address, no number and no encoding."""

ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\\/\"bfnrt]))")
CONTROL_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|[a-zA-Z]{2,31});")
PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
QUOTED = re.compile(r"=(?:([0-9A-F]{2})|\r?\n)")
NO_BASE64 = re.compile(r"[^A-Za-z0-9+/_-]+")
URL_SAFE = str.maketrans("-_", "+/")

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

GZIP = b"\x1f\x8b\x08"
MAX_BEFORE_GZIP = 256
"""Bytes before gzip: a word in front of its base64 is read as base64 too."""

ZLIB = frozenset({b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"})
"""How zlib streams begin (RFC 1950: deflate, a window of 32 KB, the four levels)."""

CONTROLS = bytes({*range(1, 9), 11, 12, *range(14, 32), 127})
MAX_CONTROLS = 0.02
"""The share of control characters above which decoded bytes are no text, but a wrong reading of base64 or a picture."""


class BudgetSpentError(Exception):
    """The text has more characters, in all its decoded forms, than are looked at."""


@dataclass(slots=True)
class Budget:
    """The characters that may still be looked at."""

    left: int = MAX_CHARACTERS

    def spend(self, texts: Iterable[str]) -> None:
        """Raises BudgetSpentError."""
        self.left -= sum(map(len, texts))
        if self.left < 0:
            raise BudgetSpentError


@dataclass(slots=True)
class Decoder:
    """Undoes one level of encoding at a time. A piece of base64 that stood in an earlier level is not decoded again."""

    budget: Budget
    opaque: bool = False
    """Whether something compressed could not be read to its end."""
    seen: set[str] = field(default_factory=set)

    def decoded(self, texts: list[str]) -> tuple[list[str], list[str]]:
        """What the texts hide: texts that may hide more, and bytes that are no text, to be searched as they are."""
        further: list[str] = []
        binary: list[str] = []
        for text in texts:
            further += (plain for plain in _plain_forms(text) if plain != text)
        for piece in self._base64_in(SEPARATOR.join(texts)):
            for start in range(4):  # what stands before it, such as a path, moves where its groups begin
                raw = _from_base64(piece[start:])
                packed = self._unpacked(raw)
                if packed is not None:
                    further.append(text_of(packed))
                elif _is_text(raw):
                    further.append(text_of(raw))
                else:
                    binary.append(raw.decode("latin-1"))
        return further, binary

    def text_of_body(self, raw: bytes) -> str:
        """The text of a stored body, which may be compressed."""
        unpacked = self._unpacked(raw)
        return text_of(raw if unpacked is None else unpacked)

    def _base64_in(self, text: str) -> Iterator[str]:
        folded = (joined for part in text.split(SEPARATOR) for joined in _folded_lines(part))
        for source in (text, *folded):
            for piece in NO_BASE64.split(source):
                if len(piece) >= MIN_BASE64 and piece not in self.seen:
                    self.seen.add(piece)
                    yield piece.translate(URL_SAFE)

    def _unpacked(self, raw: bytes) -> bytes | None:
        """The content of gzip or zlib, as far as the budget goes; None where the bytes are neither."""
        begins = raw.find(GZIP, 0, MAX_BEFORE_GZIP)
        raw, is_gzip = raw[max(begins, 0) :], begins == 0
        if begins < 0 and raw[:2] not in ZLIB:
            return None
        parts: list[bytes] = []
        room = max(self.budget.left, 1)
        while raw and room > 0:
            reader = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, whichever the header says
            try:
                parts.append(reader.decompress(raw, room))
            except zlib.error:
                if not is_gzip and not parts:
                    return None  # bytes that look like a header by chance
                self.opaque = True
                break
            room -= len(parts[-1])
            self.opaque |= not reader.eof
            raw = reader.unused_data if reader.eof and reader.unused_data.startswith(GZIP) else b""
        self.opaque |= bool(raw) and room <= 0
        return b"".join(parts)


def texts(document: Any) -> Iterator[str]:
    """Every text and number in a document, and in the JSON texts inside it, however deep."""
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield from map(str, one)
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        elif isinstance(one, str):
            inner = embedded_document(one)
            if inner is None:
                yield one
            else:
                waiting.append(inner)
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield str(one)


def embedded_document(text: str) -> Any:
    """The JSON object or list that a text contains, or None. One that is nested too deep to be read is a text."""
    if not text.lstrip()[:1].startswith(("{", "[")):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict | list) else None


def text_of(raw: bytes) -> str:
    """Bytes as text: by their byte order mark, else as UTF-8. An ASCII address in them is readable in any case."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, errors="replace")
    return raw.decode(errors="replace")


def _plain_forms(text: str) -> Iterator[str]:
    """The text without escapes of JSON, entities of HTML, percent-encoding, quoted-printable or the zeros of UTF-16."""
    if "\\" in text:
        yield ESCAPED.sub(_unescaped, text)
    if "&" in text:
        yield ENTITY.sub(_character, text)
    if "%" in text and PERCENT.search(text):
        yield unquote(text.replace("+", " "), errors="replace")
    if "=" in text and QUOTED.search(text):
        yield text_of(QUOTED.sub(_unquoted, text).encode("latin-1", errors="replace"))
    if "\0" in text:
        yield text.replace("\0", "")
    if "&" in text and "=" in text:
        yield from (value for pair in text.split("&") for value in pair.split("=", 1)[1:])


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else CONTROL_ESCAPES.get(found[2], found[2])


def _character(found: re.Match[str]) -> str:
    if found[1] is None and found[2] is None:
        return unescape(found[0])
    number = int(found[1]) if found[1] else int(found[2], 16)
    return chr(number) if number <= sys.maxunicode else found[0]


def _unquoted(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else ""


def _folded_lines(text: str) -> Iterator[str]:
    """Base64 that is broken into lines (RFC 2045: 76 characters), in one piece."""
    if "\n" not in text:
        return
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        bare = line.strip().rstrip("=")
        if bare and not NO_BASE64.search(bare):
            block.append(bare)
            continue
        if len(block) > 1:
            yield "".join(block)
        block = []


def _from_base64(piece: str) -> bytes:
    whole = piece[:-1] if len(piece) % 4 == 1 else piece
    try:
        return binascii.a2b_base64(whole + "=" * (-len(whole) % 4))
    except binascii.Error:
        return b""


def _is_text(raw: bytes) -> bool:
    return bool(raw) and len(raw) - len(raw.translate(None, CONTROLS)) <= MAX_CONTROLS * len(raw)
