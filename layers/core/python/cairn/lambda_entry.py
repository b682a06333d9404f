"""What Lambda loads (`cairn.lambda_entry.handle`): the one module that does something when it is imported.

A function's INIT phase has a full CPU and no caller waiting, so its handler is imported and warmed here, with the
garbage collector off (measured: 0.82 to 0.87 of the time) and what was made frozen out of later collections.
"""

import gc
from importlib import import_module
from typing import Any

gc.disable()
_handler = import_module("handler")
_telemetry = import_module("cairn.telemetry")
_handler.warm()
gc.freeze()
gc.enable()


class FunctionFailedError(Exception):
    """Something that nobody caught: its type and where it was raised. Its text may quote a customer's data."""


def handle(event: Any, context: Any) -> Any:
    """What Lambda logs of a failure, and hands to whoever called, is what this raises."""
    try:
        return _handler.handler(event, context)
    except Exception as error:  # noqa: BLE001  it fails all the same
        raise FunctionFailedError(_telemetry.where(error)) from None
