"""No reply is lost, none is read that refuses, and each is read once, however often its commit meets another one."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.phone.numbers import to_e164
from cairn.application.events.process_event import ProcessEvent
from cairn.application.events.read_reply import ReadReply
from cairn.application.values.replies import Guess
from cairn.domain.consent.keywords import EVENT_TYPES
from cairn.domain.effects import OpenTask
from cairn.domain.event import REPLIED, Event
from cairn.domain.identity.identifiers import PHONE, Identifier
from cairn.domain.privacy.requests import QUEUE
from cairn.domain.replies.conversations import CONVERSATION, task_of
from cairn.domain.replies.rules import Handling, IntentRule, Replies
from cairn.domain.shared.errors import NoGuessError
from tests.unit.fakes import KEYS, Attempts, ChosenArms, Customers, ErasureOrders, Sent, Switches
from tests.unit.makers import MONDAY, Deployed, journey, send

NUMBER = "+12015550123"
REFUSALS = tomllib.loads(
    (Path(__file__).parents[2] / "domain" / "consent" / "refusals.toml").read_text(encoding="utf-8")
)
STOPS = [text for texts in REFUSALS["stop"].values() for text in texts]
POSSIBLE = [text for texts in REFUSALS["possible"].values() for text in texts]
OTHERS = [text for texts in REFUSALS["none"].values() for text in texts]

RULES = Replies(
    queue="inbox",
    intents={
        # Words that the check of replies.toml refuses: even these are no intent of a refusal.
        "leave": IntentRule("leave", "Wants to leave.", {"en": ("stop", "unsubscribe", "me", "texting", "list")}),
        "thanks": IntentRule("thanks", "Says thanks.", {"en": ("thanks",)}, Handling.NOBODY),
    },
)


@dataclass
class Model:
    """Implements the ports Interpreter and ModelCalls."""

    guess: Guess | None = None
    asked: list[str] = field(default_factory=list)

    def read(self, text: str, intents: Iterable[IntentRule], *, drafts: bool, now: datetime) -> Guess:  # noqa: ARG002
        self.asked.append(text)
        if self.guess is None:
            raise NoGuessError("gave no answer")
        return self.guess

    def take(self, limit: int, now: datetime) -> bool:  # noqa: ARG002
        return True


def processing(customers: Customers, model: Model | None = None, attempts: Any = range) -> ProcessEvent:
    journeys = Deployed(journey(send("hello")))
    model = model or Model()
    reader = ReadReply(journeys, RULES, ("de", "es"), model, model)
    return ProcessEvent(
        customers,
        journeys,
        lambda text: to_e164(text, "US"),
        KEYS,
        Sent(),
        Switches(),
        ChosenArms(),
        ErasureOrders(),
        languages=("de", "es"),
        read_reply=lambda: reader,
        attempts=attempts,
    )


def reply(text: str, **more: Any) -> Event:
    said = {"channel": "sms", "address": NUMBER, "text": text}
    return Event("r", "feedback", REPLIED, MONDAY, (Identifier(PHONE, NUMBER),), properties={**said, **more})


def tasks_of(customers: Customers) -> list[OpenTask]:
    return [one for commit in customers.commits for one in commit.reaction.effects if isinstance(one, OpenTask)]


@given(st.sampled_from([*STOPS, *POSSIBLE, "HELP", "start"]))
def test_a_refusal_is_never_read_as_an_intent_and_no_model_sees_it(text: str) -> None:
    customers, model = Customers(), Model(Guess("leave", 1.0))

    processing(customers, model)(reply(text), MONDAY)

    (commit,) = customers.commits
    assert commit.event is not None
    assert commit.event.properties.get("intent", "unknown") == "unknown"
    assert "answer" not in commit.event.properties
    assert model.asked == []


@given(st.sampled_from([*STOPS, *POSSIBLE, *OTHERS]) | st.text(max_size=40), st.none() | st.just("yes"))
def test_no_reply_is_lost(text: str, confirms: str | None) -> None:
    """Nobody waits for it here: it is a STOP, HELP or START, it says thanks, or one person gets one task."""
    customers = Customers()

    processing(customers)(reply(confirms or text), MONDAY)

    (commit,) = customers.commits
    assert commit.event is not None
    tasks = tasks_of(customers)
    if commit.event.type in EVENT_TYPES.values() or commit.event.properties.get("intent") == "thanks":
        assert tasks == []
    else:
        (task,) = tasks
        assert (task.queue, task.reason) in {("inbox", CONVERSATION), (QUEUE, "")}


def test_what_a_provider_says_of_the_intent_is_not_believed() -> None:
    customers = Customers()

    processing(customers)(reply("hm", intent="thanks", confidence=1.0, answer="yes", read_by="them"), MONDAY)

    (commit,) = customers.commits
    assert commit.event is not None
    assert commit.event.properties["intent"] == "unknown"
    assert not {"answer", "read_by"} & commit.event.properties.keys()


def test_a_model_is_asked_once_however_often_the_commit_meets_another_one() -> None:
    customers, model = Customers(), Model(Guess("leave", 0.9, draft="Why?"))
    customers.somebody_is_faster(times=3)

    processing(customers, model, attempts=Attempts())(reply("I am off"), MONDAY)

    assert model.asked == ["I am off"]
    (task,) = tasks_of(customers)
    assert task.context["draft"] == "Why?"
    assert task.context["intent"] == "leave"
    (commit,) = customers.commits
    assert commit.event is not None
    assert "draft" not in commit.event.properties, "no journey may send it"


def test_a_reply_of_the_past_opens_no_task() -> None:
    customers = Customers()

    processing(customers)(replace(reply("hm"), backfill=True), MONDAY)

    assert tasks_of(customers) == []


def test_the_task_has_the_customers_conversation_as_its_reason_and_its_deadline() -> None:
    customers = Customers()

    processing(customers)(reply("x" * 2_000), MONDAY)

    (task,) = tasks_of(customers)
    (customer,) = customers
    assert (task.id, task.reason, task.kind) == (task_of(customer.id), CONVERSATION, "ticket")
    assert (task.due_at, task.due) == (MONDAY + timedelta(hours=4), timedelta(hours=4))
    assert len(task.context["text"]) == 1_000


@pytest.mark.parametrize("text", ["", " ", "\U0001f600"])
def test_a_picture_or_a_smile_is_read_by_a_person(text: str) -> None:
    customers = Customers()

    processing(customers, Model(Guess("thanks", 1.0)))(reply(text, kind="image"), MONDAY)

    assert [task.queue for task in tasks_of(customers)] == ([] if text.strip() else ["inbox"])
