"""Posts to webhook endpoints over real sockets: an independent library verifies them, and no other host is called."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from cairn.adapters.http import webhook_endpoints
from cairn.adapters.http.webhook_endpoints import Reach, SignedWebhooks
from cairn.application.values.webhooks import Reply
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import SecretMissingError, WebhookEndpointError, WebhookUnreachableError

OLD = "whsec_b2xkLXNlY3JldC1vZi10aGUtY3Jt"
NEW = "whsec_bmV3LXNlY3JldC1vZi10aGUtY3Jt"
DOCUMENT = {"type": "consent.changed", "data": {"customer": {"email": "zoë@example.com"}}}


@dataclass
class Crm:
    """The server at the other end; it records its requests."""

    port: int = 0
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    speaks_http: bool = True
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def answering(crm: Crm, tls: ssl.SSLContext | None = None) -> Iterator[Crm]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            crm.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(crm.delay)
            if not crm.speaks_http:
                self.wfile.write(b"220 mail.example.com ESMTP\r\n")
                return
            self.send_response(crm.status)
            for name, value in crm.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    crm.port = server.server_port
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield crm
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def crm() -> Iterator[Crm]:
    with answering(Crm()) as one:
        yield one


class Secrets(dict[str, tuple[str, ...]]):
    def of(self, source: str) -> tuple[str, ...]:
        if source not in self:
            raise SecretMissingError(f"no secret is called {source}")
        return self[source]


def post(url: str, *secrets: str, reach: Reach = Reach.LOOPBACK, authorities: str = "") -> Reply:
    webhooks = SignedWebhooks(Secrets(crm=secrets), reach, authorities=authorities)
    return webhooks.post(WebhookEndpoint(name="crm", url=url, secret="crm"), "ntc_1", DOCUMENT, datetime.now(UTC))


def test_an_independent_library_verifies_the_signature(crm: Crm) -> None:
    assert post(f"http://127.0.0.1:{crm.port}/in?tenant=7", NEW).status == 204

    ((path, headers, body),) = crm.requests
    assert path == "/in?tenant=7"
    assert Webhook(NEW).verify(body, headers) == DOCUMENT
    assert headers["webhook-id"] == "ntc_1"
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{crm.port}"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers)


def test_during_a_rotation_either_secret_verifies(crm: Crm) -> None:
    post(f"http://127.0.0.1:{crm.port}", NEW, OLD)

    ((_, headers, body),) = crm.requests
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(body, headers) == DOCUMENT


@pytest.mark.parametrize("weak", ["", "whsec_", "whsec_not base64!", "whsec_c2hvcnQ=", "AAAAAAAAAAAAAAAA"])
def test_a_secret_that_is_none_signs_nothing_and_its_neighbour_signs(crm: Crm, weak: str) -> None:
    post(f"http://127.0.0.1:{crm.port}", weak, NEW)

    ((_, headers, body),) = crm.requests
    assert len(headers["webhook-signature"].split()) == 1
    assert Webhook(NEW).verify(body, headers) == DOCUMENT


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_not base64!",), ("whsec_",), ("whsec_c2hvcnQ=",)])
def test_no_delivery_is_sent_unsigned(crm: Crm, secrets: tuple[str, ...]) -> None:
    with pytest.raises(WebhookEndpointError, match="crm cannot be signed for"):
        post(f"http://127.0.0.1:{crm.port}", *secrets)

    assert crm.requests == []


def test_the_error_names_the_missing_secret_and_shows_no_other(crm: Crm) -> None:
    webhooks = SignedWebhooks(Secrets(other=(NEW,)), Reach.LOOPBACK)
    endpoint = WebhookEndpoint(name="crm", url=f"http://127.0.0.1:{crm.port}", secret="crm-key")

    with pytest.raises(WebhookEndpointError, match="crm-key") as refused:
        webhooks.post(endpoint, "ntc_1", DOCUMENT, datetime.now(UTC))
    assert NEW not in str(refused.value)


def test_a_redirect_is_not_followed(crm: Crm) -> None:
    with answering(Crm()) as elsewhere:
        crm.status, crm.headers = 307, {"location": f"http://127.0.0.1:{elsewhere.port}/"}

        assert post(f"http://127.0.0.1:{crm.port}", NEW).status == 307
        assert elsewhere.requests == []


def test_the_reply_has_the_retry_after_header(crm: Crm) -> None:
    crm.status, crm.headers = 429, {"Retry-After": "120"}

    assert post(f"http://127.0.0.1:{crm.port}", NEW) == Reply(429, "120")


def test_a_huge_response_body_is_not_read(crm: Crm) -> None:
    crm.headers = {"content-length": str(10**12)}

    assert post(f"http://127.0.0.1:{crm.port}", NEW).status == 204


def test_a_slow_endpoint_times_out(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_endpoints, "ANSWER_SECONDS", 0.2)
    crm.delay = 1

    started = time.monotonic()
    with pytest.raises(WebhookUnreachableError, match="ReadTimeoutError"):
        post(f"http://127.0.0.1:{crm.port}", NEW)
    assert time.monotonic() - started < 0.9


def test_an_endpoint_that_is_down_or_speaks_no_http_is_unreachable(crm: Crm) -> None:
    crm.speaks_http = False
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))

        for port in (crm.port, unused.getsockname()[1]):
            with pytest.raises(WebhookUnreachableError) as failed:
                post(f"http://127.0.0.1:{port}/secret-path", NEW)
            assert "secret-path" not in str(failed.value)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433"],  # noqa: S104
)
def test_a_deployment_calls_no_loopback_address(crm: Crm, host: str) -> None:
    with pytest.raises(WebhookEndpointError, match="not public"):
        post(f"https://{host}:{crm.port}/", NEW, reach=Reach.PUBLIC)

    assert crm.requests == []


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),  # noqa: S104
        *("255.255.255.255", "192.0.2.1", "fe80::1", "fc00::1", "fd00:ec2::254", "::", "ff02::1"),
        *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:db8::1"),
    ],
)
def test_a_name_that_resolves_to_a_non_public_address_is_not_called(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolve_to(monkeypatch, "93.184.215.14", address)

    with pytest.raises(WebhookEndpointError, match="it is not called"):
        post("https://crm.example.com/", NEW, reach=Reach.PUBLIC)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_local_deployment_calls_loopback_addresses_only(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolve_to(monkeypatch, address)

    with pytest.raises(WebhookEndpointError, match="it is not called"):
        post("https://crm.example.com/", NEW)


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.com/in",
        "ftp://crm.example.com/in",
        "https:///in",
        "https://user:password@crm.example.com/in",
        "https://crm.exämple.com/in",
        "crm.example.com/in",
        "https://crm.example.com:port/",
        "",
    ],
)
def test_a_deployment_refuses_a_url_that_is_not_plain_https(url: str) -> None:
    with pytest.raises(WebhookEndpointError, match="https://"):
        post(url, NEW, reach=Reach.PUBLIC)


def test_a_host_that_does_not_resolve_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(WebhookUnreachableError, match="cannot be resolved"):
        post("https://crm.example.com/", NEW)


def test_the_called_address_is_the_checked_one(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may resolve to another address the next time."""
    lookups = resolve_to(monkeypatch, "127.0.0.1")

    post(f"http://crm.example.com:{crm.port}/", NEW)

    ((_, headers, _),) = crm.requests
    assert headers["host"] == f"crm.example.com:{crm.port}"
    assert lookups == ["crm.example.com"]


