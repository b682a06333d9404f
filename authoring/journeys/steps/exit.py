"""The step `exit`, as it is written."""

from pydantic import Field

from authoring.journeys.steps.base import UNREACHABLE, AnyStep, EventScope
from authoring.journeys.values import Slug


class ExitStep(AnyStep):
    exit: Slug = Field(description="End here; the outcome is counted by name.", examples=["declined"])

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return UNREACHABLE
