"""Signing in by OpenID Connect: the authorization code flow with PKCE, for Cognito or any other issuer.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth and RFC 7636.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from cairn.adapters.console.session import SESSION, Session
from cairn.domain.operations.actor import Actor
from cairn.domain.operations.roles import Role
from cairn.domain.shared.errors import NotSignedInError, ServiceBusyError

SECONDS = 5
"""The longest wait for the issuer."""

MAX_ANSWER = 256 * 1024
DISCOVERY = "/.well-known/openid-configuration"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser carries while its user is at the issuer: only it can finish what it has begun."""

    state: str
    verifier: str
    nonce: str

    @classmethod
    def new(cls) -> "Attempt":
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def challenge(self) -> str:
        """RFC 7636, 4.2, S256."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class OpenIdConnect:
    def __init__(self, issuer: str, client_id: str, roles_claim: str) -> None:
        """An issuer that begins with a slash is below our own origin, which a laptop alone has."""
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._roles_claim = roles_claim
        self._known: dict[str, Json] = {}

    def begin(self, attempt: Attempt, *, origin: str, back: str) -> str:
        """The issuer's page where the user signs in. Raises ServiceBusyError."""
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back,
            "scope": "openid email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._configuration(origin)['authorization_endpoint']}?{urlencode(asked)}"

    def finish(self, attempt: Attempt, query: Mapping[str, str], *, origin: str, back: str, now: datetime) -> Session:
        """The session of the user whom the issuer has sent back. Raises NotSignedInError, ServiceBusyError."""
        if query.get("state") != attempt.state:
            raise NotSignedInError("this sign-in was begun by another window; try again")
        if not query.get("code"):
            raise NotSignedInError("the sign-in was given up; try again")
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "code": query["code"],
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
        }
        configuration = self._configuration(origin)
        claims = _claims(_asked(configuration["token_endpoint"], urlencode(form).encode()).get("id_token"))
        self._check(claims, configuration["issuer"], attempt, now)
        return Session(
            actor=Actor(
                str(claims.get("email") or claims["sub"]),
                {"issuer": str(claims["iss"]), "subject": str(claims["sub"])},
            ),
            roles=_roles(claims.get(self._roles_claim)),
            until=now + SESSION,
        )

    def end(self, *, origin: str, after: str) -> str:
        """Where the issuer forgets the user, too; `after` itself where it has no such page."""
        ends_at = self._configuration(origin).get("end_session_endpoint")
        if not ends_at:
            return after
        # Cognito takes `logout_uri`, others `post_logout_redirect_uri`; each ignores the other's.
        asked = {"client_id": self._client_id, "logout_uri": after, "post_logout_redirect_uri": after}
        return f"{ends_at}?{urlencode(asked)}"

    def _check(self, claims: Json, issuer: str, attempt: Attempt, now: datetime) -> None:
        """OpenID Connect Core, 3.1.3.7. The issuer itself gave the token, by TLS, which stands for its signature."""
        audience = claims.get("aud")
        known = audience if isinstance(audience, list) else [audience]
        if (
            claims.get("iss") != issuer
            or self._client_id not in known
            or claims.get("nonce") != attempt.nonce
            or not isinstance(claims.get("exp"), int | float)
            or claims["exp"] <= now.timestamp()
            or not claims.get("sub")
        ):
            raise NotSignedInError("the issuer's answer is not about this sign-in; try again")
        if claims.get("email") and claims.get("email_verified") in {False, "false"}:
            raise NotSignedInError("the issuer has not verified your e-mail address; ask your administrator")

    def _configuration(self, origin: str) -> Json:
        issuer = origin + self._issuer if self._issuer.startswith("/") else self._issuer
        if issuer not in self._known:
            self._known[issuer] = _asked(issuer + DISCOVERY)
        return self._known[issuer]


def _asked(url: str, form: bytes | None = None) -> Json:
    """The JSON document that the issuer answers. Raises NotSignedInError, or ServiceBusyError."""
    request = Request(url, form, {"accept": "application/json"})  # noqa: S310  the stage names the issuer
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            document = json.loads(answer.read(MAX_ANSWER))
    except URLError as error:
        if getattr(error, "code", 0) in {400, 401, 403}:
            raise NotSignedInError("the issuer has refused this sign-in; try again") from None
        raise ServiceBusyError("the issuer does not answer; try again in a moment") from None
    except (OSError, ValueError):
        raise ServiceBusyError("the issuer does not answer; try again in a moment") from None
    if not isinstance(document, dict):
        raise ServiceBusyError("the issuer's answer cannot be read; try again in a moment")
    return document


def _claims(token: Any) -> Json:
    """The payload of a JSON Web Token (RFC 7519, 7.2). Raises NotSignedInError."""
    try:
        payload = str(token).split(".")[1]
        found = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        raise NotSignedInError("the issuer's answer cannot be read; try again") from None
    if not isinstance(found, dict):
        raise NotSignedInError("the issuer's answer cannot be read; try again")
    return found


def _roles(claim: Any) -> frozenset[Role]:
    """A list of names, or one text with blanks; names of other groups are ignored."""
    names = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return frozenset(role for role in Role if role.value in names)
