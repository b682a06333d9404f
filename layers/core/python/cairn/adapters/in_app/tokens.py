"""Tokens of in-app inboxes: each is for one customer, for a short time, and for nothing but the inbox."""

from datetime import UTC, datetime
from hashlib import sha256

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from cairn.adapters.pages.links import MAX_TOKEN, signing_secrets
from cairn.application.ports import Secrets
from cairn.domain.shared.errors import InAppTokenError

SALT = "cairn.in-app"
"""No token of a link opens an inbox, and none of an inbox opens a link."""

REFUSED = "send `Authorization: Bearer TOKEN` with a token that your server has made within its validity"
"""One text for every refusal: a stranger learns nothing by trying."""


class InAppTokens:
    """Implements the port InboxTokens. The secret is that of links, and so is its rotation."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def token(self, customer_id: str, expires_at: datetime) -> str:
        fields = f"{customer_id} {int(expires_at.timestamp())}"
        return self._signer().sign(base64_encode(fields)).decode()

    def customer(self, token: str, now: datetime) -> str:
        """The customer whose inbox it opens. Raises InAppTokenError."""
        if len(token) > MAX_TOKEN:
            raise InAppTokenError(REFUSED)
        try:
            customer, expires = base64_decode(self._signer().unsign(token)).decode().split(" ")
            expires_at = datetime.fromtimestamp(int(expires), UTC)
        except (BadData, ValueError, TypeError, OverflowError):
            raise InAppTokenError(REFUSED) from None
        if now >= expires_at:
            raise InAppTokenError(REFUSED)
        return customer

    def _signer(self) -> Signer:
        return Signer(signing_secrets(self._secrets), salt=SALT, key_derivation="hmac", digest_method=sha256)
