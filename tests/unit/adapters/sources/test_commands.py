"""`cairn sources` and the samples that `cairn send` signs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from authoring.sources.samples import just_now, posting
from cairn.adapters.sources import sources
from cairn.domain.shared.errors import UnknownSourceError
from cli.main import app
from infra.local.signing import local_secrets

LATER = datetime(2027, 1, 1, 8, tzinfo=UTC)


def test_sources_lists_each_url_signature_header_secret_and_setup() -> None:
    result = CliRunner().invoke(app, ["sources", "--to", "https://hooks.example.com/"])

    assert result.exit_code == 0
    for name, source in sources().items():
        assert f"\n{name}: " in f"\n{result.stdout}"
        assert f"signature  {source.scheme.header}\n" in result.stdout
    assert "URL        https://hooks.example.com/webhooks/shopify\n" in result.stdout
    assert "URL        https://hooks.example.com/events\n" in result.stdout
    assert "secret     whatsapp, whatsapp-verify\n" in result.stdout
    assert "Add destination" in result.stdout
    assert "vouches    external_ids, privacy, attributes (at times), consent (at times), email" in result.stdout


def test_sources_shows_where_a_token_stands_in_the_url_and_no_token(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    signature = '{ scheme = "query-token", parameter = "token" }'
    path.write_text(f'[[hmac]]\nname = "list"\nsignature = {signature}\n', encoding="utf-8")

    result = CliRunner().invoke(app, ["sources", "--to", "https://hooks.example.com", "--configuration", str(path)])

    assert result.exit_code == 0
    assert "URL        https://hooks.example.com/webhooks/list?token=<the secret>\n" in result.stdout


def test_sources_lists_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text('[hmac]\nid = "body.["\n[typeform]\ncolour = "red"', encoding="utf-8")

    result = CliRunner().invoke(app, ["sources", "--configuration", str(path)])

    assert result.exit_code == 1
    assert "hmac: id: not a JMESPath expression" in result.stderr
    assert "typeform: colour: unknown" in result.stderr


def test_a_sample_is_sent_as_if_it_had_just_happened(sample: Path, post: Any) -> None:
    name = sample.parents[1].name
    document = just_now(name, json.loads(sample.read_text(encoding="utf-8")), LATER)

    made = post(name, document, at=LATER)
    made.verify(at=LATER)

    assert {event.occurred_at for event in made.read(LATER).events} <= {LATER, *moved(sample, post)}


def moved(sample: Path, post: Any) -> set[datetime]:
    """When the events of a WooCommerce sample happen: as long before the change as in the sample."""
    name, document = sample.parents[1].name, json.loads(sample.read_text(encoding="utf-8"))
    if name != "woocommerce":
        return set()
    changed = datetime.fromisoformat(document["date_modified_gmt"]).replace(tzinfo=UTC)
    return {LATER - (changed - event.occurred_at) for event in post(name, document, at=LATER).read(LATER).events}


def test_every_source_has_a_secret_on_a_laptop_and_meta_tokens() -> None:
    secrets = local_secrets({"CAIRN_SECRET_FACEBOOK_LEADS_VERIFY": "token"})

    assert secrets.keys() == {*sources(), "whatsapp-verify", "facebook-leads-verify", "facebook-leads-token"}
    assert secrets["facebook-leads-verify"] == "token"


def test_an_unknown_source_cannot_be_signed_for() -> None:
    with pytest.raises(UnknownSourceError, match="known are"):
        posting("nobody", {}, "secret", LATER)
