"""What our own people ask and say: it takes effect on what is queued and held, is audited, and tells who did it."""

import gzip
import json
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from werkzeug.test import Client

from cairn.telemetry import logger
from functions.manage_api import handler
from infra.local.server import Application
from tests.stories.shop import MAIL, RECEIPT, REVIEWED, SMS, Opens, Shop, shops

ADA = "arn:aws:iam::123456789012:user/ada"
REFUSAL = {"channel": "sms", "purpose": "marketing", "status": "denied"}


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    with shops(tmp_path) as opens:
        yield opens


@pytest.fixture
def shop(opens: Opens) -> Shop:
    """One whose receipts somebody approves."""
    return opens(REVIEWED)


def audited(shop: Shop) -> list[tuple[str, str, str]]:
    entries = shop.asks("GET", "audit")["entries"]
    return [(one["who"], one["what"], one["why"]) for one in entries]


# Review


def test_who_reviews_sees_the_message_as_it_would_go_out(shop: Shop) -> None:
    shop.happens("note.wanted", properties={"order": "1042"})

    (one,) = shop.asks("GET", "reviews")["reviews"]

    assert (one["queue"], one["deadline"], one["journey"]) == ("compliance", "2026-03-02T21:00:00Z", "shop")
    assert one["context"]["text"] == "Northside: hello Mia. Reply STOP to stop."
    assert one["context"]["profile"]["first_name"] == "Mia"
    assert one["context"]["data"] == {"order": "1042"}
    assert shop.sent() == []


def test_an_approved_message_goes_out_at_once_and_is_listed_no_longer(shop: Shop) -> None:
    shop.happens("note.wanted")

    answer = shop.asks("POST", "reviews", message=shop.held, do="approve", why="the tone is right")

    assert answer == {"status_code": 200, "message": shop.held, "customer": answer["customer"], "decision": "approved"}
    assert len(shop.sent()) == 1
    assert shop.asks("GET", "reviews")["reviews"] == []
    (task,) = shop.timeline("task")
    assert (task["status"], task["outcome"], task["done_by"]) == ("done", "approved", ADA)
    assert audited(shop) == [(ADA, "approve", "the tone is right")]


def test_a_done_task_has_left_its_queue(shop: Shop) -> None:
    from cairn.adapters.dynamodb.items import RecordItem

    shop.happens("note.wanted")
    assert len(list(RecordItem.by_index.query("queue#compliance"))) == 1

    shop.asks("POST", "reviews", message=shop.held, do="approve", why="fine")

    assert list(RecordItem.by_index.query("queue#compliance")) == []


def test_where_nobody_decides_in_time_nobody_is_asked_any_more(shop: Shop) -> None:
    from cairn.adapters.dynamodb.items import RecordItem

    shop.happens("note.wanted")

    shop.passes("7h")

    assert [line["reason"] for line in shop.timeline("suppressed")] == ["unreviewed"]
    assert [line["status"] for line in shop.timeline("task")] == ["closed"]
    assert shop.asks("GET", "reviews")["reviews"] == []
    assert list(RecordItem.by_index.query("queue#compliance")) == []


def test_a_rejected_message_is_dropped_at_once(shop: Shop) -> None:
    shop.happens("note.wanted")

    shop.asks("POST", "reviews", message=shop.held, do="reject", why="the tone")

    assert shop.sent() == []
    assert [line["reason"] for line in shop.timeline("suppressed")] == ["rejected"]


def test_an_approval_lifts_no_other_rule(opens: Opens) -> None:
    shop = opens({**REVIEWED, "purpose": "marketing"})
    shop.happens("note.wanted")
    held = shop.held
    shop.texts("STOP")

    shop.asks("POST", "reviews", message=held, do="approve", why="fine")

    assert [line["reason"] for line in shop.timeline("suppressed")] == ["opted_out"]


def test_deciding_twice_is_deciding_once_and_nobody_is_overruled(shop: Shop) -> None:
    shop.happens("note.wanted")
    held = shop.held
    shop.deployment.stop("deliver_message")  # so that both decisions meet a message that is still held

    decide = {"message": held, "why": "fine"}
    first, again = (shop.asks("POST", "reviews", do="approve", **decide)["status_code"] for _ in range(2))
    other = shop.asks("POST", "reviews", do="reject", actor="arn:aws:iam::123456789012:user/bob", **decide)
    shop.deployment.start("deliver_message")
    shop.deployment.settle()

    assert (first, again, other["status_code"]) == (200, 200, 409)
    assert other["detail"] == f"{ADA} approved it before"
    assert len(shop.sent()) == 1
    assert len(audited(shop)) == 1


