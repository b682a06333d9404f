"""What moto and botocore work out anew for each call, remembered: about a seventh of a story's time.

Each of these depends on its arguments alone.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch


@contextmanager
def quicker() -> Iterator[None]:
    """Within the block, calls take less time."""
    from botocore import useragent  # noqa: PLC0415  slow to import
    from moto.core import responses  # noqa: PLC0415
    from moto.core.serialize import AttributePicker, XFormedAttributePicker  # noqa: PLC0415

    with ExitStack() as stack:
        for module, name in (
            (responses, "camelcase_to_underscores"),
            (responses, "method_names_from_class"),
            (useragent, "sanitize_user_agent_string_component"),
        ):
            stack.enter_context(patch.object(module, name, cache(getattr(module, name))))
        for picker in (XFormedAttributePicker, AttributePicker):
            name = "get_possible_keys"
            stack.enter_context(patch.object(picker, name, _remembered(getattr(picker, name))))
        yield


def _remembered(possible_keys: Callable[[Any, Any], Iterator[str]]) -> Callable[[Any, Any], tuple[str, ...]]:
    """The names that an answer's member may have in moto's objects; they depend on the kind of object, not on it."""
    known: dict[Any, tuple[str, ...]] = {}

    def get_possible_keys(picker: Any, context: Any) -> tuple[str, ...]:
        key = (type(context.obj), context.key, context.shape, *picker.alias_providers)
        found = known.get(key)
        if found is None:
            found = known[key] = tuple(dict.fromkeys(possible_keys(picker, context)))
        return found

    return get_possible_keys
