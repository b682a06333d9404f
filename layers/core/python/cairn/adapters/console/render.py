"""Renders the console's pages, and names what they load: style, script and htmx, each by the hash of its content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from cairn.adapters.compiled_pages import environment_of
from cairn.adapters.pages.plain import capitalised, label, plain
from cairn.domain.shared.instants import duration_text, instant_from_wire

HERE = Path(__file__).parent
TEMPLATES, ASSETS = HERE / "templates", HERE / "assets"

COMPILED = HERE / "compiled"

HTML = "text/html; charset=utf-8"

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

FOR_EVER = "public, max-age=31536000, immutable"
"""For an asset whose name has its hash."""

NOTHING = "\N{EN DASH}"
"""Where there is no value."""

HASH = 12
"""Characters of a hash in a name."""

SAFE = {
    "content-type": HTML,
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "browsing-topics=()",
    "referrer-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
"""No page runs what a customer has written: scripts and styles come from our own files alone."""


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    kind: str
    path: str
    """`assets/console.1a2b3c4d5e6f.css`."""


@cache
def assets() -> Mapping[str, Asset]:
    """Each by the name of its file."""
    return {one.name: _asset(one) for one in sorted(ASSETS.iterdir()) if one.suffix in KINDS}


@cache
def assets_by_path() -> Mapping[str, Asset]:
    return {one.path: one for one in assets().values()}


def _asset(file: Path) -> Asset:
    content = file.read_bytes()
    hashed = sha256(content).hexdigest()[:HASH]
    return Asset(content, KINDS[file.suffix], f"assets/{file.stem}.{hashed}{file.suffix}")


@cache
def environment() -> Environment:
    made = environment_of(TEMPLATES, COMPILED)
    made.globals["asset"] = lambda name: f"/console/{assets()[name].path}"
    filters: dict[str, Callable[..., Any]] = {
        "when": _when,
        "ago": _ago,
        "label": label,
        "plain": plain,
        "label_first": capitalised,
        "percent": percent,
        "number": number,
        "short": short,
        "lasting": lasting,
    }
    made.filters |= filters
    return made


def percent(share: float | None, digits: int = 1) -> str:
    return NOTHING if share is None else f"{share * 100:.{digits}f} %"


def lasting(seconds: float) -> str:
    """As people write it in a journey: `7d 10h`."""
    return duration_text(timedelta(seconds=round(seconds)))


def number(value: float | None) -> str:
    """Thousands apart, by a space that does not break."""
    return NOTHING if value is None else f"{value:,.0f}".replace(",", " ")


def short(id_: object) -> str:
    """Enough of an id to recognise it."""
    text = str(id_)
    return text if len(text) <= 14 else f"{text[:12]}…"  # noqa: PLR2004


@pass_context
def _when(context: Context, instant: object, *, of: str = "") -> Markup:
    """In the operator's zone, or `of` another; the tooltip has UTC."""
    if not instant:
        return escape(NOTHING)
    at = instant if isinstance(instant, datetime) else instant_from_wire(str(instant))
    zone = ZoneInfo(of or context["zone"])
    local = at.astimezone(zone)
    year = "" if local.year == context["now"].astimezone(zone).year else f" {local.year}"
    text = f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}", text
    )


@pass_context
def _ago(context: Context, instant: object) -> Markup:
    """How long ago, or how soon: `3 h ago`, `in 2 d`. The tooltip has the time."""
    if not instant:
        return escape(NOTHING)
    at = instant if isinstance(instant, datetime) else instant_from_wire(str(instant))
    seconds = (context["now"] - at).total_seconds()
    amount = abs(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if amount >= size:
            text = f"{int(amount // size)} {unit}"
            break
    else:
        text = "a moment"
    said = f"{text} ago" if seconds >= 0 else f"in {text}"
    local = at.astimezone(ZoneInfo(context["zone"]))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), f"{local:%a %d %b %Y, %H:%M} {context['zone']}", escape(said)
    )
