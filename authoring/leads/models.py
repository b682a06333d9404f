"""The keys and values of leads.toml. The models only check, like those of journeys and of the policy."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from authoring.journeys.values import Duration, EventType, Slug, Text
from authoring.policy.models import Table
from authoring.shape import all_wrong, wrong
from cairn.domain.journey import expressions
from cairn.domain.journey.expressions import NamesInScope
from cairn.domain.lead.rules import BECAME_HOT, COOLED
from cairn.domain.profile.lead import CATEGORY, HOT, SCORE
from cairn.domain.shared.currencies import CODE_LENGTH
from cairn.domain.shared.instants import duration

EVENT = NamesInScope(("event", "profile"), "event.properties")
"""What the rules of an event look at."""

MOST_PIPELINES, MOST_STAGES, MOST_RULES = 5, 20, 40
"""Each is stored with every customer that it concerns, and asked with every event that it hears."""


def _expression(scope: NamesInScope) -> Callable[[str], str]:
    def check(text: str) -> str:
        if found := expressions.problems_of(text, scope):
            raise all_wrong(found)
        return text

    return check


def _several(value: Any) -> Any:
    if isinstance(value, list) and (not value or len(set(map(str, value))) < len(value)):
        raise wrong("a list of events names each one once", 'Write ["order.paid", "order.completed"].')
    return value


def _currency(text: str) -> str:
    if len(text) != CODE_LENGTH or not (text.isascii() and text.isalpha() and text.isupper()):
        raise wrong(f'"{text}" is not a currency', "Write its ISO 4217 code in capitals, such as USD.")
    return text


def _ascending(values: list[Any]) -> list[Any]:
    sizes = [duration(one) if isinstance(one, str) else one for one in values]
    if not values or sizes != sorted(set(sizes)):
        raise wrong("thresholds ascend, and there is one at least", "Write the smallest first, each once.")
    return values


OfEvent = Annotated[str, AfterValidator(_expression(EVENT))]
OfProfile = Annotated[str, AfterValidator(_expression(expressions.PROFILE))]
Events = Annotated[EventType | list[EventType], AfterValidator(_several)]
Currency = Annotated[str, AfterValidator(_currency)]
Number = Annotated[float, Field(ge=-1_000, le=1_000)]


class Rule(Table):
    """Asked by an event, by a condition, or by an event while a condition is met."""

    event: Events | None = Field(default=None, examples=['"demo.booked"'])
    when: OfEvent | None = Field(default=None, examples=['"profile.employees >= `50`"'])

    @model_validator(mode="after")
    def _asked(self) -> Self:
        if self.event is None and self.when is None:
            raise wrong("nothing asks this rule", "Give it an event, a condition (when), or both.")
        if self.event is None and expressions.uses_root(self.when, "event"):
            raise wrong("`when` reads the event, and the rule has none", "Add event, or look at the profile alone.")
        if self.event is None and not watched(self.when):
            raise wrong("`when` reads nothing that changes", "Name a field of the profile, or an event: seen('…').")
        return self


class Capture(Table):
    event: Events = Field(examples=['"lead.created"'])
    source: OfEvent | None = Field(default=None, examples=['"event.properties.utm_source || event.source"'])
    campaign: OfEvent | None = Field(default=None, examples=['"event.properties.utm_campaign"'])
    medium: OfEvent | None = Field(default=None, examples=['"event.properties.utm_medium"'])
    when: OfEvent | None = Field(default=None, examples=['"event.properties.form"'])

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.source or self.campaign or self.medium):
            raise wrong("this captures nothing", "Give it source, campaign or medium.")
        return self


class Score(Table):
    hot: int | None = Field(default=None, ge=1, le=1_000, examples=["60"])
    cool: int | None = Field(default=None, ge=1, le=1_000, examples=["40"])
    cap: int = Field(default=100, ge=1, le=1_000, examples=["100"])

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.hot is not None and self.hot > self.cap:
            raise wrong(f"nobody reaches {self.hot}: the cap is {self.cap}", "Write a lower one, or a higher cap.")
        if self.cool is not None and (self.hot is None or self.cool > self.hot):
            raise wrong("who cools was hot before", "Write cool no higher than hot.")
        return self


class Group(Table):
    group: Slug = Field(examples=['"engagement"'])
    half_life: Duration | None = Field(default=None, examples=['"14d"'])
    cap: float | None = Field(default=None, gt=0, le=1_000, examples=["40"])


class PointsRule(Rule):
    rule: Slug = Field(examples=['"asked-for-a-price"'])
    group: Slug = Field(examples=['"engagement"'])
    points: Number = Field(examples=["10"])
    most: float | None = Field(default=None, gt=0, le=1_000, examples=["30"])

    @model_validator(mode="after")
    def _no_circle(self) -> Self:
        events = [self.event] if isinstance(self.event, str) else self.event or []
        if {BECAME_HOT, COOLED} & set(events):
            raise wrong("a score that follows from itself never rests", "Name an event of the customer.")
        read = expressions.attributes_of(self.when) & {SCORE, HOT, CATEGORY}
        if read:
            raise wrong(f"the score cannot follow from profile.{min(read)}, which follows from it", "Look elsewhere.")
        return self


class Value(Table):
    event: Events = Field(examples=['"order.paid"'])
    kind: Literal["order", "refund"] = Field(default="order", examples=['"refund"'])
    amount: OfEvent = Field(examples=['"event.properties.amount"'])
    currency: OfEvent = Field(examples=['"event.properties.currency"'])
    unit: Literal["minor", "major"] = Field(default="minor", examples=['"major"'])
    when: OfEvent | None = Field(default=None, examples=['"event.properties.paid"'])


class RfmClass(Table):
    class_: Slug = Field(alias="class", examples=['"loyal"'])
    recency: int = Field(default=1, ge=1, examples=["2"])
    frequency: int = Field(default=1, ge=1, examples=["2"])
    monetary: int = Field(default=1, ge=1, examples=["2"])


class Rfm(Table):
    recency: Annotated[list[Duration], AfterValidator(_ascending)] = Field(examples=['["30d", "180d"]'])
    frequency: Annotated[list[int], AfterValidator(_ascending)] = Field(examples=["[2, 5]"])
    monetary: Annotated[list[int], AfterValidator(_ascending)] = Field(examples=["[10000, 50000]"])
    currency: Currency = Field(examples=['"USD"'])
    classes: list[RfmClass] = Field(default_factory=list, examples=[])

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        for one in self.classes:
            for kind in ("recency", "frequency", "monetary"):
                highest = len(getattr(self, kind)) + 1
                if getattr(one, kind) > highest:
                    raise wrong(f"nobody is {one.class_}: {kind} has the grades 1 to {highest}", "Write a lower one.")
        return self


class Slowing(Table):
    event: Events = Field(examples=['["class.attended", "order.paid"]'])
    times: float = Field(default=2.0, gt=1, le=20, examples=["2.0"])
    least: int = Field(default=4, ge=3, le=100, examples=["4"])


class TagRule(Rule):
    tag: Text = Field(examples=['"price-list"'])


class CategoryRule(Table):
    category: Slug = Field(examples=['"enterprise"'])
    when: OfProfile | None = Field(default=None, examples=['"profile.employees >= `250`"'])

    @model_validator(mode="after")
    def _no_circle(self) -> Self:
        if CATEGORY in expressions.attributes_of(self.when):
            raise wrong("a category cannot follow from profile.category", "Look at another field.")
        return self


class Stage(Rule):
    stage: Slug = Field(examples=['"qualified"'])
    queue: Slug | None = Field(default=None, examples=['"sales"'])
    goal: EventType | None = Field(default=None, examples=['"demo.booked"'])


class Move(Table):
    from_: Slug = Field(alias="from", examples=['"lost"'])
    to: Slug = Field(examples=['"contacted"'])


class PipelineTable(Table):
    pipeline: Slug = Field(examples=['"corporate"'])
    for_: OfProfile | None = Field(default=None, alias="for", examples=['"profile.company"'])
    stages: Annotated[list[Stage], Field(min_length=1, max_length=MOST_STAGES)] = Field(examples=[])
    moves: list[Move] = Field(default_factory=list, examples=[])


class LeadsFile(Table):
    capture: Annotated[list[Capture], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    score: Score = Field(default_factory=Score)
    groups: Annotated[list[Group], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    points: Annotated[list[PointsRule], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    value: Annotated[list[Value], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    rfm: Rfm | None = None
    slowing: Slowing | None = None
    tags: Annotated[list[TagRule], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    categories: Annotated[list[CategoryRule], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    pipelines: Annotated[list[PipelineTable], Field(max_length=MOST_PIPELINES)] = Field(default_factory=list)


BY_TABLE: Mapping[str, type[Table]] = {
    "capture": Capture,
    "score": Score,
    "groups": Group,
    "points": PointsRule,
    "value": Value,
    "rfm": Rfm,
    "classes": RfmClass,
    "slowing": Slowing,
    "tags": TagRule,
    "categories": CategoryRule,
    "pipelines": PipelineTable,
    "stages": Stage,
    "moves": Move,
}
"""The model of each table, by name."""


def watched(condition: str | None) -> set[str]:
    """What a condition reads that may change: fields of the profile, and types of events that its functions name."""
    tree = expressions.tree_of(condition)
    calls = [node["children"] for node in expressions.calls_of(tree) if node["value"] in expressions.OWN_ARGUMENTS]
    named = {str(first["value"]) for first, *_ in calls if first["type"] == "literal"}
    return expressions.attributes_of(condition) | named
