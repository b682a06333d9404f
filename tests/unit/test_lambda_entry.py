"""The entry point of Lambda."""

import gc
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

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
    monkeypatch.delitem(sys.modules, "cairn.lambda_entry")
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
