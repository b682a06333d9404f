"""Acts are done once for an Idempotency-Key, and stores of keys remember their answers for a day."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cairn.adapters.dynamodb.answered_requests import DynamoAnsweredRequests
from cairn.application.operations.answer_once import AnswerOnce
from cairn.domain.operations.once import ONCE, REMEMBERED_FOR, EarlierAnswer, RequestKey
from cairn.domain.operations.roles import ALLOWED
from cairn.domain.shared.errors import ConflictError, OrderRefusedError
from tests.unit.makers import MONDAY

if TYPE_CHECKING:
    from cairn.application.ports import AnsweredRequests

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text())
KEY = RequestKey("k", "b")


class InMemory:
    """Implements AnsweredRequests."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, EarlierAnswer]] = {}

    def begin(self, key: RequestKey, now: Any) -> EarlierAnswer | None:
        at, earlier = self._known.get(key.id, (None, None))
        if earlier is not None and now - at < REMEMBERED_FOR:
            return earlier
        self._known[key.id] = (now, EarlierAnswer(key.body, 0, {}))
        return None

    def answer(self, key: RequestKey, status: int, document: Any, now: Any) -> None:
        self._known[key.id] = (now, EarlierAnswer(key.body, status, document))

    def forget(self, key: RequestKey, _now: Any) -> None:
        del self._known[key.id]


@pytest.fixture(params=[InMemory, DynamoAnsweredRequests])
def requests(request: pytest.FixtureRequest, table: str) -> "AnsweredRequests":  # noqa: ARG001  bound to it
    made: AnsweredRequests = request.param()
    return made


def test_the_first_request_with_a_key_is_done_and_the_next_gets_its_answer(requests: "AnsweredRequests") -> None:
    assert requests.begin(KEY, MONDAY) is None
    assert requests.begin(KEY, MONDAY) == EarlierAnswer("b", 0, {})

    requests.answer(KEY, 202, {"event": "e"}, MONDAY)

    assert requests.begin(KEY, MONDAY) == EarlierAnswer("b", 202, {"event": "e"})
    assert requests.begin(RequestKey("other", "b"), MONDAY) is None


def test_a_key_is_new_after_a_day_and_after_a_failure(requests: "AnsweredRequests") -> None:
    requests.begin(KEY, MONDAY)
    requests.answer(KEY, 202, {}, MONDAY)
    assert requests.begin(KEY, MONDAY + REMEMBERED_FOR - timedelta(seconds=1)) is not None
    assert requests.begin(KEY, MONDAY + REMEMBERED_FOR) is None

    requests.forget(KEY, MONDAY + REMEMBERED_FOR)

    assert requests.begin(KEY, MONDAY + REMEMBERED_FOR) is None


def test_a_request_that_died_in_the_middle_is_not_done_again() -> None:
    once, done = AnswerOnce(InMemory()), []

    def dies() -> Any:
        done.append(1)
        raise SystemExit

    with pytest.raises(SystemExit):
        once(KEY, dies, MONDAY)
    with pytest.raises(OrderRefusedError, match="nobody knows its outcome yet"):
        once(KEY, dies, MONDAY)

    assert done == [1]


def test_a_request_that_failed_is_done_when_it_comes_again() -> None:
    once = AnswerOnce(InMemory())

    def fails() -> Any:
        raise ConflictError("later")

    with pytest.raises(ConflictError):
        once(KEY, fails, MONDAY)

    assert once(KEY, lambda: (202, {"event": "e"}), MONDAY) == (202, {"event": "e"})
    assert once(KEY, fails, MONDAY) == (202, {"event": "e"})


def test_the_document_names_the_key_where_it_counts_and_nowhere_else() -> None:
    named = {
        f"{method.upper()} {path}"
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if method in {"get", "post"}
        and {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", ())
    }

    assert named == set(ONCE)


def test_only_actions_that_there_are_are_done_once() -> None:
    assert all(actions <= set(ALLOWED[route]) for route, actions in ONCE.items())
