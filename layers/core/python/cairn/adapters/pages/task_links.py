"""Personal links of tasks: one member, one task, for some weeks, without a login."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from cairn.adapters.pages.links import MAX_TOKEN, signing_secrets
from cairn.application.ports import Secrets
from cairn.domain.shared.errors import LinkExpiredError, LinkInvalidError

SALT = "cairn.task"
"""Links of tasks and links of messages do not open each other."""

VALIDITY = timedelta(days=30)
"""Longer than a task is open in ordinary life; each reminder brings a new link."""


@dataclass(frozen=True, slots=True)
class TaskLink:
    """Ids alone: others may store or log a link."""

    customer: str
    task: str
    member: str
    expires_at: datetime


class SignedTaskLinks:
    """Makes and reads the links."""

    def __init__(self, secrets: Secrets, *, public_url: str = "") -> None:
        self._secrets = secrets
        self._public_url = public_url.rstrip("/")

    def url(self, link: TaskLink) -> str:
        fields = (link.customer, link.task, link.member, str(int(link.expires_at.timestamp())))
        return f"{self._public_url}/tasks/{self._signer().sign(base64_encode(' '.join(fields))).decode()}"

    def read(self, token: str, now: datetime) -> TaskLink:
        """Raises LinkInvalidError or LinkExpiredError."""
        if len(token) > MAX_TOKEN:
            raise LinkInvalidError("the link is longer than any of ours")
        try:
            customer, task, member, expires = base64_decode(self._signer().unsign(token)).decode().split(" ")
            link = TaskLink(customer, task, member, datetime.fromtimestamp(int(expires), UTC))
        except (BadData, ValueError, TypeError, OverflowError):
            raise LinkInvalidError("the link is incomplete, or not one of ours") from None
        if now >= link.expires_at:
            raise LinkExpiredError("the link is too old")
        return link

    def _signer(self) -> Signer:
        secrets = signing_secrets(self._secrets)
        return Signer(secrets, salt=SALT, key_derivation="hmac", digest_method=sha256)
