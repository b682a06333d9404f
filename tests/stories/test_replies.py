"""What customers reply is read: as an answer, as an intent, by a model where one may be asked; the rest by a person."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from authoring.replies import InvalidRepliesError
from tests.stories.shop import ASKS, RECEIPT, SMS, Opens, Shop

REPLIES = """
queue = "inbox"
due = "2h"

[model]
calls_per_day = 2
drafts = true

[intents.reschedule]
about = "Wants to come at another time."
[intents.reschedule.words]
en = ["reschedule", "another time"]

[intents.complaint]
about = "Is not content."
handled_by = "person"
[intents.complaint.words]
en = ["refund"]

[intents.thanks]
about = "Says thanks."
handled_by = "nobody"
[intents.thanks.words]
en = ["thanks"]
"""

MODEL = "amazon.nova-lite-v1:0"


def said(shop: Shop) -> list[dict[str, Any]]:
    """The properties of each reply that show how it was read."""
    names = ("intent", "confidence", "answer", "perhaps", "read_by", "model")
    replies = [line for line in shop.timeline("event") if line["type"] == "message.replied"]
    return [{name: one["properties"][name] for name in names if name in one["properties"]} for one in replies]


def waiting(shop: Shop) -> list[dict[str, Any]]:
    return list(shop.asks("GET", "inbox")["conversations"])


def test_a_yes_is_the_answer_to_the_question_that_was_sent(opens: Opens) -> None:
    shop = opens(ASKS, replies=REPLIES)
    shop.happens("note.wanted")
    shop.texts("Yes, see you then!")

    assert said(shop) == [{"intent": "answer", "confidence": 1.0, "answer": "yes"}]


def test_without_a_file_answers_are_read_and_nobody_gets_a_task(opens: Opens) -> None:
    shop = opens(ASKS)
    shop.happens("note.wanted")
    shop.texts("yes")
    shop.passes("1m")
    shop.texts("something else")

    assert said(shop) == [
        {"intent": "answer", "confidence": 1.0, "answer": "yes"},
        {"intent": "unknown", "confidence": 0.0},
    ]
    assert shop.timeline("task") == []
    assert shop.asks("GET", "inbox")["status_code"] == 400


def test_a_yes_that_nobody_asked_for_is_no_answer(opens: Opens) -> None:
    shop = opens(RECEIPT, replies=REPLIES)
    shop.happens("note.wanted")
    shop.texts("yes")

    assert said(shop) == [{"intent": "unknown", "confidence": 0.0}]
    assert [one["context"]["text"] for one in waiting(shop)] == ["yes"]


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ("what on earth", "no rule reads it with enough confidence"),
        ("reschedule, or a refund", "no rule reads it with enough confidence"),
        ("can I reschedule?", "no journey waits for it"),
        ("I want a refund", "a person sees to it"),
    ],
)
def test_what_nobody_else_sees_to_reaches_a_person(opens: Opens, words: str, because: str) -> None:
    shop = opens(RECEIPT, replies=REPLIES)
    shop.happens("note.wanted")
    shop.texts(words)

    (task,) = waiting(shop)
    assert (task["context"]["because"], task["context"]["text"]) == (because, words)
    assert task["due_at"] == "2026-03-02T17:00:00Z"


def test_thanks_reach_nobody(opens: Opens) -> None:
    shop = opens(RECEIPT, replies=REPLIES)
    shop.happens("note.wanted")
    shop.texts("Thanks!")

    assert waiting(shop) == []


def test_further_replies_are_of_the_same_conversation(opens: Opens) -> None:
    shop = opens(RECEIPT, replies=REPLIES)
    shop.happens("note.wanted")
    for words in ("hm", "are you there"):
        shop.passes("1m")
        shop.texts(words)

    assert len(waiting(shop)) == 1
    assert [line["text"] for line in shop.asks("POST", "inbox", do="show", customer="mia")["lines"]][1:] == [
        "hm",
        "are you there",
    ]


@pytest.mark.parametrize("words", ["STOP", "pls stop", "take me off your list", "HELP", "start"])
def test_a_stop_is_never_read_as_an_intent(opens: Opens, words: str) -> None:
    shop = opens(SMS, replies=REPLIES)
    shop.happens("note.wanted")
    shop.texts(words)

    assert said(shop) == []
    assert waiting(shop) == []


def test_what_may_be_a_stop_is_asked_about_once_and_not_read(opens: Opens) -> None:
    shop = opens(SMS, replies=REPLIES)
    shop.happens("note.wanted")
    shop.texts("How do I stop these texts? Reschedule")

    assert said(shop) == [{}]
    assert len(shop.asks("GET", "privacy")["tasks"]) == 1
    assert waiting(shop) == []


@dataclass
class Bedrock:
    """Answers as Bedrock's Converse API does; it records what it is asked."""

    answer: Callable[[Mapping[str, Any]], tuple[int, Any]]
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        document = json.loads(request.data)
        self.asked.append({"path": request.path, **document})
        status, body = self.answer(document)
        response = Response(json.dumps(body), status, content_type="application/json")
        return response(environ, start_response)


