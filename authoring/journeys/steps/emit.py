"""The step `emit`, as it is written."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from authoring.journeys.steps.base import AnyStep, Models, Wire, named_expressions
from authoring.journeys.values import Channel, EventType, PropertyName, Purpose, StepExpression
from authoring.problems import Loc
from authoring.shape import wrong
from cairn.domain.effects import ANSWERED, REFUSED
from cairn.domain.event import MESSAGE_EVENTS, OWN_TYPES
from cairn.domain.journey.definition import CONDITION_MET, DATE_CHANGED
from cairn.domain.privacy.requests import ERASURE_REQUESTED, RECORD_ERASURE_REQUESTED

OWN = OWN_TYPES | {DATE_CHANGED, CONDITION_MET, ANSWERED, REFUSED, ERASURE_REQUESTED, RECORD_ERASURE_REQUESTED}
"""Types by which Cairn itself says something."""


def _own(event: str) -> str:
    if event.startswith(MESSAGE_EVENTS) or event in OWN:
        raise wrong(f"{event} is one of Cairn's own events", "Choose another first word, such as trial.converted.")
    return event


class Emit(Wire):
    event: Annotated[EventType, AfterValidator(_own)] = Field(
        description="The type of the event.", examples=["trial.converted"]
    )
    properties: dict[PropertyName, StepExpression] = Field(
        default_factory=dict, description="Its properties, each from JMESPath.", examples=["{plan: data.plan}"]
    )
    customer: dict[Literal["user_id", "email", "phone"], StepExpression] = Field(
        default_factory=dict,
        description="Another customer, named by JMESPath; default: this one.",
        examples=["{email: data.friend}"],
    )
    asks_consent: dict[Channel, Purpose] = Field(
        default_factory=dict,
        description="What a message asks this customer to consent to, by channel; a YES on that channel grants it.",
        examples=["{sms: marketing}"],
    )

    @model_validator(mode="after")
    def _asks_the_own_customer(self) -> Self:
        if self.asks_consent and self.customer:
            raise wrong("only this customer can be asked for a consent", "Take customer out, or asks_consent.")
        return self


class EmitStep(AnyStep):
    emit: Emit = Field(description="Say that something happened, to this or another customer.")

    models: ClassVar[Models] = {"emit": Emit}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        yield from named_expressions(written, "properties")
        yield from named_expressions(written, "customer")
