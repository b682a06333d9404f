"""An operator's requests take effect on queued and deferred messages, and are audited with the operator's name."""

import gzip
import json
import sys
from io import StringIO
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from cairn.adapters.documents.targets import Targets
from cairn.telemetry import logger
from functions.manage_api import handler
from infra.local.server import Application
from tests.stories.shop import MAIL, RECEIPT, REVIEWED, SMS, Opens, Shop

ADA = "arn:aws:iam::123456789012:user/ada"
REFUSAL = {"channel": "sms", "purpose": "marketing", "status": "denied"}


@pytest.fixture
def shop(opens: Opens) -> Shop:
    """A shop whose receipts an operator must approve."""
    return opens(REVIEWED)


def audited(shop: Shop) -> list[tuple[str, str, str]]:
    entries = shop.asks("GET", "audit")["entries"]
    return [(one["who"], one["what"], one["why"]) for one in entries]


# Review


def test_a_reviewer_sees_the_message_as_it_would_be_sent(shop: Shop) -> None:
    shop.happens("note.wanted", properties={"order": "1042"})

    (one,) = shop.asks("GET", "reviews")["reviews"]

    assert (one["queue"], one["deadline"], one["journey"]) == ("compliance", "2026-03-02T21:00:00Z", "shop")
    assert one["context"]["text"] == "Northside: hello Mia. Reply STOP to stop."
    assert one["context"]["profile"]["first_name"] == "Mia"
    assert one["context"]["data"] == {"order": "1042"}
    assert shop.sent() == []


def test_the_list_of_reviews_comes_in_pages(opens: Opens) -> None:
    shop = opens(REVIEWED, REVIEWED, REVIEWED)
    shop.happens("note.wanted")
    whole = [one["message"] for one in shop.asks("GET", "reviews")["reviews"]]

    first = shop.asks("GET", "reviews?limit=2")
    second = shop.asks("GET", f"reviews?limit=2&after={quote(first['after'])}")

    assert len(whole) == 3
    assert [one["message"] for one in (*first["reviews"], *second["reviews"])] == whole
    assert second["after"] is None
    assert shop.asks("GET", "reviews?after=yesterday")["problems"] == ["after: not what an earlier answer gave"]


def test_an_approved_message_is_sent_at_once_and_leaves_the_list(shop: Shop) -> None:
    shop.happens("note.wanted")

    answer = shop.asks("POST", "reviews", message=shop.deferred_id, do="approve", why="the tone is right")

    assert answer == {
        "status_code": 200,
        "message": shop.deferred_id,
        "customer": answer["customer"],
        "decision": "approved",
    }
    assert len(shop.sent()) == 1
    assert shop.asks("GET", "reviews")["reviews"] == []
    (task,) = shop.timeline("task")
    assert (task["status"], task["outcome"], task["done_by"]) == ("done", "approved", ADA)
    assert audited(shop) == [(ADA, "approve", "the tone is right")]


def test_a_done_task_leaves_its_queue(shop: Shop) -> None:
    from cairn.adapters.dynamodb.items import RecordItem

    shop.happens("note.wanted")
    assert len(list(RecordItem.by_index.query("queue#compliance"))) == 1

    shop.asks("POST", "reviews", message=shop.deferred_id, do="approve", why="fine")

    assert list(RecordItem.by_index.query("queue#compliance")) == []


def test_a_review_is_closed_at_its_deadline(shop: Shop) -> None:
    from cairn.adapters.dynamodb.items import RecordItem

    shop.happens("note.wanted")

    shop.passes("7h")

    assert [line["reason"] for line in shop.timeline("suppressed")] == ["unreviewed"]
    assert [line["status"] for line in shop.timeline("task")] == ["closed"]
    assert shop.asks("GET", "reviews")["reviews"] == []
    assert list(RecordItem.by_index.query("queue#compliance")) == []


