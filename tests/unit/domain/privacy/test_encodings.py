"""A customer is found in whatever encoding, and twice the text takes twice the work."""

import base64
import gzip
import html
import json
import quopri
import re
import sys
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cairn.domain.privacy import encodings
from cairn.domain.privacy.encodings import MAX_CHARACTERS, MAX_DEPTH, Budget, embedded_document, texts
from cairn.domain.privacy.traces import Sighting, Traces
from tests.unit.makers import MONDAY, name

WHO = name(user_id="member-0001", email="mia@example.com", phone="+14155550123", external={"shopify": "8209829119"})
TRACES = Traces(frozenset({"c_" + "a" * 26}), WHO, MONDAY)
NOBODY = Traces(frozenset({"c_" + "b" * 26}), name(email="noa@example.org", phone="+4915112345678"), MONDAY)
SAYS = [
    '{"customer": {"email": "mia@example.com", "note": "she asks for a call"}}',
    "please call (415) 555-0123 tomorrow",
    "Mia <MIA@Example.com>, our best customer",
    'cut short: {"id": 8209829119, "name": "Mi',
    f"effect of c_{'a' * 26}",
]


def lines_of(encoded: str, length: int = 76) -> str:
    return "\r\n".join(encoded[start : start + length] for start in range(0, len(encoded), length))


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


ENCODERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda text: b64(text.encode()),
    "base64 without padding": lambda text: b64(text.encode()).rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": lambda text: lines_of(b64((text + " " * 200).encode())),
    "base64 in a path": lambda text: f"https://example.org/a/{b64(text.encode())}/b?x=1",
    "base64 in a data URL": lambda text: f'<img src="data:text/plain;base64,{b64(text.encode())}">',
    "base64 of UTF-16": lambda text: b64(text.encode("utf-16")),
    "base64 of UTF-16 without a mark": lambda text: b64(text.encode("utf-16-be")),
    "base64 of UTF-32": lambda text: b64(text.encode("utf-32")),
    "base64 of gzip": lambda text: b64(gzip.compress(text.encode())),
    "base64 of two gzips": lambda text: b64(gzip.compress(b"first") + gzip.compress(text.encode())),
    "base64 of zlib": lambda text: b64(zlib.compress(text.encode())),
    "base64 in a picture": lambda text: b64(bytes(range(256)) * 20 + text.encode() + bytes(range(255, -1, -1)) * 20),
    "UTF-16 read as UTF-8": lambda text: text.encode("utf-16-le").decode(),
    "percent-encoding": lambda text: quote(text, safe=""),
    "percent-encoding of every character": lambda text: "".join(f"%{one:02x}" for one in text.encode()),
    "a form": lambda text: urlencode({"a": "1", "Body": text, "b": "2"}),
    "percent-encoding twice": lambda text: quote_plus(quote_plus(text)),
    "quoted-printable": lambda text: quopri.encodestring((text + " " * 80 + "=").encode(), quotetabs=True).decode(),
    "HTML": html.escape,
    "HTML by numbers": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "HTML by hexadecimal numbers": lambda text: "".join(f"&#x{ord(one):x};" for one in text),
    "JSON": json.dumps,
    "JSON by numbers": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "JSON in JSON": lambda text: json.dumps({"Message": json.dumps({"a": [1, None, json.dumps({"b": text})]})}),
    "JSON that is cut short": lambda text: json.dumps({"a": text, "b": "c" * 30})[:-12],
}


@pytest.mark.parametrize("text", SAYS)
@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_customer_is_found_in_every_encoding(encoding: str, text: str) -> None:
    encoded = ENCODERS[encoding](text)

    assert TRACES.search(encoded) is Sighting.ABOUT
    assert TRACES.search({"unreadable": {"source": "hmac", "body": encoded}}) is Sighting.ABOUT
    assert NOBODY.search(encoded) is Sighting.NOT_ABOUT


AROUND_OTHERS = sorted(ENCODERS.keys() - {"base64 in a picture"})
"""In bytes that are no text, an address is looked for as it is, and not in further encodings."""


