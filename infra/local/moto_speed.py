"""What moto and botocore do for each call and need not: about half of a story's time.

What depends on its arguments alone is remembered; what nobody looks at is left out. Answers stay the same.
"""

import gc
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from importlib import import_module
from io import BytesIO
from itertools import count
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote_to_bytes, urlparse, urlsplit

from infra.local.shapes import ACCOUNT, REGION

OBJECTS_BEFORE_COLLECTION = 50_000
PLAIN = ("S", "N")
"""The members of a value of DynamoDB that JSON has as they are."""
ASKED_MOST = {f"https://{name}.{REGION}.amazonaws.com/": name for name in ("dynamodb", "sqs")}
"""Services by their URL: each call of theirs is posted to it, as JSON."""
BY_PATH = {
    re.compile(rf"https://scheduler\.{REGION}\.amazonaws\.com/schedules/[^/?]+"): "scheduler",
    re.compile(rf"https://email\.{REGION}\.amazonaws\.com/v2/email/outbound-emails"): "sesv2",
}
"""Further services that stories ask often: all URLs of one pattern have one answer."""
FORM = "application/x-www-form-urlencoded"


@contextmanager
def quicker() -> Iterator[None]:
    """Within the block, calls take less time."""
    from botocore.parsers import BaseJSONParser as ResponseParser  # noqa: PLC0415  slow to import
    from botocore.signers import RequestSigner  # noqa: PLC0415
    from botocore.useragent import UserAgentString  # noqa: PLC0415
    from moto.core import responses  # noqa: PLC0415
    from moto.core.botocore_stubber import BotocoreStubber  # noqa: PLC0415
    from moto.core.parse import BaseJSONParser as RequestParser  # noqa: PLC0415
    from moto.core.request import Request  # noqa: PLC0415
    from moto.core.serialize import AttributePicker, BaseJSONSerializer, XFormedAttributePicker  # noqa: PLC0415
    from moto.dynamodb.comparisons import ConditionExpressionParser  # noqa: PLC0415
    from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict  # noqa: PLC0415
    from moto.dynamodb.models.table import StreamRecord  # noqa: PLC0415
    from moto.dynamodb.parsing import validators  # noqa: PLC0415
    from moto.sqs import models as sqs_models  # noqa: PLC0415
    from moto.sqs.models import SQSBackend  # noqa: PLC0415

    ast_nodes, expressions = _parsing("ast_nodes"), _parsing("expressions")
    with ExitStack() as stack:
        before = gc.get_threshold()
        stack.callback(gc.set_threshold, *before)
        gc.set_threshold(OBJECTS_BEFORE_COLLECTION, *before[1:])  # a story makes few cycles, and has many objects
        for where, name in (
            (responses, "camelcase_to_underscores"),
            (sqs_models, "camelcase_to_underscores"),
            (responses, "method_names_from_class"),
            (expressions.UpdateExpressionParser, "make"),  # what it makes is changed in copies only
            (UserAgentString, "to_string"),
        ):
            stack.enter_context(patch.object(where, name, cache(getattr(where, name))))
        for picker in (XFormedAttributePicker, AttributePicker):
            name = "get_possible_keys"
            stack.enter_context(patch.object(picker, name, _remembered(getattr(picker, name))))
        for where, name, made in (
            (BaseJSONSerializer, "_serialize_type_structure", _only_what_is_there),
            (BaseJSONSerializer, "_serialize_type_map", _only_plain_values),
            (RequestParser, "_parse_structure", _only_what_came),
            (ResponseParser, "_handle_structure", _only_what_came),
            (SQSBackend, "is_message_valid_based_on_retention_period", _without_other_attributes),
            (sqs_models, "unix_time_millis", _by_the_clock),
            (RequestSigner, "sign", _unsigned),
            (Request, "from_primitives", _plainly_built),
            (BotocoreStubber, "process_request", _found_once),
            (responses.BaseResponse, "setup_class", _without_a_form),
            (responses, "gen_amzn_requestid_long", _counted),
            (sqs_models, "generate_receipt_handle", _numbered),
            (ConditionExpressionParser, "_lex_condition_expression", _lexed_once),
            (DynamoType, "cast_value", _as_it_is),
            (LimitedSizeDict, "__setitem__", _unmeasured),
            (validators, "deepcopy", _copied_tree),
            (ast_nodes.DepthFirstTraverser, "traverse_node_recursively", _traversed),
            (ast_nodes.Node, "find_clauses", _clauses_found),
        ):
            stack.enter_context(patch.object(where, name, made(getattr(where, name))))
        for model in (Item, StreamRecord):  # moto refers to each for ever, to forget it at a reset that never comes
            stack.enter_context(patch.object(model, "instances_tracked", deque[Any](maxlen=0)))
        yield


