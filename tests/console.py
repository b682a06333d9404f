"""A browser of the console in tests: signed in as a test user, without a socket between."""

from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cairn.adapters.console.app import SESSION
from cairn.adapters.console.session import Session, session_document
from cairn.domain.operations.actor import Actor
from cairn.domain.operations.roles import Role

if TYPE_CHECKING:
    from infra.local.deployment import LocalDeployment

ORIGIN = "https://console.example.com"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Shown:
    status: int
    html: str
    headers: dict[str, str]
    cookies: tuple[str, ...]

    @property
    def text(self) -> str:
        return unescape(self.html)

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


@dataclass(slots=True)
class Browser:
    """It sends what Chromium sends with a page of the same site, and follows no redirection."""

    deployment: "LocalDeployment"
    roles: tuple[Role, ...] = (Role.ADMIN,)
    name: str = "ada"
    site: str = "same-origin"

    def get(self, path: str, *, part: bool = False) -> Shown:
        return self._ask("GET", path, {"hx-request": "true"} if part else {})

    def post(self, path: str, **form: str) -> Shown:
        return self._ask("POST", path, {"content-type": FORM}, urlencode(form).encode())

    def session(self) -> str:
        """The cookie of a user who has just signed in."""
        from functions.serve_console.handler import console

        now = self.deployment.now()
        signed_in = Session(
            Actor(self.name, {"issuer": "test", "subject": self.name}), frozenset(self.roles), now + timedelta(hours=8)
        )
        with self.deployment.lock:
            return console().cookies.sign("session", session_document(signed_in), signed_in.until)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Shown:
        cookie = f"{SESSION}={self.session()}" if self.roles else ""
        sent = {"sec-fetch-site": self.site, "origin": ORIGIN, **headers} | ({"cookie": cookie} if cookie else {})
        answer = self.deployment.open_console(method, f"{ORIGIN}/console{path}", sent, body)
        self.deployment.catch_up()
        return Shown(answer["statusCode"], str(answer["body"]), answer["headers"], tuple(answer["cookies"]))
