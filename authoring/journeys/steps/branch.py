"""The step `branch`, as it is written."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Discriminator, Field, Tag

from authoring.journeys.steps.base import UNREACHABLE, AnyStep, EventScope, Models, Wire
from authoring.journeys.values import StepExpression
from authoring.problems import Loc
from authoring.shape import OURS, wrong

if TYPE_CHECKING:
    from authoring.journeys.steps import Step


class Arm(Wire):
    if_: StepExpression = Field(alias="if", description="A condition in JMESPath.", examples=["data.amount > `100`"])
    then: "list[Step]" = Field(description="What follows if it is true.", examples=["[]"])


class ElseArm(Wire):
    else_: "list[Step]" = Field(alias="else", description="What follows if no condition is true.")


def _arm(value: Any) -> str | None:
    if isinstance(value, Mapping) and ("if" in value) != ("else" in value):
        return "arm:if" if "if" in value else "arm:else"
    return None


AnyArm = Annotated[
    Annotated[Arm, Tag("arm:if")] | Annotated[ElseArm, Tag("arm:else")],
    Discriminator(
        _arm,
        custom_error_type=OURS,
        custom_error_message=OURS,
        custom_error_context={
            "message": "an arm of a branch has an `if` and a `then`, or just an `else`",
            "fix": "Write `- if:` with a condition, and under it `then:` with its steps.",
        },
    ),
]


def _arms(arms: list[Arm | ElseArm]) -> list[Arm | ElseArm]:
    last = [index for index, arm in enumerate(arms) if isinstance(arm, ElseArm)]
    if not arms or len(last) == len(arms):
        raise wrong("a branch decides something", "Give it an arm with `if` and `then`.")
    if len(last) > 1:
        raise wrong(f"{len(last)} else arms", "Keep one, at the end.")
    if last and last[0] != len(arms) - 1:
        raise wrong("no arm behind the else arm is ever looked at", "Move the else arm to the end.")
    return arms


class BranchStep(AnyStep):
    branch: Annotated[list[AnyArm], AfterValidator(_arms)] = Field(description="The first arm whose condition holds.")

    models: ClassVar[Models] = {"arm:if": Arm, "arm:else": ElseArm}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        for index, arm in _written_arms(written):
            if "if" in arm:
                yield (index, "if"), arm["if"]

    @staticmethod
    def paths(written: Any, scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        has_else = False
        for index, arm in _written_arms(written):
            name = "else" if "else" in arm else "then"
            has_else = has_else or name == "else"
            yield (index, name), arm.get(name), scope
        if isinstance(written, list) and not has_else:
            yield (), None, scope

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return UNREACHABLE


def _written_arms(written: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    arms = written if isinstance(written, list) else ()
    return ((index, arm) for index, arm in enumerate(arms) if isinstance(arm, Mapping))
