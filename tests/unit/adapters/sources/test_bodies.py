"""A body as it came: compressed or not, and never deeper or longer than what is read."""

import gzip
import json
import time
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.sources import sources
from cairn.adapters.sources.bodies import MAX_DEPTH, MAX_MEMBERS, content_of, is_deep, json_of, unpacked
from cairn.application.events.accept_webhook import AcceptWebhook, Request
from cairn.domain.shared.errors import BodyTooLargeError, MalformedBodyError, UnsupportedEncodingError
from cairn.settings import MAX_BODY_BYTES
from tests.unit.adapters.sources.conftest import NOW, SECRET
from tests.unit.fakes import Inbox, Secrets

EVENT = {"id": "g1", "type": "note.wanted", "customer": {"user_id": "a"}}
STRIPE = {"id": "evt_1", "type": "customer.created", "created": 1796126400, "data": {"object": {"id": "cus_1"}}}
WAYS = {"gzip": gzip.compress, "deflate": zlib.compress, "fast": lambda body: zlib.compress(body, 1)}


def signed(name: str, body: bytes, encoding: str = "gzip") -> Request:
    source: Any = sources()[name]
    request = Request(f"https://hooks.example.com/webhooks/{name}", {"content-encoding": encoding}, body)
    headers = {key.lower(): one for key, one in source.scheme.sign(request, SECRET, NOW, "msg_1").items()}
    return Request(request.url, {**request.headers, **headers}, body)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def accept(inbox: Inbox) -> AcceptWebhook:
    return AcceptWebhook(sources(), Secrets(track=(SECRET,), stripe=(SECRET,)), inbox)


class TestCompression:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "Deflate", "gzip, identity", ""])
    def test_the_bytes_say_how_they_are_compressed(
        self, accept: AcceptWebhook, inbox: Inbox, way: str, encoding: str
    ) -> None:
        compress: Any = WAYS[way]
        for name, document in (("track", EVENT), ("stripe", STRIPE)):
            reading = accept(name, signed(name, compress(json.dumps(document).encode()), encoding), NOW)

            assert not reading.problems
            assert len(reading.events) == 1
        assert [one.source for one in inbox] == ["track", "stripe"]

    def test_a_header_that_a_stranger_adds_changes_nothing(self, accept: AcceptWebhook) -> None:
        body = json.dumps(STRIPE).encode()

        [plain] = accept("stripe", signed("stripe", body, ""), NOW).events
        [other] = accept("stripe", signed("stripe", body, "gzip"), NOW).events

        assert plain.id == other.id

    @pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "aes128gcm", "\ud800"])
    def test_another_encoding_is_refused_with_what_to_do(self, accept: AcceptWebhook, encoding: str) -> None:
        with pytest.raises(UnsupportedEncodingError, match="gzip or deflate"):
            accept("stripe", signed("stripe", b"{}", encoding), NOW)

    def test_a_broken_body_is_an_error_for_our_own_api_and_a_dead_letter_for_a_vendor(
        self, accept: AcceptWebhook, inbox: Inbox
    ) -> None:
        whole = gzip.compress(json.dumps(EVENT).encode())
        for broken in (whole[:-1], whole[:20], whole[:-6] + b"\0\0\0\0\0\0", whole + b"more", b"\x1f\x8b"):
            with pytest.raises(MalformedBodyError, match="compressed"):
                accept("track", signed("track", broken), NOW)
            reading = accept("stripe", signed("stripe", broken), NOW)
            assert "compressed" in reading.problems[0]
        assert len(inbox) == 0
        assert len(inbox.unreadable) == 5

    def test_a_bomb_is_refused_before_it_is_unpacked(self) -> None:
        bomb = gzip.compress(b" " * (40 * MAX_BODY_BYTES))
        assert len(bomb) < MAX_BODY_BYTES

        before = time.process_time()
        with pytest.raises(BodyTooLargeError, match=str(MAX_BODY_BYTES)):
            unpacked(bomb)

        assert time.process_time() - before < 1

    def test_the_limit_is_exact(self) -> None:
        for way in (gzip.compress, zlib.compress):
            assert unpacked(way(b"x" * MAX_BODY_BYTES)) == b"x" * MAX_BODY_BYTES
            with pytest.raises(BodyTooLargeError):
                unpacked(way(b"x" * (MAX_BODY_BYTES + 1)))

    def test_several_members_are_one_body_and_endless_ones_are_none(self) -> None:
        half = MAX_BODY_BYTES // 2
        assert unpacked(gzip.compress(b"[1,") + gzip.compress(b"2]")) == b"[1,2]"
        with pytest.raises(BodyTooLargeError):
            unpacked(gzip.compress(b"x" * half) + gzip.compress(b"x" * (half + 2)))
        with pytest.raises(MalformedBodyError):
            unpacked(gzip.compress(b"") * (MAX_MEMBERS + 1))

    def test_two_layers_are_not_unpacked(self) -> None:
        with pytest.raises(MalformedBodyError):
            content_of(gzip.compress(gzip.compress(b"{}")), form=False)

    def test_a_form_may_be_compressed_and_may_begin_like_a_compressed_one(self) -> None:
        assert content_of(gzip.compress(b"a=1&b=2&b=3"), form=True) == {"a": "1", "b": ["2", "3"]}
        assert content_of(b"x^=1", form=True) == {"x^": "1"}

    @given(st.binary(max_size=300))
    def test_any_bytes_come_back_or_are_refused(self, body: bytes) -> None:
        assert unpacked(gzip.compress(body)) == body
        try:
            unpacked(b"\x1f\x8b" + body)
            unpacked(b"x\x9c" + body)
        except MalformedBodyError:
            return


