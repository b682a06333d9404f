"""Each kind of step has its parts everywhere: in the domain, in the language of journey files, and in its checks."""

from typing import Any, get_args

import pytest

from authoring.journeys.steps import WRITTEN_KINDS, kinds_of, model_of
from authoring.journeys.steps import Step as WrittenStep
from cairn.domain.journey.steps import STEP_KINDS, Step, StepKind
from cairn.domain.journey.steps.begin import Begin
from cairn.domain.journey.steps.task import AwaitedTask


def module(model: type[Any]) -> str:
    return model.__module__.rpartition(".")[2]


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_a_kind_of_step_has_a_module_in_the_engine_and_one_in_the_checks(kind: StepKind) -> None:
    performed = {module(step) for step in get_args(Step)}

    assert kind in performed
    assert module(model_of(kind)) == kind
    assert kind in model_of(kind).model_fields
    assert kinds_of({"id": "a", kind: None}) == [kind]


def test_a_journey_file_may_have_every_kind_of_step() -> None:
    union, _ = get_args(WrittenStep)
    written = {tag.tag: model for model, tag in map(get_args, get_args(union))}

    assert written == {f"step:{kind}": model_of(kind) for kind in WRITTEN_KINDS}
    others = {Begin, AwaitedTask}  # the wait for the beginning is part of the entry; a task may be waited for
    assert len(set(get_args(Step)) - others) == len(STEP_KINDS)
