"""Writes out what a journey's file says in short: repeats and shared paths become the steps that they stand for.

What ships has plain steps alone: every one leads forward, and has an id of its own. So whatever holds for those holds
for repeats, too: every path ends, and the longest can be counted. The steps of later passes are called `remind-2`,
`remind-3`; those of a path are called after the step that uses it: `sorry-apologise`.

Follows the document as far as it has the right shape; the shape is checked before.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from authoring.journeys.calendars import Compiled as Calendar
from authoring.journeys.steps import kinds_of, model_of
from authoring.journeys.steps.base import UNREACHABLE
from authoring.journeys.steps.repeat import MOST_TIMES
from authoring.journeys.steps.send import EMAIL
from authoring.journeys.values import STEP_ID
from authoring.problems import Loc, did_you_mean
from cairn.domain.journey.expressions import attributes_of

MOST_STEPS = 1_000
"""Of a journey, written out."""

HEARD = {
    "delivered": ("delivered", "opened", "clicked", "replied"),
    "opened": ("opened", "clicked", "replied"),
    "clicked": ("clicked", "replied"),
    "replied": ("replied",),
}
"""The reports on a message after which no follow-up is needed."""

Named = Callable[[str], str]
"""From the id of a step as it is written to its id where it is used."""

Finding = tuple[Loc, str, str]


@dataclass
class Expansion:
    """A document in which every step is plain."""

    document: Any
    findings: list[Finding] = field(default_factory=list)
    origins: dict[Loc, Loc] = field(default_factory=dict)
    """Where a part of the document is written in the file, if it stands elsewhere there."""

    def written_at(self, loc: Loc) -> Loc:
        """The path in the file of a path in the document."""
        for length in range(len(loc), 0, -1):
            if loc[:length] in self.origins:
                return *self.origins[loc[:length]], *loc[length:]
        return loc


def expanded(document: Any, calendars: Mapping[str, Calendar] | None) -> Expansion:
    """The document of a journey's file, written out. Without calendars, none is looked for."""
    found = Expansion(document)
    if isinstance(document, Mapping):
        _Writer(document.get("paths"), calendars, found).write(document)
    return found


NEVER_SHIPPED = frozenset({"paths", "automate"})
"""Keys that are written out, or that only people read: a changed score makes no new version."""


def _same(id_: str) -> str:
    return id_