def test_a_rejected_message_is_dropped_at_once(shop: Shop) -> None:
    shop.happens("note.wanted")

    shop.asks("POST", "reviews", message=shop.deferred_id, do="reject", why="the tone")

    assert shop.sent() == []
    assert [line["reason"] for line in shop.timeline("suppressed")] == ["rejected"]


def test_an_approval_overrides_no_other_rule(opens: Opens) -> None:
    shop = opens({**REVIEWED, "purpose": "marketing"})
    shop.happens("note.wanted")
    message = shop.deferred_id
    shop.texts("STOP")

    shop.asks("POST", "reviews", message=message, do="approve", why="fine")

    assert [line["reason"] for line in shop.timeline("suppressed")] == ["opted_out"]


def test_the_same_decision_twice_counts_once_and_another_decision_is_refused(shop: Shop) -> None:
    shop.happens("note.wanted")
    message = shop.deferred_id
    shop.deployment.stop("deliver_message")  # so that the message still waits at both decisions

    decide = {"message": message, "why": "fine"}
    first, again = (shop.asks("POST", "reviews", do="approve", **decide)["status_code"] for _ in range(2))
    other = shop.asks("POST", "reviews", do="reject", actor="arn:aws:iam::123456789012:user/bob", **decide)
    shop.deployment.start("deliver_message")
    shop.deployment.settle()

    assert (first, again, other["status_code"]) == (200, 200, 409)
    assert other["detail"] == f"{ADA} approved it before"
    assert len(shop.sent()) == 1
    assert len(audited(shop)) == 1


