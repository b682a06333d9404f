"""Messages as their readers get them: a phone's thread, a mail client's list, and an e-mail's page."""

import email
import email.policy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Any, Literal
from urllib.parse import quote

Json = Mapping[str, Any]

KINDS = frozenset({"message", "deferred", "suppressed", "failed", "undecided"})
"""The kinds of lines that decide on a message."""

EMAIL = "email"

HIDDEN = re.compile(r"<div style=\"display: ?none[^>]*>(.*?)</div>", re.DOTALL)
"""Where an e-mail has its preview text, which mail clients show beside the subject."""

TAG = re.compile(r"<[^>]+>")
FILLING = re.compile(r"[\s\u00a0\u00ad\u034f\u200b-\u200f\u2007\ufeff]+")

HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
NEW_TAB = '<base target="_blank">'

SAFE = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
        "img-src data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""An e-mail runs nothing and sends nothing; its links open in a new tab."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on a message, and the message where it went out."""

    at: str
    line: Json
    preview: str = ""

    @property
    def is_sent(self) -> bool:
        return str(self.line["kind"]) == "message"

    @property
    def is_mail(self) -> bool:
        return str(self.line.get("channel")) == EMAIL

    @property
    def why(self) -> str:
        """The console's page of the decision."""
        customer = quote(self.line["customer_id"])
        message = self.line.get("message_id")
        return (
            f"/console/messages/{quote(message)}?customer={customer}" if message else f"/console/customers/{customer}"
        )


def decisions(lines: Sequence[Json], mails: Iterable[Json]) -> list[Decided]:
    """All decisions on messages, in order."""
    by_id = {_message_of(mail): mail for mail in mails}
    return [
        Decided(line["at"], line, preview_of(by_id[line["message_id"]]) if line.get("message_id") in by_id else "")
        for line in lines
        if line["kind"] in KINDS
    ]


def page_of(mails: Iterable[Json], message: str) -> str | None:
    """The HTML of an e-mail, whose links open in a new tab; None where it was not sent."""
    mail = next((one for one in mails if _message_of(one) == message), None)
    if mail is None:
        return None
    html = body_of(mail, "html") or f"<pre>{escape(body_of(mail, 'plain'))}</pre>"
    head = HEAD.search(html)
    return html[: head.end()] + NEW_TAB + html[head.end() :] if head else NEW_TAB + html


def preview_of(mail: Json) -> str:
    found = HIDDEN.search(body_of(mail, "html"))
    return FILLING.sub(" ", unescape(TAG.sub("", found[1]))).strip() if found else ""


def body_of(mail: Json, kind: Literal["html", "plain"]) -> str:
    """A part of an e-mail of a request to SES; empty where it has none."""
    content = mail["Content"]
    if "Raw" in content:
        parts = email.message_from_bytes(content["Raw"]["Data"], policy=email.policy.default)
        return next((str(one.get_content()) for one in parts.walk() if one.get_content_type() == f"text/{kind}"), "")
    part = content["Simple"]["Body"].get("Html" if kind == "html" else "Text", {})
    return str(part.get("Data", ""))


def links_in(mail: Json) -> str:
    """All text of an e-mail in which a link may stand, its headers too."""
    headers = mail["Content"].get("Simple", {}).get("Headers", ())
    return " ".join([body_of(mail, "html"), body_of(mail, "plain"), *(one["Value"] for one in headers)])


def _message_of(mail: Json) -> str:
    tags = {tag["Name"]: tag["Value"] for tag in mail.get("EmailTags", ())}
    return str(tags.get("message", ""))
