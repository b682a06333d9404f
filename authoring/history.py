"""Recorded histories: what the engine decided in a story, and whether today's engine decides the same.

A history holds each call of the engine: the enrollment and the profile before, the trigger, the instant, the decision.
It holds the journeys too, each in its version. A value that is a default is not written, so a field that is new, with a
default, changes no history.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from difflib import unified_diff
from functools import cache
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

from pydantic import TypeAdapter, ValidationError

from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.effects import Effect, Fact
from cairn.domain.journey import engine
from cairn.domain.journey.arms import NO_ARMS, Arms
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.lead.reading import GivenFields
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

FORMAT = 1
"""Of the file. Another number is another format."""

EFFECTS = {one.KIND: one for one in get_args(Effect)}
TRIGGERS = {one.__name__: one for one in get_args(engine.Trigger)}

Document = dict[str, Any]


class InvalidHistoryError(CairnError):
    """A file is no history, or one of another format."""


@dataclass(slots=True)
class History:
    journeys: list[Document]
    """journey, version and document of each that decided something."""
    decisions: list[Document] = field(default_factory=list)


@contextmanager
def recording(compiled: list[Document]) -> Iterator[History]:
    """What the engine decides within the block. `compiled` are the deployed journeys (authoring.journeys)."""
    history = History([])
    documents = {(one["journey"], one["version"]): one["document"] for one in compiled}
    really = engine.advance

    def advance(  # noqa: PLR0913, PLR0917  as the engine's
        journey: Journey,
        enrollment: Enrollment,
        profile: Profile,
        trigger: engine.Trigger,
        now: datetime,
        arms: Arms = NO_ARMS,
    ) -> engine.Decision:
        decision = really(journey, enrollment, profile, trigger, now, arms)
        named = {"journey": journey.name, "version": journey.version}
        if named | {"document": documents[journey.name, journey.version]} not in history.journeys:
            history.journeys.append(named | {"document": documents[journey.name, journey.version]})
        history.decisions.append(
            {
                "at": instant_to_wire(now),
                **named,
                "enrollment": to_document(enrollment),
                "profile": to_document(profile),
                "trigger": {"kind": type(trigger).__name__, **to_document(trigger)},
                **({} if arms == NO_ARMS else {"arms": to_document(arms)}),
                **({"fields": to_json_of(profile.reader.view(profile, now))} if profile.reader else {}),
                "decision": _decided(decision, profile),
            }
        )
        return decision

    with patch.object(engine, "advance", advance):
        yield history


def text_of(history: History) -> str:
    """The content of a history file: a line for each journey and for each decision, so that changes can be read."""
    lists = [
        f'"{name}": [\n' + ",\n".join(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in found) + "\n]"
        for name, found in (("journeys", history.journeys), ("decisions", history.decisions))
    ]
    return f'{{"history": {FORMAT},\n' + ",\n".join(lists) + "}\n"


def read_history(path: Path) -> History:
    """Raises InvalidHistoryError."""
    record = "Write it with `cairn replay --record`."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["history"] != FORMAT:
            raise InvalidHistoryError(f"{path}:1: this history is of another format. {record}")
        return History(document["journeys"], document["decisions"])
    except OSError as error:
        raise InvalidHistoryError(f"{path}: cannot be read: {error.strerror}. {record}") from None
    except (ValueError, LookupError, TypeError) as error:
        raise InvalidHistoryError(f"{path}:{getattr(error, 'lineno', 1)}: this is no history. {record}") from None


def first_difference(history: History) -> str:
    """The first decision that today's engine takes otherwise, as a diff; empty where there is none.

    Raises InvalidHistoryError where what was recorded lacks what today's engine must have.
    """
    documents = {(one["journey"], one["version"]): one["document"] for one in history.journeys}
    journeys: dict[tuple[str, str], Journey] = {}
    for number, one in enumerate(history.decisions, 1):
        name = one["journey"], one["version"]
        try:
            if name not in journeys:
                journeys[name] = journey_from_document(documents[name], one["version"])
            given = GivenFields(one["fields"]) if "fields" in one else None
            profile = replace(from_document(Profile, one["profile"]), reader=given)
            arms = from_document(Arms, one["arms"]) if "arms" in one else NO_ARMS
            trigger = from_document(TRIGGERS[one["trigger"]["kind"]], one["trigger"])
            enrollment = from_document(Enrollment, one["enrollment"])
            recorded = _read_again(one["decision"], profile)
        except (ValidationError, LookupError, ValueError, TypeError) as error:
            said = str(error).replace("\n", " ")
            raise InvalidHistoryError(f"decision {number} cannot be read by today's code: {said}") from None
        today = _decided(
            engine.advance(journeys[name], enrollment, profile, trigger, instant_from_wire(one["at"]), arms), profile
        )
        if _pretty(today) != _pretty(recorded):
            about = f"decision {number} at {one['at']} of {name[0]}, after {one['trigger']['kind']}, is another today"
            diff = unified_diff(_pretty(recorded), _pretty(today), "recorded", "today", lineterm="", n=2)
            return "\n".join([about, *diff])
    return ""


def _decided(decision: engine.Decision, before: Profile) -> Document:
    """What a decision says; the profile only where it has changed, and of a fact not the steps that led to it."""
    return {
        "enrollment": to_document(decision.enrollment),
        **({"profile": to_document(decision.profile)} if decision.profile != before else {}),
        "effects": [{"kind": one.KIND, **to_document(one)} for one in decision.effects],
        "facts": [to_document(_without_way(one)) for one in decision.facts],
        "by_profile": decision.by_profile,
    }


def _without_way(fact: Fact) -> Fact:
    """Older histories lack it. Another way that leads to the same effects is the same decision."""
    detail = {name: value for name, value in fact.detail.items() if name != "via"}
    return replace(fact, step="" if fact.kind == "ended" else fact.step, detail=detail)


def _read_again(recorded: Document, before: Profile) -> Document:
    """A recorded decision as today's code would write it: with its names, order and defaults."""
    return _decided(
        engine.Decision(
            from_document(Enrollment, recorded["enrollment"]),
            from_document(Profile, recorded["profile"]) if "profile" in recorded else before,
            tuple(from_document(EFFECTS[one["kind"]], one) for one in recorded["effects"]),
            tuple(from_document(Fact, one) for one in recorded["facts"]),
            recorded.get("by_profile", False),
        ),
        before,
    )


def to_document(value: Any) -> Document:
    """A dataclass as JSON, without what has its default. Of a profile, not the rules by which it is read."""
    kind: Any = type(value)
    plain = _adapter(kind).dump_python(replace(value, reader=None) if kind is Profile else value, exclude_defaults=True)
    return to_json_of(plain)


def to_json_of(plain: Any) -> Document:
    written: Document = json.loads(json.dumps(plain, default=_plain))
    return written


def from_document(kind: Any, document: Mapping[str, Any]) -> Any:
    """Raises ValidationError where a field without default is missing. Unknown fields are ignored."""
    return _adapter(kind).validate_python(dict(document))


def _plain(value: Any) -> Any:
    """What JSON does not have; a set in order, so that the same set is the same text."""
    match value:
        case datetime():
            return instant_to_wire(value)
        case timedelta():
            return value.total_seconds()
        case frozenset() | set():
            return sorted(value)
        case _:
            raise TypeError(f"a {type(value).__name__} has no text in a history")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _pretty(document: Document) -> list[str]:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
