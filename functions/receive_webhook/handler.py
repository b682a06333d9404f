"""HTTP API → events queue: verify, map, store durably, acknowledge."""

import base64
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.adapters.http.problems import CONTENT_TYPE, problem_of
from cairn.application.events.accept_webhook import AcceptWebhook, Answer, Reading, Request
from cairn.compose import receive_webhook as compose
from cairn.compose.accounts import note_account_alarms, note_account_failures
from cairn.compose.seen import Count
from cairn.domain.shared.errors import CairnError, ServiceBusyError, UnknownSourceError
from cairn.telemetry import WEBHOOK_REFUSED, count, logger

PLAIN_TEXT = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}

ANOTHER_ACCOUNT = "another-account"
"""Why a genuine part was refused: it is from an account of the vendor that `only` does not name."""


@cache
def accept() -> AcceptWebhook:
    return compose.accept_webhook()


@cache
def count_seen() -> Count:
    return compose.count_seen()


def warm() -> None:
    accept()
    count_seen()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    source = _source_of(event)
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    request_context = event["requestContext"]
    query = f"?{event['rawQueryString']}" if event.get("rawQueryString") else ""
    url = f"https://{request_context['domainName']}{event['rawPath']}{query}"
    request = Request(url, event["headers"], raw, request_context["http"]["method"])
    if request.method == "HEAD":  # whether the URL exists; it is not signed, and no event
        return {"statusCode": 200 if source in accept().sources else 404, "headers": PLAIN_TEXT, "body": ""}
    try:
        if request.method == "GET" and (challenge := accept().challenge(source, request)) is not None:
            logger.info("webhook handshake answered", source=source)
            return {"statusCode": 200, "headers": PLAIN_TEXT, "body": challenge}
        now = datetime.now(UTC)
        reading = accept()(source, request, now)
    except CairnError as error:
        return _refused(source, error)
    if reading.seen:
        count_seen()(reading.seen, now)
    note_account_failures(reading.events)
    note_account_alarms(reading.alarms)
    if reading.pending:
        return _refused(source, ServiceBusyError("what the webhook points to cannot be fetched now; post it again"))
    return _accepted(source, reading)


def _source_of(event: dict[str, Any]) -> str:
    """The source that the route names: a parameter (`/webhooks/{source}`), or the path (`/webhooks/stripe`)."""
    parameters = event.get("pathParameters") or {}
    path = event["routeKey"].partition(" ")[2]
    return str(parameters.get("source") or path.removeprefix("/webhooks/")) if path != "/events" else "track"


def _accepted(source: str, reading: Reading) -> dict[str, Any]:
    """The response that this vendor expects. Ignored, unreadable and foreign parts are counted."""
    if reading.answer is not None:
        logger.info("webhook handshake answered", source=source)
        return _as_it_is(reading.answer)
    events = reading.events
    ignored: dict[str, Any] = {"ignored": True} if reading.ignored else {}
    logger.info("webhook accepted", source=source, events=len(events), **ignored)
    if reading.ignored:
        count("WebhookIgnored")
    if reading.problems:
        count("WebhookUnreadable")
        logger.error("webhook kept for the dead-letter queue", source=source, problems=len(reading.problems))
    if reading.refused:
        count("WebhookOfAnotherAccount")
        logger.warning("webhook of another account refused", source=source, parts=reading.refused)
    answer = accept().answer_of(source)
    if answer.body is None:
        refused = {"refused": {ANOTHER_ACCOUNT: reading.refused}} if reading.refused else {}
        return _answer(answer.status, {"accepted": len(events), "ids": [one.id for one in events], **refused})
    return _as_it_is(answer)


def _as_it_is(answer: Answer) -> dict[str, Any]:
    return {"statusCode": answer.status, "headers": {"content-type": answer.content_type}, "body": answer.body}


def _refused(source: str, error: CairnError) -> dict[str, Any]:
    """An RFC 9457 problem that says what to do; counted, and logged with its reason."""
    problem = problem_of(error, otherwise="not-stored")
    reason = problem["title"]
    known = "unknown" if isinstance(error, UnknownSourceError) else source
    count(WEBHOOK_REFUSED)
    logger.warning("webhook refused", source=known, reason=reason)
    return _answer(problem["status"], problem, CONTENT_TYPE)


def _answer(status: int, body: dict[str, Any], content_type: str = "application/json") -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": content_type}, "body": json.dumps(body)}
