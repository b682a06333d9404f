"""The entry point of Lambda."""

import gc
import json
import random
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from io import StringIO
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cairn.adapters import aws
from cairn.telemetry import logger, name_request


@pytest.fixture(autouse=True)
def nameless() -> Iterator[None]:
    """The logger is the process's: no other test's lines have these ids."""
    yield
    name_request(None, None)


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The entry with a handler that fails over what it was given, as a library does that quotes it."""

    def fail(event: Any, _: Any) -> None:
        logger.info("handled")
        if isinstance(event, int) or "requestContext" in event:
            return
        raise ValueError(f"cannot parse {event}")

    handler = ModuleType("handler")
    vars(handler).update(warm=lambda: None, handler=fail)
    monkeypatch.setitem(sys.modules, "handler", handler)
    yield import_module("cairn.lambda_entry")
    del sys.modules["cairn.lambda_entry"]  # the next test imports it anew
    gc.unfreeze()


def test_an_unexpected_error_is_reported_by_its_line_without_its_text(entry: Any) -> None:
    with pytest.raises(entry.FunctionFailedError) as failed:
        entry.handle({"email": "mia@example.com"}, None)

    assert "ValueError in " in str(failed.value)
    assert "mia" not in str(failed.value)
    assert failed.value.__suppress_context__, "the runtime would print it"


def test_a_successful_call_is_answered(entry: Any) -> None:
    assert entry.handle(1, None) is None


def test_every_line_has_the_ids_of_its_request_and_none_of_another(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    output = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", output)
    entry.handle({"requestContext": {"requestId": "api-1"}}, SimpleNamespace(aws_request_id="lambda-1"))
    entry.handle(1, SimpleNamespace(aws_request_id="lambda-2"))

    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    ids = [(line["function_request_id"], line.get("request_id")) for line in lines]
    assert ids == [("lambda-1", "api-1"), ("lambda-2", None)]


class Hooks(ModuleType):
    """What Lambda's Python calls before it takes a snapshot, and after it has restored one."""

    def __init__(self) -> None:
        super().__init__("snapshot_restore_py")
        self.before: list[Callable[[], object]] = []
        self.after: list[Callable[[], object]] = []
        vars(self).update(register_before_snapshot=self.before.append, register_after_restore=self.after.append)


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Hooks:
    made = Hooks()
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", made)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    return made


def draws(hooks: Hooks, snapshot: Any) -> float:
    """What a copy of this snapshot draws first."""
    random.setstate(snapshot)
    for hook in hooks.after:
        hook()
    return random.random()  # noqa: S311  no secret


@pytest.mark.usefixtures("entry")
def test_a_start_without_a_snapshot_needs_nothing_that_only_lambda_has() -> None:
    assert "snapshot_restore_py" not in sys.modules


def test_copies_of_a_snapshot_draw_numbers_of_their_own(hooks: Hooks, entry: Any) -> None:
    snapshot = random.getstate()

    assert entry
    assert draws(hooks, snapshot) != draws(hooks, snapshot)


def test_a_snapshot_has_no_open_connection(hooks: Hooks, entry: Any) -> None:
    assert entry
    assert hooks.before == [aws.close_connections]
