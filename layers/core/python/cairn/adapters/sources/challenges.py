"""A vendor's challenge by POST, as a mapping describes it: what to answer before the vendor trusts the endpoint."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cairn.adapters.expressions import is_true, pick
from cairn.adapters.sources.bodies import FORMATS, content_of
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.application.events.accept_webhook import Answer, Request
from cairn.domain.shared.errors import BodyTooLargeError, MalformedBodyError

MAX_TEXT = 1_024
"""Characters of a challenge that is answered; Slack's and Zoom's have about fifty."""

MAX_BODY = 16_384
"""Bytes of a body that may be a challenge; the longest that vendors send have less than one thousand."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Slack's `url_verification`, Zoom's `endpoint.url_validation`, WooCommerce's ping, and others like them."""

    when: str
    answers: Mapping[str, str]
    """The fields of the answer, each with its expression."""
    hmac: Mapping[str, str] = field(default_factory=dict)
    """Further fields: the hex HMAC-SHA256 by the source's secret of what the expression gives."""
    signed: bool = True
    form: bool = False

    @classmethod
    def made_from(cls, name: str, table: Mapping[str, Any], body: str) -> "Challenge":
        """`body`: how the source's events are read, and the challenge, unless the table says otherwise.

        Raises InvalidSourceError.
        """
        macs, signed, body = table.get("hmac", {}), table.get("signed", True), table.get("body", body)
        if body not in FORMATS:
            raise InvalidSourceError(f"source {name}: handshake.body: one of {', '.join(FORMATS)}")
        if macs and not signed:
            raise InvalidSourceError(f"source {name}: handshake.hmac: only for a challenge that the vendor signs")
        if not (table.get("answer") or macs):
            raise InvalidSourceError(f"source {name}: handshake.answer: the fields to answer with")
        return cls(table["when"], table.get("answer", {}), macs, bool(signed), body == "form")

    def answer(self, request: Request, secret: Callable[[], str]) -> Answer | None:
        """None for any other request, and where a field of the answer would be no text."""
        if len(request.body) > MAX_BODY:
            return None
        try:
            scope = {"body": content_of(request.body, form=self.form)}
        except (BodyTooLargeError, MalformedBodyError):
            return None
        if not is_true(self.when, scope):
            return None
        found = {name: pick(expression, scope) for name, expression in {**self.answers, **self.hmac}.items()}
        if not all(isinstance(one, str) and len(one) <= MAX_TEXT for one in found.values()):
            return None
        if self.hmac:
            key = secret().encode()
            found |= {name: _mac(key, found[name]) for name in self.hmac}
        return Answer(200, body=json.dumps(found))


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
