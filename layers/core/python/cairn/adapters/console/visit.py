"""A request of a browser, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie

from cairn.adapters.pages.forms import POST, Form, form_of


@dataclass(frozen=True)
class Visit:
    """What a browser asks for. `origin` is ours as the browser sees it: `https://…`, without a path."""

    method: str
    path: str
    origin: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Their names in lower case."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def form(self) -> Form:
        """The fields of a posted form. Raises BodyTooLargeError or MalformedBodyError."""
        return form_of(self.headers.get("content-type", ""), self.body) if self.method == POST else {}

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def wants_a_part(self) -> bool:
        """Whether htmx asks, which puts a part of a page into the present one."""
        return self.headers.get("hx-request") == "true"

    @property
    def is_own(self) -> bool:
        """Whether one of our pages has sent it, as the browser itself says.

        https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html, Fetch
        Metadata; a browser without these headers sends Origin with every POST.
        """
        site, origin = self.headers.get("sec-fetch-site", ""), self.headers.get("origin", "")
        return site == "same-origin" if site else origin == self.origin


@dataclass(frozen=True, slots=True)
class Reply:
    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    """Each as a Set-Cookie header has it."""


def cookies_in(given: list[str]) -> dict[str, str]:
    """The cookies of a request, as API Gateway lists them. Others are left out."""
    found: dict[str, str] = {}
    for one in given:
        try:
            found |= {name: morsel.value for name, morsel in SimpleCookie(one).items()}
        except CookieError:
            continue
    return found


def set_cookie(name: str, value: str, *, seconds: int, secure: bool, path: str) -> str:
    """Scripts never see it, and other sites never send it with a form of theirs. 0 seconds delete it."""
    return f"{name}={value}; Max-Age={seconds}; Path={path}; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
