"""The entry point of Lambda."""

import gc
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The entry with a handler that fails over what it was given, as a library does that quotes it."""

    def fail(event: Any, _: Any) -> None:
        if isinstance(event, int):
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
