"""The answer to a question: yes or no, a number, a day or a moment, or one of several choices.

Each reading is sure of one answer, or gives none: two numbers, a yes and a no, a negation before a choice are left to
a person.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cairn.domain.consent import refusal_phrases
from cairn.domain.consent.plain_words import clauses, plain_text
from cairn.domain.replies.dates import when
from cairn.domain.replies.question import Asked, Question
from cairn.domain.replies.text import Tokens, length_at, positions, tokens
from cairn.domain.replies.words import DECIMAL_POINT, NO_ANSWERS, numbered, phrases

Value = str | int | float

YES, NO = "yes", "no"

YES_SIGNS = "\U0001f44d\u2705\U0001f44c\u2714"
NO_SIGNS = "\U0001f44e\u274c"
"""A thumb up or down, a tick, a cross."""

MOST_DIGITS = 15
"""A number of more digits is not exact as JSON, and answers nothing that a message asks."""

THOUSAND = 3
"""Digits of a group."""


@dataclass(frozen=True, slots=True)
class Answer:
    value: Value
    """`yes` or `no`; a number; ISO 8601; the name of a choice."""
    rest: int
    """How many words of the text say something else."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """The customer who answers, as far as that decides what the words mean."""

    languages: tuple[str, ...]
    """ISO 639-1, the customer's own first (words.known_languages)."""
    locale: str
    """BCP 47; empty where it is not known."""
    zone: ZoneInfo


def answer_in(text: str, question: Question, speaker: Speaker, said_at: datetime) -> Answer | None:
    """The answer that the text gives to the question."""
    match question.kind:
        case Asked.YES_NO:
            return _yes_or_no(text, speaker.languages)
        case Asked.NUMBER:
            return _number(text, speaker.languages)
        case Asked.DATE:
            return _date(text, speaker, said_at)
        case Asked.CHOICE:
            return _choice(text, question, speaker.languages)


def negations(languages: Iterable[str]) -> frozenset[str]:
    """Tokens that turn round what follows them."""
    own = (refusal_phrases.NEGATIONS_OF.get(language, frozenset()) for language in languages)
    return refusal_phrases.NEGATIONS.union(*own)


def _yes_or_no(text: str, languages: tuple[str, ...]) -> Answer | None:
    """A yes or a no begins a clause: "yes, see you then", and not "is it ok if …"."""
    if not plain_text(text):
        return _sign(text)
    yes, no = phrases("yes", languages), phrases("no", languages)
    said: set[str] = set()
    rest = 0
    for clause in clauses(text):
        words = _without_fillers(clause, languages, keep=yes | no)
        if any(plain_text(" ".join(words)).startswith(one) for one in NO_ANSWERS):
            return None
        position = 0
        while (
            position < len(words)
            and (found := max((length_at(words, position, among), name) for name, among in ((YES, yes), (NO, no))))[0]
        ):
            said.add(found[1])
            position += found[0]
        rest += len(words) - position
    if len(said) != 1 or next(positions(tokens(text), phrases("but", languages)), None):
        return None
    (value,) = said
    if value == YES and negations(languages) & set(plain_text(text).split()):
        return None
    return Answer(value, rest)


def _sign(text: str) -> Answer | None:
    yes, no = (any(sign in text for sign in signs) for signs in (YES_SIGNS, NO_SIGNS))
    return Answer(YES if yes else NO, 0) if yes != no else None


def _number(text: str, languages: tuple[str, ...]) -> Answer | None:
    words = tokens(text)
    in_digits = [one for one in words if one[-1].isdigit()]
    named = numbered("numbers", languages)
    articles = phrases("ones", languages)
    in_words = [
        (at, length) for at, length in positions(words, named) if (words[at],) not in articles or len(words) == 1
    ]
    if len(in_digits) + len(in_words) != 1 or phrases("unsure", languages).intersection((one,) for one in words):
        return None
    if in_words:
        ((at, length),) = in_words
        return Answer(named[tuple(words[at : at + length])], _rest(words, languages) - length)
    value = _value(in_digits[0], decimal="." if languages[0] in DECIMAL_POINT else ",")
    return None if value is None else Answer(value, _rest(words, languages) - 1)


def _value(written: str, decimal: str) -> int | float | None:
    """The number, with the separators of its language; `1.500` is fifteen hundred where a comma is the decimal sign."""
    sign, digits = (-1, written[1:]) if written.startswith("-") else (1, written)
    if not re.fullmatch(r"\d+(?:[.,]\d+)*", digits) or sum(one.isdigit() for one in digits) > MOST_DIGITS:
        return None
    signs = [one for one in digits if one in ".,"]
    last = digits.rfind(signs[-1]) if signs else -1
    behind = len(digits) - last - 1
    if len(set(signs)) > 1:
        is_decimal = signs.count(signs[-1]) == 1
    else:
        is_decimal = len(signs) == 1 and (signs[0] == decimal or behind != THOUSAND)
    whole = digits[:last] if is_decimal else digits
    groups = re.split(r"[.,]", whole)
    if len(groups) > 1 and (len(groups[0]) > THOUSAND or any(len(one) != THOUSAND for one in groups[1:])):
        return None
    number = "".join(groups)
    return sign * (float(f"{number}.{digits[last + 1 :]}") if is_decimal else int(number))


def _date(text: str, speaker: Speaker, said_at: datetime) -> Answer | None:
    words = tokens(text)
    if negations(speaker.languages) & set(words):
        return None
    found = when(words, speaker.languages, speaker.locale, speaker.zone, said_at)
    return None if found is None else Answer(found.to_wire(), max(len(words) - found.read, 0))


def _choice(text: str, question: Question, languages: tuple[str, ...]) -> Answer | None:
    words = tokens(text)
    if negations(languages) & set(words):
        return None
    chosen = dict(_chosen(words, question, languages))
    if len(chosen) != 1 or "" in chosen:
        return None
    ((name, length),) = chosen.items()
    return Answer(name, max(_rest(words, languages) - length, 0))


def _chosen(words: Tokens, question: Question, languages: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Every choice that the text names, and by how many words; an empty name for a number that is none of them."""
    numbers = numbered("numbers", languages)
    articles = phrases("ones", languages)
    named = {
        tuple(plain_text(one).split()): choice.name
        for choice in question.choices
        for one in (choice.name, *choice.words)
    }
    taken: set[int] = set()
    for at, length in positions(words, named):
        yield named[tuple(words[at : at + length])], length
        taken.update(range(at, at + length))
    for at, word in enumerate(words):
        if at in taken:
            continue
        number = int(word) if word.isdigit() else numbers.get((word,)) if (word,) not in articles else None
        if number is not None and 1 <= number <= len(question.choices):
            yield question.choices[number - 1].name, 1
        elif word[-1].isdigit():
            yield "", 1


def _rest(words: Tokens, languages: tuple[str, ...]) -> int:
    return len(_without_fillers(words, languages))


def _without_fillers(
    words: Tokens, languages: tuple[str, ...], keep: frozenset[tuple[str, ...]] = frozenset()
) -> Tokens:
    """The words without those of courtesy, and without those that add nothing."""
    fillers = phrases("fillers", languages)
    needed = {word for phrase in keep for word in phrase}
    return [word for word in words if word in needed or not (word in refusal_phrases.COURTESY or (word,) in fillers)]
