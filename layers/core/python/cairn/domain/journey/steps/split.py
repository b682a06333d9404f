"""The step `split`: divide customers among arms by weight."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Self

from cairn.domain.journey.arms import Winner
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

    Where a weight grows at the cost of the next arm's, the arm keeps its customers. With a `winner`, each customer
    counts once, and stays on the first arm for as long as that has a weight.
    """

    id: str
    arms: tuple[Arm, ...]
    salt: str = ""
    """Splits with the same salt divide customers alike; empty: like no other split."""
    winner: Winner | None = None
    """How its winner is chosen; None: its arms are not counted."""

    @classmethod
    def from_document(cls, id_: str, value: Mapping[str, Any], chain: "Chain") -> Self:
        arms = tuple(Arm(one["arm"], one["weight"], chain(one.get("then", ()))) for one in value["arms"])
        winner = Winner.from_document(value["winner"]) if "winner" in value else None
        return cls(id_, arms, value.get("salt", ""), winner)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return tuple(arm.target for arm in self.arms)

    def perform(self, walk: Walk) -> Next:
        return self.skipped(walk)

    def skipped(self, walk: Walk) -> str | None:
        """A customer's arm does not change because a wait before it was late."""
        had, chosen = self.arm(walk.arms.had.get(self.id)), self.arm(walk.arms.chosen.get(self.id))
        arm = had or chosen or self.arm_of(walk.profile.id, walk.journey.name)
        detail: dict[str, str] = {}
        if had is None and chosen is not None:
            detail = {"because": "chosen"}
        elif had is None and self.winner is not None and walk.enrollment.goal_at is None:
            detail = {"version": walk.journey.version}
            counted = {**walk.enrollment.counted, self.id: (arm.name, walk.journey.version)}
            walk.enrollment = replace(walk.enrollment, counted=counted)
        walk.way = self.arms.index(arm)
        walk.note("split", self.id, arm=arm.name, **detail)
        return arm.target

    def arm(self, name: str | None) -> Arm | None:
        """The arm of this name, if customers may still get it."""
        return next((one for one in self.arms if one.name == name and one.weight), None)

    @property
    def divides(self) -> tuple[str, Mapping[str, float]]:
        """What makes it the same test in another version: its salt, and its arms with their weights."""
        return self.salt, {arm.name: arm.weight for arm in self.arms}

    def arm_of(self, customer: str, journey: str) -> Arm:
        salt = f"salt/{self.salt}" if self.salt else f"step/{journey}/{self.id}"
        drawn = share(f"split/{salt}", customer) * sum(arm.weight for arm in self.arms)
        ends = accumulate(arm.weight for arm in self.arms)
        weighted = [arm for arm in self.arms if arm.weight]
        return next((arm for arm, end in zip(self.arms, ends, strict=True) if drawn < end), weighted[-1])
