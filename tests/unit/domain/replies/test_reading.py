"""How a reply is read, and how sure that is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.plain_words import plain_text
from cairn.domain.replies.answers import Speaker
from cairn.domain.replies.question import Asked, Question
from cairn.domain.replies.reading import (
    AMBIGUOUS,
    EXACT,
    IN_LONG_TEXT,
    MODEL,
    NOTHING,
    PHRASE,
    PROPERTIES,
    WORD,
    Reading,
    by_model,
    read,
)
from cairn.domain.replies.rules import Handling, IntentRule, Replies
from cairn.domain.replies.words import known_languages

THURSDAY = datetime(2026, 3, 5, 15, tzinfo=UTC)
ENGLISH = Speaker(("en",), "en", ZoneInfo("UTC"))
DATE, YES_NO = Question(Asked.DATE), Question(Asked.YES_NO)


def rule(name: str, *words: str, handling: Handling = Handling.JOURNEY, language: str = "en") -> IntentRule:
    return IntentRule(name, name, {language: tuple(map(plain_text, words))}, handling)


RULES = Replies(
    queue="inbox",
    intents={
        "reschedule": rule("reschedule", "reschedule", "another time", "move it"),
        "complaint": rule("complaint", "refund", "terrible", handling=Handling.PERSON),
        "thanks": rule("thanks", "thanks", "great", handling=Handling.NOBODY),
        "cita": rule("cita", "otro día", language="es"),
    },
)


def reading(text: str, question: Question | None = None, speaker: Speaker = ENGLISH) -> Reading:
    return read(text, RULES, question, speaker, THURSDAY)


@pytest.mark.parametrize(
    ("text", "intent", "confidence"),
    [
        ("Reschedule!", "reschedule", EXACT),
        ("RESCHEDULE please", "reschedule", EXACT),
        ("could we find another time for this", "reschedule", PHRASE),
        ("can I reschedule?", "reschedule", WORD),
        ("Thanks!", "thanks", EXACT),
        ("thanks, can I reschedule?", "reschedule", WORD),
        ("this was terrible", "complaint", WORD),
    ],
)
def test_an_intent_is_as_sure_as_its_rule(text: str, intent: str, confidence: float) -> None:
    assert reading(text) == Reading(intent, confidence)


@pytest.mark.parametrize(
    ("text", "perhaps", "confidence"),
    [
        ("reschedule or refund me", ("complaint", "reschedule"), AMBIGUOUS),
        (f"reschedule {'and so on ' * 6}", ("reschedule",), IN_LONG_TEXT),
        ("I don't want to reschedule", (), NOTHING),
        ("rescheduled", (), NOTHING),
        ("do not move, it was fine", (), NOTHING),
        ("otro día", (), NOTHING),
        ("", (), NOTHING),
    ],
)
def test_what_is_not_sure_is_no_intent(text: str, perhaps: tuple[str, ...], confidence: float) -> None:
    assert reading(text) == Reading("unknown", confidence, None, perhaps)


def test_accents_and_case_count_for_nothing_and_the_customers_language_decides() -> None:
    spanish = Speaker(known_languages(["es"]), "es-MX", ZoneInfo("UTC"))

    assert reading("OTRO DIA", speaker=spanish) == Reading("cita", EXACT)


def test_an_answer_beside_an_intent_is_ambiguous_unless_it_is_all_that_is_said() -> None:
    assert reading("tomorrow", DATE) == Reading("answer", EXACT, "2026-03-06")
    assert reading("tomorrow is terrible", DATE) == Reading("unknown", AMBIGUOUS, None, ("answer", "complaint"))
    assert reading("tomorrow, thanks", DATE) == Reading("answer", EXACT, "2026-03-06")
    assert reading("I come along tomorrow", DATE).confidence == WORD


def test_an_answer_beside_a_question_goes_to_a_person() -> None:
    assert reading("Yes, can I bring a friend?", YES_NO) == Reading("unknown", IN_LONG_TEXT, None, ("answer",))


def test_a_model_names_an_intent_of_the_file_and_is_never_surer_than_our_rules() -> None:
    assert by_model("reschedule", 1.0, "", RULES) == Reading("reschedule", MODEL, read_by="model")
    assert by_model("reschedule", 0.5, "", RULES).perhaps == ("reschedule",)
    assert by_model("delete_everything", 1.0, "Sure!", RULES) == Reading(read_by="model", draft="Sure!")


SAID = "reschedule another time refund thanks not don't yes tomorrow friday ? , at 5 please so it"
WORDS = st.sampled_from(SAID.split())


@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=200), st.sampled_from([None, DATE, YES_NO]))
def test_under_the_threshold_nothing_is_claimed_and_what_is_said_is_the_same_each_time(
    text: str, question: Question | None
) -> None:
    found = reading(text, question)

    assert found == reading(text, question)
    assert 0 <= found.confidence <= 1
    assert set(found.to_properties()) <= PROPERTIES
    if found.confidence < RULES.threshold:
        assert found.intent == "unknown"
        assert found.answer is None
    else:
        assert found.intent in {*RULES.intents, "answer"}
        assert (found.answer is not None) == (found.intent == "answer")


@given(st.lists(WORDS, max_size=12).map(" ".join), st.floats(0.01, 1))
def test_a_higher_threshold_never_claims_more(text: str, threshold: float) -> None:
    lower = read(text, Replies("inbox", threshold=threshold / 2, intents=RULES.intents), YES_NO, ENGLISH, THURSDAY)
    higher = read(text, Replies("inbox", threshold=threshold, intents=RULES.intents), YES_NO, ENGLISH, THURSDAY)

    assert lower.confidence == higher.confidence
    assert higher.intent in {lower.intent, "unknown"}
