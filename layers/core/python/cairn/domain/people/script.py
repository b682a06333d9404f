"""Call scripts: what a member says and asks, line by line, and where each answer leads (docs/people.md).

A walk is computed anew from all that was said, so nothing is stored while a customer is on the phone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from math import isfinite
from typing import Any

from cairn.domain.shared.errors import InvalidAnswerError, LineSkippedError, UnknownLineError

MAX_TEXT = 500
"""Characters of a typed answer."""

YES, NO = "yes", "no"

Texts = Mapping[str, str]
"""A text by its locale; under the empty one, that of the script's own language."""


class ScriptKind(StrEnum):
    """What a script is for; the check asks of each what makes it one (authoring/scripts)."""

    STANDARD = "standard"
    """One line after the other, for everybody."""
    FLEXIBLE = "flexible"
    """In whatever order the talk goes."""
    INTERACTIVE = "interactive"
    """Each answer says what comes next."""
    SALES = "sales"
    """The same, with answers to concerns."""
    TROUBLESHOOTING = "troubleshooting"
    """The same, to more than one ending."""
    COMPLIANCE = "compliance"
    """No way around what must be read."""
    SURVEY = "survey"
    """Questions, and nothing to sell."""


class AnswerKind(StrEnum):
    YES_NO = "yes_no"
    CHOICE = "choice"
    TEXT = "text"
    NUMBER = "number"
    SCALE = "scale"
    """0 to 10."""
    DATE = "date"
    """ISO 8601."""


LONGEST_SCALE = 10


@dataclass(frozen=True, slots=True)
class Question:
    kind: AnswerKind
    choices: Mapping[str, Texts] = field(default_factory=dict)
    attribute: str = ""
    """The attribute of the customer that the answer becomes; empty: none."""
    equals: str = ""
    """JMESPath. Of a verification: what the answer must be."""
    attempts: int = 1
    """How often it may be tried."""
    otherwise: str = ""
    """The line that follows when no attempt was right."""

    @property
    def verifies(self) -> bool:
        return bool(self.equals)


@dataclass(frozen=True, slots=True)
class ScriptLine:
    id: str
    text: Texts
    must_be_read: bool = False
    """The law or the business wants it said in these words; the member confirms that it was."""
    question: Question | None = None
    go: Mapping[str, str] = field(default_factory=dict)
    """The next line by the answer, and for any other under the empty one; without one, the next in the script."""
    end: str = ""
    """The outcome of the task, where the script ends here."""


