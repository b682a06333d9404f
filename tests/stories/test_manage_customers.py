"""One customer over HTTP: found, shown with what comes next, entered into journeys, taken out, merged."""

import json
from typing import Any

import pytest

from tests.stories.shop import RECEIPT, REVIEWED, SMS, Opens, Shop

Json = dict[str, Any]


@pytest.fixture
def shop(opens: Opens) -> Shop:
    return opens(RECEIPT)


def customer(shop: Shop, do: str, name: str = "mia@example.com", **fields: Any) -> Json:
    answer = shop.asks("POST", "customers", do=do, customer=name, **fields)
    shop.passes("1m")
    return answer


def audited(shop: Shop) -> list[str]:
    return [one["what"] for one in shop.asks("GET", "audit")["entries"]]


def test_a_customer_is_found_by_any_name_and_shown_in_short(shop: Shop) -> None:
    shop.happens("note.wanted")

    found = customer(shop, "find", "+12125550001")

    assert found["names"] == {
        "user_id": "mia",
        "email": "mia@example.com",
        "phone": "+12125550001",
        "first_name": "Mia",
    }
    assert found["profile"] == {"region": "NY", "time_zone": "America/New_York"}
    assert (found["known"], found["open_enrollments"], found["channels"]) == (
        True,
        1,
        ["email", "in_app", "sms", "whatsapp"],
    )
    assert audited(shop) == ["show_customer"]
    assert customer(shop, "find", "nobody@example.com")["status_code"] == 404


def test_names_may_be_masked(shop: Shop) -> None:
    shop.happens("note.wanted")

    masked = customer(shop, "find", masked=True)

    assert masked["names"] == {
        "user_id": "•••",
        "email": "m•••@example.com",
        "phone": "••• 01",
        "first_name": "M•••",
    }


def test_the_timeline_has_the_newest_first_in_sentences(shop: Shop) -> None:
    shop.happens("note.wanted")

    page = customer(shop, "timeline")

    texts = [one["text"] for one in page["entries"]]
    assert page["zone"] == "America/New_York"
    assert page["after"] is None
    assert texts[0] == "Waits at step the-end until 11:00 on Wednesday 1 April 2026 in America/New_York."
    assert "Entered journey shop." in texts
    assert "note.wanted was reported by track." in texts
    assert any(text.startswith("Sent as a text: ") for text in texts)
    assert page["entries"][0]["local"] == "Monday 2 March 2026, 10:00"
    assert audited(shop) == ["show_timeline"]


def test_pages_of_the_timeline_have_every_line_once_though_others_come_meanwhile(shop: Shop) -> None:
    for _ in range(4):
        shop.happens("note.asked")
        shop.passes("1h")
    whole = [one["at"] + one["text"] for one in customer(shop, "timeline", limit=100)["entries"]]

    page, read = customer(shop, "timeline", limit=3), []
    while True:
        read += [one["at"] + one["text"] for one in page["entries"]]
        if page["after"] is None:
            break
        shop.happens("note.asked")
        page = customer(shop, "timeline", limit=3, after=page["after"])

    assert len(whole) > 6
    assert read == whole
    assert customer(shop, "timeline", after="yesterday")["status_code"] == 400


def test_enrollments_say_what_comes_next_if_nothing_happens(shop: Shop) -> None:
    shop.happens("note.wanted")

    (one,) = customer(shop, "enrollments")["enrollments"]

    assert (one["journey"], one["step"], one["waits_for"]) == ("shop", "the-end", "a time")
    assert one["next_at"] == "2026-04-01T15:00:00Z"
    assert one["next"] == (
        "If nothing happens: the journey ends at 11:00 on Wednesday 1 April 2026 in America/New_York."
    )
    assert audited(shop) == ["show_enrollments"]


def test_a_paused_journey_has_nothing_next(shop: Shop) -> None:
    shop.happens("note.wanted")
    shop.asks("POST", "switches", do="pause", target="journey:shop", why="a price")

    (one,) = customer(shop, "enrollments")["enrollments"]

    assert one["next"] == "Nothing until journey:shop is resumed."


def test_a_customer_enters_a_journey_by_hand(shop: Shop) -> None:
    shop.happens("note.seen")

    done = customer(shop, "enroll", journey="shop", why="asked for it by phone", data={"order": "7"})

    assert done["status_code"] == 202
    assert len(shop.sent()) == 1
    assert shop.timeline("entered")[0]["journey"] == "shop"
    assert [one["journey"] for one in customer(shop, "enrollments")["enrollments"]] == ["shop"]
    refused = customer(shop, "enroll", journey="shop", why="again")
    assert (refused["status_code"], refused["title"]) == (409, "order-refused")
    assert refused["detail"] == "the customer does not enter shop: in it already"
    assert audited(shop)[::-1] == ["enroll", "show_enrollments"]


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"journey": "shpo"}, 404, "no journey shpo is deployed; did you mean shop?"),
        ({"journey": "shop", "key": "7"}, 400, "key: shop has none"),
        ({"journey": "shop", "data": [1]}, 400, "data: a JSON object"),
    ],
)
def test_what_cannot_be_entered_is_refused(shop: Shop, fields: Json, status: int, says: str) -> None:
    shop.happens("note.seen")

    refused = customer(shop, "enroll", why="a test", **fields)

    assert refused["status_code"] == status
    assert says in refused["detail"]
    assert audited(shop) == []


