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
    port = free_port()
    endpoint = f"https://localhost:{port}" if trust else f"http://127.0.0.1:{port}"
    with start(port) as server:
        try:
            _wait_for(server, endpoint, within, trust)
            yield endpoint
        finally:
            _end(server)


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    deadline = time.monotonic() + END_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    server.kill()


def _wait_for(server: "subprocess.Popen[bytes]", endpoint: str, within: float, trust: SSLContext | None) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(endpoint, timeout=1, context=trust).close()  # noqa: S310  loopback
        except HTTPError as error:
            error.close()
            return  # an error is an answer too: the server runs
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ServerDidNotStartError("the server did not start; run its command by hand to see why")