def nested(depth: int, kind: str = "list") -> bytes:
    return b"[" * depth + b"]" * depth if kind == "list" else b'{"a":' * depth + b"1" + b"}" * depth


class TestDepth:
    @pytest.mark.parametrize("kind", ["list", "object"])
    def test_so_deep_and_no_deeper(self, kind: str) -> None:
        json_of(nested(MAX_DEPTH, kind))
        for depth in (MAX_DEPTH + 1, 1_000, 100_000, 500_000):
            with pytest.raises(MalformedBodyError, match="in one another"):
                json_of(nested(depth, kind))

    def test_many_beside_one_another_are_not_deep(self) -> None:
        assert len(json_of(b"[" + b",".join([b'{"a":[1]}'] * 50_000) + b"]")) == 50_000

    def test_brackets_in_a_text_are_text(self) -> None:
        for text in ("[" * 500, '\\"[' * 200, "\\" * 7 + '"[{' * 100, "日[" * 200):
            assert json_of(json.dumps({"text": text}).encode()) == {"text": text}
            assert json_of(json.dumps([text] * 50, ensure_ascii=False).encode()) == [text] * 50

    @pytest.mark.parametrize(
        "body", [b'"' + b'\\"' * 1_000_000, b'{"a' * 1_000_000, b"[\\" * 1_000_000, b'["' * 1_000_000]
    )
    def test_what_is_no_json_takes_no_longer(self, body: bytes) -> None:
        before = time.process_time()
        with pytest.raises(MalformedBodyError):
            json_of(body)

        assert time.process_time() - before < 5

    @given(
        st.recursive(st.text(max_size=9), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner))
    )
    def test_it_is_the_depth_that_a_reader_finds(self, document: Any) -> None:
        def depth_of(one: Any) -> int:
            inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else None
            return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)

        padded = document
        for _ in range(MAX_DEPTH + 1 - depth_of(document)):
            padded = [padded]
        body = json.dumps(padded).encode()

        assert is_deep(body)
        assert not is_deep(body[1:-1])

    @pytest.mark.parametrize("number", [b"9" * 5_000, b"-" + b"9" * 5_000, b"1e999", b"-1e999", b"NaN", b"Infinity"])
    def test_a_number_without_an_end_is_refused(self, number: bytes) -> None:
        with pytest.raises(MalformedBodyError):
            json_of(b'{"n": ' + number + b"}")

    def test_a_long_number_stays_exact(self) -> None:
        assert json_of(b'{"n": 820982911946154508}') == {"n": 820982911946154508}
        assert json_of(b"9" * 4_000) == int("9" * 4_000)

    def test_a_deep_body_of_a_vendor_is_a_dead_letter(self, accept: AcceptWebhook, inbox: Inbox) -> None:
        reading = accept("stripe", signed("stripe", nested(200_000, "object"), ""), NOW)

        assert "in one another" in reading.problems[0]
        assert len(inbox.unreadable) == 1
