"""The signature of Standard Webhooks 1.0.0 (https://www.standardwebhooks.com), to check and to make."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from cairn.domain.shared.errors import SecretUnusableError
from cairn.domain.shared.secrets import MIN_SECRET_BYTES, STANDARD_WEBHOOKS

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"


def mac(message_id: str, timestamp: str, body: bytes, secret: str) -> str:
    """The base64 HMAC-SHA256 of `id.timestamp.body`. Raises SecretUnusableError where the secret is not base64."""
    content = b".".join((message_id.encode("utf-8", "surrogatepass"), timestamp.encode(), body))
    return base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()).decode()


def problem_of_key(secret: str) -> str:
    """Why a secret holds no key, as the end of a sentence; empty where it holds one."""
    try:
        size = len(_key(secret))
    except SecretUnusableError:
        return "is not base64 after whsec_"
    return "" if size >= MIN_SECRET_BYTES else f"has {size} bytes; it needs {MIN_SECRET_BYTES} or more"


def with_keys(secrets: Iterable[str]) -> list[str]:
    """Those of the secrets that hold a key. Raises SecretUnusableError where none does."""
    found = [one for one in secrets if not problem_of_key(one)]
    if not found:
        raise SecretUnusableError(
            f"no stored secret is usable: each is base64 of {MIN_SECRET_BYTES} bytes or more, after whsec_"
        )
    return found


def _key(secret: str) -> bytes:
    text = secret.removeprefix(STANDARD_WEBHOOKS)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some issue it without padding
    except ValueError:
        raise SecretUnusableError("the stored secret is not base64 after whsec_; store it again") from None
