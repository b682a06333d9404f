"""HTTP API → the page of one task, behind a member's personal link."""

import base64
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.adapters.pages.task_page import TaskPage, TaskVisit
from cairn.compose import serve_tasks as compose
from cairn.domain.shared.errors import CairnError
from cairn.telemetry import count, logger


@cache
def page() -> TaskPage:
    return compose.serve_tasks()


def warm() -> None:
    page().pages.warm()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    visit = _visit(event)
    try:
        answer = page()(visit, datetime.now(UTC))
    except CairnError as error:
        reason, answer = page().refuse(visit, error)
        count("LinkRefused", reason=reason)
    logger.info("task's link answered", method=visit.method, status=answer.status)
    return {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.body}


def _visit(event: dict[str, Any]) -> TaskVisit:
    asked, headers, body = event["requestContext"]["http"], event["headers"], event.get("body") or ""
    return TaskVisit(
        token=event["pathParameters"]["token"],
        method=asked["method"],
        content_type=headers.get("content-type", ""),
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        accept_language=headers.get("accept-language", ""),
    )