def test_a_sent_message_cannot_be_reviewed(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")
    (line,) = shop.timeline("message")

    answer = shop.asks("POST", "reviews", message=line["message_id"], do="reject", why="too late")

    assert (answer["status_code"], answer["detail"]) == (409, "the message waits no longer: it is sent")


def test_a_message_that_waits_for_another_reason_cannot_be_approved(shop: Shop) -> None:
    shop.asks("POST", "switches", do="pause", target="channel:sms", why="a wrong price")
    shop.happens("note.wanted")

    answer = shop.asks("POST", "reviews", message=shop.deferred_id, do="approve", why="fine")

    assert answer["status_code"] == 409
    assert "for nobody's approval" in answer["detail"]


# Switches


def test_a_switch_takes_effect_and_is_shown_with_its_operator(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.asks("POST", "switches", do="stop", target="all", why="a leak")

    shop.happens("note.wanted")

    assert shop.sent() == []
    board = {"target": "all", "by": ADA, "at": "2026-03-02T15:00:00Z", "why": "a leak"}
    assert shop.asks("GET", "switches") == {"status_code": 200, "stopped": [board], "paused": []}
    assert audited(shop) == [(ADA, "stop", "a leak")]


def test_a_switch_names_what_exists(shop: Shop) -> None:
    asked = {
        "journey:shopp": "did you mean journey:shop?",
        "template:shop/not": "did you mean template:shop/note?",
        "country:UK": "did you mean country:GB?",
    }
    for target, says in asked.items():
        for do in ("stop", "pause"):
            answer = shop.asks("POST", "switches", do=do, target=target, why="a price")
            assert (answer["status_code"], answer["title"]) == (404, "unknown-target")
            assert answer["detail"] == f"{target} does not exist; {says}"
    shop.happens("note.wanted")

    assert shop.asks("GET", "switches") == {"status_code": 200, "stopped": [], "paused": []}
    for target in ("journey:shop", "template:shop/note", "country:GB", "channel:push", "all"):
        assert shop.asks("POST", "switches", do="pause", target=target, why="a price")["status_code"] == 200


def test_a_target_is_stopped_and_paused_once(shop: Shop) -> None:
    for do, done in (("stop", "stopped"), ("pause", "paused")):
        shop.asks("POST", "switches", do=do, target="journey:shop", why="a price")
        shop.passes("1h")
        again = shop.asks("POST", "switches", do=do, target="journey:shop", why="another price")

        assert (again["status_code"], again["title"]) == (409, "already-switched")
        assert again["detail"].startswith(f"journey:shop is {done} already, since 2026-03-02T")
        assert again["detail"].endswith(f"by {ADA}")
    assert [what for _, what, _ in audited(shop)] == ["pause", "stop"]


def test_a_journey_that_is_no_longer_deployed_exists_while_customers_are_in_it(shop: Shop, tmp_path: Path) -> None:
    shop.happens("note.wanted")
    catalogue = tmp_path / "later.json"
    catalogue.write_text("[]")
    later = Targets(catalogue)

    assert later.exists("journey:shop")
    assert later.exists("template:shop/note")
    assert not later.exists("template:shop/not")
    assert not later.exists("journey:shopp")


def test_a_pause_is_shown_until_it_is_resumed(shop: Shop) -> None:
    shop.asks("POST", "switches", do="pause", target="journey:shop", why="a price", policy="spread", window="2h")
    (paused,) = shop.asks("GET", "switches")["paused"]

    shop.asks("POST", "switches", do="resume", target="journey:shop", why="mended")

    assert (paused["policy"], paused["window"], paused["by"]) == ("spread", "2h", ADA)
    assert shop.asks("GET", "switches")["paused"] == []
    assert {(what, why) for _, what, why in audited(shop)} == {("pause", "a price"), ("resume", "mended")}


# Consent and suppression


def test_a_denial_by_phone_stops_a_message_that_waits(opens: Opens) -> None:
    shop = opens({**REVIEWED, "purpose": "marketing"})
    shop.happens("note.wanted")
    message = shop.deferred_id
    shop.passes("1m")

    answer = shop.asks(
        "POST", "consent", customer="mia@example.com", why="she rang us", wording="Do you want our offers?", **REFUSAL
    )
    shop.asks("POST", "reviews", message=message, do="approve", why="fine")

    assert answer["status_code"] == 202
    assert [line["reason"] for line in shop.timeline("suppressed")] == ["opted_out"]
    said = next(line for line in shop.timeline("consent") if line["status"] == "denied")
    assert said["evidence"] == {
        "method": "operator",
        "actor": ADA,
        "why": "she rang us",
        "wording": "Do you want our offers?",
    }


def test_an_address_is_suppressed_for_any_customer_in_any_spelling(opens: Opens) -> None:
    shop = opens(MAIL)
    shop.asks("POST", "suppressions", do="suppress", channel="email", address="Mia@Example.com ", why="she asked")

    shop.passes("1m")
    shop.happens("note.wanted")

    assert [line["reason"] for line in shop.timeline("suppressed")] == ["suppressed_address"]


def test_an_unknown_address_is_suppressed_and_no_customer_is_created(opens: Opens) -> None:
    shop = opens(RECEIPT)

    answer = shop.asks("POST", "suppressions", do="suppress", channel="sms", address="212 555 0001", why="a list")

    shown = shop.asks("POST", "suppressions", do="show", channel="sms", address="+12125550001")
    assert answer["status_code"] == 202
    assert shown["standing"] == [{"cause": "operator", "since": "2026-03-02T15:00:00Z", "purpose": "all"}]
    assert shop.deployment.timeline() == []
    assert shop.asks("POST", "explain", customer="+12125550001")["status_code"] == 404
    shop.happens("note.wanted")
    assert shop.sent() == []


def test_a_released_address_gets_messages_again(opens: Opens) -> None:
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
        ("show_suppressions", ""),
    }


def test_neither_answers_nor_the_audit_contain_an_address(opens: Opens) -> None:
    shop = opens(RECEIPT)

    answer = shop.asks("POST", "suppressions", do="suppress", channel="email", address="mia@example.com", why="asked")

    assert "mia@example.com" not in json.dumps([answer, shop.asks("GET", "audit")])


# Privacy


def test_an_export_is_returned_and_audited(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")

    answer = shop.asks("POST", "export", customer="mia", why="she asked for it")

    assert answer["status_code"] == 200
    assert answer["customer"]["attributes"]["first_name"]["value"] == "Mia"
    assert audited(shop) == [(ADA, "export", "she asked for it")]


def test_the_receipt_of_an_erasure_shows_in_the_audit_that_it_is_done(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")

    answer = shop.asks("POST", "erase", customer="mia", why="she asked")
    shop.passes("1d")

    assert answer["status_code"] == 202
    done = [one for one in shop.asks("GET", "audit")["entries"] if one["detail"].get("receipt") == answer["receipt"]]
    assert [one["what"] for one in done] == ["erase", "order_erasure"]
    assert {one["who"] for one in done} == {ADA}
    assert shop.asks("POST", "explain", customer="mia")["status_code"] == 404


# Requests that are refused


def test_unknown_targets_and_impossible_orders_are_refused(shop: Shop) -> None:
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


def test_an_identifier_of_two_customers_is_refused(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("shop.visited", customer={"user_id": "+12125550001"})
    shop.happens("shop.visited", id="another", customer={"user_id": "mia", "phone": "+12125550001"})

    answer = shop.asks("POST", "explain", customer="+12125550001")

    assert answer["status_code"] == 409
    assert answer["detail"].count("c_") == 2


def test_a_request_without_an_actor_is_refused(shop: Shop) -> None:
    answer = shop.asks("GET", "audit", actor="")

    assert (answer["status_code"], answer["title"]) == (403, "not-signed-in")


def test_a_message_is_found_by_its_id_alone_after_a_merge(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted", customer={"external_ids": {"till": "7"}, "phone": "+12125550001"})
    (line,) = shop.timeline("message")
    shop.happens("shop.visited", customer={"user_id": "mia", "external_ids": {"till": "7"}})

    answer = shop.asks("POST", "explain", message=line["audit_id"])

    assert answer["message"] == line["message_id"]
    assert len(answer["history"]) == 1


def test_messages_of_two_journeys_entered_at_once_are_both_found(opens: Opens) -> None:
    shop = opens(RECEIPT, also="second")
    shop.happens("note.wanted")

    answer = [shop.asks("POST", "explain", message=line["message_id"]) for line in shop.timeline("message")]

    assert [one["status_code"] for one in answer] == [200, 200]
    assert {one["about"] for one in answer} == {"step note-1 of journey shop", "step note-1 of journey second"}


def test_the_audit_is_read_in_pages_latest_first(shop: Shop) -> None:
    for number in range(5):
        shop.asks("POST", "switches", do="stop" if number % 2 == 0 else "start", target="all", why=f"try {number}")
        shop.passes("1m")

    first = shop.asks("GET", "audit?limit=2")
    second = shop.asks("GET", f"audit?limit=9&before={first['before'].replace('#', '%23')}")

    assert [one["why"] for one in first["entries"]] == ["try 4", "try 3"]
    assert [one["why"] for one in second["entries"]] == ["try 2", "try 1", "try 0"]
    assert second["before"] is None


def test_no_log_contains_what_an_operator_asked(opens: Opens) -> None:
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


def test_the_local_server_trusts_the_actor_header_and_refuses_whoever_gives_no_name(shop: Shop) -> None:
    client = Client(Application(shop.deployment))
    order = {"do": "stop", "target": "all", "why": "a try"}

    answers = [
        client.post("/manage/switches", json=order, headers=headers)
        for headers in ({}, {"X-Cairn-Actor": " "}, {"X-Cairn-Actor": "ada@example.com"})
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 200]
    assert answers[0].get_json()["title"] == "not-signed-in"
    assert audited(shop) == [("ada@example.com", "stop", "a try")]


def test_a_large_export_is_compressed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "COMPRESS_ABOVE", 100)
    shop.happens("note.wanted")

    packed = Client(Application(shop.deployment)).post(
        "/manage/export", json={"customer": "mia"}, headers={"accept-encoding": "gzip", "x-cairn-actor": "ada"}
    )

    assert packed.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data))["customer"]["attributes"]["first_name"]["value"] == "Mia"
    assert json.loads(shop.cairn("export", "mia"))["version"] == 1
