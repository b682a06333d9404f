"""An operator who reads a person is audited with the whole identity; a reason that names the customer does nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import MAIL, RECEIPT, REVIEWED, Json, Opens, Shop

ADA = "arn:aws:sts::123456789012:assumed-role/Support/ada"
BOB = "arn:aws:iam::123456789012:user/desk/bob"

READINGS: list[tuple[str, str, str, Json]] = [
    ("explain", "POST", "explain", {"customer": "mia"}),
    ("export", "POST", "export", {"customer": "mia@example.com"}),
    ("list_reviews", "GET", "reviews", {}),
    ("list_privacy_requests", "GET", "privacy", {}),
    ("show_suppressions", "POST", "suppressions", {"do": "show", "channel": "sms", "address": "+12125550001"}),
]
"""The action in the audit, and the request."""

SPELLINGS = {
    "mia": ["Mia rang", "asked by (MIA)"],
    "mia@example.com": ["Mia@EXAMPLE.com wrote", "<mia@example.com>", "mia%40example.com", "mia@\u200bexample.com"],
    "+12125550001": ["+1 (212) 555-0001 rang", "212.555.0001", "0012125550001", "555 0001 rang"],
}
"""A name that a command is given, and reasons that contain it."""

COMMANDS: list[tuple[str, Json]] = [
    ("explain", {}),
    ("export", {}),
    ("erase", {}),
    ("detach", {"identifier": "mia@example.com"}),
    ("consent", {"channel": "sms", "purpose": "marketing", "status": "denied"}),
]


@pytest.fixture
def shop(opens: Opens) -> Shop:
    """A shop where a receipt for Mia waits for an operator's approval, and her request for an answer."""
    shop = opens(REVIEWED)
    shop.happens("note.wanted")
    shop.happens("customer.data_requested")
    return shop


def entries(shop: Shop) -> list[Json]:
    found: list[Json] = shop.asks("GET", "audit")["entries"]
    return found


# The operator's identity


@pytest.mark.parametrize(("what", "method", "path", "fields"), READINGS, ids=[reading[0] for reading in READINGS])
def test_an_operator_who_reads_is_audited_with_account_role_session_and_user_id(
    shop: Shop, what: str, method: str, path: str, fields: Json
) -> None:
    assert shop.asks(method, path, actor=ADA, **fields)["status_code"] == 200

    (entry,) = entries(shop)
    assert (entry["what"], entry["who"]) == (what, ADA)
    identity = entry["identity"]
    assert identity.pop("user_id").startswith("AROA")
    assert identity == {"account": "123456789012", "role": "Support", "session": "ada"}


def test_two_people_who_read_the_same_at_one_instant_are_two_entries(shop: Shop) -> None:
    for actor in (ADA, BOB):
        shop.asks("POST", "explain", actor=actor, customer="mia")

    found = {entry["who"]: entry["identity"] for entry in entries(shop)}

    assert found.keys() == {ADA, BOB}
    assert (found[BOB]["user"], found[BOB]["user_id"][:4]) == ("bob", "AIDA")


def test_what_was_read_of_a_message_is_audited_too(shop: Shop) -> None:
    message = shop.deferred_id

    shop.asks("POST", "explain", actor=ADA, message=message, why="ticket 4711")

    (entry,) = entries(shop)
    assert (entry["what"], entry["who"], entry["why"]) == ("explain", ADA, "ticket 4711")
    assert message in json.dumps(entry)


def test_the_entry_of_a_lookup_has_no_address(shop: Shop) -> None:
    for _, method, path, fields in READINGS:
        shop.asks(method, path, actor=ADA, **fields)

    found = entries(shop)

    assert len(found) == len(READINGS)
    assert not [name for name in ("mia@example.com", "2125550001", "Mia") if name in json.dumps(found)]


@pytest.mark.parametrize(("what", "method", "path", "fields"), READINGS, ids=[reading[0] for reading in READINGS])
def test_nothing_is_read_when_the_audit_cannot_be_written(  # noqa: PLR0913, PLR0917
    shop: Shop, monkeypatch: pytest.MonkeyPatch, what: str, method: str, path: str, fields: Json
) -> None:
    from cairn.adapters.dynamodb.audit import DynamoAudit

    def fails(_: Any, __: Any) -> None:
        raise RuntimeError(what)

    monkeypatch.setattr(DynamoAudit, "write", fails)

    with pytest.raises(RuntimeError, match=what):
        shop.asks(method, path, actor=ADA, **fields)