@given(st.lists(st.sampled_from(AROUND_OTHERS), min_size=2, max_size=3), st.sampled_from(SAYS))
@settings(max_examples=150)
@example(["HTML by hexadecimal numbers", "quoted-printable", "JSON"], SAYS[0])
def test_a_customer_is_found_in_encodings_inside_each_other(nested: list[str], text: str) -> None:
    for encoding in nested:
        text = ENCODERS[encoding](text)

    assert TRACES.search(text) is not Sighting.NOT_ABOUT
    assert NOBODY.search(text) is not Sighting.ABOUT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@pytest.mark.parametrize("packed", [bytes, gzip.compress, zlib.compress])
def test_a_stored_body_is_read_in_its_own_encoding(encoding: str, packed: Callable[[bytes], bytes]) -> None:
    body = packed(json.dumps({"mail": {"destination": "mia@example.com"}}).encode(encoding))

    assert TRACES.search(body) is Sighting.ABOUT
    assert NOBODY.search(body) is Sighting.NOT_ABOUT


@pytest.mark.parametrize("email", ["jürgen@exämple.com", "jürgen@xn--exmple-cua.com", "ju\u0308rgen@exämple.com"])
def test_an_address_is_found_in_each_spelling_of_its_text_and_of_its_domain(email: str) -> None:
    jurgen = Traces(frozenset(), name(email="jürgen@exämple.com"), MONDAY)

    assert jurgen.in_document({"to": email})


def test_digits_of_another_script_are_digits() -> None:
    assert TRACES.in_document({"text": "".join(chr(0x660 + int(one)) for one in "4155550123")})


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(gzip.compress(b"0" * 200_000_000, 9), id="a bomb"),
        pytest.param(gzip.compress(json.dumps({"to": "noa@example.org"}).encode() * 50)[:-30], id="cut short"),
        pytest.param(gzip.compress(b"x") + gzip.compress(b"abc" * 90)[:20], id="its second part cut short"),
    ],
)
def test_what_is_compressed_and_cannot_be_read_to_its_end_is_said_to_be_unreadable(packed: bytes) -> None:
    assert TRACES.search(b64(packed)) is Sighting.UNREADABLE
    assert TRACES.search(packed) is Sighting.UNREADABLE


def test_what_is_nested_too_deep_is_said_to_be_unreadable() -> None:
    text = "mia@example.com, and some more"
    for _ in range(MAX_DEPTH + 1):
        text = b64(text.encode())

    assert TRACES.search(text) is Sighting.UNREADABLE


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', '"[', '["'])
def test_a_document_that_is_nested_deeper_than_python_goes_is_searched_as_text(opening: str) -> None:
    deep = opening * 100_000

    assert TRACES.search(deep) is Sighting.NOT_ABOUT
    assert TRACES.search(f"{deep} mia@example.com") is Sighting.ABOUT
    assert TRACES.search({"unreadable": {"body": deep}}) is Sighting.NOT_ABOUT


def test_every_text_of_a_deep_document_is_found() -> None:
    document: Any = "mia@example.com"
    for _ in range(50_000):
        document = [document]

    assert list(texts(document)) == ["mia@example.com"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary().map(b64),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON | st.text() | st.binary())
@settings(max_examples=300)
def test_no_document_stops_the_search(document: Any) -> None:
    assert TRACES.search(document) in Sighting
    assert TRACES.search(json.dumps(document) if not isinstance(document, bytes) else document) in Sighting


# Laws: what the search finds in plain text is what a slow comparison finds.

WORDS = st.sampled_from([
    *("mia@example.com", "MIA@EXAMPLE.COM", "jo", "+", ".", "..", ",", " ", "<", ">", "au", "-", "="),
    *("x", "_", "é", "%", "&"),
    *("4155550123", "415", "555", "0123", "(", ")", "14155550123", "00", "1", "0", "42", "/", "\t"),
])  # fmt: skip


def slowly_mails(text: str) -> bool:
    word = r"\w%+-"
    before = "".join(rf"(?<![{word}]{dots})" for dots in ("", r"\.", r"\.\.", r"\.\.\."))
    return bool(re.search(rf"{before}mia@example\.com(?!\.*[\w-])", text, re.IGNORECASE))


