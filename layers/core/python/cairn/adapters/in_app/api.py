"""The API of the inbox, which a customer's browser or app calls with a token of its own."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cairn.adapters.http import problems
from cairn.application.message.serve_in_app import PAGE, InAppPage, ServeInApp
from cairn.application.ports import InboxTokens
from cairn.domain.message.in_app import InAppMessage, InAppStatus
from cairn.domain.shared.errors import CairnError, InvalidRequestError, UnknownMessageError
from cairn.domain.shared.instants import instant_to_wire

COMPONENT = Path(__file__).with_name("cairn-inbox.js")

MESSAGES = "/in-app/messages"
ROUTES = (
    ("GET", MESSAGES),
    ("POST", f"{MESSAGES}/{{id}}/{{status}}"),
    ("POST", "/in-app/seen"),
    ("GET", "/in-app/cairn-inbox.js"),
    ("OPTIONS", "/in-app/{proxy+}"),
)
"""What a browser may ask for; OPTIONS is its question whether a page of another origin may."""

BEARER = "bearer "
MOST = 50
"""Messages in one page."""

ID = re.compile(r"\d{13}-[A-Za-z0-9_-]{1,200}")

NO_STORE = {"cache-control": "no-store"}
PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization",
    "access-control-max-age": "7200",  # no browser remembers it longer
}
SCRIPT = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=3600",
    "access-control-allow-origin": "*",  # it is public, and a module of another origin is loaded with CORS
    "x-content-type-options": "nosniff",
}

DONE = {
    "seen": InAppStatus.SEEN,
    "opened": InAppStatus.OPENED,
    "clicked": InAppStatus.CLICKED,
    "dismissed": InAppStatus.DISMISSED,
}


@dataclass(frozen=True, slots=True)
class Call:
    route: str
    """`GET /in-app/messages`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InAppApi:
    serve: ServeInApp
    tokens: InboxTokens
    origins: frozenset[str] = frozenset()
    """The origins whose pages may call it from a browser, beside its own."""

    def __call__(self, call: Call, now: datetime) -> Answer:
        """The answer; a refusal is a problem document (RFC 9457)."""
        if call.route.endswith(COMPONENT.name):
            return Answer(200, COMPONENT.read_text(encoding="utf-8"), SCRIPT)
        if call.route.startswith("OPTIONS "):
            return Answer(204, headers=self._allowing(call) | PREFLIGHT)
        try:
            answer = self._answer(call, now)
        except CairnError as error:
            answer = _refused(error)
        return Answer(answer.status, answer.body, {**answer.headers, **NO_STORE, **self._allowing(call)})

    def _answer(self, call: Call, now: datetime) -> Answer:
        customer = self.tokens.customer(_token(call.headers.get("authorization", "")), now)
        if call.route == f"GET {MESSAGES}":
            page = self.serve.messages(customer, _limit(call.query), _id(call.query.get("after", "")), now)
            return Answer(200, json.dumps(_page(page)), {"content-type": "application/json"})
        if call.route == "POST /in-app/seen":
            self.serve.see_all(customer, now)
            return Answer(204)
        status, id_ = DONE.get(call.path.get("status", "")), call.path.get("id", "")
        if status is None or not ID.fullmatch(id_):
            raise UnknownMessageError("there is nothing at this address")
        self.serve.note(customer, id_, status, now)
        return Answer(204)

    def _allowing(self, call: Call) -> dict[str, str]:
        """What lets a browser hand the answer to a page of another origin, where that may have it."""
        origin = call.headers.get("origin", "")
        return {"vary": "Origin", **({"access-control-allow-origin": origin} if origin in self.origins else {})}


def _token(authorization: str) -> str:
    return authorization[len(BEARER) :].strip() if authorization.lower().startswith(BEARER) else ""


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(PAGE))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= MOST:
        raise InvalidRequestError([f"limit: a whole number from 1 to {MOST}"])
    return int(text)


def _id(text: str) -> str:
    if text and not ID.fullmatch(text):
        raise InvalidRequestError(["after: the `after` of the page before"])
    return text


def _page(page: InAppPage) -> dict[str, Any]:
    return {"messages": [_message(one) for one in page.messages], "unread": page.unread, "after": page.following}


def _message(one: InAppMessage) -> dict[str, Any]:
    shown = {
        "id": one.id,
        "sent_at": instant_to_wire(one.sent_at),
        "expires_at": instant_to_wire(one.expires_at),
        "title": one.title,
        "text": one.text,
        "status": one.status.value,
    }
    return shown | ({"link": one.link, "button": one.button} if one.link else {})


def _refused(error: CairnError) -> Answer:
    problem = problems.problem_of(error, otherwise="out-of-order")
    asks = {"www-authenticate": "Bearer"} if problem["status"] == 401 else {}  # noqa: PLR2004  RFC 6750, 3
    return Answer(problem["status"], json.dumps(problem), {"content-type": problems.CONTENT_TYPE, **asks})
