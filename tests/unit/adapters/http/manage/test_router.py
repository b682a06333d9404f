"""Operators' requests are read whole: every problem is reported at once, and nothing is done before."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.http.manage.customers import CustomerRoutes
from cairn.adapters.http.manage.forms import MAX_BODY_BYTES
from cairn.adapters.http.manage.messages import MessageRoutes
from cairn.adapters.http.manage.people import PeopleRoutes
from cairn.adapters.http.manage.quality import QualityRoutes
from cairn.adapters.http.manage.router import ManageRouter, OperatorRequest
from cairn.adapters.http.manage.routes import ROUTES
from cairn.adapters.http.problems import problem_of
from cairn.adapters.phone.numbers import to_e164
from cairn.domain.operations.roles import Role
from cairn.domain.shared.errors import CairnError, InvalidRequestError, ServiceBusyError
from tests.unit.makers import MONDAY


def phones(text: str) -> str | None:
    return to_e164(text, "US")


NOTHING: Any = None
PEOPLE = PeopleRoutes(NOTHING, NOTHING, NOTHING, NOTHING, phones)
QUALITY = QualityRoutes(NOTHING, phones)
PARTS: Any = {one.name: NOTHING for one in fields(ManageRouter)} | {
    "customers": lambda: CustomerRoutes(NOTHING, NOTHING, phones),
    "messages": lambda: MessageRoutes(NOTHING, NOTHING, phones),
    "people": lambda: PEOPLE,
    "quality": lambda: QUALITY,
    "normal_phone": phones,
}
ROUTER = ManageRouter(**PARTS)
"""Without use cases: a request that passes its form fails."""

ADMIN = frozenset({Role.ADMIN})

POSTS = [path for method, path in ROUTES if method == "POST"]


def problems(path: str, document: Any) -> tuple[str, ...]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(InvalidRequestError) as refused:
        ROUTER(OperatorRequest(f"POST /manage/{path}", "ada", ADMIN, body), MONDAY)
    return refused.value.problems


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("switches", {"do": "halt", "target": "sms"}, ["do: one of", "target: 'sms' is no target", "why: a text"]),
        ("switches", {"do": "stop", "target": "all", "why": "x", "window": "2h"}, ["policy, window: of pause and"]),
        ("switches", {"do": "pause", "target": "all", "why": "x", "window": "9w"}, ["window: a window is"]),
        ("switches", {"do": "pause", "target": "all", "why": "x", "policy": "soon"}, ["policy: one of keep"]),
        ("switches", {"do": "pause", "target": "all", "why": "x", "window": "soon"}, ["window: a duration is"]),
        ("members", {"do": "leave", "member": "ana"}, ["do: one of absent, back", "why: a text"]),
        ("members", {"do": "absent", "member": "ana", "why": "x", "until": "soon"}, ["until: a date or an"]),
        ("members", {"do": "back", "member": "ana", "why": "x", "until": "2026-08-01"}, ["'until': unknown field"]),
        ("members", {"do": "capacity", "member": "ana", "why": "x", "capacity": 0}, ["capacity: a whole number"]),
        ("deals", {"do": "register", "key": "k", "value": "v"}, ["why: a text", "partner: a text", "until: a text"]),
        ("audiences", {"do": "shout"}, ["do: one of count", "audience: a text"]),
        ("audiences", {"do": "count", "audience": "a", "value": True}, ["value: a text or a number"]),
        (
            "audiences",
            {"do": "overlap", "audience": "a", "from": 1},
            ["with: a text", "partition, from, to, value: not"],
        ),
        ("audiences", {"do": "count", "audience": "a", "with": "b"}, ["with: of an overlap only"]),
        ("broadcasts", {"do": "go"}, ["do: one of plan", "why: a text", "broadcast: a text"]),
        (
            "broadcasts",
            {"do": "plan", "why": "x", "at": "soon", "local_time": 1, "per_second": 0},
            ["journey: a text", "audience: a text", "at: a date or an", "local_time: true or", "per_second: a whole"],
        ),
        ("broadcasts", {"do": "stop", "broadcast": "b", "why": "x", "members": 3}, ["members: of approve only"]),
        ("explain", {}, ["customer, message: name one"]),
        ("explain", {"customer": 7}, ["customer: a text"]),
        ("explain", {"customer": "\ud800"}, ["customer: at most 256 characters, all of them whole"]),
        ("export", {"customer": "x" * 257}, ["customer: at most 256"]),
        ("erase", {"customer": "mia", "why": " "}, ["why: a text"]),
        ("consent", {"customer": "mia"}, ["channel: ", "purpose: ", "status: ", "why: "]),
        ("consent", {"status": "pending"}, ["status: one of granted, denied"]),
        (
            "suppressions",
            {"do": "suppress", "channel": "email", "address": "mia", "why": "x"},
            ["address: not an e-mail"],
        ),
        ("suppressions", {"do": "show", "channel": "sms", "address": "12"}, ["address: not a phone number"]),
        ("suppressions", {"do": "show", "channel": "sms", "address": "US.1000"}, ["address: not a phone number"]),
        ("suppressions", {"do": "release", "channel": "push", "address": "arn"}, ["why: a text"]),
        ("reviews", {"message": "m", "do": "maybe", "why": "x", "by": "me"}, ["do: one of", "'by': unknown field"]),
    ],
)
def test_every_problem_is_reported_at_once(path: str, fields: dict[str, Any], expected: list[str]) -> None:
    found = problems(path, fields)

    assert all(any(one.startswith(problem) for one in found) for problem in expected), found


@pytest.mark.parametrize("path", [path.removeprefix("/manage/") for path in POSTS])
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"1" * 5000, b"[" * 60_000, b"\xff", b'{"a": NaN'])
def test_a_body_that_is_no_object_is_refused(path: str, body: bytes) -> None:
    assert len(problems(path, body)) == 1


def test_an_oversized_body_is_not_read() -> None:
    with pytest.raises(CairnError) as refused:
        ROUTER(OperatorRequest("POST /manage/erase", "ada", ADMIN, b" " * (MAX_BODY_BYTES + 1)), MONDAY)

    assert problem_of(refused.value, "out-of-order")["status"] == 413


FIELDS = ("customer", "message", "do", "why", "target", "channel", "purpose", "status", "address", "window", "policy")
values = st.one_of(st.none(), st.text(max_size=40), st.integers(), st.lists(st.integers(), max_size=2), st.booleans())


@given(st.sampled_from(POSTS), st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), values, max_size=6))
def test_no_malformed_form_is_a_server_error(path: str, document: dict[str, Any]) -> None:
    document |= {"nobody's field": 1}  # so that none gets past the form

    assert problems(path.removeprefix("/manage/"), document)


@pytest.mark.parametrize("limit", ["0", "-1", "101", "ten", "1e3", "٣", "9" * 5000, ""])
@pytest.mark.parametrize("path", ["audit", "reviews"])
def test_a_page_has_a_maximum_size(path: str, limit: str) -> None:
    with pytest.raises(InvalidRequestError, match="limit: a whole number from 1 to 100"):
        ROUTER(OperatorRequest(f"GET /manage/{path}", "ada", ADMIN, query={"limit": limit}), MONDAY)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_operator_who_is_not_signed_in_gets_no_data(method: str, path: str) -> None:
    with pytest.raises(CairnError) as refused:
        ROUTER(OperatorRequest(f"{method} {path}", "", ADMIN), MONDAY)

    assert problem_of(refused.value, "out-of-order")["status"] == 403


def test_a_request_that_failed_may_be_sent_again() -> None:
    problem = problem_of(ServiceBusyError("sqs is busy: Throttling"), "out-of-order")

    assert (problem["status"], problem["title"]) == (503, "out-of-order")
