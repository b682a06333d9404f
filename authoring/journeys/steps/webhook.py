"""The step `webhook`, as it is written."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from authoring.journeys.steps.base import WITHOUT_EVENT, AnyStep, EventScope, Models, Wire, named_expressions
from authoring.journeys.values import (
    AnswerExpression,
    Duration,
    EventType,
    PropertyName,
    Slug,
    StepExpression,
    ValueName,
)
from authoring.problems import Loc
from cairn.domain.journey.steps.webhook import CALLED, DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from authoring.journeys.steps import Step


class Webhook(Wire):
    endpoint: Slug = Field(description="A subscriber of policy.toml.", examples=["shop"])
    type: EventType = Field(default=CALLED, description="The type of what is posted.", examples=["coupon.requested"])
    body: dict[PropertyName, StepExpression] = Field(
        default_factory=dict, description="Its data, each from JMESPath.", examples=["{customer: profile.user_id}"]
    )
    answer: dict[ValueName, AnswerExpression] = Field(
        default_factory=dict,
        description="Values of the enrollment, from JMESPath on the answer.",
        examples=["{coupon: answer.code}"],
    )
    timeout: Duration = Field(default=DEFAULT_TIMEOUT, description="How long it is tried.", examples=["2h"])
    else_: "list[Step]" = Field(
        alias="else", default_factory=list, description="What follows where it was refused or tried in vain."
    )


class WebhookStep(AnyStep):
    webhook: Webhook = Field(description="Post something to another system, and wait for its answer.")

    models: ClassVar[Models] = {"webhook": Webhook}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        return named_expressions(written, "body")

    @staticmethod
    def paths(written: Any, _scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        if isinstance(written, Mapping):
            yield ("else",), written.get("else"), WITHOUT_EVENT

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return WITHOUT_EVENT
