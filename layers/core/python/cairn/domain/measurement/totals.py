"""Counts and sums from which a journey is measured.

They are made of mature customers alone, who entered at least one window ago: the outcome of each is final. So a
customer who is counted today is counted the same tomorrow, and the customers of one arm are independent observations.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

from cairn.domain.shared.errors import InvalidTotalsError

TREATED = "treated"
HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class ArmTotals:
    """One arm of a journey: the holdout, the treated customers together, or one branch or version.

    A customer belongs to the arm that was drawn at the entry, whatever happened later (intention to treat).
    """

    name: str
    customers: int
    """Mature ones, each once."""
    converted: int
    """Customers who reached the goal within the window."""
    value: float
    """The sum of what their goals are worth, in minor units of one currency."""
    value_squared: float
    """The sum of the squares of each customer's value."""
    entered_total: int
    """All customers of the arm, the ones who are not mature yet too."""

    def __post_init__(self) -> None:
        _refuse(self.name, _unequal(converted=self.converted, customers=self.customers, entered=self.entered_total))
        if self.value**2 > self.value_squared * self.customers * (1 + 1e-9):
            raise InvalidTotalsError(f"{self.name}: value_squared {self.value_squared} is too small for its value")


@dataclass(frozen=True, slots=True)
class SessionTotals:
    """One arm by enrollments: a customer may enter several times, and those enrollments are not independent."""

    name: str
    customers: int
    """Mature ones, each once."""
    enrollments: int
    converted: int
    """Enrollments that reached the goal."""
    enrollments_squared: int
    """The sum over customers of the square of their enrollments; likewise the next ones."""
    converted_squared: int
    converted_times_enrollments: int

    def __post_init__(self) -> None:
        _refuse(self.name, _unequal(converted=self.converted, enrollments=self.enrollments))
        _refuse(self.name, _unequal(customers=self.customers, enrollments=self.enrollments))


@dataclass(frozen=True, slots=True)
class GuardrailTotals:
    """How many mature customers had an event that must not become frequent, such as a complaint."""

    name: str
    treated: int
    holdout: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What the customers of one arm cost, in minor units of the currency of the plan."""

    messages: float = 0
    coupons: float = 0
    tasks: float = 0
    """The minutes that members spent on tasks, at their price."""

    @property
    def total(self) -> float:
        return self.messages + self.coupons + self.tasks


@dataclass(frozen=True, slots=True)
class Proportion:
    """So many of so many customers."""

    reached: int
    customers: int

    @classmethod
    def converted(cls, arm: ArmTotals) -> Self:
        return cls(arm.converted, arm.customers)

    @property
    def rate(self) -> float:
        return self.reached / self.customers


@dataclass(frozen=True, slots=True)
class Sample:
    """A mean of independent customers, with what its uncertainty follows from."""

    customers: int
    mean: float
    variance: float = field(compare=False)
    """Of one customer."""
    effective: float = field(compare=False)
    """How many customers of equal value would be as certain: Kish's effective sample size."""


def _unequal(**rising: int) -> Iterable[str]:
    """The problems of counts that do not rise from zero."""
    counts = list(rising.items())
    if counts[0][1] < 0:
        yield f"{counts[0][0]} is {counts[0][1]}, less than 0"
    for (less, fewer), (more, many) in pairwise(counts):
        if fewer > many:
            yield f"{fewer} {less} are more than {many} {more}"


def _refuse(arm: str, problems: Iterable[str]) -> None:
    for problem in problems:
        raise InvalidTotalsError(f"{arm}: {problem}")
