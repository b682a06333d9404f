"""The plan by which a journey's effect is measured, from its document."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from cairn.adapters.documents.journey import DEFAULT_GOAL_WINDOW
from cairn.adapters.documents.shares import share
from cairn.domain.measurement.plan import (
    DEFAULT_ALPHA,
    Always,
    AtCustomers,
    Guardrail,
    Metric,
    OnDate,
    Plan,
    Stopping,
)
from cairn.domain.policy import EVERY_JOURNEY
from cairn.domain.shared.instants import duration

if TYPE_CHECKING:
    from cairn.adapters.documents.catalogue import Catalogue

ANYTIME = "anytime"

DEFAULT_EFFECT = 0.02
"""Two points of a rate."""
DEFAULT_VALUE = 100
"""A whole unit of a currency with cents."""

DEFAULT_MARGINS = {"complained": 0.001, "unsubscribed": 0.01, "escalated": 0.02}
"""By how much more of the customers in the journey than of the holdout, where the journey does not say."""


@dataclass(frozen=True, slots=True)
class DocumentPlans:
    """Implements the port MeasuredPlans: of journeys, and under EVERY_JOURNEY of the holdout across all of them."""

    journeys: "Catalogue"
    overall: Mapping[str, Any] | None

    def deployed(self, name: str) -> str | None:
        if name != EVERY_JOURNEY:
            return self.journeys.deployed(name)
        return str(self.overall["version"]) if self.overall else None

    def plan(self, name: str, version: str, currency: str) -> Plan | None:
        """Of the holdout across all journeys, no earlier version is stored: customers were drawn anew since."""
        if name != EVERY_JOURNEY:
            return self.journeys.plan(name, version, currency)
        return plan_of(self.overall, currency) if self.overall and self.overall["version"] == version else None


def plan_of(document: Mapping[str, Any], currency: str = "USD") -> Plan | None:
    """None for a journey without a goal or without a holdout: there is nothing to compare."""
    goal, holdout = document.get("goal"), share(document.get("holdout", 0))
    if not goal or not holdout:
        return None
    analysis = document.get("analysis", {})
    metric = Metric(analysis.get("metric", Metric.RATE))
    otherwise = DEFAULT_EFFECT if metric is Metric.RATE else DEFAULT_VALUE
    margins = {name: share(margin) for name, margin in analysis.get("guardrails", {}).items()}
    return Plan(
        journey=document["journey"],
        goal=_text_of(goal),
        exclusions=analysis.get("exclude", "none"),
        window=duration(goal.get("within", DEFAULT_GOAL_WINDOW)),
        holdout=holdout,
        metric=metric,
        minimum_effect=_effect(analysis.get("effect", otherwise)),
        currency=currency,
        stopping=_stopping(analysis.get("decide", ANYTIME)),
        alpha=share(analysis.get("error", DEFAULT_ALPHA)),
        guardrails=tuple(Guardrail(name, margin) for name, margin in (DEFAULT_MARGINS | margins).items()),
    )


def _text_of(goal: Mapping[str, Any]) -> str:
    parts = [goal["event"], *(f"{name} {goal[name]}" for name in ("where", "key") if name in goal)]
    value = goal.get("value")
    return " ".join([*parts, *([f"worth {value['amount']} {value['currency']}"] if value else [])])


def _effect(written: Any) -> float:
    return share(written) if isinstance(written, str) else float(written)


def _stopping(written: Any) -> Stopping:
    if isinstance(written, int):
        return AtCustomers(written)
    return Always() if written == ANYTIME else OnDate(date.fromisoformat(written))
