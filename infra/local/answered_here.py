"""Operations of AWS that moto lacks, or has only in part: answered here, after botocore has validated and signed."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

Around = Callable[[str, str, AWSPreparedRequest, Callable[[], AWSResponse | None]], AWSResponse | None]
"""Gives the answer to a request of a service's operation, by calling its last argument or without it."""

Answer = Callable[[dict[str, Any]], Mapping[str, Any]]
"""The answer to a request's document."""

ANSWERED_HERE: set[str] = set()
"""`<service>.<operation>` as botocore's events name them: moto is not asked."""


def only_answer(
    _service: str, _operation: str, _request: AWSPreparedRequest, act: Callable[[], AWSResponse | None]
) -> AWSResponse | None:
    return act()


def answer_here(session: Session, operation: str, answer: Answer, around: Around = only_answer) -> None:
    """Answer an operation of a service that speaks JSON."""
    ANSWERED_HERE.add(operation)

    def hear(event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        service, name = event_name.split(".")[1:]
        return around(service, name, request, lambda: _response(request, answer))

    session.register(f"before-send.{operation}", hear)  # type: ignore[arg-type]


def _response(request: AWSPreparedRequest, answer: Answer) -> AWSResponse:
    body: Any = request.body
    text = json.dumps(answer(json.loads(body))).encode()
    return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(text))


class _Raw(BytesIO):
    """A body as urllib3 returns it."""

    def stream(self, **_: Any) -> Any:
        yield self.read()