def _parsing(module: str) -> Any:
    """A module of moto's that has no types: expressions of updates, and their syntax trees."""
    return import_module(f"moto.dynamodb.parsing.{module}")


def _only_what_is_there(really: Callable[..., None]) -> Callable[..., None]:
    """A value of DynamoDB has one member of ten, by its name; moto looks for each of them under several names."""

    def serialize_structure(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or type(value) is not dict or not key:
            really(serializer, serialized, value, shape, key)
            return
        members: dict[str, Any] = {}
        for name, member in value.items():
            if type(member) is str and name in PLAIN:
                members[name] = member
            elif member is not None:
                serializer._serialize(members, member, shape.members[name], name)  # noqa: SLF001
        serialized[serializer.get_serialized_name(shape, key)] = members

    return serialize_structure


def _only_what_came(really: Callable[..., Any]) -> Callable[..., Any]:
    """The same where one is read: moto and botocore look for all ten."""

    def read_structure(parser: Any, shape: Any, value: Any) -> Any:
        if shape.name != "AttributeValue" or type(value) is not dict:
            return really(parser, shape, value)
        return {
            name: member if name in PLAIN else parser._parse_shape(shape.members[name], member)  # noqa: SLF001
            for name, member in value.items()
        }

    return read_structure


def _only_plain_values(really: Callable[..., None]) -> Callable[..., None]:
    """The same in an item: most of its values are texts and numbers."""

    def serialize_map(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.value.name != "AttributeValue" or not key:
            really(serializer, serialized, value, shape, key)
            return
        members: dict[str, Any] = {}
        for name, member in value.items():
            if type(member) is dict and len(member) == 1 and not member.keys().isdisjoint(PLAIN):
                members[name] = member
            else:
                serializer._serialize(members, member, shape.value, name)  # noqa: SLF001
        serialized[serializer.get_serialized_name(shape, key)] = members

    return serialize_map


def _without_other_attributes(_: Any) -> Callable[[Any, str, Any], bool]:
    """Moto works out all attributes of the queue, by counting its messages, to get one of them."""

    def is_message_valid(backend: Any, queue_name: str, message: Any) -> bool:
        lasts: int = backend.get_queue(queue_name).message_retention_period
        return bool(lasts + message.sent_timestamp / 1000 > time.time())

    return is_message_valid


def _by_the_clock(really: Callable[..., float]) -> Callable[..., float]:
    """Moto subtracts dates, for each message that it counts."""

    def unix_time_millis(at: Any = None) -> float:
        return time.time_ns() // 1000 / 1000 if at is None else really(at)

    return unix_time_millis


def _found_once(really: Callable[..., Any]) -> Callable[..., Any]:
    """Moto compares each URL with the patterns of all services. What stories ask most is found once."""
    from moto.backends import get_backend  # noqa: PLC0415
    from moto.core.request import normalize_request  # noqa: PLC0415
    from werkzeug.exceptions import HTTPException  # noqa: PLC0415

    known: dict[str, Callable[..., Any]] = {}

    def answer_to(url: str) -> Callable[..., Any] | None:
        service = ASKED_MOST.get(url)
        pattern = url if service else next((one.pattern for one in BY_PATH if one.fullmatch(url)), "")
        if not pattern:
            return None
        if pattern not in known:
            named: Any = service or BY_PATH[re.compile(pattern)]
            urls = get_backend(named)[ACCOUNT][REGION].urls
            known[pattern] = next(one for of, one in urls.items() if re.match(of, url))
        return known[pattern]

    def process_request(stubber: Any, request: Any) -> Any:
        answer = answer_to(request.url)
        if answer is None:
            return really(stubber, request)
        plain = normalize_request(request)
        try:
            return answer(plain, request.url, plain.headers)
        except HTTPException as error:
            return error.code, error.get_headers(), error.get_body()

    return process_request


def _without_a_form(really: Callable[..., None]) -> Callable[..., None]:
    """Moto looks for a form in each request, and reads its JSON as a query."""
    from moto.utilities.utils import get_partition  # noqa: PLC0415
    from werkzeug.http import http_date  # noqa: PLC0415

    date_of = lru_cache(maxsize=1)(http_date)

    def setup_class(handler: Any, request: Any, full_url: Any = None, *arguments: Any, **named: Any) -> None:
        if full_url not in ASKED_MOST or request.content_encoding or named:
            really(handler, request, full_url, *arguments, **named)
            return
        handler.is_werkzeug_request = False
        handler.normalized_request, handler.method = request, request.method
        handler.uri, handler.parsed_url = full_url, urlparse(full_url)
        handler.path, handler.raw_path, handler.uri_match = handler.parsed_url.path, request.raw_path, {}
        handler.raw_body = request.data
        handler.body = handler.raw_body.decode()
        handler.form_data, handler.querystring = {}, {}
        handler.data = handler.querystring
        handler.region, handler.partition = REGION, get_partition(REGION)
        handler.headers = request.headers
        handler.response_headers = {"server": "amazon.com", "date": date_of(int(time.time()))}
        if handler.automated_parameter_parsing:
            handler.parse_parameters(request)
        handler.access_key, handler.current_account = "testing", ACCOUNT

    return setup_class


def _counted(_: Callable[..., str]) -> Callable[..., str]:
    """The id of a request, which moto draws character by character."""
    numbers = count(1)

    def gen_amzn_requestid_long(headers: Any = None) -> str:
        request_id = f"{next(numbers):052X}"
        if headers is not None:
            headers["x-amzn-requestid"] = request_id
        return request_id

    return gen_amzn_requestid_long


def _numbered(_: Callable[[], str]) -> Callable[[], str]:
    """A receipt handle, likewise."""
    numbers = count(1)
    return lambda: f"{next(numbers):0185X}"


def _as_it_is(really: property) -> property:
    """A value to compare; moto asks first whether it is a number, a set, a list, a map or null. Most are texts."""
    cast_value = really.fget

    def value_of(one: Any) -> Any:
        return one.value if one.type == "S" else cast_value(one)  # type: ignore[misc]

    return property(value_of)


def _unmeasured(_: Callable[..., None]) -> Callable[..., None]:
    """Moto measures an item anew with each attribute that it gets; moto_corrections measure it once."""
    return dict.__setitem__


def _lexed_once(really: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The words of a condition."""
    known: dict[str, tuple[Any, ...]] = {}

    def lex_condition_expression(parser: Any) -> Any:
        text = parser.condition_expression
        if text not in known:
            known[text] = tuple(really(parser))
        return deque(known[text])

    return lex_condition_expression


def _copied_tree(really: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A copy of an update's syntax tree, without looking for circles in it."""
    ast_nodes = _parsing("ast_nodes")

    def copied(value: Any, parent: Any = None) -> Any:
        if not isinstance(value, ast_nodes.Node):
            return value if type(value) is str else really(value)
        made = object.__new__(type(value))
        made.__dict__.update(value.__dict__, parent=parent)
        if value.children is not None:
            made.children = [copied(one, made) for one in value.children]
        return made

    return copied


def _clauses_found(_: Callable[..., Any]) -> Callable[..., Any]:
    """The nodes of these kinds below one; moto asks each node whether it is of an abstract class, which is slow."""
    ast_nodes = _parsing("ast_nodes")

    @cache
    def is_searched(kind: Any) -> bool:
        return issubclass(kind, (ast_nodes.Expression, ast_nodes.UpdateExpressionFunction))

    def find_clauses(node: Any, kinds: Any) -> list[Any]:
        found = []
        for child in node.children or ():
            kind: Any = type(child)
            if kind in kinds:
                found.append(child)
            elif is_searched(kind):
                found += find_clauses(child, kinds)
        return found

    return find_clauses


def _traversed(_: Callable[..., Any]) -> Callable[..., Any]:
    """Moto asks ten times of each node of an update's syntax tree what kind of node it is, of every kind there is."""
    ast_nodes = _parsing("ast_nodes")

    known: dict[tuple[type, type], tuple[bool, bool]] = {}

    def traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
        kinds = type(traverser), type(node)
        if kinds not in known:
            known[kinds] = isinstance(node, ast_nodes.Node), isinstance(node, traverser.nodes_to_be_processed())
        is_node, is_processed = known[kinds]
        if not is_node:
            return node
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            traverser.pre_processing_of_child(node, number)
            traverse(traverser, child, number)
        if is_processed:
            node = traverser.process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    return traverse


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
        request = Request(environ)
        if environ.get("CONTENT_TYPE", "").partition(";")[0] != FORM:
            request.data = data  # werkzeug would look for a form in it, and read it as a stream
        return request

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
