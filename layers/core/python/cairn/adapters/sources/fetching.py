"""What a webhook only points to, fetched from the vendor: `[fetch]` of a mapping (docs/sources.md#what-is-fetched).

Facebook's lead ads send the id of a lead; its answers are to be asked for.
"""

import json
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Self

from cairn.adapters.expressions import is_true, pick
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.application.events.accept_webhook import Fetch
from cairn.domain.shared.errors import CairnError, ServiceBusyError, ServiceRefusedError

TIMEOUT = 5
"""Seconds for one answer; most vendors wait ten or more for ours."""

SECONDS = 8
"""After which nothing more is asked for of one request: what is left is pending."""

AT_ONCE = 8
"""Questions beside each other."""

STEP = 61
"""How many parts further a request begins that is posted a second later."""

MAX_BYTES = 64 * 1024
"""Of an answer. A lead, a certificate or a key set has a few kilobytes."""

SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""The characters of a path's segment, so that no webhook leads to another place than the mapping says."""

THROTTLED = 429
SERVER_ERRORS = range(500, 600)
OK = 200


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the content lies to which a webhook points."""

    when: str
    """Which parts of the body point to something."""
    below: str
    path: str
    """The expression of the one segment that comes after `below`."""
    query: str = ""

    @classmethod
    def made_from(cls, table: Mapping[str, str]) -> Self:
        """Raises InvalidSourceError, or TypeError for an unknown key."""
        missing = [name for name in ("when", "below", "path") if not isinstance(table.get(name), str)]
        if missing or not isinstance(table.get("query", ""), str):
            raise InvalidSourceError(f"fetch.{missing[0] if missing else 'query'}: a text")
        made = cls(**table)
        if not re.fullmatch(r"https://[!-~]+/", made.below):
            raise InvalidSourceError(f"fetch.below: an address that begins with https:// and ends with /: {made.below}")
        return made

    def url_in(self, scope: Mapping[str, Any]) -> str | None:
        """The address of what this part points to; None where it points to nothing."""
        if not is_true(self.when, scope):
            return None
        segment = str(pick(self.path, scope) or "")
        if not SEGMENT.fullmatch(segment):
            return None
        return f"{self.below}{segment}{f'?{self.query}' if self.query else ''}"

    def fetched(self, scopes: Sequence[Mapping[str, Any]], fetch: Fetch, now: datetime) -> list[Any | CairnError]:
        """What each part points to: the document, None, or why it is not to be had now. Several are asked for at once.

        So many wait that a vendor's request is answered in time. The vendor posts it again, and then others come first.
        """
        ends = time.monotonic() + SECONDS
        urls = [self.url_in(one) for one in scopes]
        if not any(urls):
            return [None] * len(urls)
        first = int(now.timestamp()) * STEP % len(urls)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            found = list(threads.map(partial(_answer, fetch, ends), (*urls[first:], *urls[:first])))
        return [*found[len(urls) - first :], *found[: len(urls) - first]]


def _answer(fetch: Fetch, ends: float, url: str | None) -> Any | CairnError:
    if url is None:
        return None
    if time.monotonic() > ends:
        return ServiceBusyError("there was no time to fetch it")
    try:
        return fetch(url)
    except (ServiceBusyError, ServiceRefusedError) as error:
        return error


def document_at(url: str, token: str) -> Any:
    """The JSON document at an address of the vendor's, as `Fetch` promises. The token goes into no URL and no error."""
    content = _get(url, "what the webhook points to", {"authorization": f"Bearer {token}"})
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ServiceBusyError("what the webhook points to is no JSON") from None


def public_content(url: str, *, what: str) -> bytes:
    """What everybody may read at an address of the vendor's, such as a key. Raises ServiceBusyError."""
    try:
        return _get(url, what, {})
    except ServiceRefusedError as error:
        raise ServiceBusyError(f"{what} cannot be fetched: {error.code}") from None


def _get(url: str, what: str, headers: Mapping[str, str]) -> bytes:
    """GET without following redirects, with botocore's own session and authorities."""
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415  only sources that fetch pay for it
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    request = AWSRequest("GET", url, headers=dict(headers), stream_output=True).prepare()
    try:
        answer = _session().send(request)
        status = answer.status_code
        content: bytes = answer.raw.read(MAX_BYTES + 1)
    except (BotoCoreError, HTTPError, OSError) as error:
        raise ServiceBusyError(f"{what} cannot be fetched: {type(error).__name__}") from error
    if status == THROTTLED or status in SERVER_ERRORS:
        raise ServiceBusyError(f"the vendor answered {status} instead of giving {what}")
    if status != OK:
        raise ServiceRefusedError("the vendor", f"HTTP {status}")
    if len(content) > MAX_BYTES:
        raise ServiceBusyError(f"{what} has more than {MAX_BYTES} bytes")
    return content


@cache
def _session() -> Any:
    """One for all: its certificates are read once, and its connections stay open."""
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    return URLLib3Session(timeout=TIMEOUT)
