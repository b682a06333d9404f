"""Signed links: until one expires, it opens its customer's preferences without a login."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from cairn.application.ports import Secrets
from cairn.domain.consent.links import Link, LinkKind
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.domain.message.message import Message
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import IdentityKeyError, LinkExpiredError, LinkInvalidError, SecretUnusableError
from cairn.domain.shared.secrets import MIN_SECRET_BYTES, usable
from cairn.settings import LINK_VALIDITY

SECRET = "links"  # noqa: S105  its key in the JSON object in Secrets Manager, beside those of sources
"""Rotated by listing the new one before the old: the first signs, all verify."""

MAX_TOKEN = 1024
"""Characters; ours have about 220."""


class SignedLinks:
    """Makes and reads links. Each kind has its own signature: a link of one kind does not open another."""

    def __init__(self, secrets: Secrets, *, key: SuppressionKey | None = None, public_url: str = "") -> None:
        """Only `of` needs the key."""
        self._secrets = secrets
        self._key = key
        self._public_url = public_url.rstrip("/")

    def of(self, message: Message, channel: Channel, address: str) -> Mapping[str, str]:
        """The same links whenever the message is rendered again."""
        if self._key is None:
            raise IdentityKeyError("links cannot be made without the key of addresses")
        link = Link(
            customer=message.customer,
            message=message.id,
            channel=channel,
            key=suppression_key(channel, address, self._key),
            purpose=Purpose.MARKETING,
            expires_at=message.decided_at + LINK_VALIDITY,
        )
        return {kind.value: f"{self._public_url}/{kind}/{self.token(kind, link)}" for kind in LinkKind}

    def token(self, kind: LinkKind, link: Link) -> str:
        expires = str(int(link.expires_at.timestamp()))
        fields = (link.customer, link.message, link.channel.value, link.key, link.purpose.value, expires)
        return self._signer(kind).sign(base64_encode(" ".join(fields))).decode()

    def read(self, kind: LinkKind, token: str, now: datetime) -> Link:
        if len(token) > MAX_TOKEN:
            raise LinkInvalidError("the link is longer than any of ours")
        try:
            fields = base64_decode(self._signer(kind).unsign(token)).decode()
            customer, message, channel, key, purpose, expires = fields.split(" ")
            expires_at = datetime.fromtimestamp(int(expires), UTC)
            link = Link(customer, message, Channel(channel), key, Purpose(purpose), expires_at)
        except (BadData, ValueError, TypeError):
            raise LinkInvalidError("the link is incomplete, or not one of ours") from None
        if now >= link.expires_at:
            raise LinkExpiredError("the link is too old")
        return link

    def _signer(self, kind: LinkKind) -> Signer:
        secrets = signing_secrets(self._secrets)
        return Signer(secrets, salt=f"cairn.{kind}", key_derivation="hmac", digest_method=sha256)


def signing_secrets(secrets: Secrets) -> tuple[str, ...]:
    """The newest last: it signs, all verify. Raises SecretUnusableError."""
    newest_last = usable(secrets.of(SECRET))[::-1]
    if not newest_last:
        raise SecretUnusableError(f"no stored secret of {SECRET} is usable: each has {MIN_SECRET_BYTES} bytes or more")
    return newest_last
