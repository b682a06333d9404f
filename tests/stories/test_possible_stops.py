"""A refusal in a customer's own words is a STOP. Where a reply may be one, marketing waits until a person decides."""

from typing import Any

import pytest

from cairn.domain.gate.codes import Reason
from tests.stories.shop import RECEIPT, SMS, Opens, Shop

IN_DOUBT = "How do I stop these texts?"
REFUSALS = [
    "Please unsubscribe me",
    "please remove me from this list",
    "please take me off your list",
    "I opt out",
    "pls stop",
    "kindly stop texting me",
    "lose my number",
    "message mat bhejo",
    "ne m'envoyez plus de messages",
]


def waiting(shop: Shop) -> list[dict[str, Any]]:
    return list(shop.asks("GET", "privacy")["tasks"])


def decides(shop: Shop, choice: str) -> dict[str, Any]:
    (task,) = waiting(shop)
    return shop.asks("POST", "privacy", task=task["task"], do=choice, why="read it")


def sent(shop: Shop) -> list[str]:
    """The messages that went out, by their steps; the answer to a keyword by the keyword."""
    return [line.get("step") or line["answers"] for line in shop.timeline("message")]


@pytest.mark.parametrize("words", REFUSALS)
def test_plain_words_of_refusal_are_a_stop(opens: Opens, words: str) -> None:
    shop = opens(SMS)
    shop.happens("note.wanted")
    shop.texts(words)
    shop.happens("note.unwanted", consent=[])
    shop.passes("1h")
    shop.happens("note.wanted", consent=[])

    assert [line["type"] for line in shop.timeline("event") if "message." in line["type"]] == ["message.stopped"]
    assert sent(shop) == ["note-1", "stop"]
    assert shop.decided(Reason.OPTED_OUT)["step"] == "note-1"
    assert waiting(shop) == []


def test_marketing_waits_for_a_person_and_transactional_goes_on(opens: Opens) -> None:
    shop = opens(SMS, RECEIPT)
    shop.happens("note.known")
    shop.texts(IN_DOUBT)
    shop.happens("note.wanted", consent=[])

    (task,) = waiting(shop)
    assert task["context"]["text"] == IN_DOUBT
    assert task["context"]["choices"] == ["stop", "continue"]
    assert task["due_at"] == "2026-03-03T15:00:00Z"
    assert sent(shop) == ["note-2"]
    assert shop.decided(Reason.IN_DOUBT)["step"] == "note-1"
    shown = shop.cairn("privacy", "list")
    assert f"the reply: {IN_DOUBT}" in shown
    explained = shop.cairn("explain", "+12125550001")
    assert "may be a STOP. They wait for a person's decision until 10:00 on Tuesday 3 March" in explained


def test_marketing_goes_on_where_a_person_finds_no_stop(opens: Opens) -> None:
    shop = opens(SMS)
    shop.happens("note.known")
    shop.texts(IN_DOUBT)
    shop.happens("note.wanted", consent=[])

    assert decides(shop, "continue")["choice"] == "continue"
    shop.passes("61m")  # the gate looks every hour

    assert sent(shop) == ["note-1"]
    assert waiting(shop) == []
    assert "looked like a STOP was decided on 2 March 2026, 10:00: it is none" in shop.cairn("explain", "+12125550001")


def test_a_person_finds_that_it_is_a_stop(opens: Opens) -> None:
    shop = opens(SMS, RECEIPT)
    shop.happens("note.known")
    shop.texts(IN_DOUBT)
    decides(shop, "stop")
    shop.happens("note.wanted", consent=[])

    assert sent(shop) == []
    assert {line["reason"] for line in shop.timeline("suppressed")} == {Reason.OPTED_OUT}
    shown = shop.cairn("suppress", "+12125550001", "--show")
    assert "stop" in shown


def test_without_a_decision_the_deadline_makes_it_a_stop(opens: Opens) -> None:
    shop = opens(SMS)
    shop.happens("note.known")
    shop.texts(IN_DOUBT)
    shop.happens("note.wanted", consent=[])
    shop.passes("1d")
    shop.passes("1m")

    assert sent(shop) == []
    assert shop.decided(Reason.OPTED_OUT)["step"] == "note-1"
    assert "stop" in shop.cairn("suppress", "+12125550001", "--show")
    assert waiting(shop) == []
    (task,) = shop.timeline("task")
    assert (task["outcome"], task["done_by"]) == ("stop", "deadline")


def test_a_start_ends_the_doubt_and_reverses_what_the_deadline_made_of_it(opens: Opens) -> None:
    shop = opens(SMS)
    shop.happens("note.known")
    shop.texts(IN_DOUBT)
    shop.passes("25h")
    shop.texts("START")
    shop.happens("note.wanted", consent=[])

    assert "note-1" in sent(shop)


def test_a_stop_in_the_meantime_is_heard_at_once(opens: Opens) -> None:
    shop = opens(SMS)
    shop.happens("note.known")
    shop.texts(IN_DOUBT)
    shop.passes("1h")
    shop.texts("STOP")
    assert waiting(shop) == []
    shop.passes("1d")
    shop.happens("note.wanted", consent=[])

    assert sent(shop) == ["stop"]
    assert shop.decided(Reason.OPTED_OUT)["step"] == "note-1"


def test_several_doubtful_replies_are_one_task(opens: Opens) -> None:
    shop = opens(SMS)
    shop.happens("note.known")
    shop.texts(IN_DOUBT)
    shop.passes("2h")
    shop.texts("not interested")

    assert len(waiting(shop)) == 1


def test_nobody_is_asked_where_no_marketing_may_go_out(opens: Opens) -> None:
    shop = opens(SMS)
    shop.happens("note.known", consent=[])
    shop.texts(IN_DOUBT)

    assert waiting(shop) == []
