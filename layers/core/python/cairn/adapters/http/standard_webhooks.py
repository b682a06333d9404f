"""The signature of Standard Webhooks 1.0.0 (https://www.standardwebhooks.com), to check and to make."""

import base64
import hashlib
import hmac

from cairn.domain.shared.errors import SignatureInvalidError

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"


def mac(message_id: str, timestamp: str, body: bytes, secret: str) -> str:
    """The base64 HMAC-SHA256 of `id.timestamp.body`. Raises SignatureInvalidError where the secret is not base64."""
    content = b".".join((message_id.encode("utf-8", "surrogatepass"), timestamp.encode(), body))
    try:
        text = secret.removeprefix("whsec_")
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some issue it without padding
    except ValueError:
        raise SignatureInvalidError("the stored secret is not base64 after whsec_; store it again") from None
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