def test_a_customer_leaves_a_journey_and_what_waits_of_it_is_dropped(opens: Opens) -> None:
    shop = opens(REVIEWED, also="other")
    shop.happens("note.wanted")

    done = customer(shop, "leave", journey="shop", why="has no use for it")

    assert done["status_code"] == 202
    (ended,) = shop.timeline("ended")
    assert (ended["journey"], ended["outcome"], ended["because"]) == ("shop", "exit_on", "journey.left")
    assert [one["journey"] for one in customer(shop, "enrollments")["enrollments"]] == ["other"]
    waits = {one["journey"]: one["message"] for one in shop.asks("GET", "reviews")["reviews"]}
    for message in waits.values():
        shop.asks("POST", "reviews", message=message, do="approve", why="fine")
    assert [(one["journey"], one["reason"]) for one in shop.timeline("suppressed")] == [("shop", "ended")]
    assert len(shop.sent()) == 1
    again = customer(shop, "leave", journey="shop", why="once more")
    assert again["detail"] == "the customer cannot leave shop: is not in it"


def test_two_customers_become_one_by_a_persons_decision(shop: Shop) -> None:
    shop.happens("note.wanted")
    shop.happens("note.seen", customer={"email": "mia.home@example.com"}, consent=[])
    older, newer = (customer(shop, "find", name)["customer"] for name in ("mia", "mia.home@example.com"))

    done = customer(shop, "merge", "mia", other="mia.home@example.com", why="ticket 4711")

    assert older != newer
    assert done["status_code"] == 202
    assert {customer(shop, "find", name)["customer"] for name in ("mia", "mia.home@example.com")} == {done["customer"]}
    entry = next(one for one in shop.asks("GET", "audit")["entries"] if one["what"] == "merge")
    assert {entry["target"], entry["detail"]["other"]} == {older, newer}
    again = customer(shop, "merge", "mia", other="mia.home@example.com", why="ticket 4711")
    assert again["detail"] == "both names lead to the same customer already"


def test_two_accounts_of_one_system_stay_two_customers(shop: Shop) -> None:
    shop.happens("note.wanted")
    shop.happens("note.seen", customer={"user_id": "mia-2"}, consent=[])

    refused = customer(shop, "merge", "mia", other="mia-2", why="ticket 4711")

    assert (refused["status_code"], refused["title"]) == (409, "not-merged")
    assert "each has an account of its own: user_id" in refused["detail"]


def test_a_reason_that_names_the_other_customer_is_refused(shop: Shop) -> None:
    shop.happens("note.wanted")

    refused = customer(shop, "merge", "mia", other="mia.home@example.com", why="mia.home@example.com is hers")

    assert refused["status_code"] == 400


def test_nobody_but_operators_orders_such_a_thing(shop: Shop) -> None:
    """The events of a person's decisions are trusted because of their source, which no sender has."""
    shop.happens("note.wanted")
    for type_ in ("journey.left", "journey.entered", "customers.merged", "resend.ordered"):
        shop.happens(type_, properties={"journey": "shop", "key": "", "data": {}, "other": "c_x", "message": "m"})

    assert shop.timeline("ended", "merged", "resent") == []
    assert len(shop.sent()) == 1


def test_a_message_that_was_not_sent_is_sent_again(opens: Opens) -> None:
    shop = opens(SMS)
    shop.texts("STOP")
    shop.happens("note.wanted", consent=[])
    (suppressed,) = shop.timeline("suppressed")
    shop.passes("1h")
    shop.asks("POST", "suppressions", do="release", channel="sms", address="+12125550001", why="asked for it")
    consent = {"channel": "sms", "purpose": "marketing", "status": "granted", "why": "asked for it"}
    shop.asks("POST", "consent", customer="mia", **consent)
    shop.passes("1m")
    before = len(shop.sent())

    done = shop.asks("POST", "messages", do="resend", message=suppressed["message_id"], why="ticket 4711")
    shop.passes("1m")

    assert done["status_code"] == 202
    assert done["message"] == f"{suppressed['message_id']}r1"
    assert len(shop.sent()) == before + 1
    assert [one["step"] for one in shop.timeline("resent")] == ["note-1"]
    refused = shop.asks("POST", "messages", do="resend", message=done["message"], why="once more")
    assert refused["detail"] == "only a message that was not sent, or failed, is sent again; it is sent"


def test_the_gate_decides_on_a_message_that_is_sent_again(opens: Opens) -> None:
    shop = opens(SMS)
    shop.texts("STOP")
    shop.happens("note.wanted", consent=[])
    (suppressed,) = shop.timeline("suppressed")

    done = shop.asks("POST", "messages", do="resend", message=suppressed["message_id"], why="ticket 4711")
    shop.passes("1m")

    assert [one["message_id"] for one in shop.timeline("suppressed")] == [suppressed["message_id"], done["message"]]


