"""An issuer of OpenID Connect for a laptop: test users with roles, chosen on a page, without a password.

It checks what a real issuer checks of the console: the code is used once, by the client that can show the verifier
(RFC 7636, 4.6), and leads back only to the console of the same origin.
"""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from urllib.parse import urlencode, urlsplit

from werkzeug.wrappers import Request, Response

from cairn.domain.operations.roles import Role

ISSUER = "/_issuer"
CLIENT = "cairn-console"
ROLES_CLAIM = "cognito:groups"

DISCOVERY, AUTHORIZE, TOKEN = ".well-known/openid-configuration", "authorize", "token"
PAGES = (DISCOVERY, AUTHORIZE, TOKEN)

USERS = {
    "ada": ("Ada, who may do everything", (Role.ADMIN,)),
    "otto": ("Otto, an operator", (Role.OPERATOR,)),
    "eve": ("Eve, who owns the journeys", (Role.EDITOR,)),
    "pia": ("Pia, the privacy officer", (Role.PRIVACY,)),
    "vic": ("Vic, who only looks", (Role.VIEWER,)),
}

OF_MEMBERS = (Role.AGENT,)
"""The roles of each member of the project's people.toml."""

VALID = timedelta(hours=1)

ASKED = ("redirect_uri", "state", "nonce", "code_challenge")

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in on this laptop</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 12vh auto; padding: 0 1rem }}
button {{ display: block; width: 100%; padding: .7rem 1rem; margin: 0 0 .5rem; font: inherit; text-align: left;
border-radius: .5rem; border: 1px solid; cursor: pointer }}
</style><main><h1>Who are you?</h1>
<p>These test users exist on a laptop only. A deployment asks Cognito, or your own issuer.</p>
<form method="post">{fields}{users}</form></main></html>"""


@dataclass(frozen=True, slots=True)
class Issuer:
    members: Callable[[], Mapping[str, str]] = dict
    """The name of each member of the project's people.toml, by id."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    present: Callable[[], str] = lambda: ""
    """The user who is signed in without a question; nobody, by default."""

    def answer(self, request: Request, now: datetime) -> Response:
        page = request.path.removeprefix(f"{ISSUER}/")
        origin = f"{request.scheme}://{request.host}"
        if page == DISCOVERY:
            endpoints = {"authorization_endpoint": AUTHORIZE, "token_endpoint": TOKEN}
            return _json(
                {"issuer": f"{origin}{ISSUER}"} | {name: f"{origin}{ISSUER}/{path}" for name, path in endpoints.items()}
            )
        return self._authorize(request, origin) if page == AUTHORIZE else self._token(request, origin, now)

    def _authorize(self, request: Request, origin: str) -> Response:
        asked = {name: request.values.get(name, "") for name in ASKED}
        back = urlsplit(asked["redirect_uri"])
        if f"{back.scheme}://{back.netloc}" != origin or not all(asked.values()):
            return Response("This is no sign-in of the console.", 400)
        known = self.users()
        user = (request.form.get("user", "") if request.method == "POST" else "") or self.present()
        if user not in known:
            fields = "".join(
                f'<input type="hidden" name="{name}" value="{escape(one)}">' for name, one in asked.items()
            )
            users = "".join(
                f'<button name="user" value="{escape(name)}">{escape(text)}</button>'
                for name, (text, _) in known.items()
            )
            return Response(PAGE.format(fields=fields, users=users), 200, {"content-type": "text/html; charset=utf-8"})
        code = secrets.token_urlsafe(24)
        self.codes[code] = {**asked, "user": user}
        return Response(
            "", 303, {"location": f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"}
        )

    def users(self) -> Mapping[str, tuple[str, tuple[Role, ...]]]:
        members = {id_: (f"{name}, who works on tasks and answers", OF_MEMBERS) for id_, name in self.members().items()}
        return USERS | members

    def _token(self, request: Request, origin: str, now: datetime) -> Response:
        known = self.codes.pop(request.form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(request.form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if known is None or request.form.get("client_id") != CLIENT or known["code_challenge"].encode() != challenge:
            return _json({"error": "invalid_grant"}, 400)
        claims = {
            "iss": f"{origin}{ISSUER}",
            "aud": CLIENT,
            "sub": f"local-{known['user']}",
            "email": known["user"],
            "nonce": known["nonce"],
            "exp": int((now + VALID).timestamp()),
            ROLES_CLAIM: [role.value for role in self.users()[known["user"]][1]],
        }
        parts = ({"alg": "none"}, claims)
        token = ".".join(urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts) + "."
        return _json({"id_token": token, "token_type": "Bearer"})


def _json(document: object, status: int = 200) -> Response:
    return Response(json.dumps(document), status, {"content-type": "application/json"})
