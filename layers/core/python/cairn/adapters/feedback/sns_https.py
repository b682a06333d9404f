"""SNS over HTTPS, for a topic of another account or region: its signature, its subscription, and its events.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. There is no shared secret.
`sns` in the sources secret lists the ARNs of the topics that we trust.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cairn.adapters.feedback.reports import read as read_feedback
from cairn.adapters.sources.fetching import public_content
from cairn.application.events.accept_webhook import (
    Answer,
    Fetch,
    Handshake,
    PostHandshake,
    Reading,
    Request,
    fetch_nothing,
)
from cairn.domain.shared.errors import (
    InvalidEventError,
    SignatureInvalidError,
    SignatureMissingError,
    UnsignableError,
)
from cairn.domain.shared.instants import instant_from_wire

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

HOST = r"https://sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?"
CERTIFICATE = re.compile(HOST + r"/[\w-]+\.pem", re.ASCII)
"""One file without a query: the same hosts answer API calls, whose content others may control."""
CONFIRMATION = re.compile(HOST + r"/\?[!-~]+")

MAX_AGE = timedelta(hours=1)
"""The longest redelivery of SNS (its delivery policy ends after 3,600 seconds)."""

MAX_AHEAD = timedelta(minutes=5)

MAX_CERTIFICATES = 16
"""Certificates in the cache; a region has one or two."""

NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
UNSUBSCRIPTION = "UnsubscribeConfirmation"

SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
OPTIONAL = {"Subject"}

DESCRIPTION = {
    "title": "Amazon SNS over HTTPS",
    "setup": """
Only for topics of another account or region; those of the deployment reach it by themselves. Store the topics' ARNs as
the list sns, then subscribe the URL above to each (HTTPS, raw message delivery off): it is confirmed by itself.
""",
}


def fetch(url: str) -> bytes:
    """Raises ServiceBusyError: SNS posts again."""
    return public_content(url, what="what sns points to")


class SnsScheme:
    """A scheme like those of other sources, so that it can be listed; only Amazon can sign."""

    header = "none: Signature, in the body"

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        raise UnsignableError("only SNS can sign for the source sns; replay a post of the source aws instead")


@dataclass(slots=True)
class SnsSource:
    """A source for accept_webhook. `fetch` gets certificates and confirms subscriptions."""

    fetch: Callable[[str], bytes] = fetch
    name: str = "sns"
    answer: Answer = field(default_factory=lambda: Answer(status=200))
    handshake: Handshake | None = None
    post_handshake: PostHandshake | None = None
    scheme: SnsScheme = field(default_factory=SnsScheme)
    mapping: Mapping[str, Any] = field(default_factory=lambda: DESCRIPTION)
    _keys: "dict[str, RSAPublicKey]" = field(default_factory=dict)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Shape, topic, age and certificate URL are checked before anything is fetched."""
        message = _message(request.body)
        if message["TopicArn"] not in secrets:
            raise SignatureInvalidError("the topic is not one of those stored under sns in the sources secret")
        _require_recent(message["Timestamp"], now)
        key = self._key(str(message.get("SigningCertURL") or message.get("SigningCertUrl")))
        _require_signed(message, key)

    def read(self, request: Request, now: datetime, fetch: Fetch = fetch_nothing) -> Reading:  # noqa: ARG002
        """The events of a notification; a subscription is confirmed."""
        message = _message(request.body)
        if message["Type"] == NOTIFICATION:
            try:
                events = tuple(read_feedback(request.body.decode(), now))
            except InvalidEventError as error:
                return Reading(problems=error.problems)
            return Reading(events, ignored=not events)
        if message["Type"] == SUBSCRIPTION:
            self.fetch(_confirmation(message))
        return Reading(ignored=True)

    def _key(self, url: str) -> "RSAPublicKey":
        if url not in self._keys:
            if not CERTIFICATE.fullmatch(url):
                raise SignatureInvalidError("the certificate does not lie with SNS")
            key = _public_key(self.fetch(url))
            if len(self._keys) >= MAX_CERTIFICATES:
                self._keys.clear()
            self._keys[url] = key
        return self._keys[url]


def _message(body: bytes) -> Mapping[str, Any]:
    """The envelope with every signed field. Raises SignatureMissingError."""
    try:
        message = json.loads(body)
        needed = [name for name in SIGNED[message["Type"]] if name not in OPTIONAL]
        if all(isinstance(message.get(name), str) for name in (*needed, "Signature", "SignatureVersion")):
            return dict(message)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        pass
    raise SignatureMissingError("not a signed SNS message; switch raw message delivery off for this subscription")


def _require_recent(timestamp: str, now: datetime) -> None:
    try:
        at = instant_from_wire(timestamp)
    except ValueError:
        raise SignatureInvalidError("the message's timestamp is none") from None
    if not now - MAX_AGE < at < now + MAX_AHEAD:
        raise SignatureInvalidError("the message is more than an hour old, or from the future")


def _require_signed(message: Mapping[str, Any], key: "RSAPublicKey") -> None:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  40 ms that only this source pays
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415

    digests = {"1": hashes.SHA1, "2": hashes.SHA256}  # a topic signs as its attribute SignatureVersion says
    digest = digests.get(message["SignatureVersion"])
    if digest is None:
        raise SignatureInvalidError("the signature is of a version that SNS had not when this was written")
    try:
        signature = base64.b64decode(message["Signature"], validate=True)
        key.verify(signature, canonical(message), PKCS1v15(), digest())
    except (InvalidSignature, ValueError):
        raise SignatureInvalidError("the signature does not hold") from None


def canonical(message: Mapping[str, Any]) -> bytes:
    """The bytes that SNS signs: each name and value on its own line, sorted by name."""
    names = [name for name in SIGNED[message["Type"]] if message.get(name) is not None]
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode("utf-8", "surrogatepass")


def _confirmation(message: Mapping[str, Any]) -> str:
    """Where to confirm the subscription: at SNS, for this topic. Raises SignatureInvalidError."""
    url = str(message["SubscribeURL"])
    asked = parse_qs(urlsplit(url).query)
    if not CONFIRMATION.fullmatch(url) or asked.get("TopicArn") != [message["TopicArn"]]:
        raise SignatureInvalidError("the subscription is to be confirmed elsewhere than with SNS")
    return url


def _public_key(certificate: bytes) -> "RSAPublicKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    try:
        key = load_pem_x509_certificate(certificate).public_key()
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise SignatureInvalidError("what lies where the certificate should be is none")
    return key
