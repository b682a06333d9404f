"""A customer as a lead, as it is stored: points, money, moves between stages, touches (docs/people.md).

Each part merges with itself, so that events may arrive in any order, and the parts of two profiles add up. What a part
means (caps, allowed moves, thresholds) is said by the rules of domain/lead, which may change at any time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar

from cairn.domain.profile.stamped import Stamped

if TYPE_CHECKING:
    from cairn.domain.profile.profile import Profile

STAGE, STAGES, STAGE_SINCE, STAGE_QUEUE = "stage", "stages", "stage_since", "stage_queue"
SCORE, HOT = "score", "hot"
LIFETIME_VALUE, ORDERS, REFUNDS, FIRST_ORDER_AT, LAST_ORDER_AT, RFM = (
    "lifetime_value",
    "orders",
    "refunds",
    "first_order_at",
    "last_order_at",
    "rfm",
)
FIRST_TOUCH, LATEST_TOUCH = "first_touch", "latest_touch"
CATEGORY, CONTACT_CONFIDENCE, IDENTITY_MATCH = "category", "contact_confidence", "identity_match"

LEAD_NAMES = frozenset(
    {
        *(STAGE, STAGES, STAGE_SINCE, STAGE_QUEUE, SCORE, HOT),
        *(LIFETIME_VALUE, ORDERS, REFUNDS, FIRST_ORDER_AT, LAST_ORDER_AT, RFM),
        *(FIRST_TOUCH, LATEST_TOUCH, CATEGORY, CONTACT_CONFIDENCE, IDENTITY_MATCH),
    }
)
"""The fields of `profile` that the rules of leads.toml give."""

DAY = timedelta(days=1)

MOST_DAYS = 10
"""Days of which the score is stored, the latest that changed it."""

MOST_MOVES = 20
"""Moves that are stored of a customer in a pipeline, the latest."""

RFM_CLASS, SLOW, AGES_AT = "rfm_class", "slow", "ages_at"
"""Marks as well: the class that was last said, whether the customer is silent for unusually long, and when the timer
fires that looks at both."""

HISTORY = "history"
"""Beside the touches and HOT, a name among the marks: the last score of each day on which it changed."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Points:
    """What the events of one rule have brought: one number, as it was at an instant, since exponential decay composes.

    Any order of events gives the same number, apart from the rounding of floating point.
    """

    total: float
    count: int
    half_life: float
    """In days; 0: the points stay."""
    at: datetime

    def total_at(self, instant: datetime, half_life: float | None = None) -> float:
        """The points that are left. Before the last event they are what it has left."""
        length = self.half_life if half_life is None else half_life
        days = (instant - self.at) / DAY
        return self.total if length <= 0 or days <= 0 else self.total * 0.5 ** (days / length)

    def plus(self, other: "Points | None") -> "Points":
        if other is None:
            return self
        at, half_life = max(self.at, other.at), max(self.half_life, other.half_life)
        total = self.total_at(at, half_life) + other.total_at(at, half_life)
        return Points(total, self.count + other.count, half_life, at)


@dataclass(frozen=True, slots=True)
class Spent:
    """A customer's orders and refunds in one currency, in its minor units."""

    orders: int = 0
    amount: int = 0
    refunds: int = 0
    refunded: int = 0
    first: datetime | None = None
    """When the first order was; None without any."""
    last: datetime | None = None

    @property
    def value(self) -> int:
        return self.amount - self.refunded

    def plus(self, other: "Spent | None") -> "Spent":
        if other is None:
            return self
        return Spent(
            self.orders + other.orders,
            self.amount + other.amount,
            self.refunds + other.refunds,
            self.refunded + other.refunded,
            min((at for at in (self.first, other.first) if at), default=None),
            max((at for at in (self.last, other.last) if at), default=None),
        )


class Move(NamedTuple):
    """A step into a stage that an event, a condition or an operator asked for."""

    at: datetime
    stage: str
    by: str


@dataclass(frozen=True, slots=True)
class Lead:
    """Immutable: every change returns a new one."""

    points: Mapping[str, Points] = field(default_factory=dict)
    """By rule."""
    spent: Mapping[str, Spent] = field(default_factory=dict)
    """By currency."""
    moves: Mapping[str, tuple[Move, ...]] = field(default_factory=dict)
    """By pipeline, in the order of their instants. Which of them count is said by the pipeline."""
    marks: Mapping[str, Stamped] = field(default_factory=dict)
    """FIRST_TOUCH, LATEST_TOUCH, HOT and HISTORY."""

    def get(self, mark: str) -> Any:
        stamped = self.marks.get(mark)
        return stamped.value if stamped else None

    def marked(self, name: str, value: Any, at: datetime) -> Self:
        merged = _mark(name, self.marks.get(name), Stamped(value, at))
        return self if merged == self.marks.get(name) else replace(self, marks={**self.marks, name: merged})

    def absorbing(self, other: "Lead") -> Self:
        """Both as one; any order of merges gives the same result."""
        return replace(
            self,
            points=_both(self.points, other.points, Points.plus),
            spent=_both(self.spent, other.spent, Spent.plus),
            moves=_both(self.moves, other.moves, moves_of_both),
            marks={
                name: _mark(name, self.marks.get(name), other.marks.get(name)) for name in {*self.marks, *other.marks}
            },
        )


NO_LEAD = Lead()

COOLING = "lead-cools"
"""In the place of an enrollment's id: the timer of a hot customer."""

AGEING = "lead-ages"
"""Likewise: the timer of the RFM class and of silence (domain/lead/ageing)."""


class LeadReader(Protocol):
    """The rules of leads.toml, as a profile asks them."""

    def view(self, profile: "Profile", now: datetime) -> Mapping[str, Any]:
        """The fields of `profile` in conditions and templates that the rules give, among LEAD_NAMES."""


def moves_of_both(left: tuple[Move, ...], right: tuple[Move, ...]) -> tuple[Move, ...]:
    """The latest of both, each once."""
    return tuple(sorted({*left, *right}))[-MOST_MOVES:]


def _both(left: Mapping[str, T], right: Mapping[str, T], plus: Callable[[T, T], T]) -> dict[str, T]:
    both = {**right, **left}
    return {
        name: plus(left[name], right[name]) if name in left and name in right else one for name, one in both.items()
    }


def _mark(name: str, one: Stamped | None, other: Stamped | None) -> Stamped:
    """Of two marks: the earlier first touch, every day of the history, and else the later one."""
    if one is None or other is None:
        return one or other  # type: ignore[return-value]  # one of them is there
    if name == FIRST_TOUCH:
        return one.earliest(other)
    latest = one.latest(other)
    if name != HISTORY:
        return latest
    earlier = other if latest is one else one
    days = {**earlier.value, **latest.value}
    return Stamped({day: days[day] for day in sorted(days)[-MOST_DAYS:]}, latest.at)
