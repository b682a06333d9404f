"""Our own API: one event or a list, all of them or none."""

import json
from typing import Any

import pytest

from cairn.adapters.sources import sources
from cairn.adapters.sources.track import MAX_EVENTS
from cairn.application.events.accept_webhook import Reading, Request
from cairn.domain.shared.errors import InvalidEventError, MalformedBodyError
from tests.unit.makers import MONDAY

SIGNUP: dict[str, Any] = {"type": "trial.signup", "customer": {"user_id": "ada"}}


def read(document: Any) -> Reading:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sources()["track"].read(Request("https://cairn.example/events", {"webhook-id": "msg_1"}, body), MONDAY)


def problems(document: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidEventError) as refused:
        read(document)
    return refused.value.problems


def test_one_event_or_a_list() -> None:
    one = read(SIGNUP | {"id": "1"})
    two = read([SIGNUP | {"id": "1"}, SIGNUP | {"id": "2"}])

    assert [event.id for event in one.events] == ["1"]
    assert [event.id for event in two.events] == ["1", "2"]
    assert {event.source for event in two.events} == {"track"}


def test_a_repeated_request_makes_the_same_events() -> None:
    assert [event.id for event in read(SIGNUP).events] == ["msg_1"]
    assert [event.id for event in read([SIGNUP]).events] == ["msg_1"]
    assert [event.id for event in read([SIGNUP, SIGNUP]).events] == ["msg_1/0", "msg_1/1"]


def test_a_list_with_one_problem_is_refused_whole_with_its_position() -> None:
    assert problems([SIGNUP, SIGNUP | {"type": "Signup"}, SIGNUP | {"customer": {}}]) == (
        "[1].type: use object.action in lower case, such as trial.signup",
        "[2].customer: a JSON object that is not empty",
    )
    assert problems(SIGNUP | {"type": "Signup"}) == ("type: use object.action in lower case, such as trial.signup",)


@pytest.mark.parametrize("count", [0, MAX_EVENTS + 1])
def test_a_list_has_its_bounds(count: int) -> None:
    (problem,) = problems([SIGNUP] * count)

    assert problem == f"send 1 to {MAX_EVENTS} events in one request, not {count}"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e999}', b"{} {}"])
def test_a_body_that_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        read(body)


@pytest.mark.parametrize("document", [None, 1, "x", [None], [[SIGNUP]]])
def test_an_event_that_is_no_object_is_refused(document: Any) -> None:
    assert "an event is a JSON object, not " in problems(document)[0]
