"""The step `branch`: take the first path whose condition is true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cairn.domain.journey.conditions import is_met
from cairn.domain.journey.walk import Next, Walk

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Chain


@dataclass(frozen=True, slots=True)
class Branch:
    id: str
    arms: tuple[tuple[str, str | None], ...]
    """Condition and next step."""
    otherwise: str | None

    @classmethod
    def from_document(cls, id_: str, value: Sequence[Mapping[str, Any]], chain: "Chain") -> Self:
        arms = tuple((arm["if"], chain(arm["then"])) for arm in value if "if" in arm)
        otherwise = next((arm["else"] for arm in value if "else" in arm), ())
        return cls(id_, arms, chain(otherwise))

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (*(target for _, target in self.arms), self.otherwise)

    def perform(self, walk: Walk) -> Next:
        for way, (condition, target) in enumerate(self.arms):
            if is_met(condition, walk.scope()):
                walk.way = way
                walk.note("branched", self.id, arm=way + 1)
                return target
        walk.note("branched", self.id, arm="else")
        return self.otherwise
