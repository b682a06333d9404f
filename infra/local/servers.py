"""Servers on loopback, such as another DynamoDB, for as long as a test or a measurement runs."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

if TYPE_CHECKING:
    import subprocess


PORTS_TO_TRY = 3
"""A port that was free may be taken before the server listens to it: many tests run beside each other."""

END_SECONDS = 3
"""How long a server may take to end by itself; some wait half a minute for clients that say no goodbye."""


class ServerDidNotStartError(Exception):
    """A server ended, or gave no answer in time."""


def free_port() -> int:
    """A port of loopback that nobody listens to."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@contextmanager
def on_loopback(
    start: Callable[[int], "subprocess.Popen[bytes]"], *, within: float, trust: SSLContext | None = None
) -> Iterator[str]:
    """The endpoint of a server that `start` begins on a free port, and that ends with the block.

    With `trust` it is https, and its certificate is one for `localhost`.
    Raises ServerDidNotStartError where it gives no answer within so many seconds.
    """
    server, endpoint = _start(start, within, trust)
    with server:
        try:
            yield endpoint
        finally:
            _end(server)


def _start(
    start: Callable[[int], "subprocess.Popen[bytes]"], within: float, trust: SSLContext | None
) -> tuple["subprocess.Popen[bytes]", str]:
    for _ in range(PORTS_TO_TRY):
        port = free_port()
        endpoint = f"https://localhost:{port}" if trust else f"http://127.0.0.1:{port}"
        server = start(port)
        if _answers(server, endpoint, within, trust):
            return server, endpoint
        ended = server.poll() is not None
        _end(server)
        server.wait()
        if not ended:
            break
    raise ServerDidNotStartError("the server did not start; run its command by hand to see why")


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    deadline = time.monotonic() + END_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    server.kill()


def _answers(server: "subprocess.Popen[bytes]", endpoint: str, within: float, trust: SSLContext | None) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(endpoint, timeout=1, context=trust).close()  # noqa: S310  loopback
        except HTTPError as error:
            error.close()
            return True  # an error is an answer too: the server runs
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False
