"""The operators' commands, run against `cairn serve`, and their output."""

import json
from pathlib import Path

import pytest

from tests.conftest import Story
from tests.stories.shop import RECEIPT, REVIEWED, SMS, Opens, Shop


@pytest.fixture
def shop(opens: Opens) -> Shop:
    return opens(REVIEWED)


def test_switches_are_set_and_listed(opens: Opens) -> None:
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


def test_a_misspelt_switch_is_refused_with_the_one_that_was_meant(opens: Opens) -> None:
    shop = opens(RECEIPT)

    misspelt = shop.tries("switch", "pause", "journey:shpo", "--why", "a price")
    paused = shop.cairn("switch", "pause", "journey:shop", "--why", "a price")
    again = shop.tries("switch", "pause", "journey:shop", "--why", "another price")

    assert misspelt.exit_code == again.exit_code == 1
    assert "journey:shpo does not exist; did you mean journey:shop?" in " ".join(misspelt.output.split())
    assert "journey:shop is paused already, since 2026-03-02T15:00:00Z by local" in " ".join(again.output.split())
    assert shop.cairn("switch", "list") == paused


def test_a_review_is_listed_approved_and_sent(shop: Shop) -> None:
    shop.happens("note.wanted")

    listed = shop.cairn("review", "list")
    assert f"{shop.deferred_id} customer c_" in listed
    assert "for compliance, until 2026-03-02T21:00:00Z | Northside: hello Mia. Reply STOP to stop." in listed
    assert [one["message"] for one in json.loads(shop.cairn("review", "list", "--json"))] == [shop.deferred_id]
    assert shop.cairn("review", "approve", shop.deferred_id, "--why", "fine") == f"{shop.deferred_id} is approved"
    assert shop.cairn("review", "list") == "no message waits for a decision"
    assert len(shop.sent()) == 1


def test_explain_describes_a_customer(shop: Shop) -> None:
    shop.happens("note.wanted")

    printed = shop.cairn("explain", "mia@example.com")

    assert "first_name: Mia user_id: mia email: mia@example.com phone: +12125550001" in printed
    assert "marketing texts: consented on 2 March 2026, 10:00 by the API (source track)." in printed
    assert (
        "Waiting Journey shop waits at step the-end until 11:00 on Wednesday 1 April 2026 in America/New_York."
        in printed
    )
    assert f"Message {shop.deferred_id} (step note-1 of journey shop): Held until 16:00" in printed
    assert printed.endswith("Times are those of America/New_York.")
    assert json.loads(shop.cairn("explain", "mia", "--json"))["zone"] == "America/New_York"


def test_explain_finds_a_message_by_its_id_and_by_a_decisions_id(shop: Shop) -> None:
    shop.happens("note.wanted")
    message = shop.deferred_id
    shop.cairn("review", "approve", message, "--why", "fine")

    printed = shop.cairn("explain", message)

    assert printed.startswith(f"{message}: step note-1 of journey shop, customer c_")
    assert printed.index("Held until 16:00") < printed.index("Sent as a text")
    assert f"[{message}.1]" in printed
    assert f"[{message}.2]" in printed
    assert shop.cairn("explain", f"{message}.2") == printed


