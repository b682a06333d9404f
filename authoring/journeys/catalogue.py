"""Reads journeys from their folders, checks them as a whole, and compiles them for deployment."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from authoring.journeys.automation import automation_findings
from authoring.journeys.calendars import Calendars, read_calendars
from authoring.journeys.events import Declarations, declarations_in
from authoring.journeys.expansion import Expansion, expanded
from authoring.journeys.flow import (
    changes_of,
    emits_of,
    entries_at_any_rate,
    flow_findings,
    has_key,
    invites_of,
    scripts_of,
    sends_of,
)
from authoring.journeys.languages import ENGLISH
from authoring.journeys.models import Journey
from authoring.journeys.named_events import event_problems, undeclared_types
from authoring.journeys.shape import shape_problems
from authoring.journeys.source import Source, read_yaml
from authoring.journeys.stamp import stamp_problem
from authoring.journeys.templates import MAIN_KIND, Part, compiled_templates, path_of, read_parts
from authoring.journeys.values import LOCALE, SLUG
from authoring.problems import InvalidFilesError, Loc, Problem, did_you_mean
from cairn.adapters.templates.variants import INVITE_TEXTS

FILE = "journey.yaml"
SCRIPTS = "_scripts"
"""The folder of call scripts (authoring/scripts)."""

VERSION_LENGTH = 16
"""Characters of the SHA-256 that name a version: 64 bits."""

MAX_COMPRESSED_BYTES = 390_000
"""A version is stored in one item of the table. DynamoDB's limit is 400 KB an item, names and keys included."""

UNSENT = "no step sends this template"

Compiled = dict[str, Any]
"""journey, version, document, templates; JSON values only."""


class InvalidJourneysError(InvalidFilesError):
    """Journeys cannot be compiled."""


@dataclass(frozen=True)
class Catalogue:
    """Journeys as they were read, once."""

    folders: Sequence["_Folder"]
    problems: Sequence[Problem]
    """Every problem of every journey, by files and lines."""
    declared: Declarations

    def compiled(self) -> list[Compiled]:
        """Every journey, by name. Raises InvalidJourneysError with all problems of all of them."""
        if self.problems:
            raise InvalidJourneysError(self.problems)
        return [folder.compiled() for folder in self.folders]

    def problem(self, journey: str, step: str, field: Loc, message: str, fix: str) -> Problem | None:
        """A problem of a step that another file shows, at the line of the step's field; None without such a step."""
        for folder in self.folders:
            if folder.path.name == journey and (loc := _loc_of(folder.written.document, step)) is not None:
                return folder.source.problem(folder.written.written_at((*loc, *field)), message, fix)
        return None

    def undeclared(self) -> list[str]:
        """The event types that are neither declared nor like one that is."""
        found = (undeclared_types(one.source, one.written, self.declared) for one in self.folders)
        return sorted({type_ for types in found for type_ in types})


def read_catalogue(root: Path) -> Catalogue:
    """Read every journey below `root`, or one alone where `root` is its own folder."""
    folders, problems, declared = _read(root)
    return Catalogue(folders, sorted(set(problems)), declared)


def compile_catalogue(root: Path) -> list[Compiled]:
    """What `read_catalogue` reads, compiled. Raises InvalidJourneysError with all problems of all of them."""
    return read_catalogue(root).compiled()


def check(root: Path) -> list[Problem]:
    """Every problem of every journey below `root`, or of the one whose folder it is, by files and lines."""
    return list(read_catalogue(root).problems)


def write_catalogue(root: Path, target: Path, *, stamped: bool = False) -> None:
    """Compile to a JSON file that the functions read. Raises InvalidJourneysError, and then writes nothing.

    With `stamped`, used for deployment: a journey whose version has not passed preflight is a problem too.
    """
    compiled = compile_catalogue(root)
    if stamped:
        named = ((root / one["journey"], one["journey"], one["version"]) for one in compiled)
        unstamped = [problem for one in named if (problem := stamp_problem(*one)) is not None]
        if unstamped:
            raise InvalidJourneysError(unstamped)
    target.write_text(canonical_json(compiled) + "\n", encoding="utf-8")


