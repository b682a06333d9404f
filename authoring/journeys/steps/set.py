"""The step `set`, as it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from authoring.journeys.steps.base import AnyStep
from authoring.journeys.values import StepExpression, ValueName
from authoring.problems import Loc
from authoring.shape import wrong


def _some(values: dict[str, str]) -> dict[str, str]:
    if not values:
        raise wrong("this sets nothing", "Give it a name and an expression, or leave the step out.")
    return values


class SetStep(AnyStep):
    set: Annotated[dict[ValueName, StepExpression], AfterValidator(_some)] = Field(
        json_schema_extra={"minProperties": 1},
        description="Values of this enrollment, each from JMESPath; null removes one.",
        examples=["{coupon: data.coupon}"],
    )

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        for name, expression in (written if isinstance(written, Mapping) else {}).items():
            yield (name,), expression
