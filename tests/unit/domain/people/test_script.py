"""A walk through a call script ends, says nothing that was not given, and leaves out nothing that must be read."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.domain.people.script import (
    NO,
    YES,
    AnswerKind,
    Concern,
    Given,
    Question,
    Script,
    ScriptKind,
    ScriptLine,
    Walked,
    check_outcome,
    closest,
    next_lines,
    walk,
)
from cairn.domain.shared.errors import InvalidAnswerError, LineSkippedError, UnknownLineError

RIGHT = {AnswerKind.TEXT: "a text", AnswerKind.NUMBER: "12.5", AnswerKind.SCALE: "7", AnswerKind.DATE: "2026-11-28"}


def nothing(_expression: str) -> Any:
    return None


def text(of: str) -> dict[str, str]:
    return {"": of}


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Any script that the check lets through: lines lead on, and the last one ends."""
    names = [f"line-{number}" for number in range(draw(st.integers(1, 7)))]
    lines = {}
    for number, name in enumerate(names):
        further, last = names[number + 1 :], number == len(names) - 1
        end = "done" if last else draw(st.sampled_from(["", "", "stopped"]))
        if draw(st.booleans()):
            lines[name] = ScriptLine(name, text(name), must_be_read=draw(st.booleans()), end=end)
            continue
        kind = draw(st.sampled_from(list(AnswerKind)))
        choices = {"a": text("A"), "b": text("B")} if kind is AnswerKind.CHOICE else {}
        answers = [YES, NO] if kind is AnswerKind.YES_NO else list(choices)
        go = {} if end or not further else {one: draw(st.sampled_from(further)) for one in answers}
        lines[name] = ScriptLine(name, text(name), question=Question(kind, choices, attribute=name), go=go, end=end)
    return Script("any", "Any", ScriptKind.SALES, lines, {"price": Concern(text("dear"), text("no"))})


def answer_of(line: ScriptLine, draw: Any) -> str:
    if line.question is None:
        return ""
    match line.question.kind:
        case AnswerKind.YES_NO:
            return str(draw(st.sampled_from([YES, NO])))
        case AnswerKind.CHOICE:
            return str(draw(st.sampled_from(sorted(line.question.choices))))
        case kind:
            return RIGHT[kind]


@settings(max_examples=300)
@given(scripts(), st.data())
def test_every_walk_ends_and_has_read_all_on_its_way(script: Script, data: st.DataObject) -> None:
    entered: list[Given] = []
    walked = walk(script, entered, nothing)
    passed = []
    while walked.open:
        (line,) = walked.open
        passed.append(line)
        assert len(passed) <= len(script.lines)
        if data.draw(st.booleans()):
            entered.append(Given(line.id, concern="price"))
            assert walk(script, entered, nothing).open == walked.open  # the talk goes on where it was
        entered.append(Given(line.id, answer_of(line, data.draw)))
        after = walk(script, entered, nothing)
        assert [one.id for one in after.open] in [[one] for one in next_lines(script, line)] or line.end
        walked = after
    assert walked.outcome == passed[-1].end
    assert list(walked.read) == [line.id for line in passed if line.must_be_read]
    assert set(walked.answers) == {line.id for line in passed if line.question}
    check_outcome(script, walked.outcome, walked)


@given(scripts(), st.data())
def test_no_line_before_the_others(script: Script, data: st.DataObject) -> None:
    (here,) = walk(script, [], nothing).open
    other = data.draw(st.sampled_from(sorted(script.lines)))
    if other != here.id:
        with pytest.raises(LineSkippedError, match=here.id):
            walk(script, [Given(other)], nothing)


@given(scripts())
def test_an_outcome_of_the_script_needs_its_walk(script: Script) -> None:
    for outcome in script.outcomes:
        with pytest.raises(LineSkippedError, match="first"):
            check_outcome(script, outcome, walk(script, [], nothing))
    check_outcome(script, "no_answer", walk(script, [], nothing))


READ = ScriptLine("recorded", text("This call is recorded."), must_be_read=True)
BYE = ScriptLine("bye", text("Bye."), end="reached")


def test_what_must_be_read_is_named_where_it_was_not() -> None:
    script = Script("call", "Call", ScriptKind.COMPLIANCE, {"recorded": READ, "bye": BYE})
    with pytest.raises(LineSkippedError, match="recorded must be read first"):
        check_outcome(script, "reached", walk(script, [], nothing))


