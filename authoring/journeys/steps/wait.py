"""The step `wait`, as it is written."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field, Tag

from authoring.journeys.steps.base import WITHOUT_EVENT, AnyStep, EventScope, Models
from authoring.journeys.steps.moments import (
    ClockMoment,
    DelayMoment,
    OpenMoment,
    UntilMoment,
    moment_expressions,
    moment_of,
)
from authoring.journeys.values import Duration, IfMissed
from authoring.problems import Loc

IF_PAST = "If the moment is past or not there: go on, skip the next step too, or exit."
IF_UNREADABLE = "If there is a date that cannot be read: exit, go on, or skip the next step too."


class WaitUntil(UntilMoment):
    if_past: IfMissed = Field(default="continue", description=IF_PAST, examples=["skip"])
    if_unreadable: IfMissed = Field(default="exit", description=IF_UNREADABLE, examples=["continue"])


class WaitClock(ClockMoment):
    if_past: IfMissed = Field(default="continue", description=IF_PAST, examples=["skip"])


WaitMoment = Annotated[
    Annotated[Duration, Tag("wait:duration")]
    | Annotated[DelayMoment, Tag("wait:for")]
    | Annotated[WaitUntil, Tag("wait:until")]
    | Annotated[WaitClock, Tag("wait:at")]
    | Annotated[OpenMoment, Tag("wait:open")],
    moment_of("wait"),
]


class WaitStep(AnyStep):
    wait: WaitMoment = Field(description="Wait: 30m, a date, or a time of day.", examples=["30m"])

    models: ClassVar[Models] = {
        "wait:for": DelayMoment,
        "wait:until": WaitUntil,
        "wait:at": WaitClock,
        "wait:open": OpenMoment,
    }

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        return moment_expressions(written)

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return WITHOUT_EVENT