@dataclass
class _Writer:
    paths: Any
    calendars: Mapping[str, Calendar] | None
    found: Expansion
    used: set[str] = field(default_factory=set)
    written: int = 0

    def write(self, document: Mapping[str, Any]) -> None:
        whole = {key: value for key, value in document.items() if key not in NEVER_SHIPPED}
        for name in ("steps", "finally"):
            if isinstance(document.get(name), list):
                whole[name] = self.chain(document[name], (name,), (name,), _same, ())
        self.found.document = whole | self.entry(document.get("entry"))
        for name in self.paths if isinstance(self.paths, Mapping) else ():
            if name not in self.used:
                self.found.findings.append((("paths", name), "no step uses this path", f"Use it: `path: {name}`."))

    @staticmethod
    def entry(entry: Any) -> dict[str, Any]:
        """An entry by the profile, with the attributes that it reads."""
        if not isinstance(entry, Mapping):
            return {}
        watched = attributes_of(entry.get("date")) | attributes_of(entry.get("when"))
        return {"entry": {**entry, "watches": sorted(watched)}} if watched else {}

    def chain(  # noqa: PLR0913, PLR0917  where it is written, and where it stands
        self,
        steps: Sequence[Any],
        here: Loc,
        written: Loc,
        named: Named,
        within: tuple[str, ...],
        into: list[Any] | None = None,
    ) -> list[Any]:
        """The steps of a list, written out, with those before them."""
        plain: list[Any] = [] if into is None else into
        for index, step in enumerate(steps):
            at = (*written, index)
            if self.written > MOST_STEPS:
                break
            if _is_path(step):
                self.path(step, here, at, named, within, plain)
            elif _is_repeat(step):
                self.repeat(step, here, at, named, within, plain)
            else:
                plain.append(self.plain(step, (*here, len(plain)), at, named, within))
                self.follow_up(plain, here, at)
        return plain

    def follow_up(self, plain: list[Any], here: Loc, written: Loc) -> None:
        """A message with a follow-up, as three steps: the message, a wait for what is reported, the follow-up."""
        step = plain[-1]
        send = step.get("send") if isinstance(step, Mapping) else None
        follow = send.get("follow_up") if isinstance(send, Mapping) else None
        if not isinstance(send, Mapping) or not isinstance(follow, Mapping) or follow.get("unless") not in HEARD:
            return
        id_, heard = step["id"], HEARD[follow["unless"]]
        bare = {name: value for name, value in send.items() if name != "follow_up"}
        again = {**bare, **{name: value for name, value in follow.items() if name in {"channel", "template"}}}
        if EMAIL not in (again.get("channel") or ""):
            again.pop("invite", None)
        about = f"event.properties.step == '{id_}'"
        matches = [{"event": f"message.{one}", "where": about} for one in (*heard, "bounced", "failed")]
        known = json.dumps([f"message.{one}" for one in heard])
        missed = [
            {"if": f"contains(`{known}`, event.type || '')", "then": []},
            {"else": [{"id": self.id_of(f"{id_}-again", _same, written), "send": again}]},
        ]
        plain[-1] = {**step, "send": bare}
        for more in (
            {"id": f"{id_}-heard", "wait_for": {"any": matches, "timeout": follow.get("within")}},
            {"id": f"{id_}-missed", "branch": missed},
        ):
            self.origins((*here, len(plain)), written)
            plain.append(more)
        where = (*written, "send", *(("follow_up", "template") if "template" in follow else ("template",)))
        self.origins((*here, len(plain) - 1, "branch", 1, "else", 0, "send", "template"), where)

    def plain(self, step: Any, here: Loc, written: Loc, named: Named, within: tuple[str, ...]) -> Any:
        """A step as it is, with its id where it stands, and with the steps inside it written out."""
        self.origins(here, written)
        if not isinstance(step, Mapping):
            return step
        self.count(written)
        copy = {**step, "id": self.id_of(step["id"], named, written)} if isinstance(step.get("id"), str) else {**step}
        for kind in kinds_of(step):
            value = copy[kind]
            for rest, nested, _ in model_of(kind).paths(step[kind], UNREACHABLE):
                if rest and isinstance(nested, list):
                    chain = self.chain(nested, (*here, kind, *rest), (*written, kind, *rest), named, within)
                    value = _with(value, rest, chain)
            copy[kind] = self.with_calendar(value, kind, (*written, kind))
        return copy

    def path(  # noqa: PLR0913, PLR0917  as above
        self, step: Mapping[str, Any], here: Loc, written: Loc, named: Named, within: tuple[str, ...], into: list[Any]
    ) -> None:
        name, use = step["path"], step["id"]
        self.count(written)
        steps = self.paths.get(name) if isinstance(self.paths, Mapping) else None
        self.used.add(name)
        if name in within:
            message = f"this path leads into itself: {' → '.join((*within[within.index(name) :], name))}"
            self.found.findings.append(((*written, "path"), message, "A path may use others, but never itself."))
        elif not isinstance(steps, list):
            known = self.paths if isinstance(self.paths, Mapping) else ()
            fix = did_you_mean(name, known, f"Write its steps under `paths: {{{name}: …}}`.")
            self.found.findings.append(((*written, "path"), f'there is no path "{name}"', fix))
        else:
            self.chain(steps, here, ("paths", name), lambda id_: named(f"{use}-{id_}"), (*within, name), into)

    def repeat(  # noqa: PLR0913, PLR0917  as above
        self, step: Mapping[str, Any], here: Loc, written: Loc, named: Named, within: tuple[str, ...], into: list[Any]
    ) -> None:
        """A pass, a pause, the next pass; where there is an `until`, each behind a branch that asks for it."""
        if REPEATED in within:
            fix = "Write the inner steps out, or make a journey of their own of them."
            self.found.findings.append(((*written, "repeat"), "this repeats inside of what is repeated", fix))
            return
        id_, repeat = step["id"], step["repeat"]
        until, last = repeat.get("until"), repeat["times"]
        for number in range(1, last + 1):
            self.count(written)
            nth = _nth(number)
            if until is not None:
                here, into = self.asked(until, here, written, self.id_of(nth(id_), named, written), into)
            passing = self.named_in_pass(named, nth)
            self.chain(repeat["steps"], here, (*written, "repeat", "steps"), passing, (*within, REPEATED), into)
            pause = (*here, len(into))
            self.origins(pause, written)
            self.origins((*pause, "wait"), (*written, "repeat", "every"))
            every = self.with_calendar(repeat["every"], "wait", (*written, "repeat", "every"))
            into.append({"id": self.id_of(nth(f"{id_}-pause"), named, written), "wait": every})
        if until is not None and repeat.get("else"):
            here, into = self.asked(until, here, written, self.id_of(_nth(last + 1)(id_), named, written), into)
            self.chain(repeat["else"], here, (*written, "repeat", "else"), named, (*within, REPEATED), into)

    def asked(self, until: str, here: Loc, written: Loc, id_: str, into: list[Any]) -> tuple[Loc, list[Any]]:
        """A branch that ends the passes where `until` holds; and the list of the steps that follow otherwise."""
        branch, otherwise = (*here, len(into)), list[Any]()
        self.origins(branch, written)
        self.origins((*branch, "branch", 0, "if"), (*written, "repeat", "until"))
        self.count(written)
        into.append({"id": id_, "branch": [{"if": until, "then": []}, {"else": otherwise}]})
        return (*branch, "branch", 1, "else"), otherwise

    @staticmethod
    def named_in_pass(named: Named, nth: Named) -> Named:
        return lambda id_: named(nth(id_))

    def id_of(self, written_id: str, named: Named, written: Loc) -> str:
        id_ = named(written_id)
        if id_ != written_id and STEP_ID.fullmatch(written_id) and not STEP_ID.fullmatch(id_):
            message = f'the step stands for "{id_}", and an id has at most 32 characters'
            self.found.findings.append(((*written, "id"), message, "Choose shorter ids."))
        return id_

    def origins(self, here: Loc, written: Loc) -> None:
        if here != written:
            self.found.origins[here] = written

    def count(self, written: Loc) -> None:
        self.written += 1
        if self.written == MOST_STEPS + 1:
            message = f"written out, the journey has more than {MOST_STEPS:,} steps"
            self.found.findings.append((written, message, "Repeat less often, or make several journeys of it."))

    def with_calendar(self, value: Any, kind: str, written: Loc) -> Any:
        """A wait, or a wait for an event, with its calendar in the place of the name."""
        if not isinstance(value, Mapping):
            return value
        if kind == "wait_for":
            timeout = self.with_calendar(value.get("timeout"), "wait", (*written, "timeout"))
            return {**value, "timeout": timeout} if "timeout" in value else value
        if kind != "wait" or not isinstance(value.get("open"), str) or self.calendars is None:
            return value
        name = value["open"]
        if name not in self.calendars:
            fix = did_you_mean(name, self.calendars, "Write it in _calendars.yaml, beside the journeys' folders.")
            self.found.findings.append(((*written, "open"), f'there is no calendar "{name}"', fix))
            return value
        return {**value, "open": {"name": name, **self.calendars[name]}}


