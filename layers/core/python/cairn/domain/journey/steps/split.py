"""The step `split`: divide customers among arms by weight."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Self

from cairn.domain.journey.walk import Next, Walk
from cairn.domain.shared.hashing import share

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Chain


@dataclass(frozen=True, slots=True)
class Arm:
    name: str
    weight: float
    """Its part of the sum of all weights."""
    target: str | None


@dataclass(frozen=True, slots=True)
class Split:
    """A customer always gets the same arm while the weights stay, also in a later enrollment.

    Where a weight grows at the cost of the next arm's, the arm keeps its customers.
    """

    id: str
    arms: tuple[Arm, ...]
    salt: str = ""
    """Splits with the same salt divide customers alike; empty: like no other split."""

    @classmethod
    def from_document(cls, id_: str, value: Mapping[str, Any], chain: "Chain") -> Self:
        arms = tuple(Arm(one["arm"], one["weight"], chain(one.get("then", ()))) for one in value["arms"])
        return cls(id_, arms, value.get("salt", ""))

    @property
    def successors(self) -> tuple[str | None, ...]:
        return tuple(arm.target for arm in self.arms)

    def perform(self, walk: Walk) -> Next:
        return self.skipped(walk)

    def skipped(self, walk: Walk) -> str | None:
        """A customer's arm does not change because a wait before it was late."""
        arm = self.arm_of(walk.profile.id, walk.journey.name)
        walk.note("split", self.id, arm=arm.name)
        return arm.target

    def arm_of(self, customer: str, journey: str) -> Arm:
        salt = f"salt/{self.salt}" if self.salt else f"step/{journey}/{self.id}"
        drawn = share(f"split/{salt}", customer) * sum(arm.weight for arm in self.arms)
        ends = accumulate(arm.weight for arm in self.arms)
        weighted = [arm for arm in self.arms if arm.weight]
        return next((arm for arm, end in zip(self.arms, ends, strict=True) if drawn < end), weighted[-1])
