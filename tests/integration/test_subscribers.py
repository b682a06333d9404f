"""Posts to subscribers over real sockets: signed as an independent library checks, and to nobody who is not meant."""

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
from cairn.application.ports import Reply
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import SecretMissingError, WebhookEndpointError, WebhookUnreachableError

OLD = "whsec_b2xkLXNlY3JldC1vZi10aGUtY3Jt"
NEW = "whsec_bmV3LXNlY3JldC1vZi10aGUtY3Jt"
DOCUMENT = {"type": "consent.changed", "data": {"customer": {"email": "zoë@example.com"}}}


@dataclass
class Crm:
    """What answers at the other end; it keeps what it was sent."""

    port: int = 0
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    speaks_http: bool = True
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def answering(crm: Crm, tls: ssl.SSLContext | None = None) -> Iterator[Crm]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            crm.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
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


def tell(url: str, *secrets: str, reach: Reach = Reach.LOOPBACK, authorities: str = "") -> Reply:
    posts = SignedWebhooks(Secrets(crm=secrets), reach, authorities=authorities)
    return posts.post(WebhookEndpoint(name="crm", url=url, secret="crm"), "ntc_1", DOCUMENT, datetime.now(UTC))


def test_an_independent_library_takes_the_signature(crm: Crm) -> None:
    assert tell(f"http://127.0.0.1:{crm.port}/in?tenant=7", NEW).status == 204

    ((path, headers, body),) = crm.got
    assert path == "/in?tenant=7"
    assert Webhook(NEW).verify(body, headers) == DOCUMENT
    assert headers["webhook-id"] == "ntc_1"
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{crm.port}"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers)


def test_while_a_secret_is_rotated_either_of_them_holds(crm: Crm) -> None:
    tell(f"http://127.0.0.1:{crm.port}", NEW, OLD)

    ((_, headers, body),) = crm.got
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(body, headers) == DOCUMENT


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_not base64!",)])
def test_nothing_goes_out_unsigned(crm: Crm, secrets: tuple[str, ...]) -> None:
    with pytest.raises(WebhookEndpointError, match="crm cannot be signed for"):
        tell(f"http://127.0.0.1:{crm.port}", *secrets)

    assert crm.got == []


def test_a_secret_that_is_nowhere_is_named_and_no_other_is_shown(crm: Crm) -> None:
    posts = SignedWebhooks(Secrets(other=(NEW,)), Reach.LOOPBACK)
    subscriber = WebhookEndpoint(name="crm", url=f"http://127.0.0.1:{crm.port}", secret="crm-key")

    with pytest.raises(WebhookEndpointError, match="crm-key") as refused:
        posts.post(subscriber, "ntc_1", DOCUMENT, datetime.now(UTC))
    assert NEW not in str(refused.value)


def test_a_redirect_is_not_followed(crm: Crm) -> None:
    with answering(Crm()) as elsewhere:
        crm.status, crm.headers = 307, {"location": f"http://127.0.0.1:{elsewhere.port}/"}

        assert tell(f"http://127.0.0.1:{crm.port}", NEW).status == 307
        assert elsewhere.got == []


def test_when_to_come_back_is_heard(crm: Crm) -> None:
    crm.status, crm.headers = 429, {"Retry-After": "120"}

    assert tell(f"http://127.0.0.1:{crm.port}", NEW) == Reply(429, "120")


def test_an_endless_answer_is_not_read(crm: Crm) -> None:
    crm.headers = {"content-length": str(10**12)}

    assert tell(f"http://127.0.0.1:{crm.port}", NEW).status == 204


def test_who_is_slow_is_not_waited_for(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_endpoints, "ANSWER_SECONDS", 0.2)
    crm.delay = 1

    started = time.monotonic()
    with pytest.raises(WebhookUnreachableError, match="ReadTimeoutError"):
        tell(f"http://127.0.0.1:{crm.port}", NEW)
    assert time.monotonic() - started < 0.9


def test_who_is_not_there_or_speaks_something_else_may_be_there_later(crm: Crm) -> None:
    crm.speaks_http = False
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))

        for port in (crm.port, nobody.getsockname()[1]):
            with pytest.raises(WebhookUnreachableError) as failed:
                tell(f"http://127.0.0.1:{port}/secret-path", NEW)
            assert "secret-path" not in str(failed.value)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433"],  # noqa: S104
)
def test_a_deployment_calls_nobody_on_its_own_machine(crm: Crm, host: str) -> None:
    with pytest.raises(WebhookEndpointError, match="not public"):
        tell(f"https://{host}:{crm.port}/", NEW, reach=Reach.PUBLIC)

    assert crm.got == []


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),  # noqa: S104
        *("255.255.255.255", "192.0.2.1", "fe80::1", "fc00::1", "fd00:ec2::254", "::", "ff02::1"),
        *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:db8::1"),
    ],
)
def test_a_name_that_leads_inside_a_network_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    lead_to(monkeypatch, "93.184.215.14", address)

    with pytest.raises(WebhookEndpointError, match="it is not called"):
        tell("https://crm.example.com/", NEW, reach=Reach.PUBLIC)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_laptop_calls_nobody_but_itself(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    lead_to(monkeypatch, address)

    with pytest.raises(WebhookEndpointError, match="it is not called"):
        tell("https://crm.example.com/", NEW)


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
def test_a_deployment_posts_by_https_to_a_host_only(url: str) -> None:
    with pytest.raises(WebhookEndpointError, match="https://"):
        tell(url, NEW, reach=Reach.PUBLIC)


def test_a_host_that_nobody_knows_may_be_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(WebhookUnreachableError, match="cannot be resolved"):
        tell("https://crm.example.com/", NEW)


def test_the_address_that_was_checked_is_the_one_that_is_called(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may lead elsewhere the next time that it is asked."""
    asked = lead_to(monkeypatch, "127.0.0.1")

    tell(f"http://crm.example.com:{crm.port}/", NEW)

    ((_, headers, _),) = crm.got
    assert headers["host"] == f"crm.example.com:{crm.port}"
    assert asked == ["crm.example.com"]


def test_the_second_family_is_tried_where_the_first_leads_nowhere(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    lead_to(monkeypatch, "::1", "127.0.0.1")  # nobody listens at ::1

    assert tell(f"http://crm.example.com:{crm.port}/", NEW).status == 204


def lead_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every name lead to these addresses; gives the names that are asked for."""
    asked: list[str] = []
    really = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host in addresses:
            return really(host, port, *rest, **more)
        asked.append(host)
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


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
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path_factory.mktemp("tls") / "certificate.pem"
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
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


def test_a_subscriber_proves_who_it_is(certificate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path, server = certificate("crm.example.com")
    lead_to(monkeypatch, "127.0.0.1")

    with answering(Crm(), server) as crm:
        assert tell(f"https://crm.example.com:{crm.port}/in", NEW, authorities=str(path)).status == 204
        ((_, headers, body),) = crm.got

    assert Webhook(NEW).verify(body, headers) == json.loads(body)


@pytest.mark.parametrize(("host", "trusted"), [("other.example.com", True), ("crm.example.com", False)])
def test_who_cannot_prove_it_is_told_nothing(
    certificate: Any,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    trusted: bool,  # noqa: FBT001
) -> None:
    path, server = certificate(host)
    lead_to(monkeypatch, "127.0.0.1")

    with answering(Crm(), server) as crm:
        with pytest.raises(WebhookUnreachableError, match="SSLError"):
            tell(f"https://crm.example.com:{crm.port}/in", NEW, authorities=str(path) if trusted else "")
        assert crm.got == []
