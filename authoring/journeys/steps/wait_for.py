"""The step `wait_for`, as it is written."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, Tag

from authoring.journeys.steps.base import UNREACHABLE, WITH_EVENT, WITHOUT_EVENT, AnyStep, EventScope, Match, Models
from authoring.journeys.steps.moments import ClockMoment, UntilMoment, moment_expressions, moment_of
from authoring.journeys.values import Duration
from authoring.problems import Loc

if TYPE_CHECKING:
    from authoring.journeys.steps import Step

Timeout = Annotated[
    Annotated[Duration, Tag("timeout:duration")]
    | Annotated[UntilMoment, Tag("timeout:until")]
    | Annotated[ClockMoment, Tag("timeout:at")],
    moment_of("timeout"),
]


class WaitFor(Match):
    timeout: Timeout = Field(description="When to stop waiting.", examples=["3d"])
    then: "list[Step]" = Field(default_factory=list, description="What follows the event.")
    else_: "list[Step]" = Field(alias="else", default_factory=list, description="What follows the timeout.")


class WaitForStep(AnyStep):
    wait_for: WaitFor = Field(description="Wait for an event, or until the timeout.")

    models: ClassVar[Models] = {"wait_for": WaitFor, "timeout:until": UntilMoment, "timeout:at": ClockMoment}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        if isinstance(written, Mapping):
            yield from ((("timeout", *loc), one) for loc, one in moment_expressions(written.get("timeout")))

    @staticmethod
    def paths(written: Any, _scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        if isinstance(written, Mapping):
            yield ("then",), written.get("then"), WITH_EVENT
            yield ("else",), written.get("else"), WITHOUT_EVENT

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return UNREACHABLE
