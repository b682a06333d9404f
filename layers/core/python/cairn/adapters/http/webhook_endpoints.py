"""Posts deliveries to webhook endpoints by Standard Webhooks 1.0.0 (https://www.standardwebhooks.com)."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.http.standard_webhooks import ID, SIGNATURE, TIMESTAMP, mac, with_keys
from cairn.application.ports import Secrets
from cairn.application.values.webhooks import Reply
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import (
    SecretMissingError,
    WebhookEndpointError,
    WebhookUnreachableError,
)

CONNECT_SECONDS = 3
ANSWER_SECONDS = 15
"""The least that Standard Webhooks recommends, and the most that leaves a function of 30 seconds its own."""

BODY_SECONDS = 5
"""For the body of an answer that came in time."""

USER_AGENT = "Cairn-Webhooks/1"

NAT64 = IPv6Network("64:ff9b::/96")
"""Carries an IPv4 address in its last 32 bits (RFC 6052)."""

Address = IPv4Address | IPv6Address


class Reach(StrEnum):
    """The addresses that may be called: public ones from a deployment, loopback ones from a laptop."""

    PUBLIC = "public"
    LOOPBACK = "loopback"

    def allows(self, address: Address) -> bool:
        carried_address = _carried(address)
        if self is Reach.LOOPBACK:
            return carried_address.is_loopback
        return all(one.is_global and not one.is_multicast for one in (address, carried_address))


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint's URL in its parts."""

    tls: bool
    host: str
    port: int
    netloc: str
    path: str

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, reach: Reach) -> Self:
        """Checked when policy.toml is read, and again before each post. Raises WebhookEndpointError."""
        url = urlsplit(endpoint.url)
        schemes = {"https", "http"} if reach is Reach.LOOPBACK else {"https"}
        try:
            port = url.port or (443 if url.scheme == "https" else 80)
        except ValueError:
            port = 0
        if not (url.scheme in schemes and url.hostname and port and "@" not in url.netloc and url.netloc.isascii()):
            raise WebhookEndpointError(f"the URL of {endpoint.name} must begin with https:// and name a host, no user")
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        return cls(url.scheme == "https", url.hostname, port, url.netloc, path)


class SignedWebhooks:
    """Implements the port WebhookEndpoints: one POST, signed with every secret of the endpoint.

    The request goes to the address that was checked, so that a changed DNS record cannot redirect it. Redirects are not
    followed, and of the answer's body no more is read than was asked for.
    """

    def __init__(self, secrets: Secrets, reach: Reach, *, authorities: str = "") -> None:
        self._secrets = secrets
        self._reach = reach
        self._authorities = authorities

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once, since it is slow to read the authorities. AWS_CA_BUNDLE has AWS's own only."""
        return ssl.create_default_context(cafile=self._authorities or get_cert_path(True))  # noqa: FBT003

    def post(
        self, endpoint: WebhookEndpoint, delivery_id: str, document: Mapping[str, Any], now: datetime, read: int = 0
    ) -> Reply:
        target = Target.of(endpoint, self._reach)
        body = to_json(document).encode()
        headers = {
            "content-type": "application/json",
            "host": target.netloc,
            "user-agent": USER_AGENT,
            **self._signed(endpoint, delivery_id, body, now),
        }
        addresses = self._addresses(endpoint.name, target)
        for number, address in enumerate(addresses, 1):
            try:
                return self._post(target, address, headers, body, read)
            except (ConnectTimeoutError, NewConnectionError) as error:
                if number == len(addresses):
                    raise _unreachable(error) from None
            except HTTPError as error:
                raise _unreachable(error) from None
        raise WebhookUnreachableError("has no address")

    def _signed(self, endpoint: WebhookEndpoint, delivery_id: str, body: bytes, now: datetime) -> dict[str, str]:
        timestamp = str(int(now.timestamp()))
        try:
            secrets = with_keys(self._secrets.of(endpoint.secret))
        except SecretMissingError as error:
            raise WebhookEndpointError(f"{endpoint.name} cannot be signed for: {error}") from None
        signatures = [f"v1,{mac(delivery_id, timestamp, body, secret)}" for secret in secrets]
        return {ID: delivery_id, TIMESTAMP: timestamp, SIGNATURE: " ".join(signatures)}

    def _addresses(self, name: str, target: Target) -> list[str]:
        """Where the host lies; one of each family. Raises WebhookEndpointError where any of it is out of reach."""
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise WebhookUnreachableError(f"has a host that cannot be resolved: {type(error).__name__}") from None
        by_family: dict[int, str] = {}
        for family, _, _, _, socket_address in found:
            if not self._reach.allows(ip_address(str(socket_address[0]).partition("%")[0])):
                raise WebhookEndpointError(
                    f"the host of {name} has an address that is not {self._reach}: it is not called"
                )
            by_family.setdefault(family, str(socket_address[0]))
        return list(by_family.values())

    def _post(self, target: Target, address: str, headers: Mapping[str, str], body: bytes, read: int) -> Reply:
        timeout = Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
        pool = (
            HTTPSConnectionPool(
                address, target.port, timeout=timeout, ssl_context=self._tls, server_hostname=target.host
            )
            if target.tls
            else HTTPConnectionPool(address, target.port, timeout=timeout)
        )
        with pool:
            answer = pool.urlopen(
                "POST", target.path, body, headers, retries=False, redirect=False, preload_content=False
            )
            try:
                return Reply(answer.status, answer.headers.get("retry-after", ""), _body(answer, read))
            finally:
                answer.close()


def _body(answer: BaseHTTPResponse, read: int) -> bytes:
    """So many bytes at most, as far as they can be read in time; an answer without a body is an answer."""
    ends, found = monotonic() + BODY_SECONDS, b""
    try:
        while len(found) < read and monotonic() < ends and (part := answer.read1(read - len(found))):
            found += part
    except (HTTPError, OSError):
        return b""
    return found


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    carried = IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or carried or address


def _unreachable(error: HTTPError) -> WebhookUnreachableError:
    """Without its text, which names the URL."""
    return WebhookUnreachableError(f"did not answer: {type(error).__name__}")
