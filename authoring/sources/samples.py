"""A vendor's samples, and the request that the vendor would post with each: for checks, stories and `cairn send`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlencode, urlsplit

from cairn.adapters.sources import VENDORS, AnySource, Sources, sources
from cairn.adapters.sources.bodies import FORM
from cairn.adapters.sources.tokens import QueryToken
from cairn.application.events.accept_webhook import Fetch, Request
from cairn.domain.shared.errors import UnknownSourceError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

SAMPLES = "samples"
HEADERS = "headers.json"
"""Beside the samples of a vendor that uses headers of its own: `{"<sample>.json": {"<header>": "<value>"}}`."""

FETCHED = "fetched.json"
"""Beside the samples of a vendor that only points to what it has: each document, by the last segment of its address."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A request as a vendor would send it, ready to be posted to its URL."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def samples(vendor: str, folder: Path = VENDORS) -> list[Path]:
    """The samples of a vendor, in order of name."""
    return [path for path in sorted((folder / vendor / SAMPLES).glob("*.json")) if path.name not in {HEADERS, FETCHED}]


def sample_named(name: str, own: Path = VENDORS) -> Path:
    """`stripe/invoice_paid` is the vendor's sample of that name. A vendor in the folder `own` comes first."""
    vendor, _, what = name.partition("/")
    paths = [folder / vendor / SAMPLES / f"{what}.json" for folder in (own, VENDORS)]
    return next((path for path in paths if path.is_file()), paths[-1])


def request_of(source: str, document: Any, headers: Mapping[str, str], known: Sources) -> Request:
    """The vendor's request without a signature, for a trial of its mapping. Raises UnknownSourceError."""
    body = _body_of(document, form=_posts_form(source, known))
    return Request(f"https://localhost{path_of(source)}", {name.lower(): text for name, text in headers.items()}, body)


def sample_headers(path: Path) -> dict[str, str]:
    """The headers that the vendor sends with this sample, other than its signature."""
    beside = path.with_name(HEADERS)
    if not beside.exists():
        return {}
    found: dict[str, str] = json.loads(beside.read_text(encoding="utf-8")).get(path.name, {})
    return found


def fetched_beside(path: Path) -> Fetch:
    """What the vendor gives for the addresses in this sample: from the file beside it, and nothing for any other."""
    beside = path.with_name(FETCHED)
    return lambda url: _document_in([beside] if beside.exists() else [], url)


def document_of_samples(url: str, own: Path = VENDORS) -> Any:
    """What a vendor gives for an address in one of its samples; None for any other address."""
    return _document_in([path for folder in (own, VENDORS) for path in folder.glob(f"*/{SAMPLES}/{FETCHED}")], url)


def _document_in(paths: Iterable[Path], url: str) -> Any:
    name = PurePosixPath(urlsplit(url).path).name
    found = (json.loads(path.read_text(encoding="utf-8")).get(name) for path in paths)
    return next((one for one in found if one is not None), None)


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

    Signed for the `https` URL: every deployment has one, whatever a laptop listens on.
    """
    url = url_of(source, secret, origin, known)
    form = _posts_form(source, known)
    body = _body_of(document, form=form)
    own = {"content-type": FORM if form else "application/json", **(headers or {})}
    return Posting(url, signed_headers(source, body, secret, now, url=url, headers=own, known=known), body)


def url_of(source: str, secret: str, origin: str, known: Sources | None = None) -> str:
    """Where a source posts to, as the vendor knows it: with the token, where the URL has one."""
    scheme, url = _known(source, known).scheme, origin.rstrip("/") + path_of(source)
    return scheme.url_with(url, secret) if isinstance(scheme, QueryToken) else url


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
    given = {"content-type": "application/json", **(headers or {})}
    request = Request(
        "https://" + (url.partition("://")[2] or "localhost" + path_of(source)),
        {name.lower(): value for name, value in given.items()},
        body,
    )
    return given | found.scheme.sign(request, secret, now, _message_id(body))


def just_now(source: str, document: Any, now: datetime, known: Sources | None = None) -> Any:
    """The sample as if it had just happened: its first instant is now, and the others keep their distance from it.

    A list of events (`*` in the path) happened now, all of them.
    """
    written = "occurred_at" if source == "track" else _mapping(_known(source, known)).get("sample_instant", "")
    paths = [path.split(".") for path in ([written] if isinstance(written, str) else written)]
    first = next((old for path in paths if isinstance(old := _value_at(document, path), str)), None)
    for path in paths:
        document = _with_instant(document, path, now, first)
    return document


def _value_at(document: Any, path: list[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _with_instant(document: Any, path: list[str], now: datetime, first: str | None) -> Any:
    """The document with the instant at this path replaced, where it has one; `*` stands for every item of a list."""
    name, *rest = path
    if name == "*" and isinstance(document, list):
        return [_with_instant(one, rest, now, first) for one in document]
    if not isinstance(document, dict) or document.get(name) is None:
        return document
    old = document[name]
    new = _with_instant(old, rest, now, first) if rest else _in_the_format_of(old, now - _age(old, first))
    return document | {name: new}


def _age(old: Any, first: str | None) -> timedelta:
    """How long before the document's first instant this one was."""
    try:
        return max(instant_from_wire(first or old) - instant_from_wire(old), timedelta())
    except (AttributeError, TypeError, ValueError):
        return timedelta()


def _in_the_format_of(old: Any, now: datetime) -> Any:
    if isinstance(old, int):
        return int(now.timestamp() * (1000 if old > 10**11 else 1))
    return str(int(now.timestamp())) if isinstance(old, str) and old.isdigit() else instant_to_wire(now)


def _known(source: str, known: Sources | None) -> AnySource:
    found = known if known is not None else sources()
    if source not in found:
        raise UnknownSourceError(f"no source is called {source!r}; known are {', '.join(sorted(found))}")
    return found[source]


def _posts_form(source: str, known: Sources | None) -> bool:
    return _mapping(_known(source, known)).get("body") == "form"


def _body_of(document: Any, *, form: bool) -> bytes:
    return urlencode(document, doseq=True).encode() if form else json.dumps(document).encode()


def _mapping(source: AnySource) -> Mapping[str, Any]:
    return getattr(source, "mapping", {})


def _message_id(body: bytes) -> str:
    """The same for the same event, as in a vendor's retries."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    own = document.get("id") if isinstance(document, dict) else None
    return str(own) if own else "msg_" + short_hash(body.decode("utf-8", "replace"))