REPEATED = ""
"""Among the paths around a step: a repeat."""


def _nth(number: int) -> Named:
    return _same if number == 1 else lambda id_: f"{id_}-{number}"


def _is_path(step: Any) -> bool:
    return _is_alone(step, "path") and isinstance(step["path"], str)


def _is_repeat(step: Any) -> bool:
    if not _is_alone(step, "repeat") or not isinstance(repeat := step["repeat"], Mapping):
        return False
    times, steps, otherwise = repeat.get("times"), repeat.get("steps"), repeat.get("else", [])
    is_number = isinstance(times, int) and not isinstance(times, bool) and 1 < times <= MOST_TIMES
    return is_number and isinstance(steps, list) and isinstance(otherwise, list) and "every" in repeat


def _is_alone(step: Any, kind: str) -> bool:
    """Whether it is a step of this kind, and of no other."""
    return isinstance(step, Mapping) and kinds_of(step) == [kind] and isinstance(step.get("id"), str)


def _with(value: Any, loc: Loc, part: Any) -> Any:
    """A copy of a document with another part at a path."""
    if not loc:
        return part
    first, *rest = loc
    if isinstance(value, list):
        return [_with(one, tuple(rest), part) if index == first else one for index, one in enumerate(value)]
    return {key: _with(one, tuple(rest), part) if key == first else one for key, one in value.items()}