@dataclass(frozen=True, slots=True)
class Concern:
    title: Texts
    text: Texts
    """What to reply; then the talk goes on where it was."""


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    title: str
    kind: ScriptKind
    lines: Mapping[str, ScriptLine]
    """By id, in order. None leads back, so that every walk ends."""
    concerns: Mapping[str, Concern] = field(default_factory=dict)
    language: str = "en"
    languages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the filters of its texts know of each language."""

    @property
    def outcomes(self) -> frozenset[str]:
        """The outcomes to which it leads. Others, such as nobody answering, need no walk."""
        return frozenset(line.end for line in self.lines.values() if line.end)

    @property
    def any_order(self) -> bool:
        return self.kind is ScriptKind.FLEXIBLE

    def after(self, line: ScriptLine, answer: str) -> str:
        """The id of the line that follows an answer; empty at the end."""
        if line.end:
            return ""
        ids = list(self.lines)
        return line.go.get(answer) or line.go.get("") or next(iter(ids[ids.index(line.id) + 1 :]), "")


@dataclass(frozen=True, slots=True)
class Given:
    """What the member has entered at a line: an answer, or that it was said."""

    line: str
    answer: str = ""
    concern: str = ""
    """An concern that the customer made there; the line itself is still to come."""


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a walk has come."""

    open: tuple[ScriptLine, ...]
    """The lines that may be next: one, unless the script goes in any order; none at the end."""
    outcome: str = ""
    """Where it has ended."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """By line. Of a verification, whether it succeeded: what was said is compared, and forgotten."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    """The lines that had to be read, and were."""
    concerns: tuple[str, ...] = ()
    failed: Mapping[str, int] = field(default_factory=dict)
    """Of each verification, how many attempts were wrong."""


def walk(script: Script, given: Sequence[Given], evaluate: Callable[[str], Any]) -> Walked:
    """Where a script stands after all this. `evaluate` gives the value of an expression about the customer.

    Raises UnknownLineError, LineSkippedError where something stands before its turn, and InvalidAnswerError.
    """
    walked = Walked(_first(script))
    for one in given:
        walked = _after(script, walked, one, evaluate)
    return walked


def check_outcome(script: Script, outcome: str, walked: Walked) -> None:
    """Raises LineSkippedError where a task cannot have this outcome, since its script has not come there."""
    if outcome not in script.outcomes or walked.outcome == outcome:
        return
    unread = next((line.id for line in script.lines.values() if line.must_be_read and line.id not in walked.read), "")
    if walked.outcome:
        raise LineSkippedError(f"the script {script.name} has ended as {walked.outcome}, not as {outcome}")
    missing = f"{unread} must be read" if unread else f"go on from {walked.open[0].id}"
    raise LineSkippedError(f"the script {script.name} has not come to {outcome}: {missing} first")


def closest(texts: Texts, locale: str) -> str:
    """The locale among those of a text that is closest: `es-MX`, then `es`, then the empty one (RFC 4647, 3.4)."""
    known = {name.lower(): name for name in texts}
    left = locale.replace("_", "-").lower().split("-")
    while any(left):
        if "-".join(left) in known:
            return known["-".join(left)]
        left.pop()
    return ""


def _first(script: Script) -> tuple[ScriptLine, ...]:
    lines = tuple(script.lines.values())
    return lines if script.any_order else lines[:1]


def _after(script: Script, walked: Walked, one: Given, evaluate: Callable[[str], Any]) -> Walked:
    line = script.lines.get(one.line)
    if line is None:
        raise UnknownLineError(f"the script {script.name} has no line {one.line}")
    if line not in walked.open:
        here = ", ".join(each.id for each in walked.open) or "at its end"
        raise LineSkippedError(f"{line.id} is not next in the script {script.name}: it is {here}")
    if one.concern:
        if one.concern not in script.concerns:
            raise UnknownLineError(f"the script {script.name} has no concern {one.concern}")
        return replace(walked, concerns=(*walked.concerns, one.concern))
    if line.question is None:
        read = (*walked.read, line.id) if line.must_be_read else walked.read
        return _gone_on(script, replace(walked, read=read), line, "")
    if line.question.verifies:
        return _verified(script, walked, line, line.question, one.answer, evaluate)
    value = _answer(line, line.question, one.answer)
    attribute = {line.question.attribute: value} if line.question.attribute else {}
    answered = replace(
        walked, answers={**walked.answers, line.id: value}, attributes={**walked.attributes, **attribute}
    )
    return _gone_on(script, answered, line, one.answer)


def _verified(  # noqa: PLR0913, PLR0917  what is verified, of which customer, by what
    script: Script, walked: Walked, line: ScriptLine, question: Question, said: str, evaluate: Callable[[str], Any]
) -> Walked:
    value, expected = _answer(line, question, said), evaluate(question.equals)
    if expected is not None and _compared(value) == _compared(expected):
        done = replace(walked, answers={**walked.answers, line.id: True})
        return _gone_on(script, done, line, "")
    failed = walked.failed.get(line.id, 0) + 1
    walked = replace(walked, failed={**walked.failed, line.id: failed})
    if failed < question.attempts:
        return walked
    walked = replace(walked, answers={**walked.answers, line.id: False})
    return replace(walked, open=(script.lines[question.otherwise],))


def _gone_on(script: Script, walked: Walked, line: ScriptLine, answer: str) -> Walked:
    if line.end:
        unread = [one.id for one in walked.open if one.must_be_read and one != line] if script.any_order else []
        if unread:
            raise LineSkippedError(f"{unread[0]} must be read before the script {script.name} ends")
        return replace(walked, open=(), outcome=line.end)
    if script.any_order:
        return replace(walked, open=tuple(one for one in walked.open if one != line))
    following = script.after(line, answer)
    return replace(walked, open=(script.lines[following],) if following else ())


def _answer(line: ScriptLine, question: Question, said: str) -> Any:
    """The typed value of an answer. Raises InvalidAnswerError."""
    read, wanted = READ[question.kind]
    value = read(said.strip(), question)
    if value is None:
        raise InvalidAnswerError(f"{line.id}: {wanted.format(choices=', '.join(question.choices))}")
    return value


def _choice(text: str, question: Question) -> str | None:
    return text if text in question.choices else None


def _yes_no(text: str, _question: Question) -> bool | None:
    return text == YES if text in {YES, NO} else None


def _text(text: str, _question: Question) -> str | None:
    return text if 0 < len(text) <= MAX_TEXT else None


def _number(text: str, _question: Question) -> float | None:
    try:
        value = float(text[:MAX_TEXT])
    except ValueError:
        return None
    return None if not isfinite(value) else int(value) if value.is_integer() else value


def _scale(text: str, _question: Question) -> int | None:
    return int(text[:3]) if text.isascii() and text.isdecimal() and int(text[:3]) <= LONGEST_SCALE else None


def _date(text: str, _question: Question) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


READ: Mapping[AnswerKind, tuple[Callable[[str, Question], Any], str]] = {
    AnswerKind.YES_NO: (_yes_no, "answer yes or no"),
    AnswerKind.CHOICE: (_choice, "choose one of {choices}"),
    AnswerKind.TEXT: (_text, f"write 1 to {MAX_TEXT} characters"),
    AnswerKind.NUMBER: (_number, "a number, such as 12 or 12.5"),
    AnswerKind.SCALE: (_scale, f"a whole number from 0 to {LONGEST_SCALE}"),
    AnswerKind.DATE: (_date, "a date, such as 2026-11-28"),
}


def _compared(value: Any) -> str:
    """Values are compared as people say them: without case, blanks around it, or the time of a date."""
    text = str(value).strip().casefold()
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return " ".join(text.split())


def next_lines(script: Script, line: ScriptLine) -> list[str]:
    """The ids of the lines that may follow one."""
    if line.end:
        return []
    question = line.question
    answers = _answers_of(question) if question else ("",)
    found = [script.after(line, answer) for answer in answers]
    found += [question.otherwise] if question and question.otherwise else []
    return [one for one in dict.fromkeys(found) if one]


def _answers_of(question: Question) -> Sequence[str]:
    if question.kind is AnswerKind.CHOICE:
        return tuple(question.choices)
    if question.kind is AnswerKind.YES_NO and not question.verifies:
        return (YES, NO)
    return ("",)
