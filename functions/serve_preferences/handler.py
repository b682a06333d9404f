"""HTTP API → the pages behind the links of messages; choices → events queue."""

import base64
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.adapters.pages.preference_centre import PreferenceCentre, Visit
from cairn.compose import serve_preferences as compose
from cairn.domain.consent.links import LinkKind
from cairn.domain.shared.errors import CairnError
from cairn.telemetry import count, logger


@cache
def centre() -> PreferenceCentre:
    return compose.serve_preferences()


def warm() -> None:
    centre().pages.warm()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    visit = _visit(event)
    try:
        page = centre()(visit, datetime.now(UTC))
    except CairnError as error:
        reason, page = centre().refuse(visit, error)
        count("LinkRefused", reason=reason)
    else:
        count("LinkOpened" if visit.method != "POST" else "PreferencesStored")
    logger.info("link answered", link=visit.kind.value, method=visit.method, status=page.status)
    return {"statusCode": page.status, "headers": dict(page.headers), "body": page.body}


def _visit(event: dict[str, Any]) -> Visit:
    """The route names the kind of link: `GET /unsubscribe/{token}`."""
    asked, headers, body = event["requestContext"]["http"], event["headers"], event.get("body") or ""
    return Visit(
        kind=LinkKind(event["routeKey"].split("/")[1]),
        token=event["pathParameters"]["token"],
        method=asked["method"],
        accept_language=headers.get("accept-language", ""),
        content_type=headers.get("content-type", ""),
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        ip=asked["sourceIp"],
    )
