"""What API Gateway hands over, and what it is given back."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from cairn.adapters.pages.preference_centre import Visit
from cairn.domain.consent.links import LinkKind
from functions.serve_preferences import handler as function
from infra.local.shapes import http_api_event


@pytest.fixture(autouse=True)
def centre(visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "centre", lambda: visitor.centre)
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")


def request(visitor: Any, method: str = "GET", body: bytes = b"", token: str = "", **headers: str) -> dict[str, Any]:
    token = token or visitor.token(LinkKind.UNSUBSCRIBE)
    return http_api_event(
        method,
        f"https://example.org/unsubscribe/{token}",
        {name.replace("_", "-"): value for name, value in headers.items()},
        body,
        path_parameters={"token": token},
        now=datetime(2026, 3, 2, 10, tzinfo=UTC),
        route="/unsubscribe/{token}",
    )


def test_a_form_comes_in_base64(visitor: Any) -> None:
    """As HTTP APIs hand over whatever is not text or JSON."""
    event = request(visitor, "POST", content_type="application/x-www-form-urlencoded")
    event |= {"body": base64.b64encode(b"List-Unsubscribe=One-Click").decode(), "isBase64Encoded": True}

    assert function.handler(event, None)["statusCode"] == 200
    assert visitor.said == {"email:marketing": "denied one_click"}


def test_a_request_without_any_header_or_body_is_answered(visitor: Any) -> None:
    event = request(visitor)
    del event["body"]

    answer = function.handler(event, None)

    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert answer["body"].startswith("<!doctype html>")


def test_a_refusal_is_answered_with_a_page(visitor: Any) -> None:
    answer = function.handler(request(visitor, token="x.y", accept_language="fr"), None)

    assert answer["statusCode"] == 403
    assert "incomplet" in answer["body"]


def test_no_log_contains_a_token_an_address_or_an_ip(visitor: Any, caplog: pytest.LogCaptureFixture) -> None:
    token = visitor.token(LinkKind.UNSUBSCRIBE)

    function.handler(request(visitor, "POST", b"List-Unsubscribe=One-Click"), None)
    function.handler(request(visitor, token="x.y"), None)

    logged = str([vars(record) for record in caplog.records])
    assert "'link': 'unsubscribe'" in logged
    assert token not in logged
    assert "x.y" not in logged
    assert "127.0.0.1" not in logged
    assert "ada@" not in logged


def test_a_visit_has_the_fields_of_the_gateways_event(visitor: Any) -> None:
    event = request(visitor, "POST", b"a=1", accept_language="de", content_type="text/plain")

    assert function._visit(event) == Visit(  # noqa: SLF001
        LinkKind.UNSUBSCRIBE,
        visitor.token(LinkKind.UNSUBSCRIBE),
        "POST",
        accept_language="de",
        content_type="text/plain",
        body=b"a=1",
        ip="127.0.0.1",
    )
