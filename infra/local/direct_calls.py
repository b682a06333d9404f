"""Calls of DynamoDB and SQS without the wire: from botocore to moto's action and back, and no request between them.

A third of the time of a call went into a request that was built, signed and taken apart again. What
is asked, what is answered and how errors look stay the same (tests/integration/test_moto_speed.py).
"""

from functools import cache
from importlib import import_module
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.endpoint import Endpoint, convert_to_response_dict

from infra.local.moto_speed import ASKED_MOST

Answer = tuple[AWSResponse, dict[str, Any]]

HANDLERS = {"dynamodb": ("moto.dynamodb.responses", "DynamoHandler"), "sqs": ("moto.sqs.responses", "SQSResponse")}
FIRST_OF_ERRORS = 300


def is_direct(request: dict[str, Any]) -> bool:
    """Whether a request as botocore builds it is one that goes without the wire."""
    return request["url"] in ASKED_MOST and "Content-Encoding" not in request["headers"]


def call_directly(endpoint: Endpoint, operation: Any, request: dict[str, Any]) -> Answer:
    """What `Endpoint.make_request` returns for a request that `is_direct`."""
    url, asked = request["url"], request["body"]
    plain = SimpleNamespace(
        method="POST",
        headers=dict(request["headers"]),
        content_type=request["headers"]["Content-Type"],
        content_encoding=None,
        data=asked.encode() if isinstance(asked, str) else asked,
        values={},
        path="/",
        raw_path="/",
    )
    status, headers, answered = _handler(ASKED_MOST[url]).dispatch(plain, url)
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
def _handler(service: str) -> Any:
    module, name = HANDLERS[service]
    return getattr(import_module(module), name)
