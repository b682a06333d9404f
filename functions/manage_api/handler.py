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
from cairn.domain.operations.actor import Actor
from cairn.domain.operations.roles import Role, roles_in
from cairn.domain.shared.errors import CairnError, InvalidRequestError
from cairn.telemetry import count, logger

JSON = {"content-type": "application/json", "cache-control": "no-store"}
PROBLEM = {"content-type": problems.CONTENT_TYPE, "cache-control": "no-store"}

CLIENT = "x-cairn-client"
"""The header in which a program names itself, for the audit."""

COMPRESS_ABOVE = 1024 * 1024
"""Bytes. A Lambda response is 6 MB at most, and an export may be larger; compressed, it is a tenth."""


@cache
def router() -> ManageRouter:
    return compose.manage_api()


warm = router


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    try:
        answer, headers = router()(_call(event), datetime.now(UTC)), JSON
    except CairnError as error:
        problem = problems.problem_of(error, otherwise="out-of-order")
        answer, headers = Answer(problem["status"], problem), PROBLEM
        count("OperatorRefused", reason=problem["title"])
    logger.info("operator answered", route=event["routeKey"], status=answer.status)
    return _answered(answer, headers, compress="gzip" in event["headers"].get("accept-encoding", ""))


def _call(event: dict[str, Any]) -> OperatorRequest:
    """API Gateway names the actor, after it has checked the signature."""
    body = event.get("body") or ""
    return OperatorRequest(
        route=event["routeKey"],
        actor=_actor(event["requestContext"].get("authorizer") or {}).by_client(event["headers"].get(CLIENT, "")),
        roles=_roles(event["headers"].get("x-cairn-roles")),
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        key=event["headers"].get("idempotency-key", ""),
        query=event.get("queryStringParameters"),
    )


def _roles(asked: str | None) -> frozenset[Role]:
    """IAM decides by route who may do what, so its operators are administrators; the header asks for less.

    Raises InvalidRequestError.
    """
    try:
        return frozenset({Role.ADMIN}) if asked is None else roles_in(asked)
    except ValueError:
        raise InvalidRequestError([f"X-Cairn-Roles: roles are {', '.join(Role)}"]) from None


def _actor(authorizer: dict[str, Any]) -> Actor:
    """Raises NotSignedInError. A field that API Gateway does not know is null.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    iam = authorizer.get("iam") or {}
    arn, account, user_id = (str(iam.get(name) or "") for name in ("userArn", "accountId", "userId"))
    return Actor.of_aws(arn=arn, account=account, user_id=user_id)


def _answered(answer: Answer, headers: dict[str, str], *, compress: bool) -> dict[str, Any]:
    body = json.dumps(answer.document)
    if not compress or len(body) < COMPRESS_ABOVE:
        return {"statusCode": answer.status, "headers": headers, "body": body}
    compressed = base64.b64encode(gzip.compress(body.encode())).decode()
    headers_sent = headers | {"content-encoding": "gzip"}
    return {"statusCode": answer.status, "headers": headers_sent, "body": compressed, "isBase64Encoded": True}
