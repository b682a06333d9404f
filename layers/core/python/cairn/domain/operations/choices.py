"""The arms of splits that a person or a rule has chosen, and why. Pure: each method returns the new state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from cairn.domain.operations.switches import SwitchRecord
from cairn.domain.shared.errors import AlreadySwitchedError, InvalidSwitchError
from cairn.domain.shared.instants import instant_to_wire

MAX_CHOICES = 1000
"""Chosen arms of a deployment: the item, which process_event reads, stays far below DynamoDB's 400 KB."""


@dataclass(frozen=True, slots=True)
class SplitOf:
    """A split of a journey. With another salt it is another one."""

    journey: str
    step: str
    salt: str = ""


@dataclass(frozen=True, slots=True)
class ChosenArm:
    arm: str
    """Empty where a person has reopened the split: then no rule chooses."""
    record: SwitchRecord


@dataclass(frozen=True, slots=True)
class Choices:
    chosen: Mapping[SplitOf, ChosenArm] = field(default_factory=dict)
    version: int = 0
    """Grows with every change; the optimistic lock."""

    def of(self, journey: str) -> Mapping[tuple[str, str], str]:
        """The chosen arms of a journey, by the step and the salt of their splits."""
        return {
            (split.step, split.salt): one.arm
            for split, one in self.chosen.items()
            if split.journey == journey and one.arm
        }

    def choosing(self, split: SplitOf, arm: str, record: SwitchRecord) -> Self:
        """New customers get this arm. Raises AlreadySwitchedError where they do, unless by this same order."""
        before = self.chosen.get(split)
        if before == ChosenArm(arm, record):
            return self
        if before is not None and before.arm == arm:
            since = f"since {instant_to_wire(before.record.at)} by {before.record.by}"
            raise AlreadySwitchedError(f"{arm} is the chosen arm of {split.step} already, {since}")
        if before is None and len(self.chosen) >= MAX_CHOICES:
            raise InvalidSwitchError(f"{MAX_CHOICES} arms are chosen; `cairn split reopen` those of old splits first")
        return replace(self, chosen={**self.chosen, split: ChosenArm(arm, record)})

    def reopening(self, split: SplitOf, record: SwitchRecord) -> Self:
        """New customers are divided by weight again. Raises InvalidSwitchError where no arm is chosen."""
        if split not in self.chosen:
            raise InvalidSwitchError(f"no arm of {split.step} is chosen")
        before = self.chosen[split]
        if before.arm:
            return replace(self, chosen={**self.chosen, split: ChosenArm("", record)})
        if before.record == record:  # an order whose answer was lost finds itself
            return self
        raise InvalidSwitchError(f"no arm of {split.step} is chosen")
