"""The step `task`, as it is written."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from authoring.journeys.steps.base import (
    UNREACHABLE,
    WITH_EVENT,
    WITHOUT_EVENT,
    AnyStep,
    EventScope,
    Models,
    Wire,
    named_expressions,
)
from authoring.journeys.values import Duration, PersonText, Slug, StepExpression
from authoring.problems import Loc
from authoring.shape import wrong
from cairn.domain.journey.steps.task import DEFAULT_AT_MOST, DEFAULT_DUE

if TYPE_CHECKING:
    from authoring.journeys.steps import Step


class Task(Wire):
    queue: Slug = Field(description="Whose work it is: a queue of people.toml.", examples=["sales"])
    title: PersonText = Field(description="The work, in a line.", examples=["Call the customer"])
    kind: Literal["call", "visit", "review", "approve", "ticket", "todo"] = Field(
        default="todo", description="What kind of work it is.", examples=["call"]
    )
    due: Duration = Field(
        default_factory=str,
        description=f"The time allowed, in the queue's working hours. Default: the queue's, else {DEFAULT_DUE}.",
        examples=["4h"],
    )
    priority: Literal["urgent", "normal", "low"] = Field(
        default="normal", description="What comes first in its queue.", examples=["urgent"]
    )
    skills: list[Slug] = Field(
        default_factory=list, description="What its member must be able to do.", examples=["[solar]"]
    )
    member: StepExpression = Field(
        default_factory=str,
        description="JMESPath to the id of the only member who may have it.",
        examples=["data.partner"],
    )
    reason: Slug = Field(
        default_factory=str,
        description="Of two tasks about a customer with one reason, the second is not opened while the first is open.",
        examples=["first-call"],
    )
    context: dict[str, StepExpression] = Field(
        default_factory=dict,
        description="What the person should know: a name and JMESPath for each.",
        examples=["{phone: profile.phone}"],
    )
    script: PersonText = Field(
        default_factory=str, description="The name of a call script in _scripts, or in a few words what to say."
    )
    at_most: Duration = Field(
        default=DEFAULT_AT_MOST, description="How long the journey waits for the outcome.", examples=["5d"]
    )
    then: "dict[Slug, list[Step]]" = Field(
        default_factory=dict,
        description="Wait for the outcome: what follows each.",
        examples=["{booked: []}"],
        json_schema_extra={"minProperties": 1},
    )
    else_: "list[Step]" = Field(
        alias="else",
        default_factory=list,
        description="What follows any other outcome, a withdrawal, or no outcome in time.",
    )

    @model_validator(mode="after")
    def _waits(self) -> Self:
        given = self.model_fields_set
        if "then" in given and not self.then:
            raise wrong("no outcome is named", "Name one under `then`, such as `booked: []`, or leave `then` out.")
        if "then" not in given and given & {"at_most", "else_"}:
            name = "at_most" if "at_most" in given else "else"
            raise wrong(
                f"{name} without a then: the journey does not wait for the outcome",
                "Add `then:` with what follows each outcome, or leave it out.",
            )
        return self


class TaskStep(AnyStep):
    task: Task = Field(description="Open a task for a person; with a `then`, wait for what comes of it.")

    models: ClassVar[Models] = {"task": Task}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        yield from named_expressions(written, "context")
        if isinstance(written, Mapping) and "member" in written:
            yield ("member",), written["member"]

    @staticmethod
    def paths(written: Any, scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        if not _awaits(written):
            yield (), None, scope
            return
        then = written["then"]
        for outcome, steps in (then if isinstance(then, Mapping) else {}).items():
            yield ("then", outcome), steps, WITH_EVENT
        yield ("else",), written.get("else"), WITH_EVENT | WITHOUT_EVENT

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return UNREACHABLE


def _awaits(written: Any) -> bool:
    return isinstance(written, Mapping) and "then" in written
