"""`repeat` and `path`, as they are written. What ships has the steps that they stand for (expansion.py)."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from authoring.journeys.steps.base import AnyStep, Models, Wire
from authoring.journeys.steps.wait import WaitMoment
from authoring.journeys.values import Slug, StepExpression
from authoring.shape import wrong

if TYPE_CHECKING:
    from authoring.journeys.steps import Step

FEWEST_TIMES, MOST_TIMES = 2, 30


class Repeat(Wire):
    times: int = Field(ge=FEWEST_TIMES, le=MOST_TIMES, description="How often at most.", examples=[3])
    every: WaitMoment = Field(description="The wait after each pass, also after the last.", examples=["2d"])
    until: StepExpression = Field(
        default_factory=str,
        description="JMESPath, asked before each pass: where it holds, no further pass follows.",
        examples=["seen_since('invoice.paid', enrollment.since)"],
    )
    steps: "list[Step]" = Field(min_length=1, description="The steps of a pass.")
    else_: "list[Step]" = Field(
        alias="else", default_factory=list, description="What follows where `until` does not hold after the last pass."
    )

    @model_validator(mode="after")
    def _asks_before_else(self) -> "Repeat":
        if self.else_ and not self.until:
            raise wrong(
                "`else` is for an `until` that never holds, and there is none", "Add `until:` with a condition."
            )
        return self


class RepeatStep(AnyStep):
    repeat: Repeat = Field(description="Repeat steps, with a pause, until a condition holds.")

    models: ClassVar[Models] = {"repeat": Repeat}


class PathStep(AnyStep):
    path: Slug = Field(description="The steps of a path that stands under `paths`.", examples=["apologise"])
