"""What moto and botocore do for each call and need not: about half of a story's time.

What depends on its arguments alone is remembered; what nobody looks at is left out. Answers stay the same.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from io import BytesIO
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote_to_bytes, urlsplit

OBJECTS_BEFORE_COLLECTION = 50_000


@contextmanager
def quicker() -> Iterator[None]:
    """Within the block, calls take less time."""
    from botocore import useragent  # noqa: PLC0415  slow to import
    from botocore.signers import RequestSigner  # noqa: PLC0415
    from moto.core import responses  # noqa: PLC0415
    from moto.core.request import Request  # noqa: PLC0415
    from moto.core.serialize import AttributePicker, BaseJSONSerializer, XFormedAttributePicker  # noqa: PLC0415
    from moto.sqs import models as sqs_models  # noqa: PLC0415
    from moto.sqs.models import SQSBackend  # noqa: PLC0415

    with ExitStack() as stack:
        before = gc.get_threshold()
        stack.callback(gc.set_threshold, *before)
        gc.set_threshold(OBJECTS_BEFORE_COLLECTION, *before[1:])  # a story makes few cycles, and has many objects
        for module, name in (
            (responses, "camelcase_to_underscores"),
            (sqs_models, "camelcase_to_underscores"),
            (responses, "method_names_from_class"),
            (useragent, "sanitize_user_agent_string_component"),
        ):
            stack.enter_context(patch.object(module, name, cache(getattr(module, name))))
        for picker in (XFormedAttributePicker, AttributePicker):
            name = "get_possible_keys"
            stack.enter_context(patch.object(picker, name, _remembered(getattr(picker, name))))
        for kind, name, made in (
            (BaseJSONSerializer, "_serialize_type_structure", _only_what_is_there),
            (SQSBackend, "is_message_valid_based_on_retention_period", _without_other_attributes),
            (RequestSigner, "sign", _unsigned),
            (Request, "from_primitives", _plainly_built),
        ):
            stack.enter_context(patch.object(kind, name, made(getattr(kind, name))))
        yield


def _only_what_is_there(really: Callable[..., None]) -> Callable[..., None]:
    """A value of DynamoDB has one member of ten, by its name; moto looks for each of them under several names."""

    def serialize_structure(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or type(value) is not dict or not key:
            really(serializer, serialized, value, shape, key)
            return
        members: dict[str, Any] = {}
        for name, member in value.items():
            if member is not None:
                serializer._serialize(members, member, shape.members[name], name)  # noqa: SLF001
        serialized[serializer.get_serialized_name(shape, key)] = members

    return serialize_structure


def _without_other_attributes(_: Any) -> Callable[[Any, str, Any], bool]:
    """Moto works out all attributes of the queue, by counting its messages, to get one of them."""

    def is_message_valid(backend: Any, queue_name: str, message: Any) -> bool:
        lasts: int = backend.get_queue(queue_name).message_retention_period
        return bool(lasts + message.sent_timestamp / 1000 > time.time())

    return is_message_valid


def _unsigned(really: Callable[..., None]) -> Callable[..., None]:
    """Nobody checks signatures on a laptop: moto only reads from them who asks, and of which region and service."""

    def sign(signer: Any, operation_name: str, request: Any, *arguments: Any, **named: Any) -> None:
        host = urlsplit(request.url).hostname or ""
        if signer.signing_name == "s3" or arguments or named or not host.endswith(".amazonaws.com"):
            really(signer, operation_name, request, *arguments, **named)
            return
        scope = f"testing/20260101/{signer.region_name}/{signer.signing_name}/aws4_request"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"

    return sign


def _plainly_built(really: Callable[..., Any]) -> Any:
    """A request as werkzeug's builder for tests makes it, without the builder."""
    from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request, environ_key_for_header  # noqa: PLC0415

    def from_primitives(method: str, url: str, headers: Any, body: Any = None) -> Any:
        data = b"" if body is None else body.encode() if isinstance(body, str) else body
        parsed = urlsplit(url)
        if type(data) is not bytes or parsed.port or "_" in "".join(headers.keys()) or not url.isascii():
            return really(method, url, headers, body)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(parsed.path).decode("latin1"),
            "QUERY_STRING": parsed.query,
            "REQUEST_URI": parsed.path,
            "RAW_URI": parsed.path,
            "SERVER_NAME": parsed.netloc,
            "SERVER_PORT": "443" if parsed.scheme == "https" else "80",
            "HTTP_HOST": parsed.netloc,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": parsed.scheme,
            "wsgi.input": BytesIO(data),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(data)),
            PRESERVED_HEADER_NAMES_ENVIRON_KEY: {},
        }
        for name, value in headers.items():
            if name.lower() not in {"transfer-encoding", "host"}:
                environ[environ_key_for_header(name)] = value.decode() if isinstance(value, bytes) else value
        return Request(environ)

    return from_primitives


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
