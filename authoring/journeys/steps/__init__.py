"""The kinds of step as they are written, a module each: its model, its expressions and its paths."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, assert_never, get_args

from pydantic import Discriminator, Tag

from authoring.journeys.steps.base import AnyStep
from authoring.journeys.steps.branch import Arm, BranchStep, ElseArm
from authoring.journeys.steps.emit import EmitStep
from authoring.journeys.steps.exit import ExitStep
from authoring.journeys.steps.repeat import PathStep, Repeat, RepeatStep
from authoring.journeys.steps.send import SendStep
from authoring.journeys.steps.set import SetStep
from authoring.journeys.steps.split import Arm as SplitArm
from authoring.journeys.steps.split import Split, SplitStep
from authoring.journeys.steps.task import Task, TaskStep
from authoring.journeys.steps.update import UpdateStep
from authoring.journeys.steps.wait import WaitStep
from authoring.journeys.steps.wait_for import AnyMatch, WaitFor, WaitForAll, WaitForAny, WaitForStep
from authoring.journeys.steps.webhook import Webhook, WebhookStep
from cairn.domain.journey.steps import StepKind

WrittenKind = StepKind | Literal["repeat", "path"]
"""The kinds of step in a file: those that ship, and those that stand for several of them."""
WRITTEN_KINDS: tuple[WrittenKind, ...] = (*get_args(StepKind), "repeat", "path")

NOT_ONE_KIND = "not one kind"
"""The type of the error about a step with no kind, or with several."""


def kinds_of(step: Any) -> list[WrittenKind]:
    """The kinds that a step names; it should be one."""
    return [kind for kind in WRITTEN_KINDS if kind in step] if isinstance(step, Mapping) else []


def _tag(step: Any) -> str | None:
    kinds = kinds_of(step)
    return f"step:{kinds[0]}" if len(kinds) == 1 else None


Step = Annotated[
    Annotated[SendStep, Tag("step:send")]
    | Annotated[WaitStep, Tag("step:wait")]
    | Annotated[WaitForStep, Tag("step:wait_for")]
    | Annotated[BranchStep, Tag("step:branch")]
    | Annotated[SplitStep, Tag("step:split")]
    | Annotated[TaskStep, Tag("step:task")]
    | Annotated[UpdateStep, Tag("step:update")]
    | Annotated[SetStep, Tag("step:set")]
    | Annotated[EmitStep, Tag("step:emit")]
    | Annotated[WebhookStep, Tag("step:webhook")]
    | Annotated[ExitStep, Tag("step:exit")]
    | Annotated[RepeatStep, Tag("step:repeat")]
    | Annotated[PathStep, Tag("step:path")],
    Discriminator(_tag, custom_error_type=NOT_ONE_KIND, custom_error_message=NOT_ONE_KIND),
]


def model_of(kind: WrittenKind) -> type[AnyStep]:  # noqa: C901, PLR0911, PLR0912  one return a kind
    match kind:
        case "send":
            return SendStep
        case "wait":
            return WaitStep
        case "wait_for":
            return WaitForStep
        case "branch":
            return BranchStep
        case "split":
            return SplitStep
        case "task":
            return TaskStep
        case "update":
            return UpdateStep
        case "set":
            return SetStep
        case "emit":
            return EmitStep
        case "webhook":
            return WebhookStep
        case "exit":
            return ExitStep
        case "repeat":
            return RepeatStep
        case "path":
            return PathStep
        case _:
            assert_never(kind)


for _model in (
    *(AnyMatch, WaitFor, WaitForAny, WaitForAll, WaitForStep, Arm, ElseArm, BranchStep, SplitArm, Split, SplitStep),
    *(Repeat, RepeatStep, Task, TaskStep, Webhook, WebhookStep),
):  # their nested steps may be of any kind
    _model.model_rebuild(_types_namespace={"Step": Step})
