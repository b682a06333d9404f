"""Parts that the models of all steps share."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from authoring.journeys.values import EventType, MatchExpression, MatchKey, StepId
from authoring.problems import Loc

EventScope = frozenset[bool]
"""Whether `event` is in scope, on each path that leads to a step. Empty: no path does."""

UNREACHABLE: EventScope = frozenset()
WITH_EVENT: EventScope = frozenset({True})
WITHOUT_EVENT: EventScope = frozenset({False})

FEWEST = 2
"""Matches of which any counts, or arms of a split: one alone needs no list."""

WHERE = "A condition in JMESPath. Without one, every event of this type counts."
KEY = "JMESPath on the event; must equal the enrollment's key. Default: the entry's key. `any` turns it off."


class Wire(BaseModel):
    """The keys that a file may have, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Match(Wire):
    event: EventType = Field(description="The event's type.", examples=["invoice.paid"])
    where: MatchExpression = Field(default_factory=str, description=WHERE, examples=["event.properties.total > `50`"])
    key: MatchKey = Field(default_factory=str, description=KEY, examples=["event.properties.order_id"])


Models = Mapping[str, type[Wire]]
"""Models, by the part of pydantic's path that leads into each."""


class AnyStep(Wire):
    id: StepId = Field(description="Unique in the journey; part of the ids of what it sends.", examples=["confirm"])

    models: ClassVar[Models] = {}
    """Of the mappings inside the step."""

    @staticmethod
    def expressions(_written: Any) -> Iterator[tuple[Loc, Any]]:
        """The expressions that are evaluated when the step is reached, as far as the step has the right shape."""
        return iter(())

    @staticmethod
    def paths(_written: Any, _scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        """The paths of nested steps, each with its scope at the start."""
        return iter(())

    @staticmethod
    def scope_behind(scope: EventScope) -> EventScope:
        """The scope of the step behind this one, unless a path of nested steps leads there."""
        return scope


def named_expressions(written: Any, key: str) -> Iterator[tuple[Loc, Any]]:
    """The expressions of a mapping below a key of the step."""
    named = written.get(key) if isinstance(written, Mapping) else None
    for name, expression in (named if isinstance(named, Mapping) else {}).items():
        yield (key, name), expression
