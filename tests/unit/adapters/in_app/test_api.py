"""The inbox's API by itself: who may call it from a browser, and what is not understood."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters.in_app.api import COMPONENT, Answer, Call, InAppApi
from cairn.adapters.in_app.tokens import InAppTokens
from cairn.application.message.serve_in_app import ServeInApp
from tests.unit.fakes import InAppInbox, InAppOutbox, Secrets

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
SHOP, OTHER = "https://www.example.com", "https://www.example.com.evil.example"
TOKENS = InAppTokens(Secrets(links=("whsec_Zmlyc3Qtc2VjcmV0LW9mLWxpbmtzLTEyMzQ=",)))


@pytest.fixture
def api() -> InAppApi:
    return InAppApi(ServeInApp(InAppInbox(), InAppOutbox()), TOKENS, frozenset({SHOP}))


def ask(api: InAppApi, route: str, *, origin: str = "", token: str | None = None, **query: str) -> Answer:
    bearer = TOKENS.token("c_mia", NOW + timedelta(hours=1)) if token is None else token
    return api(Call(route, {"origin": origin, "authorization": f"Bearer {bearer}"}, query=query), NOW)


@pytest.mark.parametrize("route", ["GET /in-app/messages", "POST /in-app/seen", "OPTIONS /in-app/{proxy+}"])
@pytest.mark.parametrize(("origin", "allowed"), [(SHOP, True), (OTHER, False), ("null", False), ("", False)])
def test_only_a_named_origin_may_read_an_answer(api: InAppApi, route: str, origin: str, *, allowed: bool) -> None:
    answer = ask(api, route, origin=origin)

    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    assert ("access-control-allow-origin" in answer.headers) is allowed
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


def test_a_refusal_may_be_read_by_a_named_origin_too(api: InAppApi) -> None:
    answer = ask(api, "GET /in-app/messages", origin=SHOP, token="abc")

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, SHOP)


def test_a_browsers_question_needs_no_token_and_reads_nothing(api: InAppApi) -> None:
    answer = api(Call("OPTIONS /in-app/{proxy+}", {"origin": SHOP}), NOW)

    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["access-control-allow-headers"] == "authorization"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [({"limit": "0"}, "limit"), ({"limit": "51"}, "limit"), ({"limit": "x"}, "limit"), ({"after": "1"}, "after")],
)
def test_what_is_not_understood_is_named(api: InAppApi, query: dict[str, str], wrong: str) -> None:
    answer = ask(api, "GET /in-app/messages", **query)

    assert answer.status == 400
    assert json.loads(answer.body)["problems"][0].startswith(wrong)


@pytest.mark.parametrize("path", [{"id": "x", "status": "opened"}, {"id": f"{1:013d}-m", "status": "erased"}, {}])
def test_what_is_not_there_is_not_found(api: InAppApi, path: dict[str, str]) -> None:
    bearer = f"Bearer {TOKENS.token('c_mia', NOW + timedelta(hours=1))}"

    answer = api(Call("POST /in-app/messages/{id}/{status}", {"authorization": bearer}, path), NOW)

    assert answer.status == 404


def test_the_component_asks_for_no_token_and_is_a_few_kilobytes(api: InAppApi) -> None:
    answer = api(Call(f"GET /in-app/{COMPONENT.name}"), NOW)

    assert (answer.status, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "innerHTML" not in answer.body
    assert len(answer.body.encode()) < 10_000
