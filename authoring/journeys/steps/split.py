"""The step `split`, as it is written."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from authoring.journeys.steps.base import FEWEST, UNREACHABLE, AnyStep, EventScope, Models, Wire
from authoring.journeys.values import Slug
from authoring.problems import Loc
from authoring.shape import wrong

if TYPE_CHECKING:
    from authoring.journeys.steps import Step


class Arm(Wire):
    arm: Slug = Field(description="Its name, by which it is counted.", examples=["discount"])
    weight: float = Field(
        ge=0, le=1_000_000, allow_inf_nan=False, description="Its part of the sum of all weights.", examples=[50]
    )
    then: "list[Step]" = Field(default_factory=list, description="What follows for its customers.")


def _arms(arms: list[Arm]) -> list[Arm]:
    if len(arms) < FEWEST:
        raise wrong("a split has two arms or more", "Add an arm; one without `then` does nothing.")
    names = [one.arm for one in arms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise wrong(f"{', '.join(twice)} is the name of several arms", "Give each its own.")
    if not any(one.weight for one in arms):
        raise wrong("every arm has the weight 0", "Give one of them more.")
    return arms


class Split(Wire):
    arms: Annotated[list[Arm], AfterValidator(_arms)] = Field(
        json_schema_extra={"minItems": FEWEST},
        description="Its customers are divided among these.",
        examples=["[{arm: discount, weight: 50}]"],
    )
    salt: Slug = Field(
        default_factory=str,
        description="Splits with the same salt divide customers alike; without one, like no other split.",
        examples=["spring-offers"],
    )


class SplitStep(AnyStep):
    split: Split = Field(description="Divide customers by weight; each always gets the same arm.")

    models: ClassVar[Models] = {"split": Split, "arms": Arm}

    @staticmethod
    def paths(written: Any, scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        arms = written.get("arms") if isinstance(written, Mapping) else None
        for index, arm in enumerate(arms if isinstance(arms, list) else ()):
            if isinstance(arm, Mapping):
                yield ("arms", index, "then"), arm.get("then"), scope

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return UNREACHABLE
