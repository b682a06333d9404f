"""HTTP API → a customer's in-app inbox: what waits there, and what its reader does → feedback queue."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.adapters.in_app.api import Call, InAppApi
from cairn.compose import serve_in_app as compose
from cairn.telemetry import logger


@cache
def api() -> InAppApi:
    return compose.serve_in_app()


warm = api


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    call = Call(
        route=event["routeKey"],
        headers=event["headers"],
        path=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
    )
    answer = api()(call, datetime.now(UTC))
    logger.info("inbox answered", route=call.route, status=answer.status)
    return {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.body}
