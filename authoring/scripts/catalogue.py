"""Reads call scripts, checks them as a whole, and compiles them for deployment."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from authoring.journeys.catalogue import SCRIPTS as FOLDER
from authoring.journeys.languages import language_of, language_problems
from authoring.journeys.shape import shape_problems
from authoring.journeys.source import Source, read_yaml
from authoring.journeys.templates import text_problems
from authoring.problems import InvalidFilesError, Loc, Problem, did_you_mean
from authoring.scripts.models import ScriptFile, texts_of
from cairn.adapters.documents.scripts import VARIABLES, script_from_document
from cairn.domain.people.script import NO, YES, AnswerKind, Script, ScriptKind, ScriptLine, next_lines
from cairn.domain.shared.channels import Channel

Finding = tuple[Loc, str, str]


class InvalidScriptsError(InvalidFilesError):
    """Call scripts cannot be compiled."""


def check_scripts(journeys: Path) -> list[Problem]:
    """Every problem of the scripts beside the journeys of a folder."""
    return sorted({problem for one in _read(journeys) for problem in one.problems})


def compile_scripts(journeys: Path) -> list[dict[str, Any]]:
    """Every script, as `cairn.adapters.documents.scripts` reads it. Raises InvalidScriptsError."""
    files = _read(journeys)
    problems = {problem for one in files for problem in one.problems}
    if problems:
        raise InvalidScriptsError(problems)
    return [_compiled(one.written) for one in files if one.written is not None]


def _compiled(written: ScriptFile) -> dict[str, Any]:
    """With what the filters of its texts need to know of each language."""
    texts = [texts_of(text) for _, text in _all_texts(written)]
    locales = {locale or written.language for each in texts for locale in each}
    known = {
        locale: language_of([each.get(locale, each.get("", "")) for each in texts], locale, Channel.EMAIL)
        for locale in sorted(locales)
    }
    return written.compiled() | {"languages": {locale: data for locale, data in known.items() if data}}


def write_scripts(journeys: Path, target: Path) -> None:
    """Compile to the JSON file that the functions read, in the order of the lines.

    Raises InvalidScriptsError, and then writes nothing.
    """
    compiled = compile_scripts(journeys)
    target.write_text(json.dumps(compiled, ensure_ascii=False) + "\n", encoding="utf-8")


def script_names(journeys: Path) -> list[str]:
    return [file.stem for file in _files(journeys)]


@dataclass(frozen=True)
class _File:
    source: Source
    written: ScriptFile | None
    """None where its shape is wrong."""
    problems: tuple[Problem, ...]


def _files(journeys: Path) -> list[Path]:
    return sorted((journeys / FOLDER).glob("*.yaml"))


def _read(journeys: Path) -> list[_File]:
    return [_read_file(file) for file in _files(journeys)]


def _read_file(file: Path) -> _File:
    source = read_yaml(file.read_text(encoding="utf-8", errors="replace"), file)
    if source.node is None and not source.problems:
        problem = Problem(file, 1, "", "", "this file is empty", "Begin with `script:` and the file's name.")
        return _File(source, None, (problem,))
    problems = (*source.problems, *(shape_problems(source, ScriptFile) if source.node is not None else ()))
    if problems or source.node is None:
        return _File(source, None, problems)
    written = TypeAdapter(ScriptFile).validate_python(source.data)
    found = tuple(source.problem(*finding) for finding in _findings(file, written))
    return _File(source, written, found)


def _findings(file: Path, written: ScriptFile) -> Iterator[Finding]:
    if written.script != file.stem:
        fix = f"Write `script: {file.stem}`, or rename the file."
        yield ("script",), f'"{written.script}" is not the name of its file', fix
    yield from _languages(written)
    broken = list(_references(written))
    yield from broken
    if not broken:
        script = script_from_document(written.compiled())
        yield from _ways(script)
        yield from KINDS[script.kind](script)
    yield from _texts(written)


def _references(written: ScriptFile) -> Iterator[Finding]:
    """Lines that lead nowhere, or back, and answers that a question does not have."""
    ids = [line.id for line in written.lines]
    for index, line in enumerate(written.lines):
        if line.id in ids[:index]:
            yield ("lines", index, "id"), f'there is a line "{line.id}" already', "Give each line an id of its own."
        targets = [("otherwise", line.otherwise)] if line.otherwise else []
        targets += [("go", line.go)] if isinstance(line.go, str) else []
        by_answer = line.go if isinstance(line.go, dict) else {}
        possible = _answers(line.answer)
        for loc, target in [*targets, *(("go", one) for one in by_answer.values())]:
            yield from _leads_on(ids, index, loc, target)
        for answer in by_answer:
            if possible is None or answer not in possible:
                fix = did_you_mean(answer, possible or (), "Write `go: line`, which follows every answer.")
                yield ("lines", index, "go"), f'"{answer}" is no answer of this line', fix


def _leads_on(ids: list[str], index: int, key: str, target: str) -> Iterator[Finding]:
    if target not in ids:
        fix = did_you_mean(target, ids, "Name a line further on.")
        yield ("lines", index, key), f'there is no line "{target}"', fix
    elif ids.index(target) <= index:
        fix = "Name a line further on: a script never goes back, so that it ends."
        yield ("lines", index, key), f'"{target}" comes before this line', fix


def _answers(answer: Any) -> list[str] | None:
    """The answers by which a line may go on; None where any follows the same way."""
    if isinstance(answer, dict):
        return list(answer)
    return [YES, NO] if answer == AnswerKind.YES_NO else None


def _ways(script: Script) -> Iterator[Finding]:
    """Each way ends with an outcome, and each line is on one."""
    numbers = {id_: number for number, id_ in enumerate(script.lines)}
    if script.any_order:
        if not script.outcomes:
            yield ("lines",), "the script never ends", "Add `end: reached`, or another outcome, to its last line."
        return
    last = list(script.lines.values())[-1]
    if not last.end:
        fix = "Add `end: reached`, or another outcome of the task."
        yield ("lines", numbers[last.id]), "the script goes on behind its last line", fix
    reached = _reached(script)
    for id_, number in numbers.items():
        if id_ not in reached:
            fix = "Lead to it by `go`, or remove it."
            yield ("lines", number), "nothing leads to this line", fix


def _reached(script: Script, without: str = "") -> set[str]:
    """The lines that a walk may come to; `without` a line, as if nobody could get over it."""
    ahead, reached = [next(iter(script.lines))], set[str]()
    while ahead:
        this = ahead.pop()
        if this != without and this not in reached:
            reached.add(this)
            ahead += next_lines(script, script.lines[this])
    return reached


def _number(script: Script, id_: str) -> int:
    return list(script.lines).index(id_)


def _standard(script: Script) -> Iterator[Finding]:
    for line in script.lines.values():
        if len(next_lines(script, line)) > 1 and not (line.question and line.question.verifies):
            fix = "Remove `go`, or make it `kind: interactive`."
            yield ("lines", _number(script, line.id)), "a standard script is the same for everybody", fix


def _flexible(script: Script) -> Iterator[Finding]:
    for line in script.lines.values():
        if line.go or (line.question and line.question.verifies):
            fix = "Remove it, or make the script `kind: interactive`."
            yield ("lines", _number(script, line.id)), "a flexible script goes in any order", fix


def _nothing(_script: Script) -> Iterator[Finding]:
    return iter(())


def _sales(script: Script) -> Iterator[Finding]:
    if not script.concerns:
        fix = "Add `concerns: {price: {title: It is too expensive, say: …}}`, or make it `kind: interactive`."
        yield ("kind",), "a sales script answers concerns", fix


def _troubleshooting(script: Script) -> Iterator[Finding]:
    if len(script.outcomes) < 2:  # noqa: PLR2004
        fix = "Give one way `end: solved`, and another `end: not_solved`."
        yield ("kind",), "what is always solved needs no troubleshooting", fix


def _compliance(script: Script) -> Iterator[Finding]:
    required = [line for line in script.lines.values() if line.must_be_read]
    if not required:
        yield ("kind",), "nothing in this script must be read", "Add `must_be_read: true` to what the law wants said."
    for line in required:
        around = sorted(one for one in _reached(script, line.id) if script.lines[one].end in _good_ends(script, line))
        if around:
            fix = f"Put it before the ways part, or end {around[0]} with an outcome of its own."
            yield ("lines", _number(script, line.id)), f"{around[0]} is reached without reading this line", fix


def _good_ends(script: Script, required: ScriptLine) -> set[str]:
    """The outcomes of the ways on which a required line is read."""
    ahead, ends = [required.id], set[str]()
    while ahead:
        line = script.lines[ahead.pop()]
        ends |= {line.end} - {""}
        ahead += next_lines(script, line)
    return ends


def _survey(script: Script) -> Iterator[Finding]:
    if not any(line.question and not line.question.verifies for line in script.lines.values()):
        yield ("kind",), "a survey asks something", "Add a line with `ask`, such as `answer: scale`."
    if script.concerns:
        yield ("concerns",), "a survey sells nothing", "Remove them, or make it `kind: sales`."


KINDS = {
    ScriptKind.STANDARD: _standard,
    ScriptKind.FLEXIBLE: _flexible,
    ScriptKind.INTERACTIVE: _nothing,
    ScriptKind.SALES: _sales,
    ScriptKind.TROUBLESHOOTING: _troubleshooting,
    ScriptKind.COMPLIANCE: _compliance,
    ScriptKind.SURVEY: _survey,
}


def _all_texts(written: ScriptFile) -> Iterator[tuple[Loc, Any]]:
    for index, line in enumerate(written.lines):
        verb = next(verb for verb in ("say", "ask", "verify") if getattr(line, verb) is not None)
        yield ("lines", index, verb), line.texts
        for name, text in (line.answer if isinstance(line.answer, dict) else {}).items():
            yield ("lines", index, "answer", name), text
    for name, concern in written.concerns.items():
        yield ("concerns", name, "title"), concern.title
        yield ("concerns", name, "say"), concern.say


def _languages(written: ScriptFile) -> Iterator[Finding]:
    """A text by languages has the script's own, which stands in for all others."""
    for loc, text in _all_texts(written):
        if isinstance(text, dict) and written.language not in text:
            fix = f"Add `{written.language}:`, or write the script's own under `language:`."
            yield loc, f"this text is not there in {written.language}, the script's language", fix


def _texts(written: ScriptFile) -> Iterator[Finding]:
    for loc, text in _all_texts(written):
        for locale, one in texts_of(text).items():
            found = [*text_problems(one, VARIABLES), *language_problems(one, locale or written.language)]
            for _, message, fix in found:
                yield loc, message, fix