def slowly_numbers(text: str) -> bool:
    """Every group of digits at which the number may end, read backwards digit by digit."""
    for end in range(1, len(text) + 1):
        if not text[end - 1].isdecimal() or (end < len(text) and text[end].isdecimal()):
            continue
        digits, at = "", end
        while at and (text[at - 1].isdecimal() or text[at - 1] in " ().-/\t"):
            at -= 1
            digits = text[at] + digits if text[at].isdecimal() else digits
            if len(digits) == 9:
                break
        while len(digits) <= 17 and at and text[at - 1].isdecimal():
            at -= 1
            digits = text[at] + digits
        if len(digits) <= 17 and digits.endswith("155550123"):
            return True
    return False


@given(st.lists(WORDS, max_size=14).map("".join))
@settings(max_examples=1000)
def test_an_address_is_found_exactly_where_a_slow_comparison_finds_it(text: str) -> None:
    if re.search(r"\.{4}", text):
        return
    only_mail = Traces(frozenset(), name(email="mia@example.com"), MONDAY)

    assert only_mail._mentioned([text]) == slowly_mails(text)  # noqa: SLF001


@given(st.lists(WORDS, max_size=14).map("".join))
@settings(max_examples=1000)
def test_a_number_is_found_exactly_where_a_slow_comparison_finds_it(text: str) -> None:
    only_phone = Traces(frozenset(), name(phone="+14155550123"), MONDAY)

    assert only_phone._mentioned([text]) == slowly_numbers(text)  # noqa: SLF001


# Growth: counted in calls of Python and in characters looked at, never in seconds.

ENDLESS = {
    "base64": lambda n: b64(bytes(n // 2) + b"\xff" * (n // 4)),
    "base64 in short pieces": lambda n: " ".join(["QUJDREVGR0hJSktM"] * (n // 17)),
    "base64 in lines": lambda n: lines_of("A" * n),
    "one letter": lambda n: "a" * n,
    "digits": lambda n: "1" * n,
    "digits and blanks": lambda n: "1 " * (n // 2),
    "numbers that nearly match": lambda n: "155550123" * (n // 9),
    "addresses that nearly match": lambda n: "xmia@example.com" * (n // 16),
    "at signs": lambda n: "a@" * (n // 2),
    "full stops before an address": lambda n: "x" + "." * n + "mia@example.com",
    "full stops after an address": lambda n: "mia@example.com" + "." * n + "x",
    "percent": lambda n: "%25" * (n // 3),
    "entities": lambda n: "&amp;" * (n // 5),
    "the beginnings of entities": lambda n: "&#" * (n // 2),
    "escapes": lambda n: "\\u0041" * (n // 6),
    "backslashes": lambda n: "\\" * n,
    "equals signs": lambda n: "=" * n,
    "quoted-printable": lambda n: "=3D" * (n // 3),
    "zeros": lambda n: "\0" * n,
    "brackets": lambda n: "[" * n,
    "a form": lambda n: "a=b&" * (n // 4),
    "short texts": lambda n: json.dumps(["ab"] * (n // 6)),
}  # fmt: skip


def calls_and_characters(text: str) -> tuple[int, int]:
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    budget = Budget()
    sys.setprofile(count)
    try:
        TRACES.search(text, budget)
    finally:
        sys.setprofile(None)
    return calls, MAX_CHARACTERS - budget.left


@pytest.mark.parametrize("kind", ENDLESS)
def test_twice_the_text_takes_no_more_than_twice_the_work(kind: str) -> None:
    calls, characters = calls_and_characters(ENDLESS[kind](40_000))
    more_calls, more_characters = calls_and_characters(ENDLESS[kind](80_000))

    assert more_calls <= 2.2 * calls + 200
    assert more_characters <= 2.2 * characters + 200


def test_the_budget_bounds_what_is_looked_at() -> None:
    budget = Budget(1_000)

    assert TRACES.search("a " * 5_000, budget) is Sighting.UNREADABLE


def test_json_differs_from_text_that_only_begins_like_it() -> None:
    assert embedded_document('  {"a": 1}') == {"a": 1}
    assert embedded_document("[INFO] mia") is None
    assert encodings.text_of(b"\xff\xfe") == ""