# Reasons


@pytest.mark.parametrize(("path", "fields"), COMMANDS, ids=[command[0] for command in COMMANDS])
def test_a_reason_that_names_the_customer_does_nothing_and_leaves_nothing(shop: Shop, path: str, fields: Json) -> None:
    before = shop.deployment.timeline()

    for name, reasons in SPELLINGS.items():
        for why in reasons:
            answer = shop.asks("POST", path, customer=name, why=why, **fields)

            assert answer["status_code"] == 400, (name, why)
            assert "it names the customer" in answer["detail"]
            assert why not in json.dumps(answer)
    shop.passes("1h")
    assert entries(shop) == []
    assert shop.deployment.timeline() == before
    assert shop.asks("POST", path, customer="mia", why="ticket 4711", **fields)["status_code"] in {200, 202}


@pytest.mark.parametrize("do", ["suppress", "release", "show"])
def test_a_reason_that_names_the_address_changes_no_suppression(opens: Opens, do: str) -> None:
    shop = opens(RECEIPT)

    for why in SPELLINGS["+12125550001"]:
        named = {"do": do, "channel": "sms", "address": "+12125550001", "why": why}
        assert shop.asks("POST", "suppressions", **named)["status_code"] == 400, why

    assert entries(shop) == []
    shop.happens("note.wanted")
    assert len(shop.sent()) == 1


def test_a_command_says_what_is_wrong_with_its_reason(shop: Shop) -> None:
    done = shop.tries("erase", "mia@example.com", "--yes", "--why", "Mia@Example.com asked")

    assert done.exit_code == 1
    assert "the audit is never deleted; give the number of a ticket instead" in " ".join(done.stderr.split())
    assert entries(shop) == []


# A consent beside a suppression


def test_a_consent_for_an_address_that_stays_suppressed_says_so(opens: Opens) -> None:
    shop = opens(MAIL)
    shop.happens("shop.visited")
    shop.cairn("suppress", "mia@example.com", "--why", "ticket 4711")
    shop.passes("1m")

    said = shop.cairn("consent", "mia", "email", "marketing", "granted", "--why", "ticket 4712")

    assert "But the address stays suppressed because of: operator." in said
    shop.passes("1m")
    shop.happens("note.wanted")
    assert [line["reason"] for line in shop.timeline("suppressed")] == ["suppressed_address"]


def test_a_consent_says_nothing_of_suppressions_that_do_not_concern_it(opens: Opens) -> None:
    shop = opens(MAIL)
    shop.happens("shop.visited")
    shop.cairn("suppress", "mia@example.com", "--why", "ticket 4711")
    shop.passes("1m")

    for words in (["sms", "marketing", "granted"], ["email", "marketing", "denied"]):
        assert "suppressed" not in shop.cairn("consent", "mia", *words, "--why", "ticket 4712")


# Files


def test_an_export_is_written_for_its_owner_alone_and_replaces_nothing_silently(shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "mia.json"

    assert shop.cairn("export", "mia", "--out", str(out)) == f"written to {out}"
    assert json.loads(out.read_text())["customer"]["attributes"]["first_name"]["value"] == "Mia"
    assert out.stat().st_mode & 0o777 == 0o600

    out.write_text("before")
    out.chmod(0o644)
    shop.passes("1m")
    refused = shop.tries("export", "mia", "--out", str(out))

    assert (refused.exit_code, refused.stdout, out.read_text()) == (1, "", "before")
    assert "exists: name another file, or add --force to replace it" in " ".join(refused.stderr.split())
    assert [entry["what"] for entry in entries(shop)] == ["export"], "the second was never asked for"

    shop.cairn("export", "mia", "--out", str(out), "--force")

    assert json.loads(out.read_text())["customer"]["attributes"]["first_name"]["value"] == "Mia"
    assert out.stat().st_mode & 0o777 == 0o600
    assert [entry["what"] for entry in entries(shop)] == ["export", "export"]