def test_what_went_out_is_reviewed_no_more(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")
    (line,) = shop.timeline("message")

    answer = shop.asks("POST", "reviews", message=line["message_id"], do="reject", why="too late")

    assert (answer["status_code"], answer["detail"]) == (409, "the message waits no longer: it is sent")


def test_what_waits_for_something_else_is_nobodys_to_approve(shop: Shop) -> None:
    shop.asks("POST", "switches", do="pause", target="channel:sms", why="a wrong price")
    shop.happens("note.wanted")

    answer = shop.asks("POST", "reviews", message=shop.held, do="approve", why="fine")

    assert answer["status_code"] == 409
    assert "for nobody's approval" in answer["detail"]


# Switches


def test_a_switch_takes_effect_and_is_shown_with_who_turned_it(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.asks("POST", "switches", do="stop", target="all", why="a leak")

    shop.happens("note.wanted")

    assert shop.sent() == []
    board = {"target": "all", "by": ADA, "at": "2026-03-02T15:00:00Z", "why": "a leak"}
    assert shop.asks("GET", "switches") == {"status_code": 200, "stopped": [board], "paused": []}
    assert audited(shop) == [(ADA, "stop", "a leak")]


def test_a_pause_is_shown_until_it_is_resumed(shop: Shop) -> None:
    shop.asks("POST", "switches", do="pause", target="journey:shop", why="a price", policy="spread", window="2h")
    (paused,) = shop.asks("GET", "switches")["paused"]

    shop.asks("POST", "switches", do="resume", target="journey:shop", why="mended")

    assert (paused["policy"], paused["window"], paused["by"]) == ("spread", "2h", ADA)
    assert shop.asks("GET", "switches")["paused"] == []
    assert {(what, why) for _, what, why in audited(shop)} == {("pause", "a price"), ("resume", "mended")}


# Consent and suppression


def test_a_no_that_was_told_on_the_phone_counts_for_what_is_held(opens: Opens) -> None:
    shop = opens({**REVIEWED, "purpose": "marketing"})
    shop.happens("note.wanted")
    held = shop.held
    shop.passes("1m")

    answer = shop.asks(
        "POST", "consent", customer="mia@example.com", why="she rang us", wording="Do you want our offers?", **REFUSAL
    )
    shop.asks("POST", "reviews", message=held, do="approve", why="fine")

    assert answer["status_code"] == 202
    assert [line["reason"] for line in shop.timeline("suppressed")] == ["opted_out"]
    said = next(line for line in shop.timeline("consent") if line["status"] == "denied")
    assert said["evidence"] == {
        "method": "operator",
        "actor": ADA,
        "why": "she rang us",
        "wording": "Do you want our offers?",
    }


def test_an_address_is_suppressed_whoever_it_belongs_to_and_however_it_is_written(opens: Opens) -> None:
    shop = opens(MAIL)
    shop.asks("POST", "suppressions", do="suppress", channel="email", address="Mia@Example.com ", why="she asked")

    shop.passes("1m")
    shop.happens("note.wanted")

    assert [line["reason"] for line in shop.timeline("suppressed")] == ["suppressed_address"]


def test_an_address_of_nobody_is_suppressed_and_nobody_is_made_up_for_it(opens: Opens) -> None:
    shop = opens(RECEIPT)

    told = shop.asks("POST", "suppressions", do="suppress", channel="sms", address="212 555 0001", why="a list")

    shown = shop.asks("POST", "suppressions", do="show", channel="sms", address="+12125550001")
    assert told["status_code"] == 202
    assert shown["standing"] == [{"cause": "operator", "since": "2026-03-02T15:00:00Z", "purpose": "all"}]
    assert shop.deployment.timeline() == []
    assert shop.asks("POST", "explain", customer="+12125550001")["status_code"] == 404
    shop.happens("note.wanted")
    assert shop.sent() == []


def test_a_released_address_is_written_to_again(opens: Opens) -> None:
    shop = opens(RECEIPT)
    address = {"channel": "sms", "address": "+12125550001"}
    shop.asks("POST", "suppressions", do="suppress", why="by mistake", **address)
    shop.passes("1m")

    shop.asks("POST", "suppressions", do="release", why="it was a mistake", **address)
    shop.happens("note.wanted")

    assert len(shop.sent()) == 1
    assert shop.asks("POST", "suppressions", do="show", **address)["standing"] == []
    assert {(what, why) for _, what, why in audited(shop)} == {
        ("suppress", "by mistake"),
        ("release", "it was a mistake"),
    }


def test_neither_answers_nor_the_audit_tell_an_address(opens: Opens) -> None:
    shop = opens(RECEIPT)

    told = shop.asks("POST", "suppressions", do="suppress", channel="email", address="mia@example.com", why="asked")

    assert "mia@example.com" not in json.dumps([told, shop.asks("GET", "audit")])


# Privacy


def test_a_copy_of_everything_is_handed_out_and_that_is_written_down(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")

    told = shop.asks("POST", "export", customer="mia", why="she asked for it")

    assert told["status_code"] == 200
    assert told["customer"]["attributes"]["first_name"]["value"] == "Mia"
    assert audited(shop) == [(ADA, "export", "she asked for it")]


def test_an_erasure_has_a_receipt_by_which_the_audit_tells_that_it_is_done(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")

    told = shop.asks("POST", "erase", customer="mia", why="she asked")
    shop.passes("1d")

    assert told["status_code"] == 202
    done = [one for one in shop.asks("GET", "audit")["entries"] if one["detail"].get("receipt") == told["receipt"]]
    assert [one["what"] for one in done] == ["erase", "order_erasure"]
    assert {one["who"] for one in done} == {ADA}
    assert shop.asks("POST", "explain", customer="mia")["status_code"] == 404


# What cannot be done


def test_what_is_not_there_and_what_makes_no_sense_is_told(shop: Shop) -> None:
    nobody, nothing = "c_" + "a" * 26, "aaaaaaaaaaaaaaaaaaaa-hello-1"
    asked = [
        ("explain", {"customer": "nobody"}),
        ("explain", {"message": nothing}),
        ("export", {"customer": nobody}),
        ("erase", {"customer": "nobody", "why": "x"}),
        ("reviews", {"message": nothing, "do": "approve", "why": "x"}),
        ("switches", {"do": "start", "target": "all", "why": "x"}),
        ("switches", {"do": "resume", "target": "all", "why": "x"}),
    ]

    answers = [shop.asks("POST", path, **fields)["status_code"] for path, fields in asked]

    assert answers == [404, 404, 404, 404, 404, 409, 409]
    assert shop.asks("GET", "audit")["entries"] == []


def test_a_name_that_two_go_by_is_not_guessed(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("shop.visited", customer={"user_id": "+12125550001"})
    shop.happens("shop.visited", id="another", customer={"user_id": "mia", "phone": "+12125550001"})

    answer = shop.asks("POST", "explain", customer="+12125550001")

    assert answer["status_code"] == 409
    assert answer["detail"].count("c_") == 2


def test_who_is_not_signed_in_is_told_nothing(shop: Shop) -> None:
    answer = shop.asks("GET", "audit", actor="")

    assert (answer["status_code"], answer["title"]) == (403, "not-signed-in")


def test_a_message_is_found_by_its_id_alone_after_a_merge_too(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted", customer={"external_ids": {"till": "7"}, "phone": "+12125550001"})
    (line,) = shop.timeline("message")
    shop.happens("shop.visited", customer={"user_id": "mia", "external_ids": {"till": "7"}})

    told = shop.asks("POST", "explain", message=line["audit_id"])

    assert told["message"] == line["message_id"]
    assert len(told["history"]) == 1


def test_who_enters_two_journeys_at_once_is_found_by_messages_of_both(opens: Opens) -> None:
    shop = opens(RECEIPT, also="second")
    shop.happens("note.wanted")

    told = [shop.asks("POST", "explain", message=line["message_id"]) for line in shop.timeline("message")]

    assert [one["status_code"] for one in told] == [200, 200]
    assert {one["about"] for one in told} == {"step note-1 of journey shop", "step note-1 of journey second"}


def test_the_audit_is_told_a_page_at_a_time_the_latest_first(shop: Shop) -> None:
    for number in range(5):
        shop.asks("POST", "switches", do="stop" if number % 2 == 0 else "start", target="all", why=f"try {number}")
        shop.passes("1m")

    first = shop.asks("GET", "audit?limit=2")
    second = shop.asks("GET", f"audit?limit=9&before={first['before'].replace('#', '%23')}")

    assert [one["why"] for one in first["entries"]] == ["try 4", "try 3"]
    assert [one["why"] for one in second["entries"]] == ["try 2", "try 1", "try 0"]
    assert second["before"] is None


def test_no_log_tells_what_an_operator_asked(opens: Opens) -> None:
    shop, logged = opens(SMS), StringIO()
    shop.happens("note.wanted")
    logger.registered_handler.setStream(logged)

    try:
        shop.asks("POST", "explain", customer="mia@example.com")
        shop.asks("POST", "consent", customer="mia", why="Mia asked", **REFUSAL)
        shop.asks("POST", "erase", customer="nobody@example.com", why="Mia asked")
    finally:
        logger.registered_handler.setStream(sys.stdout)

    assert logged.getvalue().count("operator answered") == 3
    assert not any(secret in logged.getvalue() for secret in ("example.com", "Mia", "ada"))


def test_a_laptops_server_takes_whoever_asks_for_who_they_say(shop: Shop) -> None:
    browser = Client(Application(shop.deployment))
    order = {"do": "stop", "target": "all", "why": "a try"}

    browser.post("/manage/switches", json=order)
    browser.post("/manage/switches", json=order | {"do": "start"}, headers={"X-Cairn-Actor": "ada@example.com"})
    found = browser.get("/manage/audit?limit=2").get_json()

    assert {(one["who"], one["what"]) for one in found["entries"]} == {("local", "stop"), ("ada@example.com", "start")}


def test_a_copy_that_is_too_large_to_be_answered_with_is_packed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "COMPRESS_ABOVE", 100)
    shop.happens("note.wanted")

    packed = Client(Application(shop.deployment)).post(
        "/manage/export", json={"customer": "mia"}, headers={"accept-encoding": "gzip"}
    )

    assert packed.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data))["customer"]["attributes"]["first_name"]["value"] == "Mia"
    assert json.loads(shop.cairn("export", "mia"))["version"] == 1
