"""The events that journeys may name: of the shipped sources, Cairn's own, and the user's in events.yaml."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue, RootModel

from authoring.journeys.shape import EXPECTED
from authoring.journeys.source import Source, read_yaml
from authoring.journeys.steps.base import Wire
from authoring.journeys.values import Text
from authoring.problems import Loc, Problem
from authoring.shape import MessageAndFix, Notation, findings, wrong
from cairn.domain.event import EVENT_TYPE_SHAPE
from cairn.domain.shared.instants import to_instant

FILE = "events.yaml"
"""The user's own, in the folder of the journeys."""

DECLARED = Path(__file__).parents[1] / "events"
SHIPPED, CAIRNS = DECLARED / "shipped.yaml", DECLARED / "cairn.yaml"

NEAR, LIKELY = 0.9, 0.75
"""How alike two names are of which one is probably a mistake; and where one is a mistake, the right one."""

PropertyType = Literal["text", "number", "amount", "boolean", "date", "list", "object", "any"]

JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "amount": (int,),
    "boolean": (bool,),
    "date": (str, int, float),
    "list": (list,),
    "object": (dict,),
    "any": (object,),
}


def fits(value: Any, type_: str) -> bool:
    """Whether an example is of a type. Null is of each: a source may leave a property out."""
    if value is None:
        return True
    if isinstance(value, bool) and type_ not in {"boolean", "any"}:
        return False
    return isinstance(value, JSON_TYPES[type_]) and (type_ != "date" or to_instant(value, UTC) is not None)


def _example(declared: "DeclaredProperty") -> "DeclaredProperty":
    if not fits(declared.example, declared.type):
        raise wrong(f"the example {declared.example!r} is no {declared.type}", "Correct the example, or the type.")
    return declared


class DeclaredProperty(Wire):
    type: PropertyType = Field(
        description="date: docs/journeys.md#dates. amount: money in minor units, which the filter money takes.",
        examples=["text"],
    )
    example: JsonValue = Field(default=None, description="A value, with invented people.", examples=["gold"])
    sources: list[Text] = Field(default_factory=list, description="Who sends it, where not all do.")


def _event_type(text: str) -> str:
    if not EVENT_TYPE_SHAPE.fullmatch(text.removesuffix(".*") + (".x" if text.endswith(".*") else "")):
        raise wrong(f'"{text}" is not an event type', "Write object.action in lower case, such as visit.booked.")
    return text


class DeclaredEvent(Wire):
    about: Text = Field(default_factory=str, description="What has happened.", examples=["A visit is booked."])
    sources: list[Text] = Field(default_factory=list, description="Who sends it.", examples=["[track]"])
    open: bool = Field(default=False, description="It may have other properties as well.", examples=["true"])
    properties: dict[Text, Annotated[DeclaredProperty, AfterValidator(_example)]] = Field(
        default_factory=dict,
        description="Its properties by name.",
        examples=["{plan: {type: text, example: gold}}"],
    )


class EventsFile(RootModel[dict[Annotated[str, AfterValidator(_event_type)], DeclaredEvent]]):
    """Events that journeys may name; docs/events.md describes the file."""


def _model_at(loc: Loc, outermost: Any) -> Any:
    below = [part for part in loc if part != "[key]"]
    inside = 2 if len(below) > 1 else 1
    return DeclaredProperty if "properties" in below[1:-1] else DeclaredEvent if len(below) >= inside else outermost


NOTATION = Notation("docs/events.md", EXPECTED, repr, lambda name, example, _loc: f"`{name}: {example}`", _model_at)


@dataclass(frozen=True, slots=True)
class Names:
    """The properties that events of some types have, each with its type."""

    types: Mapping[str, str]
    closed: bool
    """Whether there are no others."""
    from_: str
    """An event type, or several, for sentences."""
    mend: str = "Declare what you send in events.yaml (docs/events.md)."
    """What to do about a property that there is not."""

    def mistake(self, name: str) -> str | None:
        """What to write instead of a property that these events do not have; empty where nothing is alike."""
        if name in self.types:
            return None
        near = get_close_matches(name, self.types, n=1, cutoff=LIKELY if self.closed else NEAR)
        return near[0] if near else ("" if self.closed else None)


