"""Unit tests: no sockets, no clock, the same examples on every run."""

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "unit",
    deadline=None,  # a shared core is slow at times, and that is no failure
    derandomize=True,  # a red build is red again on a laptop
    database=None,
    max_examples=60,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),  # explaining a failure can take minutes
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def closed_sockets(socket_disabled: None) -> None:
    """A unit test that reaches for the network fails."""