def reads(intent: str, confidence: float = 0.95, draft: str = "") -> Callable[[Mapping[str, Any]], tuple[int, Any]]:
    used = {"toolUseId": "t", "name": "note_intent", "input": {"intent": intent, "confidence": confidence}}
    used["input"] |= {"draft": draft} if draft else {}  # type: ignore[operator]  a mapping
    message = {"role": "assistant", "content": [{"toolUse": used}]}
    counts = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    return lambda _: (200, {"output": {"message": message}, "stopReason": "tool_use", "usage": counts, "metrics": {}})


@contextmanager
def bedrock(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Mapping[str, Any]], tuple[int, Any]]
) -> Iterator[Bedrock]:

    fake = Bedrock(answer)
    server = make_server("127.0.0.1", 0, fake, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{server.server_port}")
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_model_reads_what_no_rule_reads_and_sees_the_text_and_the_intents_alone(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bedrock(monkeypatch, reads("reschedule", draft="Which day suits you?")) as fake:
        shop = opens(RECEIPT, replies=REPLIES, bedrock_model=MODEL)
        shop.happens("note.wanted")
        shop.texts("something came up")

    (asked,) = fake.asked
    assert asked["path"] == f"/model/{MODEL}/converse"
    assert asked["messages"] == [{"role": "user", "content": [{"text": "something came up"}]}]
    assert asked["toolConfig"]["toolChoice"] == {"tool": {"name": "note_intent"}}
    assert "reschedule: Wants to come at another time." in asked["system"][0]["text"]
    assert not {"Mia", "mia@example.com", "+12125550001", "Northside"} & set(json.dumps(asked).split())
    assert said(shop) == [{"intent": "reschedule", "confidence": 0.75, "read_by": "model"}]
    (task,) = waiting(shop)
    assert task["context"]["draft"] == "Which day suits you?"
    assert "a model's draft, which nobody has checked: Which day" in shop.cairn("inbox", "show", "mia")
    assert len(shop.sent()) == 1, "nothing is answered without a person"


@pytest.mark.parametrize("words", ["STOP", "pls stop", "How do I stop these texts?", "can I reschedule?", "Thanks!"])
def test_a_model_is_never_asked_about_a_stop_nor_about_what_a_rule_reads(
    opens: Opens, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    with bedrock(monkeypatch, reads("thanks")) as fake:
        shop = opens(SMS, replies=REPLIES, bedrock_model=MODEL)
        shop.happens("note.wanted")
        shop.texts(words)

    assert fake.asked == []


@pytest.mark.parametrize(
    ("answer", "model"),
    [
        (lambda _: (500, {"message": "out of order"}), "gave no answer"),
        (lambda _: (429, {"message": "too many"}), "gave no answer"),
        (lambda _: (200, {"output": {"message": {"content": [{"text": "It is a reschedule."}]}}}), "no use"),
        (reads("delete_all"), "no use"),
        (reads("reschedule", confidence=float("inf")), "no use"),
        (lambda _: (200, "<html>"), "gave no answer"),
    ],
)
def test_a_person_reads_it_where_bedrock_is_down_or_makes_no_sense(
    opens: Opens, monkeypatch: pytest.MonkeyPatch, answer: Any, model: str
) -> None:
    with bedrock(monkeypatch, answer):
        shop = opens(RECEIPT, replies=REPLIES, bedrock_model=MODEL)
        shop.happens("note.wanted")
        shop.texts("something came up")

    (reply,) = said(shop)
    assert reply["intent"] == "unknown"
    assert model in reply["model"]
    (task,) = waiting(shop)
    assert task["context"]["because"] == f"no rule reads it, and the model {reply['model']}"


def test_after_a_failure_bedrock_rests_and_no_more_is_asked_of_it_than_the_day_allows(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([lambda _: (500, {}), reads("reschedule")])
    with bedrock(monkeypatch, lambda asked: next(answers)(asked)) as fake:  # noqa: PLW0108  another one each time
        shop = opens(RECEIPT, replies=REPLIES, bedrock_model=MODEL)
        shop.happens("note.wanted")
        for words in ("one", "two", "three", "four"):
            shop.texts(f"something came up, {words}")
            shop.passes("61s" if words == "one" else "1s")
        shop.passes("1d")
        answers = iter([reads("thanks")])
        shop.texts("something came up, five")

    assert len(fake.asked) == 3
    assert [one.get("model") for one in said(shop)] == [
        "gave no answer",
        None,
        "has been asked as often as it may be today",
        "has been asked as often as it may be today",
        None,
    ]
    assert said(shop)[-1]["intent"] == "thanks"


def test_a_deployment_is_refused_whose_journeys_ask_for_an_unknown_intent(opens: Opens, tmp_path: Any) -> None:
    shop = opens(RECEIPT, replies=REPLIES)
    file = tmp_path / "journeys" / "shop" / "journey.yaml"
    document = json.loads(file.read_text())
    document["exit_on"] = [{"event": "message.replied", "where": "event.properties.intent == 'reshedule'"}]
    file.write_text(json.dumps(document))

    with pytest.raises(InvalidRepliesError, match=r'shop asks for the intent "reshedule".*Did you mean reschedule\?'):
        shop.deployment.deploy(tmp_path / "journeys")
