"""A vendor is asked for what its webhook points to: with a token that nobody else sees, and without redirects."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from cairn.adapters.sources.fetching import document_at, public_content
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError

TOKEN = "EAAG-a-token-of-the-page"


class Vendor(BaseHTTPRequestHandler):
    """Answers by its path: a status, or the headers that it was asked with."""

    def do_GET(self) -> None:
        status = int(self.path.strip("/") or 200)
        body = json.dumps({"token": self.headers.get("authorization")}).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/200")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def vendor() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Vendor) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_vendor_gets_the_token_in_a_header(vendor: str) -> None:
    assert document_at(f"{vendor}/200", TOKEN) == {"token": f"Bearer {TOKEN}"}


def test_a_vendor_gets_no_token_for_what_everybody_may_read(vendor: str) -> None:
    assert json.loads(public_content(f"{vendor}/200", what="a key")) == {"token": None}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, ServiceRefusedError) for status in (302, 400, 401, 403, 404)),
        *((status, ServiceBusyError) for status in (429, 500, 503)),
    ],
)
def test_a_vendor_that_does_not_give_it_is_believed_and_no_error_has_the_token(
    vendor: str, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match=str(status)) as caught:
        document_at(f"{vendor}/{status}", TOKEN)
    assert TOKEN not in repr(caught.value)


def test_a_vendor_that_is_not_there_is_asked_again() -> None:
    with pytest.raises(ServiceBusyError, match="cannot be fetched"):
        document_at("http://127.0.0.1:1/", TOKEN)
