"""MiniStack: a cloud on loopback that others wrote, for tests that moto cannot pass or should not pass alone."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import SSLContext

import pytest

from infra.local.servers import on_loopback

MINISTACK = Path(__file__).parents[1] / "build" / "ministack" / "bin" / "ministack"
START_SECONDS = 20


@contextmanager
def ministack(
    settings: dict[str, str], *, trust: SSLContext | None = None, log: Path = Path(os.devnull)
) -> Iterator[str]:
    """The endpoint of a MiniStack process that stores in memory, with these settings in its environment.

    Skips the test where MiniStack is not installed.
    """
    if not MINISTACK.exists():
        pytest.skip("MiniStack is not installed: make test-tools")

    def start(port: int) -> "subprocess.Popen[bytes]":
        scheme = f"https://localhost:{port}" if trust else f"http://127.0.0.1:{port}"
        own = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR", "AWS_ENDPOINT_URL": scheme}
        with log.open("wb") as output:
            return subprocess.Popen([MINISTACK], env=os.environ | own | settings, stdout=output, stderr=output)  # noqa: S603

    with on_loopback(start, within=START_SECONDS, trust=trust) as endpoint:
        yield endpoint
