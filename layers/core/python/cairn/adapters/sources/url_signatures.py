"""Signature schemes that sign the URL as well: it must be the one that the vendor called."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from cairn.adapters.sources.bodies import form_of
from cairn.adapters.sources.signatures import (
    ALGORITHMS,
    Covered,
    digest_of,
    given_in,
    needed,
    require_any,
    require_known,
)
from cairn.adapters.sources.signed_text import (
    BODY,
    URL,
    Freshness,
    InvalidSourceError,
    SignedText,
    encoded,
    to_bytes,
)
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import MalformedBodyError, SignatureInvalidError, SignatureMissingError

ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^/:?#]*)(?P<port>:\d+)?(?P<rest>.*)", re.DOTALL)

HUBSPOT_DECODES = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
"""The escapes that receivers decode before hashing, by HubSpot's documentation; no others."""

CUSTOMER_FIELDS = ("From", "To")
CUSTOMER = re.compile(r"(?:[a-z]+:)*(?:\+?\d{7,}|[A-Z]{2}\.\w+)")
"""How Twilio writes a customer in those fields: in E.164, of seven digits or more, or by a WhatsApp user id."""

SHORTEST_NUMBER = 7
"""Digits; the shortest that E164_SHAPE takes for a number."""


@dataclass(frozen=True, slots=True)
class Twilio:
    """https://www.twilio.com/docs/usage/webhooks/webhooks-security: HMAC over the URL and the sorted form fields.

    Any other body is signed by its SHA-256 in the query. So the URL says which of the two it is; the Content-Type,
    which nobody signs, says nothing. Twilio signs with and without the port, so both count; `fragments` are
    connection overrides (`#rc=5&rp=all`) of Twilio's URL, which never reach us.
    """

    header: str = "X-Twilio-Signature"
    settings_header: str = "X-Twilio-Webhooks-Signature-Settings"
    fragments: Sequence[str] = ("rc=5&rp=all",)
    origin: str = ""
    """The public `https://host`, where a proxy changes the host."""
    signed_headers: ClassVar[Sequence[str]] = ()
    signs_url: ClassVar[bool] = True
    signs_body: ClassVar[bool] = True

    def covered(self, request: Request) -> Covered:
        """The order of a form's fields and their escapes are not signed, so the fields count and not the bytes.

        Raises MalformedBodyError where the signed text can be divided into fields of another customer.
        """
        if _body_hash(request):
            return Covered(request.body, as_form=False)
        text = _without_port(_public(request.url, self.origin)) + _signed_fields(request)
        _require_one_customer(text, form_of(request.body))
        return Covered(to_bytes(text), as_form=True)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002
        given = request.headers.get(self.header.lower(), "").strip()
        if not given:
            raise SignatureMissingError(f"the request needs the header {self.header}")
        algorithm = _algorithm(request.headers.get(self.settings_header.lower(), ""))
        _require_body_hash(request)
        fields = _signed_fields(request)
        urls = [
            url + fragment
            for url in _with_and_without_port(_public(request.url, self.origin))
            for fragment in ("", *(f"#{one}" for one in self.fragments))
        ]
        require_any([given], {_mac(url + fields, secret, algorithm) for secret in secrets if secret for url in urls})

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        url = _public(request.url, self.origin)
        return {
            self.header: _mac(url + _signed_fields(request), secret, "sha1"),
            "I-Twilio-Idempotency-Token": message_id,
        }


@dataclass(frozen=True, slots=True)
class HubSpot:
    """https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests, version 3.

    base64 HMAC-SHA256 over method, URI, body and the milliseconds of the timestamp header.
    """

    header: str = "X-HubSpot-Signature-v3"
    timestamp_header: str = "X-HubSpot-Request-Timestamp"
    origin: str = ""
    signs_url: ClassVar[bool] = True
    signs_body: ClassVar[bool] = True

    @property
    def signed_headers(self) -> Sequence[str]:
        return [self.timestamp_header.lower()]

    def covered(self, request: Request) -> Covered:
        name = self.timestamp_header.lower()
        return Covered(request.body, {name: request.headers[name]} if name in request.headers else {})

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        given = request.headers.get(self.header.lower(), "").strip()
        timestamp = request.headers.get(self.timestamp_header.lower(), "")
        if not (given and timestamp):
            raise SignatureMissingError(f"the request needs the headers {self.header} and {self.timestamp_header}")
        Freshness("milliseconds").require(timestamp, now)
        url = _public(request.url, self.origin)
        contents = [self._content(request, one, timestamp) for one in {url, _hubspot_decoded(url)}]
        require_any([given], {_b64(content, secret) for content in contents for secret in secrets if secret})

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        timestamp = str(int(now.timestamp() * 1000))
        content = self._content(request, _hubspot_decoded(_public(request.url, self.origin)), timestamp)
        return {self.timestamp_header: timestamp, self.header: _b64(content, secret)}

    @staticmethod
    def _content(request: Request, url: str, timestamp: str) -> bytes:
        return to_bytes(request.method + url) + request.body + timestamp.encode()


