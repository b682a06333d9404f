"""`cairn sources` names the secrets of the environment that a deployment would refuse."""

import pytest
from typer.testing import CliRunner

from cli.main import app


def test_a_weak_secret_of_the_environment_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_SECRET_SHOPIFY", "fifteen-letters")
    monkeypatch.setenv("CAIRN_SECRET_WHATSAPP_VERIFY", " ")
    monkeypatch.setenv("CAIRN_SECRET_TRACK", "AAAAAAAAAAAAAAAA")
    monkeypatch.setenv("CAIRN_SECRET_STRIPE", "a-secret-that-is-long-enough")

    done = CliRunner().invoke(app, ["sources"])

    assert done.exit_code == 1
    assert set(done.stderr.splitlines()) == {
        "CAIRN_SECRET_SHOPIFY has 15 bytes; it needs 16 or more",
        "CAIRN_SECRET_WHATSAPP_VERIFY is blank",
        "CAIRN_SECRET_TRACK has 12 bytes; it needs 16 or more",
    }
    assert "fifteen-letters" not in done.output


def test_without_secrets_of_its_own_an_environment_has_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOPIFY", "STRIPE", "TRACK"):
        monkeypatch.delenv(f"CAIRN_SECRET_{name}", raising=False)

    assert CliRunner().invoke(app, ["sources"]).exit_code == 0
