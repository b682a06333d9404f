"""A failed synthesis says what to do, not where in the code it failed."""

import pytest

from infra.cloud.synth import main
from tests.infra.conftest import PROD


def test_an_incomplete_stage_is_refused_with_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    refused = main(["prod"])

    said = capsys.readouterr().err
    assert refused == 1
    assert len(said.splitlines()) == len(PROD)
    assert all(field in said for field in PROD)


def test_an_unknown_stage_is_refused_with_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere"]) == 1
    assert "it has dev, prod" in capsys.readouterr().err