def test_a_template_is_previewed_with_a_customers_values(shop: Shop) -> None:
    shop.happens("note.wanted")

    shown = shop.asks("POST", "messages", do="preview", journey="shop", template="note", customer="mia")

    (one,) = shown["messages"]
    assert one["text"] == "Northside: hello Mia. Reply STOP to stop."
    assert (one["channel"], one["parts"], shown["steps"], shown["purpose"]) == ("sms", 1, ["note-1"], "transactional")
    assert audited(shop) == ["preview_message"]
    missing = shop.asks("POST", "messages", do="preview", journey="shop", template="nota", customer="mia")
    assert missing["detail"] == "shop sends no nota; did you mean note?"
    without = shop.asks("POST", "messages", do="preview", journey="shop", template="note")
    assert without["problems"] == ["customer: shop was deployed without samples, so name a customer"]


def test_the_same_key_does_it_once_and_answers_the_same(shop: Shop) -> None:
    shop.happens("note.seen")

    def enroll(key: str, why: str = "asked") -> Json:
        return asked_with(shop, key, do="enroll", customer="mia", journey="shop", why=why)

    first, second = enroll("k-1"), enroll("k-1")

    assert first == second
    assert first["status_code"] == 202
    assert audited(shop) == ["enroll"]
    other = enroll("k-1", why="another reason")
    assert (other["status_code"], other["detail"]) == (
        409,
        "this Idempotency-Key came with another body before; use a new one",
    )
    assert enroll("k-2")["title"] == "order-refused"
    assert enroll("k-2")["title"] == "order-refused", "a request that failed has done nothing, and its key is free"
    shop.passes("25h")
    assert enroll("k-1")["title"] == "order-refused", "after a day it is a new request"
    assert enroll("a key")["problems"] == ["Idempotency-Key: at most 64 letters, digits and hyphens"]


def asked_with(shop: Shop, key: str, **fields: Any) -> Json:
    body = json.dumps(fields).encode()
    answer = shop.deployment.manage(
        "POST", "https://localhost/manage/customers", {"Idempotency-Key": key}, body, actor="ada"
    )
    shop.deployment.settle()
    return {"status_code": answer["statusCode"], **json.loads(answer["body"])}


def test_journeys_are_listed_with_what_they_are_and_whether_they_are_paused(opens: Opens) -> None:
    shop = opens(RECEIPT, also="other")
    shop.asks("POST", "switches", do="pause", target="journey:shop", why="a price")

    other, own = shop.asks("GET", "journeys")["journeys"]

    assert (other["journey"], other["paused"], own["paused"]["why"]) == ("other", None, "a price")
    assert (own["title"], own["entry"], own["purposes"], own["channels"]) == (
        "For a story.",
        "note.wanted",
        ["transactional"],
        ["sms"],
    )
    page = shop.asks("GET", "journeys?limit=1")
    assert page["after"] == "other"
    assert [one["journey"] for one in shop.asks("GET", "journeys?after=other")["journeys"]] == ["shop"]


def test_a_journey_is_drawn_with_how_many_stand_at_each_step(shop: Shop) -> None:
    shop.happens("note.wanted")

    shown = shop.asks("GET", "journeys?journey=shop")

    assert [(one["step"], one["kind"], one["standing"]) for one in shown["steps"]] == [
        ("note-1", "send", 0),
        ("the-end", "wait", 1),
    ]
    assert shown["steps"][0]["leads_to"] == [{"step": "the-end", "when": "", "went": None}]
    assert shown["svg"].startswith("<svg ")
    assert ">1</text>" in shown["svg"]
    assert shown["versions"] == [shown["version"]]
    assert (shown["after"], shown["deployed"]) == (None, True)
    assert shop.asks("GET", "journeys?journey=shpo")["detail"] == "journey shpo does not exist; did you mean shop?"
    missing = shop.asks("GET", "journeys?journey=shop&version=0123456789abcdef")
    assert (missing["status_code"], missing["title"]) == (404, "unknown-journey")


def test_dead_letters_are_counted_shown_without_personal_data_and_sent_back(shop: Shop) -> None:
    shop.happens("note.wanted", customer={"phone": "call Mia"})
    counts = {one["queue"]: one["count"] for one in shop.asks("GET", "dead-letters")["queues"]}

    shown = shop.asks("POST", "dead-letters", do="show", queue="events")
    shop.passes("5m")
    done = shop.asks("POST", "dead-letters", do="redrive", queue="events", id=shown["letters"][0]["id"], why="mended")

    assert counts["events"] == 1
    assert sum(counts.values()) == 1
    assert "call Mia" not in str(shown)
    assert (done["redriven"], done["refused"]) == (1, [])
    assert audited(shop) == ["redrive_dead_letters", "show_dead_letters"]
    assert shop.asks("POST", "dead-letters", do="show", queue="letters")["status_code"] == 400