@dataclass(frozen=True, slots=True)
class UrlBodyHmac:
    """An HMAC of the URL and the body, in the order of `signed`: Square's URL first, Trello's body first.

    Nothing stands between the two, so the body must be JSON: a form could be divided anew, with other fields in it.
    """

    header: str
    algorithm: str = "sha256"
    encoding: str = "base64"
    prefix: str = ""
    signed: str = "{url}{body}"
    origin: str = ""
    """The public `https://host`, where a proxy changes the host."""
    signed_headers: ClassVar[Sequence[str]] = ()
    signs_url: ClassVar[bool] = True
    signs_body: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_known(self.header, self.algorithm, self.encoding)
        SignedText(self.signed).require(self.header, (BODY, URL), timestamp=False)
        if URL not in SignedText(self.signed).parts:
            raise InvalidSourceError(
                f"{self.header}: `signed` holds {{url}} and {{body}}; without a URL, use body-hmac"
            )

    def covered(self, request: Request) -> Covered:
        return Covered(request.body, as_form=False)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002
        given = given_in(request, self.header, self.prefix, self.encoding)
        if not given:
            raise SignatureMissingError(needed(self.header))
        require_any([given], {self._mac(request, secret) for secret in secrets if secret})

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        return {self.header: self._mac(request, secret)}

    def _mac(self, request: Request, secret: str) -> str:
        content = SignedText(self.signed).of(request.body, {URL: _public(request.url, self.origin)})
        return self.prefix + encoded(digest_of(content, secret, self.algorithm), self.encoding)


def _public(url: str, origin: str) -> str:
    match = ORIGIN.fullmatch(url)
    return origin.rstrip("/") + match["rest"] if origin and match else url


def _with_and_without_port(url: str) -> Iterator[str]:
    yield url
    match = ORIGIN.fullmatch(url)
    if match:
        standard = "443" if match["scheme"] == "https" else "80"
        yield f"{match['scheme']}://{match['host']}{match['rest']}"
        yield f"{match['scheme']}://{match['host']}:{standard}{match['rest']}"


def _without_port(url: str) -> str:
    match = ORIGIN.fullmatch(url)
    return f"{match['scheme']}://{match['host']}{match['rest']}" if match else url


def _require_one_customer(text: str, form: Mapping[str, Sequence[str]]) -> None:
    """Twilio signs names and values without a border between them, and a customer chooses some of the values.

    In a message with the text `hiFrom+12015550199`, a stranger could move the borders so that it is from that number.
    """
    for name in CUSTOMER_FIELDS:
        numbers = [one for one in form.get(name, ()) if sum(map(str.isdigit, one)) >= SHORTEST_NUMBER]
        written_otherwise = not all(CUSTOMER.fullmatch(one) for one in numbers)
        if written_otherwise or len(re.findall(f"{name}(?={CUSTOMER.pattern})", text)) > 1:
            raise MalformedBodyError(f"the signed text can be read as {name} several customers")


def _signed_fields(request: Request) -> str:
    """The text after the URL: name and value of every field, sorted; each value of a repeated field once."""
    fields = {} if _body_hash(request) else form_of(request.body)
    return "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))


def _require_body_hash(request: Request) -> None:
    """Any other body than a form is signed by its hash in the URL."""
    claimed = _body_hash(request)
    if claimed and not hmac.compare_digest(claimed, hashlib.sha256(request.body).hexdigest().encode()):
        raise SignatureInvalidError("the body is not the one whose SHA-256 stands in the URL as bodySHA256")


def _body_hash(request: Request) -> bytes:
    """The `bodySHA256` of the URL, which is signed; empty for a form."""
    try:
        return to_bytes(parse_qs(urlsplit(request.url).query).get("bodySHA256", [""])[0].lower())
    except ValueError:
        return b""


def _algorithm(settings: str) -> str:
    """Read from `key=…,algorithm=HMAC_SHA256`, which an account may choose; otherwise SHA-1."""
    named = dict(part.strip().partition("=")[::2] for part in settings.split(",")).get("algorithm", "").upper()
    if named not in ("", "HMAC_SHA1", "HMAC_SHA256"):
        raise SignatureInvalidError("the signature's algorithm is neither HMAC_SHA1 nor HMAC_SHA256")
    return "sha256" if named == "HMAC_SHA256" else "sha1"


def _mac(content: str, secret: str, algorithm: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), to_bytes(content), ALGORITHMS[algorithm]).digest()).decode()


def _b64(content: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()


def _hubspot_decoded(url: str) -> str:
    return re.sub("%[0-9A-Fa-f]{2}", lambda found: HUBSPOT_DECODES.get(found[0].upper(), found[0]), url)
