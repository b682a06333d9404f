"""A topic that signs as SNS does."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

ARN = "arn:aws:sns:eu-west-1:123456789012:cairn-feedback"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE_URL = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37fb"
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


@dataclass
class Topic:
    """`certificates` is what lies at each URL; `asked` is what was fetched."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    asked: list[str] = field(default_factory=list)
    certificates: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.certificates[CERTIFICATE_URL] = self.certificate()

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        return self.certificates.get(url, b"")

    def certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        from_, to = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
        made = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number(), from_, to)
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def notification(self, message: Any, now: datetime, **more: Any) -> dict[str, Any]:
        text = message if isinstance(message, str) else json.dumps(message)
        return self.signed({"Type": "Notification", "Message": text}, now, **more)

    def confirmation(self, now: datetime, **more: Any) -> dict[str, Any]:
        asks = {
            "Type": "SubscriptionConfirmation",
            "Message": "You have chosen to subscribe to the topic.",
            "Token": "2336412f37fb",
            "SubscribeURL": SUBSCRIBE_URL,
        }
        return self.signed(asks, now, **more)

    def signed(
        self,
        envelope: Mapping[str, Any],
        now: datetime,
        *,
        version: str = "2",
        age: timedelta = timedelta(),
        **more: Any,
    ) -> dict[str, Any]:
        message = {
            "MessageId": "0c6b8a5e-0000-5000-8000-000000000001",
            "TopicArn": ARN,
            "Timestamp": (now - age).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE_URL,
            **envelope,
            **more,
        }
        content = "".join(f"{name}\n{message[name]}\n" for name in SIGNED if message.get(name) is not None)
        digest = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303  SNS's own choice
        signature = self.key.sign(content.encode(), padding.PKCS1v15(), digest)
        return message | {"Signature": base64.b64encode(signature).decode()}
