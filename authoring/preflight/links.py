"""Checks of links: absolute, over HTTPS, to a public host."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from authoring.preflight.report import Level
from cairn.domain.message.message import Rendered
from cairn.domain.shared.channels import Channel

IN_TEXT = re.compile(r"\b(?:[a-z][a-z0-9+.-]*://|www\.)[^\s<>\"'`]+", re.IGNORECASE)
TRAILING = ".,;:!?)]}\u2019\u201d"
"""Punctuation that ends the sentence, not the link."""

PEOPLE = frozenset({"mailto", "tel", "sms"})
RESERVED = re.compile(r"(^|\.)(example(\.(com|net|org))?|test|invalid)$")
"""Reserved names, which nobody can own (RFC 2606)."""
PRIVATE = re.compile(r"(^|\.)(localhost|local|internal|home\.arpa)$")
UNFILLED = re.compile(r"\{\{|\}\}|%7b%7b|[/=](None|null|undefined|NaN|TODO|XXX+)([/?&#]|$)", re.IGNORECASE)
SHORTENERS = frozenset({"bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly"})


class Fault(NamedTuple):
    level: Level
    code: str
    message: str
    fix: str


def links_of(rendered: Rendered) -> list[str]:
    """Every link, in reading order; a link without a target is an empty text."""
    if not rendered.html:
        button = [rendered.link] if rendered.link and not rendered.link.startswith("/") else []
        return [*button, *_in_text(rendered.text)]
    reader = _Links()
    reader.feed(rendered.html)
    reader.close()
    return list(dict.fromkeys([*reader.links, *_in_text(rendered.text)]))


def without_links(text: str) -> str:
    """The text without links: a brand in a link's host does not name the sender."""
    return IN_TEXT.sub("", text)


def faults(link: str, channel: Channel) -> Iterator[Fault]:
    """Problems of a link."""
    if not link or link.startswith("#"):
        yield Fault("error", "link_empty", "a link leads nowhere", "Give it a target, or remove it.")
        return
    if UNFILLED.search(link):
        yield Fault("error", "link_unfilled", f"a link was not filled in: {link}", "Give it what it lacks.")
        return
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
    except ValueError:
        yield Fault("error", "link_broken", f"{link} is no link", "Mend it.")
        return
    scheme = parts.scheme.lower()
    if scheme in PEOPLE or (channel is Channel.PUSH and scheme not in {"", "http", "https"}):
        return  # links of an app's own scheme open the app
    if not scheme or link.lower().startswith("www."):
        yield Fault("error", "link_relative", f"{link} is not absolute", "Begin it with https://.")
        return
    if scheme != "https":
        yield Fault("error", "link_insecure", f"{link} is not HTTPS", "Begin it with https://.")
    elif not host or PRIVATE.search(host) or _private(host):
        yield Fault("error", "link_private", f"{link} leads nowhere outside", "Name a host that customers can reach.")
    elif RESERVED.search(host):
        fix = "Put your own in its place before going live."
        yield Fault("warning", "link_reserved", f"{host} is an example's name, and nobody's", fix)
    elif host.removeprefix("www.") in SHORTENERS:
        fix = "Use a host of your own: carriers block what is shortened by one for everybody."
        yield Fault("warning", "link_shortened", f"{host} shortens links for everybody", fix)


def _in_text(text: str) -> Iterator[str]:
    for found in IN_TEXT.findall(text):
        yield found.rstrip(TRAILING)


def _private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {"a": "href", "area": "href", "img": "src"}.get(tag)
        self.links += [(value or "").strip() for name, value in attrs if name == wanted]
