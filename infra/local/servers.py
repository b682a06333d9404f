"""Servers on loopback, such as another DynamoDB, for as long as a test or a measurement runs."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

if TYPE_CHECKING:
    import subprocess


class ServerDidNotStartError(Exception):
    """A server ended, or gave no answer in time."""


@contextmanager
def on_loopback(start: Callable[[int], "subprocess.Popen[bytes]"], *, within: float) -> Iterator[str]:
    """The endpoint of a server that `start` begins on a free port, and that ends with the block.

    Raises ServerDidNotStartError where it gives no answer within so many seconds.
    """
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with start(port) as server:
        try:
            _wait_for(server, f"http://127.0.0.1:{port}", within)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait_for(server: "subprocess.Popen[bytes]", endpoint: str, within: float) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(endpoint, timeout=1).close()  # noqa: S310  loopback
        except HTTPError as error:
            error.close()
            return  # an error is an answer too: the server runs
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ServerDidNotStartError("the server did not start; run its command by hand to see why")
