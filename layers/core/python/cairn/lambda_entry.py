"""What Lambda loads (`cairn.lambda_entry.handle`): the one module that does something when it is imported.

A function's INIT phase has a full CPU and no caller waiting, so its handler is imported and warmed here, with the
garbage collector off (measured: 0.82 to 0.87 of the time) and what was made frozen out of later collections.
"""

import gc
from importlib import import_module

gc.disable()
_handler = import_module("handler")
_handler.warm()
gc.freeze()
gc.enable()

handle = _handler.handler
