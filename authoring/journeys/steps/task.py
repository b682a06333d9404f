"""The step `task`, as it is written."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from authoring.journeys.steps.base import AnyStep, Models, Wire, named_expressions
from authoring.journeys.values import Duration, PersonText, Slug, StepExpression
from authoring.problems import Loc


class Task(Wire):
    queue: Slug = Field(description="Whose work it is.", examples=["sales"])
    title: PersonText = Field(description="The work, in a line.", examples=["Call the customer"])
    due: Duration = Field(default="24h", description="The time allowed for it.", examples=["4h"])
    context: dict[str, StepExpression] = Field(
        default_factory=dict,
        description="What the person should know: a name and JMESPath for each.",
        examples=["{phone: profile.phone}"],
    )
    script: PersonText = Field(
        default_factory=str, description="The name of a call script in _scripts, or in a few words what to say."
    )


class TaskStep(AnyStep):
    task: Task = Field(description="Open a task for a person.")

    models: ClassVar[Models] = {"task": Task}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        return named_expressions(written, "context")
