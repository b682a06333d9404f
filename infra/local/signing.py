"""Signing samples as their vendor would, for stories, `cairn send` and tests; and the secrets that laptops use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cairn.adapters.feedback.sns_https import SnsSource
from cairn.adapters.sources import AnySource, Sources, sources
from cairn.adapters.sources.bodies import FORM
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import CairnError, UnknownSourceError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

LOCAL_SECRET = "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="  # noqa: S105  public, and no deployment takes it
HEADERS_OF_SAMPLES = "headers.json"
"""Beside the samples of a vendor that says something in headers: `{"<sample>.json": {"<header>": "<value>"}}`."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A request as a vendor would send it, ready to be posted to its URL."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def secret_for(source: str, environment: Mapping[str, str]) -> str:
    """`CAIRN_SECRET_<SOURCE>` (upper case, `-` as `_`), else the one that every laptop shares."""
    return environment.get("CAIRN_SECRET_" + source.upper().replace("-", "_"), LOCAL_SECRET)


def local_secrets(environment: Mapping[str, str], known: Sources | None = None) -> dict[str, str]:
    """The secrets of all sources, and the tokens of those that ask with a handshake whether the endpoint is ours."""
    found = known if known is not None else sources()
    tokens = [f"{name}-verify" for name, source in found.items() if source.handshake]
    return {name: secret_for(name, environment) for name in [*found, *tokens]}


def path_of(source: str) -> str:
    """Where a source posts to."""
    return "/events" if source == "track" else f"/webhooks/{source}"


def posting(  # noqa: PLR0913  one argument for each part of a request
    source: str,
    document: Any,
    secret: str,
    now: datetime,
    *,
    origin: str = "https://localhost",
    headers: Mapping[str, str] | None = None,
    known: Sources | None = None,
) -> Posting:
    """The vendor's whole request for a document: JSON, or the form that this vendor sends. Raises UnknownSourceError.

    Signed for the `https` URL: that is what stands in front of every deployment, whatever a laptop listens on.
    """
    url = origin.rstrip("/") + path_of(source)
    form = _mapping(_known(source, known)).get("body") == "form"
    body = urlencode(document, doseq=True).encode() if form else json.dumps(document).encode()
    own = {"content-type": FORM if form else "application/json", **(headers or {})}
    return Posting(url, signed_headers(source, body, secret, now, url=url, headers=own, known=known), body)


def signed_headers(  # noqa: PLR0913  one argument for each part of a request
    source: str,
    body: bytes,
    secret: str,
    now: datetime,
    *,
    url: str = "",
    headers: Mapping[str, str] | None = None,
    known: Sources | None = None,
) -> dict[str, str]:
    """The headers that the vendor would send with this body. Raises UnknownSourceError."""
    found = _known(source, known)
    told = {"content-type": "application/json", **(headers or {})}
    request = Request(
        "https://" + (url.partition("://")[2] or "localhost" + path_of(source)),
        {name.lower(): value for name, value in told.items()},
        body,
    )
    return told | found.scheme.sign(request, secret, now, _message_id(body))


def signed_anew(source: AnySource, request: Request, secret: str, signed_at: datetime, now: datetime) -> dict[str, str]:
    """The headers of a request that was genuine when it was signed, as if it had been signed now; else as they came.

    A laptop's clock may have been moved by days, and senders go by the real one.
    """
    headers = dict(request.headers)
    try:
        if not isinstance(source, SnsSource):
            source.scheme.verify(request, [secret], signed_at)
            message_id = headers.get("webhook-id") or headers.get("svix-id") or ""
            own = source.scheme.sign(request, secret, now, message_id)
            headers |= {name.lower(): value for name, value in own.items()}
    except CairnError:
        return headers
    return headers


def sample_headers(path: Path) -> dict[str, str]:
    """What the vendor says in headers along with this sample."""
    companion = path.with_name(HEADERS_OF_SAMPLES)
    if not companion.exists():
        return {}
    found: dict[str, str] = json.loads(companion.read_text(encoding="utf-8")).get(path.name, {})
    return found


def samples(folder: Path) -> list[Path]:
    """The samples of a vendor, in order of name."""
    return [path for path in sorted(folder.glob("*.json")) if path.name != HEADERS_OF_SAMPLES]


def just_now(source: str, document: Any, now: datetime, known: Sources | None = None) -> Any:
    """The sample as if it had happened now: the instants that its vendor writes into it are the present one."""
    written = "occurred_at" if source == "track" else _mapping(_known(source, known)).get("sample_instant", "")
    for place in [written] if isinstance(written, str) else written:
        document = _with_instant(document, place.split("."), now)
    return document


def _with_instant(document: Any, place: list[str], now: datetime) -> Any:
    """The document with the instant at a place that it has; `*` stands for every item of a list."""
    name, *rest = place
    if name == "*" and isinstance(document, list):
        return [_with_instant(one, rest, now) for one in document]
    if not isinstance(document, dict) or name not in document:
        return document
    old = document[name]
    return document | {name: _with_instant(old, rest, now) if rest else _in_the_manner_of(old, now)}


def _in_the_manner_of(old: Any, now: datetime) -> Any:
    if isinstance(old, int):
        return int(now.timestamp() * (1000 if old > 10**11 else 1))
    return str(int(now.timestamp())) if isinstance(old, str) and old.isdigit() else instant_to_wire(now)


def _known(source: str, known: Sources | None) -> AnySource:
    found = known if known is not None else sources()
    if source not in found:
        raise UnknownSourceError(f"no source is called {source!r}; known are {', '.join(sorted(found))}")
    return found[source]


def _mapping(source: AnySource) -> Mapping[str, Any]:
    return getattr(source, "mapping", {})


def _message_id(body: bytes) -> str:
    """The same for the same event, as a vendor's retries have it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    own = document.get("id") if isinstance(document, dict) else None
    return str(own) if own else "msg_" + short_hash(body.decode("utf-8", "replace"))
