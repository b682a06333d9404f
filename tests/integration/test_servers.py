"""A server on loopback is given another port where another process took its own, and is not started for ever."""

import subprocess
import sys
from http import HTTPStatus
from urllib.request import urlopen

import pytest

from infra.local.servers import PORTS_TO_TRY, ServerDidNotStartError, on_loopback


def test_a_port_that_was_taken_meanwhile_is_exchanged_for_another() -> None:
    ports = []

    def start(port: int) -> "subprocess.Popen[bytes]":
        ports.append(port)
        if len(ports) == 1:
            return _process("raise OSError('address already in use')")
        return _process(f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')")

    with on_loopback(start, within=20) as endpoint, urlopen(endpoint, timeout=5) as answer:  # noqa: S310  loopback
        assert answer.status == HTTPStatus.OK
    assert len(ports) == 2


def test_a_server_that_never_starts_is_an_error() -> None:
    ports = []

    def start(port: int) -> "subprocess.Popen[bytes]":
        ports.append(port)
        return _process("raise SystemExit(1)")

    with pytest.raises(ServerDidNotStartError, match="by hand"), on_loopback(start, within=20):
        pass
    assert len(ports) == PORTS_TO_TRY


def _process(code: str) -> "subprocess.Popen[bytes]":
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-c", code], stdout=quiet, stderr=quiet)  # noqa: S603  our own