def test_a_flexible_script_goes_in_any_order_and_ends_when_all_that_must_be_read_was() -> None:
    ask = ScriptLine("ask", text("Why?"), question=Question(AnswerKind.TEXT))
    script = Script("call", "Call", ScriptKind.FLEXIBLE, {"ask": ask, "recorded": READ, "bye": BYE})
    with pytest.raises(LineSkippedError, match="recorded must be read"):
        walk(script, [Given("bye")], nothing)
    assert walk(script, [Given("recorded"), Given("bye")], nothing).outcome == "reached"
    assert walk(script, [Given("recorded"), Given("ask", "so"), Given("bye")], nothing).answers == {"ask": "so"}


def verifying() -> Script:
    question = Question(AnswerKind.DATE, equals="profile.birthday", attempts=2, otherwise="other")
    lines = [
        ScriptLine("born", text("Born?"), question=question),
        BYE,
        ScriptLine("other", text("Sorry."), end="not_verified"),
    ]
    return Script("call", "Call", ScriptKind.INTERACTIVE, {line.id: line for line in lines})


@pytest.mark.parametrize(
    ("known", "said", "open_", "answers"),
    [
        ("1990-05-04", ["1990-05-04"], "bye", {"born": True}),
        ("1990-05-04T00:00:00Z", ["1990-05-04"], "bye", {"born": True}),
        ("1990-05-04", ["1990-05-05"], "born", {}),
        ("1990-05-04", ["1990-05-05", "1990-05-04"], "bye", {"born": True}),
        ("1990-05-04", ["1990-05-05", "1990-05-06"], "other", {"born": False}),
        (None, ["1990-05-05", "1990-05-06"], "other", {"born": False}),
    ],
)
def test_a_verification_compares_and_stores_nothing_of_what_was_said(
    known: str | None, said: list[str], open_: str, answers: dict[str, bool]
) -> None:
    walked: Walked = walk(verifying(), [Given("born", one) for one in said], lambda _: known)
    assert [line.id for line in walked.open] == [open_]
    assert walked.answers == answers


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (AnswerKind.YES_NO, "perhaps"),
        (AnswerKind.CHOICE, "c"),
        (AnswerKind.TEXT, "  "),
        (AnswerKind.TEXT, "x" * 501),
        (AnswerKind.NUMBER, "nan"),
        (AnswerKind.NUMBER, "twelve"),
        (AnswerKind.SCALE, "11"),
        (AnswerKind.SCALE, "²"),
        (AnswerKind.SCALE, "-1"),
        (AnswerKind.DATE, "28.11.2026"),
        (AnswerKind.DATE, "2026-02-30"),
    ],
)
def test_a_wrong_answer_says_what_to_enter(kind: AnswerKind, said: str) -> None:
    question = Question(kind, {"a": text("A")})
    script = Script("s", "S", ScriptKind.SURVEY, {"ask": ScriptLine("ask", text("?"), question=question, end="done")})
    with pytest.raises(InvalidAnswerError, match="ask: "):
        walk(script, [Given("ask", said)], nothing)


@given(st.text(max_size=600), st.sampled_from(list(AnswerKind)))
def test_nothing_that_is_entered_raises_anything_else(said: str, kind: AnswerKind) -> None:
    script = Script(
        "s", "S", ScriptKind.SURVEY, {"ask": ScriptLine("ask", text("?"), question=Question(kind), end="done")}
    )
    with suppress(InvalidAnswerError):
        assert walk(script, [Given("ask", said)], nothing).outcome == "done"


def test_lines_and_concerns_that_are_not_there() -> None:
    for entered in (Given("nowhere"), Given("born", concern="nowhere")):
        with pytest.raises(UnknownLineError, match="nowhere"):
            walk(verifying(), [entered], nothing)


@pytest.mark.parametrize(
    ("locale", "found"), [("es-MX", "es"), ("ES", "es"), ("pt_BR", "pt-BR"), ("pt", ""), ("", ""), ("x" * 99, "")]
)
def test_the_closest_language(locale: str, found: str) -> None:
    assert closest({"": "a", "es": "b", "pt-BR": "c"}, locale) == found
