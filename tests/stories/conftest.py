"""What several stories begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import Opens, shops


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    """Opens a shop, which is a local deployment with a journey of one message."""
    with shops(tmp_path) as opens:
        yield opens
