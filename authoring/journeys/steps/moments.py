"""The moment at which a wait ends, as it is written."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Discriminator, Field

from authoring.journeys.steps.base import Wire
from authoring.journeys.values import (
    LONGEST,
    DateExpression,
    Duration,
    Offset,
    Slug,
    StepExpression,
    TimeOfDay,
    Weekdays,
)
from authoring.problems import Loc
from authoring.shape import OURS

SPREAD = Field(
    default_factory=str,
    description="Up to this much later: customers are spread evenly over it, instead of all at once.",
    examples=["2h"],
)
OPEN = "A calendar of _calendars.yaml: "


class DelayMoment(Wire):
    for_: Duration = Field(alias="for", description="This long after the step is reached.", examples=["1d"])
    spread: Duration = SPREAD
    open: Slug = Field(
        default_factory=str, description=f"{OPEN}only the time counts in which it is open.", examples=["office"]
    )


class OpenMoment(Wire):
    open: Slug = Field(description=f"{OPEN}the wait ends as soon as it is open.", examples=["office"])
    spread: Duration = SPREAD


class UntilMoment(Wire):
    until: DateExpression = Field(
        description="JMESPath to a date: ISO 8601, or a number since 1970.", examples=["data.visit_at"]
    )
    offset: Offset = Field(default="0s", description="Moves the date: -48h is 48 hours before.", examples=["-48h"])
    spread: Duration = SPREAD


class ClockMoment(Wire):
    at: TimeOfDay = Field(description="The customer's wall clock: the next such time.", examples=["18:30"])
    at_from: StepExpression = Field(
        default_factory=str,
        description="JMESPath to a time of day; `at` where it gives none.",
        examples=["profile.best_hour"],
    )
    day: int = Field(
        default_factory=int,
        ge=0,
        le=LONGEST.days,
        description="On this day after entry, the day of entry being 0.",
        examples=[3],
    )
    weekdays: Weekdays = Field(
        default_factory=list, description="Only on these weekdays: the first of them.", examples=["[mon, tue, wed]"]
    )
    spread: Duration = SPREAD
    open: Slug = Field(
        default_factory=str, description=f"{OPEN}only a day on which it is open counts.", examples=["office"]
    )


def moment_of(step: str) -> Discriminator:
    """Chooses the kind of moment by its keys, so that errors are about that kind."""

    def meant(value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return f"{step}:duration"
        if "until" in value or "for" in value:
            return f"{step}:until" if "until" in value else f"{step}:for"
        if "at" in value or "at_from" in value:
            return f"{step}:at"
        return f"{step}:open" if "open" in value else None

    return Discriminator(
        meant,
        custom_error_type=OURS,
        custom_error_message=OURS,
        custom_error_context={
            "message": "this says no moment",
            "fix": "Write a duration (30m), {for: 1d, spread: 2h}, {until: data.visit_at, offset: -48h}, "
            "{at: '18:30', day: 3}, or {open: office}.",
        },
    )


def moment_expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
    if isinstance(written, Mapping):
        yield from (((key,), written[key]) for key in ("until", "at_from") if key in written)
