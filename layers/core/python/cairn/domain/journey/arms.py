"""The arms of a split whose winner is chosen: who gets which, and which of them count."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from cairn.domain.effects import Fact

ChosenBy = Literal["person", "rule"]
PERSON: ChosenBy = "person"
RULE: ChosenBy = "rule"

DEFAULT_AFTER = 400
"""Customers of each arm before a rule may choose."""
DEFAULT_ERROR = 0.05
"""The chance that a rule chooses an arm that is no better than another one."""

Assigned = tuple[str, str]
"""An arm, and the version of the journey in which it was drawn."""


@dataclass(frozen=True, slots=True)
class Winner:
    """How a split's winner is chosen: by a person alone, or also by a rule."""

    by: ChosenBy = PERSON
    after: int = DEFAULT_AFTER
    error: float = DEFAULT_ERROR

    @classmethod
    def from_document(cls, value: str | Mapping[str, Any]) -> Self:
        written: Mapping[str, Any] = {"by": value} if isinstance(value, str) else value
        return cls(written["by"], written.get("after", DEFAULT_AFTER), written.get("error", DEFAULT_ERROR))


@dataclass(frozen=True, slots=True)
class Arms:
    """For one customer, the arms that the weights of a split do not decide, by the split's step."""

    had: Mapping[str, str] = field(default_factory=dict)
    """Of an earlier enrollment: the customer stays on them."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """The winners, for a customer who had none."""


NO_ARMS = Arms()


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """A customer who entered an arm, or reached the goal after it. Each counts once for a split."""

    journey: str
    version: str
    step: str
    arm: str
    what: Literal["entered", "reached"]
    enrollment: str


def outcomes_in(facts: Iterable[Fact]) -> Iterator[ArmOutcome]:
    """What these decisions add to the counts of arms."""
    for fact in facts:
        if fact.kind == "split" and "version" in fact.detail:
            about = fact.detail
            yield ArmOutcome(fact.journey, about["version"], fact.step, about["arm"], "entered", fact.enrollment)
        if fact.kind == "goal_reached":
            for step, arm, version in fact.detail.get("arms", ()):
                yield ArmOutcome(fact.journey, version, step, arm, "reached", fact.enrollment)
