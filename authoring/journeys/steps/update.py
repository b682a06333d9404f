"""The step `update`, as it is written."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from authoring.journeys.steps.base import AnyStep, Models, Wire, named_expressions
from authoring.journeys.values import AttributeName, StepExpression, Text
from authoring.problems import Loc
from authoring.shape import wrong


class Tags(Wire):
    add: list[Text] = Field(default_factory=list, examples=["[vip]"])
    remove: list[Text] = Field(default_factory=list, examples=["[prospect]"])

    @model_validator(mode="after")
    def _either_way(self) -> Self:
        both = sorted(set(self.add) & set(self.remove))
        if both:
            raise wrong(f"{', '.join(both)} is added and removed", "Keep one of the two.")
        return self


def _as_it_is(value: JsonValue) -> JsonValue:
    if isinstance(value, str) and "{{" in value:
        inside = value.strip("{} ")
        raise wrong("this value is set as it is: nothing fills in {{ … }} here", f"Write it in set_from: {inside}.")
    return value


class Update(Wire):
    set: dict[AttributeName, Annotated[JsonValue, AfterValidator(_as_it_is)]] = Field(
        default_factory=dict, description="Attributes of the profile; null removes one.", examples=["{stage: trial}"]
    )
    set_from: dict[AttributeName, StepExpression] = Field(
        default_factory=dict, description="Attributes from JMESPath.", examples=["{plan: data.plan}"]
    )
    tags: Tags = Field(default_factory=Tags, description="Tags to add and to remove.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.set or self.set_from or self.tags.add or self.tags.remove):
            raise wrong("this update changes nothing", "Give it set, set_from or tags, or leave the step out.")
        both = sorted(self.set.keys() & self.set_from.keys())
        if both:
            raise wrong(f"{', '.join(both)} is in set and in set_from", "Keep one of the two.")
        return self


class UpdateStep(AnyStep):
    update: Update = Field(description="Change the profile.")

    models: ClassVar[Models] = {"update": Update, "tags": Tags}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        return named_expressions(written, "set_from")
