"""The commands for operators, as they are typed against `cairn serve`, and what they print."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import RECEIPT, REVIEWED, Opens, Shop, shops


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    with shops(tmp_path) as opens:
        yield opens


@pytest.fixture
def shop(opens: Opens) -> Shop:
    return opens(REVIEWED)


def test_switches_are_turned_and_listed(opens: Opens) -> None:
    shop = opens(RECEIPT)

    assert shop.cairn("switch", "list") == "nothing is stopped or paused"
    shop.cairn("switch", "stop", "channel:sms", "--why", "a leak")
    shop.cairn("switch", "pause", "journey:shop", "--why", "a price", "--policy", "spread", "--window", "2h")

    assert shop.cairn("switch", "list") == (
        "stopped channel:sms since 2026-03-02T15:00:00Z by local: a leak "
        "paused journey:shop since 2026-03-02T15:00:00Z by local (spread): a price"
    )
    assert shop.cairn("switch", "start", "channel:sms", "--why", "mended").startswith("paused journey:shop")
    assert shop.cairn("switch", "resume", "journey:shop", "--why", "mended") == "nothing is stopped or paused"
    assert json.loads(shop.cairn("switch", "list", "--json")) == {"stopped": [], "paused": []}


def test_a_review_from_the_list_to_the_text(shop: Shop) -> None:
    shop.happens("note.wanted")

    listed = shop.cairn("review", "list")
    assert f"{shop.held} customer c_" in listed
    assert "for compliance, until 2026-03-02T21:00:00Z | Northside: hello Mia. Reply STOP to stop." in listed
    assert [one["message"] for one in json.loads(shop.cairn("review", "list", "--json"))] == [shop.held]
    assert shop.cairn("review", "approve", shop.held, "--why", "fine") == f"{shop.held} is approved"
    assert shop.cairn("review", "list") == "no message waits for a decision"
    assert len(shop.sent()) == 1


def test_a_customer_is_explained(shop: Shop) -> None:
    shop.happens("note.wanted")

    told = shop.cairn("explain", "mia@example.com")

    assert "first_name: Mia user_id: mia email: mia@example.com phone: +12125550001" in told
    assert "marketing texts: consented on 2 March 2026, 10:00 by a form (source shop)." in told
    assert (
        "Waiting Journey shop waits at step the-end until 11:00 on Wednesday 1 April 2026 in America/New_York." in told
    )
    assert f"Message {shop.held} (step note-1 of journey shop): Held until 16:00" in told
    assert told.endswith("Times are those of America/New_York.")
    assert json.loads(shop.cairn("explain", "mia", "--json"))["zone"] == "America/New_York"


def test_a_message_is_explained_by_its_id_and_by_that_of_a_decision(shop: Shop) -> None:
    shop.happens("note.wanted")
    held = shop.held
    shop.cairn("review", "approve", held, "--why", "fine")

    told = shop.cairn("explain", held)

    assert told.startswith(f"{held}: step note-1 of journey shop, customer c_")
    assert told.index("Held until 16:00") < told.index("Sent as a text")
    assert f"[{held}.1]" in told
    assert f"[{held}.2]" in told
    assert shop.cairn("explain", f"{held}.2") == told


def test_what_a_provider_reported_is_part_of_a_messages_history(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")
    (line,) = shop.timeline("message")
    shop.passes("1m")

    shop.texts("thanks")

    told = shop.cairn("explain", line["message_id"])
    assert "Monday 2 March 2026, 10:01 The customer replied." in told


def test_consent_is_recorded(shop: Shop) -> None:
    shop.happens("note.wanted")
    shop.passes("1m")

    told = shop.cairn("consent", "mia", "sms", "marketing", "denied", "--why", "she rang", "--wording", "Offers?")

    assert "marketing by sms is denied, once event" in told
    assert "marketing texts: said no on 2 March 2026, 10:01 by one of our own people" in shop.cairn("explain", "mia")


@pytest.mark.parametrize(
    ("address", "channel"),
    [("mia@example.com", "email"), ("+12125550001", "sms"), ("arn:aws:sns:us-east-1:1:endpoint/APNS/app/mia", "push")],
)
def test_an_address_is_suppressed_shown_and_released(shop: Shop, address: str, channel: str) -> None:
    assert shop.cairn("suppress", address, "--show") == f"nothing is known against it on {channel}"
    assert shop.cairn("suppress", address, "--why", "asked").startswith(f"suppressed on {channel}, once event")
    assert shop.cairn("suppress", address, "--show").startswith(
        "suppressed for all purposes since 2026-03-02T15:00:00Z"
    )
    shop.passes("1m")
    assert shop.cairn("suppress", address, "--release", "--why", "asked").startswith(
        f"released on {channel}, once event"
    )
    assert shop.cairn("suppress", address, "--show") == f"nothing is known against it on {channel}"


def test_a_copy_is_written_to_a_file_and_the_audit_tells_of_it(shop: Shop, tmp_path: Path) -> None:
    shop.happens("note.wanted")
    copy = tmp_path / "mia.json"

    assert shop.cairn("export", "mia", "--out", str(copy)) == f"written to {copy}".replace("\n", " ")
    assert json.loads(copy.read_text()) == json.loads(shop.cairn("export", "mia"))
    assert shop.cairn("audit", "--limit", "1").startswith("2026-03-02T15:00:00Z local export c_")


def test_an_erasure_is_asked_for_twice_by_the_command_and_once_by_us(shop: Shop) -> None:
    shop.happens("note.wanted")

    refused = shop.tries("erase", "mia", "--why", "she asked")
    told = shop.cairn("erase", "mia", "--why", "she asked", "--yes")

    assert refused.exit_code == 1
    assert "There is no way back" in refused.output
    assert "is being erased" in told
    assert shop.tries("explain", "mia").exit_code == 1


def test_the_audit_is_read_page_by_page(shop: Shop) -> None:
    for number in range(3):
        shop.cairn("switch", "stop" if number != 1 else "start", "all", "--why", f"try {number}")
        shop.passes("1m")

    first = shop.tries("audit", "--limit", "2").stdout
    before = first.strip().splitlines()[-1].partition("--before ")[2].strip("'")

    assert "try 2" in first
    assert shop.cairn("audit", "--limit", "2", "--before", before).endswith("stop all try 0")
    assert len(json.loads(shop.cairn("audit", "--json"))["entries"]) == 3


REFUSED = (
    ("switch stop sms --why x", "target: 'sms' is no target; give all, channel:<sms"),
    ("switch start all --why x", "409: all is not stopped; nothing is stopped"),
    ("explain nobody", "404: nobody is known by that name"),
    ("consent mia fax fun maybe --why x", "channel: one of sms, email, whatsapp, push"),
    ("suppress mia@example.com", "why: a text that is not empty"),
    ("suppress 1 --show --release", "--release or --show, not both"),
)


def test_a_command_that_cannot_be_done_says_why_and_fails(shop: Shop) -> None:
    for words, said in REFUSED:
        done = shop.tries(*words.split())

        assert done.exit_code != 0
        assert said in done.output
