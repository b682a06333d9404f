"""Calls of DynamoDB and SQS without the wire: from botocore to moto's action and back, and no request between them.

A third of the time of a call went into a request that was built, signed and taken apart again. What
is asked, what is answered and how errors look stay the same (tests/integration/test_moto_speed.py).
"""

import time
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.endpoint import Endpoint, convert_to_response_dict
from werkzeug.http import http_date

from infra.local.shapes import ACCOUNT, REGION

Answer = tuple[AWSResponse, dict[str, Any]]

AT = {f"https://{name}.{REGION}.amazonaws.com/": name for name in ("dynamodb", "sqs")}
"""Services by their URL: each call of theirs is posted to it, as JSON."""

HANDLERS = {"dynamodb": ("moto.dynamodb.responses", "DynamoHandler"), "sqs": ("moto.sqs.responses", "SQSResponse")}
FIRST_OF_ERRORS = 300


def is_direct(request: dict[str, Any]) -> bool:
    """Whether a request as botocore builds it is one that goes without the wire."""
    return request["url"] in AT and "Content-Encoding" not in request["headers"]


def call_directly(endpoint: Endpoint, operation: Any, request: dict[str, Any]) -> Answer:
    """What `Endpoint.make_request` returns for a request that `is_direct`."""
    url, asked = request["url"], request["body"]
    body = asked.encode() if isinstance(asked, str) else asked
    handler = _handler(AT[url])()
    handler.is_werkzeug_request = False
    handler.headers = dict(request["headers"])
    handler.method, handler.uri, handler.parsed_url = "POST", url, urlparse(url)
    handler.path = handler.raw_path = "/"
    handler.raw_body, handler.body, handler.uri_match = body, body.decode(), {}
    handler.form_data = handler.querystring = handler.data = {}
    handler.region, handler.partition, handler.current_account = REGION, "aws", ACCOUNT
    handler.access_key = "testing"
    handler.response_headers = {"server": "amazon.com", "date": _date(int(time.time()))}
    handler.normalized_request = SimpleNamespace(
        method="POST",
        headers=handler.headers,
        content_type=handler.headers["Content-Type"],
        data=body,
        values={},
        path="/",
    )
    handler.parse_parameters(handler.normalized_request)
    status, headers, answered = handler.call_action()
    read: Any = HeadersDict({name: str(one) for name, one in headers.items()})
    response: Any = AWSResponse(url, int(status), read, BytesIO())
    response._content = answered.encode() if isinstance(answered, str) else answered  # noqa: SLF001  as if read
    return response, _read(endpoint, operation, response)


def _read(endpoint: Any, operation: Any, response: AWSResponse) -> dict[str, Any]:
    """What botocore makes of an answer, as `Endpoint` does."""
    document = convert_to_response_dict(response, operation)
    parser = endpoint._response_parser_factory.create_parser(operation.service_model.resolved_protocol)  # noqa: SLF001
    parsed = parser.parse(document, operation.output_shape)
    if response.status_code >= FIRST_OF_ERRORS:
        endpoint._add_modeled_error_fields(document, parsed, operation, parser)  # noqa: SLF001
    parsed["ResponseMetadata"]["RetryAttempts"] = 0
    return dict(parsed)


@cache
def _handler(service: str) -> Callable[[], Any]:
    module, name = HANDLERS[service]
    made: Callable[[], Any] = getattr(import_module(module), name)
    return made


_date = lru_cache(maxsize=1)(http_date)
