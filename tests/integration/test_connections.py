"""The connections of the SDK's clients, over loopback."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from cairn.adapters import aws

LONG = 5.0
"""Seconds until a test gives up."""


class Service(ThreadingHTTPServer):
    """A service of AWS that keeps its connections open, and says when one begins and ends."""

    daemon_threads = True

    def __init__(self) -> None:
        self.said: Queue[str] = Queue()
        super().__init__(("127.0.0.1", 0), Answers)

    def says(self) -> str:
        return self.said.get(timeout=LONG)


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def setup(self) -> None:
        super().setup()
        self.server.said.put("opened")

    def finish(self) -> None:
        super().finish()
        self.server.said.put("closed")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Service() as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{made.server_port}")
        Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_a_client_whose_connections_were_closed_opens_another_one(service: Service) -> None:
    client = aws.client("secretsmanager")
    client.list_secrets()
    client.list_secrets()
    assert service.says() == "opened"
    assert service.said.empty(), "both calls by one connection"

    aws.close_connections()

    assert service.says() == "closed"
    client.list_secrets()
    assert service.says() == "opened"
    aws.close_connections()