def test_ipv4_is_tried_after_ipv6_failed(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "::1", "127.0.0.1")  # nothing listens on ::1

    assert post(f"http://crm.example.com:{crm.port}/", NEW).status == 204


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every host name resolve to these addresses; gives the names that were looked up."""
    lookups: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host in addresses:
            return real(host, port, *rest, **more)
        lookups.append(host)
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return lookups


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, ssl.SSLContext]]:
    """A certificate for a name: the file of its authority, and what a server needs."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def make(host: str) -> tuple[Path, ssl.SSLContext]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        now = datetime.now(UTC)
        certificate_bytes = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path_factory.mktemp("tls") / "certificate.pem"
        path.write_bytes(certificate_bytes.public_bytes(serialization.Encoding.PEM))
        private = path.with_name("key.pem")
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(path, private)
        return path, server

    return make


def test_an_endpoint_with_a_trusted_certificate_gets_the_delivery(
    certificate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, server = certificate("crm.example.com")
    resolve_to(monkeypatch, "127.0.0.1")

    with answering(Crm(), server) as crm:
        assert post(f"https://crm.example.com:{crm.port}/in", NEW, authorities=str(path)).status == 204
        ((_, headers, body),) = crm.requests

    assert Webhook(NEW).verify(body, headers) == json.loads(body)


@pytest.mark.parametrize(("host", "trusted"), [("other.example.com", True), ("crm.example.com", False)])
def test_an_endpoint_without_a_trusted_certificate_gets_nothing(
    certificate: Any,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    trusted: bool,  # noqa: FBT001
) -> None:
    path, server = certificate(host)
    resolve_to(monkeypatch, "127.0.0.1")

    with answering(Crm(), server) as crm:
        with pytest.raises(WebhookUnreachableError, match="SSLError"):
            post(f"https://crm.example.com:{crm.port}/in", NEW, authorities=str(path) if trusted else "")
        assert crm.requests == []
