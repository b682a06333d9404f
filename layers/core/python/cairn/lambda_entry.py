"""The handler of every Lambda function (`cairn.lambda_entry.handle`). The only module with side effects at import.

The INIT phase has a full CPU, so the handler is imported and warmed here. The garbage collector is off meanwhile
(measured: 0.82 to 0.87 of the time), and the objects made here are excluded from later collections.
"""

import gc
import os
import random
from importlib import import_module
from typing import Any

from cairn import bytecode, dataclass_code, regex_code

SNAP_START = "snap-start"
"""What AWS_LAMBDA_INITIALIZATION_TYPE is where Lambda takes a snapshot after the INIT phase.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""


def _prepare_for_snapshot() -> None:
    """Keep out of the snapshot what is of no use in its copies, which start hours later, and many at a time.

    Connections that were open are dead by then, and the first call would wait for an answer until its timeout. Copies
    with one state of `random` would pause for the same time after the same refusal, and come back together. Whatever
    else is read at the start has the time with it at which it was read (secrets), or never changes.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
    """
    hooks = import_module("snapshot_restore_py")  # a part of Lambda's Python
    hooks.register_before_snapshot(import_module("cairn.adapters.aws").close_connections)
    hooks.register_after_restore(random.seed)


gc.disable()
_load = bytecode.use()
regex_code.use(_load)
dataclass_code.use(_load)
_handler = import_module("handler")
_telemetry = import_module("cairn.telemetry")
_handler.warm()
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == SNAP_START:
    _prepare_for_snapshot()
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
