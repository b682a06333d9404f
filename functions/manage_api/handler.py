"""HTTP API, signed for IAM → operator requests: switches, explanations, consent, reviews, privacy, the audit."""

import base64
import gzip
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.adapters.http import problems
from cairn.adapters.http.manage.router import Answer, ManageRouter, OperatorRequest
from cairn.compose import manage_api as compose
from cairn.domain.shared.errors import CairnError
from cairn.telemetry import count, logger

JSON = {"content-type": "application/json", "cache-control": "no-store"}
PROBLEM = {"content-type": problems.CONTENT_TYPE, "cache-control": "no-store"}

COMPRESS_ABOVE = 1024 * 1024
"""Bytes. A Lambda response is 6 MB at most, and an export may be larger; compressed, it is a tenth."""


@cache
def router() -> ManageRouter:
    return compose.manage_api()


warm = router


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    call = _call(event)
    try:
        answer, headers = router()(call, datetime.now(UTC)), JSON
    except CairnError as error:
        problem = problems.problem_of(error, otherwise="out-of-order")
        answer, headers = Answer(problem["status"], problem), PROBLEM
        count("OperatorRefused", reason=problem["title"])
    logger.info("operator answered", route=call.route, status=answer.status)
    return _answered(answer, headers, compress="gzip" in event["headers"].get("accept-encoding", ""))


def _call(event: dict[str, Any]) -> OperatorRequest:
    """API Gateway names the actor, after it has checked the signature."""
    authorizer = event["requestContext"].get("authorizer") or {}
    body = event.get("body") or ""
    return OperatorRequest(
        route=event["routeKey"],
        actor=(authorizer.get("iam") or {}).get("userArn", ""),
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        query=event.get("queryStringParameters"),
    )


def _answered(answer: Answer, headers: dict[str, str], *, compress: bool) -> dict[str, Any]:
    body = json.dumps(answer.document)
    if not compress or len(body) < COMPRESS_ABOVE:
        return {"statusCode": answer.status, "headers": headers, "body": body}
    compressed = base64.b64encode(gzip.compress(body.encode())).decode()
    headers_sent = headers | {"content-encoding": "gzip"}
    return {"statusCode": answer.status, "headers": headers_sent, "body": compressed, "isBase64Encoded": True}
