"""A difference between two arms, with its intervals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def excludes_zero(self) -> bool:
        return 0 not in self


@dataclass(frozen=True, slots=True)
class Difference:
    """The first arm minus the second; without an interval while there is too little to compute one."""

    estimate: float | None
    sequence: Interval | None = None
    """Valid at each look, however many there are. Decide by this one."""
    fixed: Interval | None = None
    """Valid at one look alone, on a date that was fixed before; narrower."""
