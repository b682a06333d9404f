"""The step `split`, as it is written."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from authoring.journeys.steps.base import FEWEST, UNREACHABLE, AnyStep, EventScope, Models, Wire
from authoring.journeys.values import Slug
from authoring.problems import Loc
from authoring.shape import wrong
from cairn.domain.journey.arms import DEFAULT_AFTER, DEFAULT_ERROR, RULE

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


class WinnerRule(Wire):
    by: Literal["person", "rule"] = Field(description="A person alone, or also a rule.", examples=["rule"])
    after: int = Field(
        default=DEFAULT_AFTER,
        ge=50,
        le=10_000_000,
        description="Customers of each arm before the rule may choose.",
        examples=[400],
    )
    error: float = Field(
        default=DEFAULT_ERROR,
        ge=0.001,
        le=0.2,
        description="The chance that the rule chooses an arm that is no better than another one.",
        examples=[0.05],
    )

    @model_validator(mode="after")
    def _of_a_rule(self) -> Self:
        if self.by != RULE and self.model_fields_set - {"by"}:
            raise wrong("`after` and `error` say when a rule chooses", "Write `by: rule`, or `winner: person` alone.")
        return self


Winner = Annotated[
    Annotated[Literal["person", "rule"], Tag("winner:one")] | Annotated[WinnerRule, Tag("winner:rule")],
    Discriminator(lambda value: "winner:rule" if isinstance(value, Mapping) else "winner:one"),
]


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
    winner: Winner = Field(
        default="person",
        description="Counts its arms, and says how the better one is chosen; without it, weights alone decide.",
        examples=["person"],
    )

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if "winner" in self.model_fields_set and sum(bool(one.weight) for one in self.arms) < FEWEST:
            raise wrong(
                "a winner is found among arms that customers get, and this split has one",
                "Give another one a weight, or remove `winner`.",
            )
        return self


class SplitStep(AnyStep):
    split: Split = Field(description="Divide customers by weight; each always gets the same arm.")

    models: ClassVar[Models] = {"split": Split, "arms": Arm, "winner:rule": WinnerRule}

    @staticmethod
    def paths(written: Any, scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        arms = written.get("arms") if isinstance(written, Mapping) else None
        for index, arm in enumerate(arms if isinstance(arms, list) else ()):
            if isinstance(arm, Mapping):
                yield ("arms", index, "then"), arm.get("then"), scope

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return UNREACHABLE
