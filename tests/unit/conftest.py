"""Unit tests: no sockets, no clock."""

import pytest


@pytest.fixture(autouse=True)
def closed_sockets(socket_disabled: None) -> None:
    """A unit test that reaches for the network fails."""
