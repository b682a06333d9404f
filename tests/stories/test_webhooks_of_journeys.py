"""A journey posts to a shop and goes on by its answer, or without one; the shop is a real HTTP server on loopback."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from standardwebhooks import Webhook

from infra.local.cloud import LOCAL_ENDPOINT_SECRET
from infra.local.deployment import POLICY, local_deployment
from infra.local.signing import local_secrets
from tests.conftest import Story

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
ADA = {"user_id": "ada", "email": "ada@example.com"}

JOURNEY = """
journey: cart
entry: {event: cart.abandoned}
exit_on:
  - event: order.placed
steps:
  - id: coupon
    webhook:
      endpoint: shop
      type: coupon.requested
      body: {customer: profile.user_id, total: data.total}
      answer: {coupon: answer.code}
      timeout: 2h
      else:
        - id: by-hand
          task: {queue: shop, title: Make a coupon}
        - id: done
          exit: by-hand
  - id: call
    task: {queue: sales, title: Offer it, context: {coupon: enrollment.values.coupon}}
"""


@dataclass
class Shop:
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    always: tuple[int, bytes] = (200, b'{"code": "SPRING"}')
    cut_off: int = 0
    """Bytes of an answer that never come."""
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.heard.append((headers["webhook-id"], Webhook(LOCAL_ENDPOINT_SECRET).verify(body, headers)))
        return self.answers.pop(0) if self.answers else self.always


@contextmanager
def served(shop: Shop) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, content = shop.answer({name.lower(): one for name, one in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("content-length", str(len(content) + shop.cut_off))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def story(shop: Shop, tmp_path: Path) -> Iterator[Story]:
    (tmp_path / "cart").mkdir()
    (tmp_path / "cart" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    policy = tmp_path / "policy.toml"
    endpoint = '[[subscribers]]\nname = "shop"\nurl = "https://shop.example.com"\nsecret = "shop"\nconsent = false\n'
    policy.write_text(POLICY.read_text(encoding="utf-8") + endpoint, encoding="utf-8")
    with (
        served(shop) as url,
        local_deployment(
            tmp_path, start=MONDAY, secrets=local_secrets({}), policy=policy, webhook_endpoints={"shop": url}
        ) as deployment,
    ):
        yield Story(deployment)


def abandons(story: Story) -> None:
    story.happens("cart.abandoned", customer=ADA, properties={"total": 120})


def tasks(story: Story) -> list[tuple[str, Any]]:
    return [(line["queue"], line["context"]) for line in story.timeline("task")]


def test_the_journey_goes_on_with_values_from_the_answer(story: Story, shop: Shop) -> None:
    abandons(story)

    ((id_, posted),) = shop.heard
    assert posted == {
        "type": "coupon.requested",
        "timestamp": "2026-03-02T14:00:00Z",
        "data": {"customer": "ada", "total": 120},
    }
    assert id_.endswith("-coupon-call-1")
    assert tasks(story) == [("sales", {"coupon": "SPRING"})]
    assert [line["kind"] for line in story.timeline("called", "answered", "set")] == ["called", "answered", "set"]


LONG = b'{"code": "' + b"x" * 20_000 + b'"}'


@pytest.mark.parametrize("content", [b"", b"[]", b"<html>", b'{"code": null}', LONG, b"\xff"])
def test_an_answer_without_the_value_is_an_answer(story: Story, shop: Shop, content: bytes) -> None:
    shop.always = (204, b"") if content == b"" else (200, content)

    abandons(story)

    assert tasks(story) == [("sales", {"coupon": None})]


def test_it_is_tried_again_until_it_is_taken(story: Story, shop: Shop) -> None:
    shop.answers = [(500, b""), (429, b"")]

    abandons(story)
    story.passes("1h")

    assert len({id_ for id_, _ in shop.heard}) == 1
    assert len(shop.heard) == 3
    assert tasks(story) == [("sales", {"coupon": "SPRING"})]


@pytest.mark.parametrize(("status", "tried"), [(410, 1), (500, 4), (302, 4)])
def test_where_it_is_refused_or_tried_in_vain_the_journey_goes_on_otherwise(
    story: Story, shop: Shop, status: int, tried: int
) -> None:
    shop.always = (status, b"")

    abandons(story)
    story.passes("1d")

    assert len(shop.heard) == tried
    assert tasks(story) == [("shop", {})]
    assert [line["outcome"] for line in story.timeline("ended")] == ["by-hand"]
    assert story.dead_letters("notices") == []


def test_nothing_is_posted_any_more_for_a_customer_who_was_erased(story: Story, shop: Shop) -> None:
    shop.always = (503, b"")
    abandons(story)

    story.erases("ada")
    before = len(shop.heard)
    story.passes("1d")

    assert len(shop.heard) == before


def test_an_answer_that_comes_late_changes_nothing(story: Story, shop: Shop) -> None:
    shop.answers = [(503, b"")]
    abandons(story)
    story.happens("order.placed", customer=ADA)

    story.passes("1d")

    assert tasks(story) == []
    assert [line["outcome"] for line in story.timeline("ended")] == ["exit_on"]


def test_an_answer_that_somebody_else_posts_as_an_event_is_none(story: Story, shop: Shop) -> None:
    shop.always = (503, b"")
    abandons(story)
    (enrollment,) = {line["enrollment"] for line in story.timeline("called")}

    properties = {"enrollment": enrollment, "step": "coupon", "status": 200, "answer": {"code": "FREE"}}
    story.happens("webhook.answered", customer=ADA, properties=properties)

    assert tasks(story) == []
    assert json.dumps(story.timeline("answered")) == "[]"


def test_an_answer_that_breaks_off_is_an_answer(story: Story, shop: Shop) -> None:
    shop.cut_off = 9

    abandons(story)
    story.passes("1d")

    assert len(shop.heard) == 1
    assert tasks(story) == [("sales", {"coupon": None})]
