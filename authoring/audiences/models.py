"""The keys and values of audiences.toml. The models only check, like those of policy.toml."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from authoring.journeys.values import Slug
from authoring.policy.models import Table
from authoring.shape import all_wrong, wrong
from cairn.domain.audience.order import MOST_SHARDS, SortType
from cairn.domain.audience.writing import problems_of

MOST_AUDIENCES = 100
"""Each change of a profile asks those that read it."""


def _expression(text: str) -> str:
    if found := problems_of(text):
        raise all_wrong(found)
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
