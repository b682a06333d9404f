"""The keys and values of audiences.toml. The models only check, like those of policy.toml."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from authoring.journeys import expressions
from authoring.journeys.values import Slug
from authoring.policy.models import Table
from authoring.shape import all_wrong, wrong
from cairn.domain.audience.order import MOST_SHARDS, SortType

MOST_AUDIENCES = 100
"""Each change of a profile asks those that read it."""

BY_TIME = frozenset({"days_since", "hours_until"})
"""Functions whose value changes while nothing happens."""

WAY_ON = (
    "Let a journey that enters by a date or by silence (docs/journeys.md) set a tag, and ask for the tag: "
    "contains(profile.tags, 'quiet')."
)


def _expression(text: str) -> str:
    if found := expressions.problems_of(text, expressions.PROFILE):
        raise all_wrong(found)
    tree = expressions.tree_of(text)
    timed = sorted({node["value"] for node in expressions.calls_of(tree)} & BY_TIME)
    if timed:
        message = f"{timed[0]}() changes while nothing happens, and an audience changes by commits alone"
        raise wrong(message, WAY_ON)
    computed = [
        node["value"]
        for node in expressions.calls_of(tree)
        if node["value"] in expressions.OWN_ARGUMENTS and node["children"][0]["type"] != "literal"
    ]
    if computed:
        raise wrong(f"{computed[0]}() names no event here", f"Write the event's type: {computed[0]}('order.paid').")
    if ("profile",) in expressions.paths_of(tree):
        raise wrong("it reads the whole profile", "Name each field: profile.city == 'Lyon'.")
    if not watched(text):
        raise wrong("it reads nothing that changes", "Name a field of the profile, or an event: seen('order.paid').")
    return text


Expression = Annotated[str, AfterValidator(_expression)]


class AudienceTable(Table):
    audience: Slug = Field(examples=['"investors"'])
    when: Expression = Field(examples=["\"contains(profile.tags, 'investor')\""])
    partition: Expression | None = Field(default=None, examples=['"profile.district"'])
    sort: Expression | None = Field(default=None, examples=['"profile.budget_from"'])
    until: Expression | None = Field(default=None, examples=['"profile.budget_to"'])
    sorted_as: Literal[tuple(one.value for one in SortType)] | None = Field(  # type: ignore[valid-type]  # the domain's
        default=None, examples=['"number"']
    )
    shards: int = Field(default=1, ge=1, le=MOST_SHARDS, examples=["4"])

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        if self.sort is None and (self.until is not None or self.sorted_as is not None):
            raise wrong(
                "there is no `sort` by which members stand in order", "Add sort, or leave until and sorted_as out."
            )
        return self


class AudiencesFile(Table):
    audiences: Annotated[list[AudienceTable], Field(min_length=1, max_length=MOST_AUDIENCES)] = Field(examples=[])


BY_TABLE: Mapping[str, type[Table]] = {"audiences": AudienceTable}
"""The model of each table, by name."""


def watched(expression: str | None) -> set[str]:
    """What an expression reads that may change: fields of the profile, and types of events that it names."""
    tree = expressions.tree_of(expression)
    calls = [node["children"] for node in expressions.calls_of(tree) if node["value"] in expressions.OWN_ARGUMENTS]
    named = {str(first["value"]) for first, *_ in calls if first["type"] == "literal"}
    return expressions.attributes_of(expression) | named