def declared_for(type_: str, declared: Mapping[str, Any]) -> Any:
    """The declaration of a type, else of all that begin so (`order.*` for `order.paid`), else None."""
    patterns = (one for one in declared if one.endswith(".*") and fnmatchcase(type_, one))
    return declared[type_] if type_ in declared else declared.get(next(patterns, ""))


class Declarations:
    """The events that are declared for the journeys of one folder."""

    def __init__(self, own: Source | None) -> None:
        self.file = own.file if own else None
        self.problems = tuple(_problems(own)) if own else ()
        documents = [_shipped(SHIPPED), _shipped(CAIRNS)]
        if own and isinstance(own.data, Mapping) and not self.problems:
            documents.append(own.data)
        self._events: dict[str, dict[str, Any]] = {}
        for document in documents:
            for type_, declared in document.items():
                self._add(type_, declared or {})
        self._own = set(documents[2]) if len(documents) > 2 else set()  # noqa: PLR2004  the third is the user's

    @property
    def is_own(self) -> bool:
        """Whether the user declares the events: then every other one is a mistake."""
        return self.file is not None and not self.problems

    def knows(self, type_: str) -> bool:
        return self._declared(type_) is not None

    def near(self, type_: str) -> str:
        """The declared type that an unknown one may mean; empty where none is alike."""
        return next(iter(get_close_matches(type_, self._events, n=1, cutoff=NEAR)), "")

    def type_problem(self, type_: Any) -> MessageAndFix | None:
        """The problem of a type that is not declared: it is like a declared one, or all are declared."""
        if not isinstance(type_, str) or not EVENT_TYPE_SHAPE.fullmatch(type_) or self.knows(type_):
            return None
        near = self.near(type_)
        if not near and not self.is_own:
            return None
        fix = f"Did you mean {near}? " if near else ""
        return f"no event {type_} is declared", f"{fix}Declare one of your own in events.yaml (docs/events.md)."

    def names(self, types: Iterable[str]) -> Names:
        """The properties of events of these types, of which an event may be any."""
        types = sorted(set(types))
        declared = [self._declared(one) for one in types]
        known: dict[str, str] = {}
        for event in declared:
            for name, type_ in (event or {}).get("types", {}).items():
                known[name] = type_ if known.get(name, type_) == type_ else "any"
        closed = self.is_own and bool(types) and all(one is not None and not one["open"] for one in declared)
        return Names(known, closed, " or ".join(types))

    def _declared(self, type_: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = declared_for(type_, self._events)
        return found

    def _add(self, type_: str, declared: Mapping[str, Any]) -> None:
        """Several declarations of one event add up; of a property, the last one counts."""
        event = self._events.setdefault(type_, {"open": False, "types": {}})
        properties = {name: one["type"] for name, one in (declared.get("properties") or {}).items()}
        known = {"open": event["open"] or bool(declared.get("open")), "types": {**event["types"], **properties}}
        self._events[type_] = known


def declarations_in(folder: Path) -> Declarations:
    """Those for the journeys of a folder."""
    file = folder / FILE
    if not file.is_file():
        return Declarations(None)
    try:
        return Declarations(read_yaml(file.read_text(encoding="utf-8"), file))
    except UnicodeDecodeError:
        problem = Problem(file, 1, "", "", "this file is not UTF-8", "Save it as UTF-8.")
        return Declarations(Source(file, None, None, 1, (problem,)))


def _problems(own: Source) -> Iterator[Problem]:
    yield from own.problems
    if own.problems:
        return
    if not isinstance(own.data, Mapping):
        yield own.problem((), "this file declares no events", "Write `visit.booked:`, and below it `properties:`.")
        return
    for loc, message, fix in findings(own.data, EventsFile, NOTATION):
        yield own.problem(loc, message, fix)


@cache
def _shipped(file: Path) -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_yaml(file.read_text(encoding="utf-8"), file).data
    return data
