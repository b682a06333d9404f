"""Reads a reply by the rules of replies.toml, and as the answer to the question that was asked.

Offline, and always the same for the same text.

How sure a reading is follows from the kind of rule, and from nothing else; docs/people.md has the table. Under the
threshold nothing is claimed: the intent is `unknown`, and there is no answer, so no journey acts on a guess.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.domain.consent import refusal_phrases
from cairn.domain.consent.plain_words import clauses
from cairn.domain.replies.answers import Answer, Speaker, Value, answer_in, negations
from cairn.domain.replies.question import Question
from cairn.domain.replies.rules import ANSWER, THRESHOLD, UNKNOWN, Handling, IntentRule, Replies
from cairn.domain.replies.text import length_at

EXACT = 1.0
"""The text says it, and nothing else; please and thanks count for nothing."""
PHRASE = 0.9
"""A phrase of two words or more, within a text."""
WORD = 0.8
"""One word, or an answer, within a short text."""
IN_LONG_TEXT = 0.6
"""The same in a text of more than SHORT_TEXT words, or an answer beside a question."""
MODEL = 0.75
"""At most, where a model has read it."""
AMBIGUOUS = 0.4
"""Two intents, or an intent beside an answer."""
NOTHING = 0.0

SHORT_TEXT = 12
"""Words."""

NEGATED_WITHIN = 3
"""Words before a phrase, in its clause, among which a negation turns it round: "I don't want to cancel"."""

QUESTION_MARKS = "?\u00bf\uff1f\u061f"


@dataclass(frozen=True, slots=True)
class Reading:
    intent: str = UNKNOWN
    confidence: float = NOTHING
    answer: Value | None = None
    perhaps: tuple[str, ...] = ()
    """Under the threshold: what it may mean, the likeliest first."""
    read_by: str = "rules"
    model: str = ""
    """What kept a model from reading it, where it was to: "gave no answer"."""
    draft: str = ""
    """A model's draft of an answer. It is no property of the event: no journey sends it."""

    def to_properties(self) -> dict[str, Any]:
        """The properties of the event."""
        found: dict[str, Any] = {"intent": self.intent, "confidence": self.confidence}
        found |= {} if self.answer is None else {"answer": self.answer}
        found |= {"perhaps": list(self.perhaps)} if self.perhaps else {}
        found |= {} if self.read_by == "rules" else {"read_by": self.read_by}
        return found | ({"model": self.model} if self.model else {})


PROPERTIES = frozenset({"intent", "confidence", "answer", "perhaps", "read_by", "model"})
"""All of them: what a provider says under these names is not believed."""


def read(text: str, replies: Replies | None, question: Question | None, speaker: Speaker, said_at: datetime) -> Reading:
    """What the text means. Without `replies` there are no intents; without a question there is no answer."""
    threshold = THRESHOLD if replies is None else replies.threshold
    answer = answer_in(text, question, speaker, said_at) if question is not None else None
    by_answer = _confidence_in(text, answer) if answer is not None else NOTHING
    found = _intents(text, replies.intents if replies else {}, speaker.languages)
    if by_answer == EXACT:
        found = {}
    if answer is not None or not all(map(_is_courtesy(replies), found)):
        found = {name: sure for name, sure in found.items() if not _is_courtesy(replies)(name)}
    names = sorted(found, key=lambda name: (-found[name], name))
    if answer is not None:
        names = [ANSWER, *names]
    if not names:
        return Reading()
    best = by_answer if answer is not None else found[names[0]]
    exact = [name for name in names if name != ANSWER and found[name] == EXACT]
    if len(exact) == 1 and answer is None:
        names, best = exact, EXACT
    confidence = best if len(names) == 1 else AMBIGUOUS
    if confidence < threshold:
        return Reading(UNKNOWN, confidence, None, tuple(names))
    return Reading(names[0], confidence, answer.value if answer is not None else None)


def _is_courtesy(replies: Replies | None) -> Callable[[str], bool]:
    """Whether an intent expects nothing: beside another one, its words only make a text polite."""
    return lambda name: replies is not None and replies.intents[name].handling is Handling.NOBODY


def by_model(intent: str, confidence: float, draft: str, replies: Replies) -> Reading:
    """What a model has read. It names an intent of the file; anything else is nothing."""
    if intent not in replies.intents:
        return Reading(read_by="model", draft=draft)
    sure = min(max(confidence, NOTHING), MODEL)
    if sure < replies.threshold:
        return Reading(UNKNOWN, sure, None, (intent,), "model", draft=draft)
    return Reading(intent, sure, read_by="model", draft=draft)


def _confidence_in(text: str, answer: Answer) -> float:
    if any(mark in text for mark in QUESTION_MARKS):
        return IN_LONG_TEXT
    if not answer.rest:
        return EXACT
    return WORD if answer.rest <= SHORT_TEXT else IN_LONG_TEXT


def _intents(text: str, intents: Mapping[str, IntentRule], languages: tuple[str, ...]) -> dict[str, float]:
    """The intents whose words are in the text, each with the confidence of its best rule."""
    said = clauses(text)
    said_words = [word for clause in said for word in clause]
    whole = [word for word in said_words if word not in refusal_phrases.COURTESY]
    turning = negations(languages)
    found: dict[str, float] = {}
    for name, rule in intents.items():
        known = {tuple(phrase.split(" ")) for language in languages for phrase in rule.words.get(language, ())}
        if known.intersection((tuple(whole), tuple(said_words))):
            found[name] = EXACT
            continue
        lengths = [length for clause in said for length in _lengths_in(clause, known, turning)]
        if lengths:
            longest = max(lengths)
            found[name] = PHRASE if longest > 1 else WORD if len(whole) <= SHORT_TEXT else IN_LONG_TEXT
    return found


def _lengths_in(clause: Sequence[str], known: set[tuple[str, ...]], turning: frozenset[str]) -> Iterator[int]:
    """The lengths of the phrases in a clause that no negation turns round."""
    for position in range(len(clause)):
        length = length_at(clause, position, known)
        if length and not turning.intersection(clause[max(position - NEGATED_WITHIN, 0) : position]):
            yield length
