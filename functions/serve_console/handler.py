"""HTTP API → the console's pages, for users who sign in at the issuer."""

import base64
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from cairn.adapters.console.app import Console
from cairn.adapters.console.visit import Visit, cookies_in
from cairn.compose import serve_console as compose
from cairn.telemetry import logger


@cache
def console() -> Console:
    return compose.serve_console()


def warm() -> None:
    """With the routes of /manage, so that a wrong identity key is found at the start, as everywhere."""
    console().router()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    visit, now = _visit(event), datetime.now(UTC)
    try:
        reply = console()(visit, now)
    except Exception as error:  # noqa: BLE001  a page says so; the log has the error's kind, never a customer's value
        logger.error("console failed", error=type(error).__name__)
        reply = console().failed(visit, now)
    logger.info("console answered", method=visit.method, status=reply.status)
    body = reply.body if isinstance(reply.body, str) else base64.b64encode(reply.body).decode()
    return {
        "statusCode": reply.status,
        "headers": dict(reply.headers),
        "cookies": list(reply.cookies),
        "body": body,
        "isBase64Encoded": not isinstance(reply.body, str),
    }


def _visit(event: dict[str, Any]) -> Visit:
    asked, headers, body = event["requestContext"], event["headers"], event.get("body") or ""
    return Visit(
        method=asked["http"]["method"],
        path=event["rawPath"],
        origin=f"{headers.get('x-forwarded-proto', 'https')}://{asked['domainName']}",
        query=dict(parse_qsl(event["rawQueryString"], keep_blank_values=True)),
        headers=headers,
        cookies=cookies_in(event.get("cookies") or []),
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )
