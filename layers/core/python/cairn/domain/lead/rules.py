"""The rules of leads.toml, by what asks them: the types of events, and changes of the profile (docs/people.md)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cairn.domain.lead.pipelines import Pipeline, Stage

BECAME_HOT = "lead.became_hot"
COOLED = "lead.cooled"
"""The events of a score that has come to its threshold, and of one that has sunk below it again."""

RFM_CHANGED, SLOWED, RESUMED = "rfm.changed", "activity.slowed", "activity.resumed"
"""Of a customer whose RFM class is another one; who is silent for longer than usual; who has come back after that."""

OWN_EVENTS = frozenset({RFM_CHANGED, SLOWED, RESUMED})

STAGE_SET = "stage.set"
"""An operator moves a customer: `pipeline`, `stage`, and who ordered it (`actor`)."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Where a customer comes from, by an event: each field is an expression."""

    events: tuple[str, ...]
    fields: Mapping[str, str]
    """`source`, `campaign`, `medium`."""
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Rules whose points decay alike, and together have a cap."""

    name: str
    half_life: float = 0
    """In days; 0: the points stay."""
    cap: float | None = None


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """Points for each event, or as long as a condition is met."""

    name: str
    group: str
    points: float
    events: tuple[str, ...] = ()
    when: str | None = None
    watches: frozenset[str] = frozenset()
    most: float | None = None
    """The most that this rule gives."""


@dataclass(frozen=True, slots=True)
class Scoring:
    rules: tuple[ScoreRule, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    cap: float = 100
    hot: float | None = None
    """From this score on a customer is hot; None: nobody ever is."""
    cool: float = 0
    """Below this score a hot customer is hot no longer."""


@dataclass(frozen=True, slots=True)
class Money:
    """An order or a refund, by an event: its amount and its currency are expressions."""

    events: tuple[str, ...]
    amount: str
    currency: str
    refund: bool = False
    major: bool = False
    """Whether the amount is in whole units (12.50), not in minor ones (1250)."""
    when: str | None = None


@dataclass(frozen=True, slots=True)
class RfmClass:
    """A class of customers by the least grade of each kind."""

    name: str
    recency: int = 1
    frequency: int = 1
    monetary: int = 1


@dataclass(frozen=True, slots=True)
class Grades:
    """Thresholds, of which each that is reached is one grade more. Grade 1 is the least."""

    recency: tuple[timedelta, ...] = ()
    """The last order is not longer ago."""
    frequency: tuple[int, ...] = ()
    """So many orders."""
    monetary: tuple[int, ...] = ()
    """So much lifetime value, in minor units of the currency."""
    currency: str = ""
    classes: tuple[RfmClass, ...] = ()
    """The first that fits is the customer's."""


@dataclass(frozen=True, slots=True)
class Slowing:
    """A customer's activity declines against their own past: the pause is longer than usual."""

    events: tuple[str, ...]
    """What counts as activity."""
    times: float = 2.0
    """So many times as long as their usual pause, and a day at least."""
    least: int = 4
    """Events without which there is no habit."""


@dataclass(frozen=True, slots=True)
class TagRule:
    """A tag that an event adds, or that a customer has as long as a condition is met."""

    tag: str
    events: tuple[str, ...] = ()
    when: str | None = None
    watches: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Category:
    name: str
    when: str | None = None


HasEvents = Capture | ScoreRule | Money | TagRule | Stage


@dataclass(frozen=True, slots=True)
class Heard:
    """The rules that one type of event asks."""

    captures: tuple[Capture, ...] = ()
    scores: tuple[ScoreRule, ...] = ()
    money: tuple[Money, ...] = ()
    tags: tuple[TagRule, ...] = ()
    stages: tuple[tuple[Pipeline, Stage], ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """All that leads.toml says."""

    captures: tuple[Capture, ...] = ()
    scoring: Scoring = field(default_factory=Scoring)
    money: tuple[Money, ...] = ()
    grades: Grades | None = None
    slowing: Slowing | None = None
    says: frozenset[str] = OWN_EVENTS
    """Those of OWN_EVENTS that any journey names: no other is an event."""
    tags: tuple[TagRule, ...] = ()
    categories: tuple[Category, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    heard: Mapping[str, Heard] = field(init=False)
    """By the type of event; a type that no rule hears is not there."""
    ages: frozenset[str] = field(init=False)
    """The types of events that may change the RFM class, or are activity that may decline."""
    watches: frozenset[str] = field(init=False)
    """The fields of the profile, and the types of events, that conditions without an event read."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "heard", {one: self._by(one) for one in self._types()})
        graded = [event for one in self.money for event in one.events] if self.grades and self.grades.classes else []
        active = self.slowing.events if self.slowing else ()
        object.__setattr__(self, "ages", frozenset((*graded, *active)))
        lasting: Iterable[ScoreRule | TagRule | Stage] = (
            *self.scoring.rules,
            *self.tags,
            *(stage for pipeline in self.pipelines for stage in pipeline.stages),
        )
        object.__setattr__(self, "watches", frozenset[str]().union(*(one.watches for one in lasting)))

    def pipeline(self, name: str) -> Pipeline | None:
        return next((one for one in self.pipelines if one.name == name), None)

    def _types(self) -> set[str]:
        stages = [stage for pipeline in self.pipelines for stage in pipeline.stages]
        rules: list[Sequence[HasEvents]] = [self.captures, self.scoring.rules, self.money, self.tags, stages]
        return {event for some in rules for rule in some for event in rule.events}

    def _by(self, event: str) -> Heard:
        return Heard(
            tuple(one for one in self.captures if event in one.events),
            tuple(one for one in self.scoring.rules if event in one.events),
            tuple(one for one in self.money if event in one.events),
            tuple(one for one in self.tags if event in one.events),
            tuple((line, stage) for line in self.pipelines for stage in line.stages if event in stage.events),
        )