def test_a_messages_history_has_the_providers_reports(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")
    (line,) = shop.timeline("message")
    shop.passes("1m")

    shop.texts("thanks")

    printed = shop.cairn("explain", line["message_id"])
    assert "Monday 2 March 2026, 10:01 The customer replied." in printed


def test_the_consent_command_records_consent(shop: Shop) -> None:
    shop.happens("note.wanted")
    shop.passes("1m")

    printed = shop.cairn("consent", "mia", "sms", "marketing", "denied", "--why", "she rang", "--wording", "Offers?")

    assert "marketing by sms is denied, once event" in printed
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


def test_an_export_is_written_to_a_file_and_audited(shop: Shop, tmp_path: Path) -> None:
    shop.happens("note.wanted")
    copy = tmp_path / "mia.json"

    assert shop.cairn("export", "mia", "--out", str(copy)) == f"written to {copy}".replace("\n", " ")
    assert json.loads(copy.read_text()) == json.loads(shop.cairn("export", "mia"))
    assert shop.cairn("audit", "--limit", "1").startswith("2026-03-02T15:00:00Z local export c_")


def test_an_erasure_needs_a_confirmation(shop: Shop) -> None:
    shop.happens("note.wanted")

    refused = shop.tries("erase", "mia", "--why", "she asked")
    printed = shop.cairn("erase", "mia", "--why", "she asked", "--yes")

    assert refused.exit_code == 1
    assert "There is no way back" in refused.output
    assert "is being erased" in printed
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


def test_a_command_that_fails_says_why(shop: Shop) -> None:
    for words, said in REFUSED:
        done = shop.tries(*words.split())

        assert done.exit_code != 0
        assert said in done.output


def test_a_game_day_is_played_and_ended(opens: Opens) -> None:
    shop = opens(RECEIPT)

    story = Story(shop.deployment)
    assert "table-down the table answers with a server error" in shop.cairn("chaos", "--list")
    begun = shop.cairn("chaos", "queues-down", "--for", "1h")
    during = story.happens("page.seen", "one", customer={"user_id": "mia"})["statusCode"]
    ended = shop.cairn("chaos", "--end")
    after = story.happens("page.seen", "two", customer={"user_id": "mia"})["statusCode"]

    assert begun == "queues-down until 2026-03-02T16:00:00Z: the queues take nothing"
    assert during >= 500
    assert ended == "nothing goes wrong any more"
    assert after == 202


def test_a_customer_is_shown_moved_and_merged_by_commands(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")

    shown = shop.cairn("customer", "show", "mia@example.com")
    assert "user_id: mia email: mia@example.com phone: +12125550001 first_name: Mia" in shown
    assert "reached by email, in_app, sms, whatsapp; 1 open enrollments" in shown
    assert "mia@example.com" not in shop.cairn("customer", "show", "mia", "--masked")
    timeline = shop.cairn("customer", "timeline", "mia", "--limit", "2")
    assert "Waits at step the-end until 11:00 on Wednesday 1 April 2026 in America/New_York. (shop the-end)" in timeline
    assert 'Older lines: --after "2026-03-02T15:00:00Z 2"' in timeline
    assert "Older lines" not in shop.cairn("customer", "timeline", "mia", "--limit", "100")
    stands = shop.cairn("customer", "journeys", "mia")
    assert stands.startswith("shop: at step the-end since 2026-03-02T15:00:00Z, waits for a time If nothing happens:")
    assert "leaves shop, once event" in shop.cairn("customer", "leave", "mia", "shop", "--why", "no use for it")
    shop.passes("1m")
    assert shop.cairn("customer", "journeys", "mia") == "in no journey"
    assert "enters shop" in shop.cairn("customer", "enroll", "mia", "shop", "--why", "asked", "--data", '{"a": 1}')
    shop.passes("1m")
    assert json.loads(shop.cairn("customer", "journeys", "mia", "--json"))["enrollments"][0]["journey"] == "shop"
    wrong = shop.tries("customer", "enroll", "mia", "shop", "--why", "asked", "--data", "[1]")
    assert (wrong.exit_code, "--data is a JSON object" in wrong.output) == (1, True)
    shop.happens("note.seen", customer={"email": "mia.home@example.com"}, consent=[])
    both = ("mia", "mia.home@example.com")
    assert shop.tries("customer", "merge", *both, "--why", "ticket").exit_code == 1, "it asks before"
    assert "both are c_" in shop.cairn("customer", "merge", *both, "--why", "ticket 4711", "--yes")


def test_a_message_that_was_not_sent_is_sent_again_by_a_command(opens: Opens) -> None:
    shop = opens(SMS)
    shop.texts("STOP")
    shop.happens("note.wanted", consent=[])
    (suppressed,) = shop.timeline("suppressed")

    printed = shop.cairn("message", "resend", suppressed["message_id"], "--why", "ticket 4711")
    shop.passes("1m")

    again = f"{suppressed['message_id']}r1"
    assert printed.startswith(f"{again} goes to the gate")
    assert shop.cairn("explain", again).startswith(f"{again}: step note-1 of journey shop")
    refused = shop.tries("message", "resend", "bb32ghyy3zri55fekshl-note-1-9", "--why", "ticket 4711")
    assert (refused.exit_code, "no such message is on record" in refused.output) == (1, True)
