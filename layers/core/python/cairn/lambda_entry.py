"""The handler of every Lambda function (`cairn.lambda_entry.handle`). The only module with side effects at import.

The INIT phase has a full CPU, so the handler is imported and warmed here. The garbage collector is off meanwhile
(measured: 0.82 to 0.87 of the time), and the objects made here are excluded from later collections.
"""

import gc
from contextlib import suppress
from importlib import import_module
from typing import Any

from cairn import dataclass_code

gc.disable()
with suppress(ModuleNotFoundError):
    dataclass_code.use(import_module(dataclass_code.MODULE))
_handler = import_module("handler")
_telemetry = import_module("cairn.telemetry")
_handler.warm()
gc.freeze()
gc.enable()


class FunctionFailedError(Exception):
    """An unexpected error: type and line only, since its text may quote a customer's data."""


def handle(event: Any, context: Any) -> Any:
    """Call the handler. Lambda logs the error that this raises, and returns it to the caller."""
    _telemetry.name_request(event, context)
    try:
        return _handler.handler(event, context)
    except Exception as error:  # noqa: BLE001  re-raised below
        raise FunctionFailedError(_telemetry.where(error)) from None