def canonical_json(value: Any) -> str:
    """The same text for the same value, in whatever order its keys were written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class _Folder:
    path: Path
    source: Source
    written: Expansion
    """The document as it ships."""
    parts: list[Part]
    problems: list[Problem]

    def compiled(self) -> Compiled:
        content = {
            "document": self.written.document,
            "templates": compiled_templates(self.parts, _language(self.source)),
        }
        version = hashlib.sha256(canonical_json(content).encode()).hexdigest()[:VERSION_LENGTH]
        return {"journey": self.source.data["journey"], "version": version, **content}


def _loc_of(value: Any, step: str, loc: Loc = ()) -> Loc | None:
    """The path to a step; None where there is none of this id."""
    if isinstance(value, Mapping) and value.get("id") == step:
        return loc
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    return next((found for key, one in items if (found := _loc_of(one, step, (*loc, key))) is not None), None)


def _read(root: Path) -> tuple[list[_Folder], list[Problem], Declarations]:
    if not root.is_dir():
        problem = Problem(root, 1, "", "", "there is no such folder", "Name the folder that holds the journeys.")
        return [], [problem], Declarations(None)
    own = (root if root.name else root.resolve()) if (root / FILE).is_file() else None
    above = own.parent if own else root
    beside = sorted(path for path in above.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    calendars = read_calendars(above)
    declared = declarations_in(above)
    folders = [_read_folder(path, calendars, declared) for path in ([own] if own else beside)]
    problems = [
        *calendars.problems,
        *declared.problems,
        *(problem for folder in folders for problem in folder.problems),
    ]
    problems += [*_shared_names(folders), *_unknown_journeys(folders, beside), *_unmatched_invites(folders, beside)]
    return folders, [*problems, *_circles(folders), *_unknown_scripts(folders, above)], declared


def _read_folder(path: Path, calendars: Calendars, declared: Declarations) -> _Folder:
    source = _read_journey(path / FILE)
    written = expanded(source.data, None if calendars.problems else calendars.compiled)
    parts, template_problems = read_parts(path)
    problems = [*source.problems, *template_problems]
    problems += [problem for part in parts for problem in part.language_problems(_language(source))]
    if source.node is not None:
        already = {(problem.line, problem.field) for problem in source.problems}
        problems += [
            one for one in _journey_problems(source, written, path.name) if (one.line, one.field) not in already
        ]
        problems += [one for one in _template_problems(source, written, path, parts) if not _follows(one, problems)]
        already = {(problem.line, problem.field) for problem in problems}
        by_events = event_problems(source, written, parts, declared)
        problems += [one for one in by_events if (one.line, one.field) not in already]
    folder = _Folder(path, source, written, parts, problems)
    return folder if problems else replace(folder, problems=list(_size_problems(folder)))


def _follows(one: Problem, problems: list[Problem]) -> bool:
    """Whether a problem of templates only follows from another one: of the same key, or of what a step sends."""
    if one.message == UNSENT:
        fields = (other.field for other in problems if other.file.name == FILE)
        return any(field in {"", "steps"} or field.startswith("send") for field in fields)
    return any((one.file, one.line, one.field) == (other.file, other.line, other.field) for other in problems)


def _read_journey(file: Path) -> Source:
    nothing = ("", "")
    try:
        source = read_yaml(file.read_text(encoding="utf-8"), file)
    except FileNotFoundError:
        problem = Problem(file, 1, *nothing, "this file is missing", "Write it, or remove the folder.")
    except UnicodeDecodeError:
        problem = Problem(file, 1, *nothing, "this file is not UTF-8", "Save it as UTF-8.")
    else:
        if source.node is not None or source.problems:
            return source
        problem = Problem(file, 1, *nothing, "this file is empty", "Begin with `journey:` and the folder's name.")
    return Source(file, None, None, 1, (problem,))


def _language(source: Source) -> str:
    """Of templates without one. A name that is no language is a problem of the journey, not of each template."""
    written = source.data.get("language") if isinstance(source.data, dict) else None
    return written if isinstance(written, str) and LOCALE.fullmatch(written) else ENGLISH


def _journey_problems(source: Source, written: Expansion, name: str) -> Iterator[Problem]:
    yield from shape_problems(source, Journey)
    for finding in written.findings:
        yield source.problem(*finding)
    for loc, message, fix in flow_findings(written.document):
        yield source.problem(written.written_at(loc), message, fix)
    for finding in automation_findings(source.data, written.document):
        yield source.problem(*finding)
    called = source.data.get("journey") if isinstance(source.data, dict) else None
    if isinstance(called, str) and called != name:
        fix = f"Write `journey: {name}`, or rename the folder."
        yield source.problem(("journey",), f'"{called}" is not the name of its folder', fix)


def _template_problems(source: Source, written: Expansion, path: Path, parts: list[Part]) -> Iterator[Problem]:
    there = {(part.template, part.channel, part.kind, part.locale) for part in parts}
    used: set[tuple[str, str]] = set()
    for loc, template, channels in sends_of(written.document):
        for channel in channels:
            used.add((template, channel))
            if channel in MAIN_KIND and (template, channel, MAIN_KIND[channel], "") not in there:
                expected = path / path_of(template, channel)
                fix = f"Write {expected}, or name another template or channel."
                yield source.problem(written.written_at(loc), f'there is no template "{template}" for {channel}', fix)
    yield from _read_at_the_end(source, path, parts)
    inviting = {template for _, template, _ in invites_of(written.document)}
    for part in parts:
        for name in INVITE_TEXTS if part.template not in inviting else ():
            if name in part.titles:
                message = "no step that sends this has an invite"
                yield part.front.problem((name,), message, "Add `invite: {starts: …, lasts: …}` to the step.")
        if (part.template, part.channel) not in used:
            fix = f"Name it in a send step ({part.channel}, {part.template}), or remove the file."
            yield Problem(part.file, 1, "", "", UNSENT, fix)
        elif part.locale and (part.template, part.channel, MAIN_KIND[part.channel], part.locale) not in there:
            fix = f"Write {path / path_of(part.template, part.channel, part.locale)}, or remove this file."
            yield Problem(part.file, 1, "", "", f"this e-mail has no HTML in {part.locale}", fix)


def _read_at_the_end(source: Source, path: Path, parts: list[Part]) -> Iterator[Problem]:
    """What `finally` changes and a template reads: the messages of the last steps are written after it."""
    last = source.data.get("finally") if isinstance(source.data, dict) else None
    for index, step in enumerate(last if isinstance(last, list) else ()):
        update = step.get("update") if isinstance(step, dict) else None
        changed = update if isinstance(update, dict) else {}
        names = [name for key in ("set", "set_from") for name in (changed.get(key) or ())]
        names += ["tags"] if "tags" in changed else []
        for name in names:
            reads = re.compile(rf"\bprofile\.{re.escape(str(name))}\b")
            reader = next((part for part in parts if any(map(reads.search, part.texts))), None)
            if reader is not None:
                file = reader.file.relative_to(path)
                message = f"{file} reads profile.{name}, and the last message is written after the end"
                fix = "Keep it in a value of the enrollment (`set`) and read that, or change it by an event."
                yield source.problem(("finally", index), message, fix)


def _shared_names(folders: list[_Folder]) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for folder in folders:
        name = folder.source.data.get("journey") if isinstance(folder.source.data, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            fix = "Give each journey its folder's name."
            yield folder.source.problem(("journey",), f'"{name}" is the journey of {seen[name]} too', fix)
        seen.setdefault(name, folder.source.file)


def _unknown_journeys(folders: list[_Folder], beside: list[Path]) -> Iterator[Problem]:
    """Journeys that an entry names, and that are not there."""
    names = [path.name for path in beside]
    for folder in folders:
        entry = folder.source.data.get("entry") if isinstance(folder.source.data, dict) else None
        others = entry.get("unless_in") if isinstance(entry, dict) else None
        for index, name in enumerate(others if isinstance(others, list) else ()):
            if name not in names:
                fix = did_you_mean(str(name), names, "Name a folder beside this one.")
                yield folder.source.problem(("entry", "unless_in", index), f'there is no journey "{name}"', fix)


def _unknown_scripts(folders: list[_Folder], root: Path) -> Iterator[Problem]:
    """Call scripts that tasks name, and that are not there. Several words are what to say themselves."""
    known = [file.stem for file in sorted((root / SCRIPTS).glob("*.yaml"))]
    for folder in folders:
        for loc, name in scripts_of(folder.written.document):
            if SLUG.fullmatch(name) and name not in known:
                fix = did_you_mean(name, known, f"Write {SCRIPTS}/{name}.yaml, or what to say in several words.")
                yield folder.source.problem(folder.written.written_at(loc), f'there is no script "{name}"', fix)


def _unmatched_invites(folders: list[_Folder], beside: list[Path]) -> Iterator[Problem]:
    """Invites `of` a journey that is not there, that does not invite, or that has no key to find them by."""
    names = [path.name for path in beside]
    documents = {folder.path.name: folder.written.document for folder in folders}
    for folder in folders:
        own = folder.written.document
        for loc, _, invite in invites_of(own):
            if "of" not in invite:
                continue
            of = str(invite["of"])
            there = documents.get(of, own)
            if of not in names:
                message, fix = f'there is no journey "{of}"', did_you_mean(of, names, "Name a folder beside this one.")
            elif of in documents and all("of" in one for _, _, one in invites_of(there)):
                message, fix = f"{of} sends no invite of its own", "Name the journey that sends the first one."
            elif not (has_key(own) and has_key(there)):
                message = f"an invite of {of} is found by the key of both journeys, and one of them has none"
                fix = "Give both entries a `key` with the same value, such as event.properties.booking_id."
            else:
                continue
            yield folder.source.problem(folder.written.written_at((*loc, "of")), message, fix)


def _circles(folders: list[_Folder]) -> Iterator[Problem]:
    """What journeys emit or change, and by which they start one another again and again, as fast as queues are."""
    entered: dict[str, set[str]] = {}
    for folder in folders:
        for event in entries_at_any_rate(folder.written.document):
            entered.setdefault(event, set()).add(folder.path.name)
    documents = {folder.path.name: folder.written.document for folder in folders}
    emitted = {name: [*emits_of(one), *changes_of(one)] for name, one in documents.items()}
    starts = {name: {one for _, event in emits for one in entered.get(event, ())} for name, emits in emitted.items()}
    for folder in folders:
        name = folder.path.name
        for loc, event in emitted[name]:
            if any(name in _reached(starts, one) for one in entered.get(event, ())):
                message = f"{event} starts this journey again, by itself or by another one, and so without end"
                fix = "Give its entry `again: 1d`, or another length: it then starts at most so often."
                yield folder.source.problem(folder.written.written_at(loc), message, fix)


def _reached(starts: Mapping[str, set[str]], first: str) -> set[str]:
    reached, ahead = set[str](), [first]
    while ahead:
        this = ahead.pop()
        if this not in reached:
            reached.add(this)
            ahead += starts.get(this, ())
    return reached


def _size_problems(folder: _Folder) -> Iterator[Problem]:
    size = len(gzip.compress(canonical_json(folder.compiled()).encode()))
    if size > MAX_COMPRESSED_BYTES:
        message = f"the journey with its templates is {size:,} bytes compressed, above {MAX_COMPRESSED_BYTES:,}"
        fix = "Link to images instead of embedding them, or make two journeys of it."
        yield Problem(folder.source.file, 1, "", "", message, fix)
