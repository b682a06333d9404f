"""The inbox: what was said over all channels, and a person's answer, which is a message like any other."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bench.calls import Call, watched
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.application.people.serve_inbox import ServeInbox
from cairn.application.ports import MessageQueue
from cairn.domain.gate.codes import Reason
from cairn.domain.message.message import Message
from cairn.domain.people.task import Task
from tests.stories.forks import Crash, Forks
from tests.stories.shop import RECEIPT, SMS, WHATSAPP, Opens, Shop

REPLIES = 'queue = "inbox"\n'
PEOPLE = """
[queues.inbox]
title = "Inbox"
due = "4h"
escalate_to = "managers"

[queues.managers]
title = "Managers"
due = "8h"

[members.ana]
name = "Ana"
queues = ["inbox"]

[members.maria]
name = "Maria"
queues = ["managers"]
"""
ADA = "arn:aws:iam::123456789012:user/ada"
TYPED = [{"channel": "sms", "purpose": "transactional", "status": "granted", "source": "shop"}]
"""A customer who has said nothing about WhatsApp."""


def thread(shop: Shop) -> list[tuple[str, str, str]]:
    lines = shop.asks("POST", "inbox", do="show", customer="mia")["lines"]
    return [(one["direction"], one["status"], one["text"]) for one in lines]


def waiting(shop: Shop) -> list[dict[str, Any]]:
    return list(shop.asks("GET", "inbox")["conversations"])


def answers(shop: Shop, text: str, **fields: Any) -> dict[str, Any]:
    return shop.asks("POST", "inbox", do="answer", customer="mia", text=text, **fields)


@pytest.fixture
def shop(opens: Opens) -> Shop:
    """Mia got a receipt, and has asked something an hour later."""
    shop = opens(RECEIPT, replies=REPLIES)
    shop.happens("note.wanted")
    shop.passes("1h")
    shop.texts("Is there a class on Sunday?")
    shop.passes("1m")
    return shop


def test_a_person_reads_what_was_said_and_answers_once(shop: Shop) -> None:
    assert "Is there a class on Sunday?" in shop.cairn("inbox", "list")
    assert "sms from customer (unknown): Is there a class on Sunday?" in shop.cairn("inbox", "show", "mia")

    first = answers(shop, "Yes, at ten.")
    shop.passes("1m")
    second = answers(shop, "Yes, at ten.")

    assert (first["status_code"], first["channel"], first["still_open"]) == (202, "sms", False)
    assert second["message"] == first["message"]
    assert shop.sent()[1:] == ["Yes, at ten."]
    assert thread(shop) == [
        ("out", "sent", "Northside: hello Mia. Reply STOP to stop."),
        ("in", "received", "Is there a class on Sunday?"),
        ("out", "sent", "Yes, at ten."),
    ]
    (line,) = [line for line in shop.timeline("message") if line.get("written_by")]
    assert (line["written_by"], line["purpose"]) == (ADA, "transactional")
    (task,) = shop.timeline("task")
    assert (task["status"], task["outcome"], task["done_by"]) == ("done", "answered", ADA)
    assert waiting(shop) == []


def test_the_commands_of_the_page_run_in_their_order(shop: Shop) -> None:
    page = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^```sh inbox\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)

    for command in commands.splitlines():
        shop.cairn(*shlex.split(command)[1:])

    assert shop.sent()[1:] == ["Yes, on Sunday at ten."]
    assert {one["what"] for one in shop.asks("GET", "audit?limit=10")["entries"]} == {
        "list_inbox",
        "show_conversation",
        "answer_conversation",
        "close_conversation",
    }


def test_the_audit_says_who_read_and_who_answered_and_never_what(shop: Shop) -> None:
    shop.cairn("inbox", "list")
    shop.cairn("inbox", "show", "mia", "--why", "ticket 12")
    shop.cairn("inbox", "answer", "mia", "Yes, at ten.", "--why", "ticket 12")

    entries = shop.asks("GET", "audit?limit=10")["entries"]
    assert {one["what"] for one in entries} == {"list_inbox", "show_conversation", "answer_conversation"}
    assert "ten" not in json.dumps(entries)
    assert "Sunday" not in json.dumps(entries)


def test_two_answers_with_one_key_are_one_and_others_are_two(shop: Shop) -> None:
    answers(shop, "Yes, at ten.", key="k")
    answers(shop, "Yes, at ten!", key="k")
    answers(shop, "Bring a towel.", key="l")

    assert shop.sent()[1:] == ["Yes, at ten.", "Bring a towel."]


def test_nobody_answers_past_what_the_customer_has_written_since(shop: Shop) -> None:
    read = shop.asks("POST", "inbox", do="show", customer="mia")["latest"]
    shop.texts("Or on Monday?")

    late = answers(shop, "Yes, at ten.", read=read)

    assert (late["status_code"], late["title"]) == (409, "conflict")
    assert shop.sent()[1:] == []
    assert len(waiting(shop)) == 1


def test_a_text_that_comes_while_the_conversation_is_closed_opens_it_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = ServeInbox._close  # noqa: SLF001  between the answer and the closing

    def in_between(self: ServeInbox, *about: Any) -> bool:
        shop.passes("1s")
        shop.texts("Or on Monday?")  # its task is open still, so none is opened
        return close(self, *about)

    monkeypatch.setattr(ServeInbox, "_close", in_between)

    assert answers(shop, "Yes, at ten.")["still_open"] is True
    (task,) = waiting(shop)
    assert task["context"]["text"] == "Or on Monday?"


@pytest.mark.parametrize(("comes", "still_open"), [("a late text", True), ("a keyword", False)])
def test_a_text_of_before_that_arrives_late_opens_it_again_and_a_keyword_does_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, comes: str, *, still_open: bool
) -> None:
    close = ServeInbox._close  # noqa: SLF001  between the answer and the closing

    def in_between(self: ServeInbox, *about: Any) -> bool:
        if comes == "a keyword":
            shop.texts("HELP")
        else:
            shop.whatsapps("And on Saturday?", ago="1h")
        return close(self, *about)

    monkeypatch.setattr(ServeInbox, "_close", in_between)

    assert answers(shop, "Yes, at ten.")["still_open"] is still_open


def test_where_the_queue_fails_the_conversation_stays_open_and_the_same_call_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cairn.adapters.sqs import message_queue
    from cairn.domain.shared.errors import ServiceBusyError

    def refuses(_: MessageQueue, messages: Sequence[Message]) -> Mapping[int, Exception]:  # noqa: ARG001
        return {0: ServiceBusyError("sqs is busy")}

    with monkeypatch.context() as patch:
        patch.setattr(message_queue.MessageQueue, "put_each", refuses)
        assert answers(shop, "Yes, at ten.")["status_code"] == 503
    assert len(waiting(shop)) == 1

    assert answers(shop, "Yes, at ten.")["status_code"] == 202
    assert shop.sent()[1:] == ["Yes, at ten."]


def test_after_a_stop_nobody_is_answered(opens: Opens) -> None:
    shop = opens(SMS, replies=REPLIES)
    shop.happens("note.wanted")
    shop.texts("hm")
    shop.passes("1m")
    shop.texts("STOP")

    refused = answers(shop, "Please stay")

    assert (refused["status_code"], refused["title"]) == (409, "not-allowed")
    assert "Not sent: " in refused["detail"]
    assert "Please stay" not in shop.sent()


def test_a_stop_that_comes_before_the_answer_goes_out_stops_it(shop: Shop) -> None:
    shop.deployment.stop("deliver_message")
    answers(shop, "Yes, at ten.")
    shop.passes("1s")
    shop.texts("STOP")
    shop.deployment.start("deliver_message")
    shop.deployment.settle()

    assert "Yes, at ten." not in shop.sent()
    assert shop.decided(Reason.OPTED_OUT)["written_by"] == ADA
    assert ("out", "suppressed", "Yes, at ten.") in thread(shop)


def test_on_whatsapp_free_text_goes_out_for_a_day_after_the_customer_wrote(opens: Opens) -> None:
    shop = opens(WHATSAPP, replies=REPLIES)
    shop.happens("note.known", consent=TYPED)
    shop.whatsapps("Is there a class on Sunday?")
    shop.passes("23h")

    assert answers(shop, "Yes, at ten.")["channel"] == "whatsapp"
    shop.passes("61m")
    late = answers(shop, "And at noon.")

    assert late["status_code"] == 409
    assert [line["status"] for line in shop.timeline("message")] == ["sent"]
    assert answers(shop, "And at noon.", channel="sms")["status_code"] == 202


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"text": ""}, "text: a text that is not empty"),
        ({"text": "x" * 1_000}, "text: it has 7 parts, and 4 are allowed; shorten it"),
        ({"text": "x", "channel": "email"}, "subject: an e-mail needs one"),
        ({"text": "x", "channel": "fax"}, "channel: one of sms, email, whatsapp, push"),
        ({"text": "x", "towards": "mia"}, "'towards': unknown field"),
    ],
)
def test_a_wrong_answer_is_refused_with_all_problems(shop: Shop, fields: dict[str, Any], problem: str) -> None:
    refused = shop.asks("POST", "inbox", do="answer", customer="mia", **fields)

    assert refused["status_code"] == 400
    assert any(one.startswith(problem) for one in refused["problems"])


def test_an_answer_by_e_mail_has_a_subject_and_escapes_its_html(shop: Shop) -> None:
    answers(shop, "Yes & no.\nTen <o'clock>.", channel="email", subject="Sunday")

    (mail,) = shop.deployment.cloud.mails
    body = mail["Content"]["Simple"]["Body"]
    assert body["Html"]["Data"] == "<p>Yes &amp; no.<br>\nTen &lt;o&#x27;clock&gt;.</p>"
    assert ("out", "sent", "Yes & no.\nTen <o'clock>.") in thread(shop)


def test_a_conversation_can_be_closed_without_an_answer_and_opens_with_the_next_reply(shop: Shop) -> None:
    shop.cairn("inbox", "close", "mia", "--why", "called her")
    assert waiting(shop) == []

    shop.passes("1m")
    shop.texts("Hello?")
    assert [one["context"]["text"] for one in waiting(shop)] == ["Hello?"]


@pytest.fixture
def staffed(opens: Opens) -> Shop:
    """Mia has asked something, and Ana has it."""
    shop = opens(RECEIPT, replies='queue = "inbox"\ndue = "2h"\n', people=PEOPLE)
    shop.happens("note.wanted")
    shop.passes("1h")
    shop.texts("Is there a class on Sunday?")
    shop.passes("1m")
    return shop


def tasks(shop: Shop, query: str = "") -> list[dict[str, Any]]:
    return list(shop.asks("GET", f"tasks?{query}")["tasks"])


def test_a_conversation_is_a_task_of_a_member_until_it_is_answered(staffed: Shop) -> None:
    (one,) = waiting(staffed)
    (listed,) = tasks(staffed, "owner=ana")

    assert (one["task"], one["owner"], one["due_at"]) == (listed["task"], "ana", "2026-03-02T18:00:00Z")
    assert tasks(staffed) == [listed]

    answers(staffed, "Yes, at ten.")

    assert tasks(staffed, "owner=ana") == tasks(staffed) == waiting(staffed) == []
    (task,) = staffed.timeline("task")
    assert [(line["what"], line["by"]) for line in task["history"]] == [("opened", "cairn"), ("done", ADA)]
    (done,) = [line for line in staffed.timeline("event") if line["type"] == "task.done"]
    assert done["properties"]["outcome"] == "answered"


CLOSINGS = [{"do": "done", "outcome": "done"}, {"do": "withdraw", "why": "called her"}]


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_conversation_that_ends_as_a_task_waits_no_more_and_opens_with_the_next_reply(
    staffed: Shop, closing: dict[str, str]
) -> None:
    (one,) = waiting(staffed)
    assert staffed.asks("POST", "tasks", task=one["task"], **closing)["status_code"] == 200
    assert waiting(staffed) == tasks(staffed) == []

    staffed.passes("1m")
    staffed.texts("Hello?")

    assert [one["context"]["text"] for one in waiting(staffed)] == ["Hello?"]


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_text_that_comes_while_the_task_is_closed_opens_the_conversation_again(
    staffed: Shop, closing: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = waiting(staffed)
    load, texted = DynamoTasks.load, list[str]()

    def in_between(store: DynamoTasks, customer: str, task: str) -> Task | None:
        found = load(store, customer, task)
        if not texted:
            texted.append("Or on Monday?")
            staffed.passes("1s")
            staffed.texts(texted[0])  # its task is open still, so none is opened
        return found

    monkeypatch.setattr(DynamoTasks, "load", in_between)

    staffed.asks("POST", "tasks", task=one["task"], **closing)

    (again,) = waiting(staffed)
    assert (again["context"]["text"], again["owner"]) == ("Or on Monday?", "ana")
    assert [task["task"] for task in tasks(staffed, "owner=ana")] == [again["task"]]


AT_MOST = 8
"""AWS calls after a text, at each of which the process dies in one branch. Fewer than these follow."""

CLOSES: dict[str, dict[str, Any]] = {
    "answer": {"do": "answer", "customer": "mia", "text": "Yes, at ten."},
    "close": {"do": "close", "customer": "mia"},
}


@pytest.mark.parametrize("how", sorted(CLOSES))
def test_a_crash_while_a_conversation_is_closed_leaves_no_text_unread(shop: Shop, how: str) -> None:
    """In a branch for each pair of calls: the customer writes before the one, and the process dies at the other one."""
    forks, numbers = Forks(), count()
    comes_at, dies_at, tasks_are_read_at = -1, -1, -1

    def before(call: Call) -> None:
        nonlocal comes_at, dies_at, tasks_are_read_at
        if call.function != "manage_api":
            return
        number = next(numbers)
        if "task#" in str(call.arguments) and tasks_are_read_at < 0:
            tasks_are_read_at = number
        for later in range(number, number + AT_MOST):
            if forks.branch((number, later)):
                comes_at, dies_at = number, later
                shop.passes("1s")
                shop.texts("Or on Monday?")
        if number == dies_at:
            raise Crash

    with forks.branching() as result:
        with suppress(Crash), watched(shop.deployment, before=before):
            shop.asks("POST", "inbox", **CLOSES[how])
        shop.passes("10m")
        result.append((tasks_are_read_at, [one["context"]["text"] for one in waiting(shop)]))

    assert result == [(tasks_are_read_at, [])]
    assert {comes for (comes, _), _ in forks.results} == set(range(next(numbers)))
    for (comes, _), (read_at, texts) in forks.results:
        may_be_read = read_at < 0 or comes <= read_at
        assert texts == ["Or on Monday?"] or (may_be_read and texts == []), (comes, texts)


def test_a_conversation_that_goes_up_stays_in_the_inbox(staffed: Shop) -> None:
    staffed.passes("3h")

    (one,) = waiting(staffed)

    assert (one["queue"], one["owner"]) == ("managers", "maria")
    assert answers(staffed, "Yes, at ten.")["still_open"] is False
    assert waiting(staffed) == tasks(staffed) == []


def test_the_list_comes_in_pages(shop: Shop) -> None:
    shop.deployment.feedback(
        json.dumps(
            {
                "originationNumber": "+12125550002",
                "destinationNumber": "+12125550199",
                "messageKeyword": "K",
                "messageBody": "Hi",
                "inboundMessageId": "another",
            }
        )
    )
    shop.deployment.settle()

    first = shop.asks("GET", "inbox?limit=1")
    second = shop.asks("GET", f"inbox?limit=1&after={quote(first['after'])}")

    found = [*first["conversations"], *second["conversations"]]
    assert {one["context"]["text"] for one in found} == {"Is there a class on Sunday?", "Hi"}
    assert shop.asks("GET", "inbox?limit=1&after=zzz") == {"status_code": 200, "conversations": [], "after": None}


def test_an_erasure_takes_the_conversation_along_and_an_export_has_it(shop: Shop) -> None:
    answers(shop, "Yes, at ten.")
    exported = json.dumps(shop.asks("POST", "export", customer="mia"))
    assert "Is there a class on Sunday?" in exported
    assert "Yes, at ten." in exported
    assert ADA in exported

    shop.texts("Thanks, and goodbye")
    shop.cairn("erase", "mia", "--why", "she asked for it", "--yes")
    shop.passes("1h")

    assert waiting(shop) == []
    assert shop.asks("POST", "inbox", do="show", customer="mia")["status_code"] == 404
