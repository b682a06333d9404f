"""The analysis of a journey as it is registered before it starts, so that nobody chooses it by its result."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self, assert_never

from cairn.domain.shared.errors import InvalidPlanError
from cairn.domain.shared.hashing import short_hash

DEFAULT_ALPHA = 0.05
DEFAULT_POWER = 0.8
DEFAULT_TUNED_AT = 10_000
"""Customers, both arms together, at which the confidence sequence is narrowest. In standard errors, it is a
quarter wider at a tenth of them, and a fifteenth wider at ten times as many."""


class Metric(StrEnum):
    """What decides."""

    RATE = "rate"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Always:
    """Look whenever you like, and stop when you like."""


@dataclass(frozen=True, slots=True)
class AtCustomers:
    """Look once, at the first so many mature customers."""

    customers: int


@dataclass(frozen=True, slots=True)
class OnDate:
    """Look once, at the customers who are mature on this date."""

    on: date


Stopping = Always | AtCustomers | OnDate


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What the journey may not harm."""

    name: str
    margin: float
    """By how much its rate may be higher among the treated customers: 0.002 is two of a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    journey: str
    goal: str
    """As it is written in the journey; text here, as are the next two."""
    population: str = "all"
    exclusions: str = "none"
    window: timedelta
    """From the entry; a customer is mature, and counted, once it is over."""
    holdout: float
    """The share of customers, more than 0 and less than 1."""
    metric: Metric = Metric.RATE
    minimum_effect: float
    """The least effect that matters: 0.01 is one point of a rate; of value, minor units per customer."""
    currency: str = "USD"
    stopping: Stopping = Always()
    alpha: float = DEFAULT_ALPHA
    power: float = DEFAULT_POWER
    tuned_at: int = DEFAULT_TUNED_AT
    guardrails: tuple[Guardrail, ...] = ()

    def __post_init__(self) -> None:
        if problems := tuple(self._problems()):
            raise InvalidPlanError(problems)

    def _problems(self) -> Iterator[str]:
        for name in ("holdout", "alpha", "power"):
            if not 0 < getattr(self, name) < 1:
                yield f"{name} is {getattr(self, name)}: choose a share between 0 and 1"
        if not self.minimum_effect > 0:
            yield f"minimum_effect is {self.minimum_effect}: choose the least effect that matters, more than 0"
        if self.metric is Metric.RATE and self.minimum_effect >= 1:
            yield f"minimum_effect is {self.minimum_effect}: a rate cannot rise by as much; one point is 0.01"
        if self.tuned_at < 1 or (isinstance(self.stopping, AtCustomers) and self.stopping.customers < 1):
            yield "tuned_at and stopping: choose 1 customer or more"
        if self.window <= timedelta():
            yield f"window is {self.window}: choose a duration of more than 0"
        yield from _problems_of(self.guardrails)

    @property
    def hash(self) -> str:
        """The same for the same analysis; any change makes another one."""
        return short_hash(json.dumps(self.to_document(), sort_keys=True))

    def to_document(self) -> dict[str, Any]:
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "window": self.window.total_seconds(),
            "metric": self.metric.value,
            "stopping": _stopping_to_document(self.stopping),
            "guardrails": {one.name: one.margin for one in self.guardrails},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **document,
                "window": timedelta(seconds=document["window"]),
                "metric": Metric(document["metric"]),
                "stopping": _stopping_from_document(document["stopping"]),
                "guardrails": tuple(Guardrail(name, margin) for name, margin in document["guardrails"].items()),
            }
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a plan that is no longer as it was registered."""

    field: str
    registered: Any
    today: Any

    def __str__(self) -> str:
        return f"{self.field} was {self.registered} and is {self.today}"


def changed(registered: Plan, today: Plan) -> tuple[Change, ...]:
    """All that differs; empty where the analysis is the one that was registered."""
    before, after = registered.to_document(), today.to_document()
    return tuple(Change(name, before[name], after[name]) for name in before if before[name] != after[name])


def _problems_of(guardrails: tuple[Guardrail, ...]) -> Iterator[str]:
    for one in guardrails:
        if not 0 <= one.margin < 1:
            yield f"the margin of {one.name} is {one.margin}: choose a share from 0 to 1"
    if len({one.name for one in guardrails}) < len(guardrails):
        yield "two guardrails have one name"


def _stopping_to_document(stopping: Stopping) -> Any:
    match stopping:
        case Always():
            return "always"
        case AtCustomers(customers):
            return {"customers": customers}
        case OnDate(on):
            return {"date": on.isoformat()}
    assert_never(stopping)


def _stopping_from_document(document: Any) -> Stopping:
    match document:
        case {"customers": customers}:
            return AtCustomers(customers)
        case {"date": on}:
            return OnDate(date.fromisoformat(on))
        case _:
            return Always()
