"""Conditions are JMESPath, with a few functions of Cairn's about the customer's events.

Names in scope: `event`, `data`, `profile`, `enrollment`. A condition never raises: if it cannot be evaluated, it is
null.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.profile.lead import LEAD_NAMES
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.instants import to_instant, zone_named

JSON_TYPES = (str, int, float, dict, list)
"""The types of values; `&name` alone gives an expression."""

SECONDS_A_DAY = 86_400
SECONDS_AN_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Scope:
    """The values that an expression may use."""

    profile: Profile
    now: datetime
    data: Mapping[str, Any]
    event: Mapping[str, Any] = field(default_factory=dict)
    enrollment: Mapping[str, Any] = field(default_factory=dict)
    default_zone: str = "UTC"
    looked_up: list[str] = field(default_factory=list)
    """The expressions so far whose value may depend on the profile."""
    answer: Mapping[str, Any] | None = None
    """Where there is one, the only name in scope."""

    @property
    def zone(self) -> ZoneInfo:
        """The customer's zone: the profile's `time_zone`, else the journey's."""
        return zone_named(self.profile.get(TIME_ZONE), self.default_zone)

    def about(self, answer: Any) -> "Scope":
        """For expressions on what another system has answered, and on nothing else."""
        return replace(self, answer={"answer": answer})

    def names(self, *, as_lead: bool = True) -> dict[str, Any]:
        """The names in scope. Without `as_lead`, `profile` is without what the rules of leads give."""
        if self.answer is not None:
            return dict(self.answer)
        return {
            "profile": self.profile.view(self.now if as_lead else None),
            "data": self.data,
            "event": self.event,
            "enrollment": self.enrollment,
        }


class _Functions(functions.Functions):  # type: ignore[misc]
    """Cairn's functions; documented in docs/journeys.md."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_seen(self, event_type: str) -> bool:
        return event_type in self._scope.profile.activity

    @functions.signature({"types": ["string"]}, {"types": ["string", "number", "null"]})  # type: ignore[untyped-decorator]
    def _func_seen_since(self, event_type: str, since: str | float | None) -> bool | None:
        activity, then = self._scope.profile.activity.get(event_type), to_instant(since, self._scope.zone)
        return None if then is None else activity is not None and activity.last >= then

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_count(self, event_type: str) -> int:
        activity = self._scope.profile.activity.get(event_type)
        return activity.count if activity else 0

    @functions.signature({"types": ["string", "number", "null"]})  # type: ignore[untyped-decorator]
    def _func_days_since(self, what: str | float | None) -> float | None:
        """Days since an instant, or since an event of that type last happened."""
        return self._elapsed(what, SECONDS_A_DAY)

    @functions.signature({"types": ["string", "number", "null"]})  # type: ignore[untyped-decorator]
    def _func_hours_until(self, what: str | float | None) -> float | None:
        elapsed = self._elapsed(what, SECONDS_AN_HOUR)
        return None if elapsed is None else -elapsed

    def _elapsed(self, what: str | float | None, unit: int) -> float | None:
        activity = self._scope.profile.activity.get(str(what))
        then = activity.last if activity else to_instant(what, self._scope.zone)
        return None if then is None else (self._scope.now - then) / timedelta(seconds=unit)


ABOUT_EVENTS = tuple(name.removeprefix("_func_") for name in vars(_Functions) if name.startswith("_func_"))
"""The names of Cairn's functions."""


@lru_cache(maxsize=1024)
def compiled(expression: str) -> Any:
    """The parsed expression. Raises jmespath.exceptions.JMESPathError where it does not parse."""
    return jmespath.compile(expression)


def evaluate(expression: str, scope: Scope) -> Any:
    """The expression's value; null if a function cannot take its arguments."""
    if asks_about_profile(expression):
        scope.looked_up.append(expression)
    try:
        found = compiled(expression).search(
            scope.names(as_lead=asks_about_lead(expression)),
            options=jmespath.Options(custom_functions=_Functions(scope)),
        )
    except (JMESPathError, ValueError, TypeError, ArithmeticError):
        return None
    if isinstance(found, float) and not isfinite(found):
        return None
    return found if isinstance(found, JSON_TYPES) else None


@lru_cache(maxsize=1024)
def asks_about_profile(expression: str) -> bool:
    """Whether an expression's value may depend on the profile: it names it, or asks for the customer's events."""
    return "profile" in expression or any(name in expression for name in ABOUT_EVENTS)


@lru_cache(maxsize=1024)
def asks_about_lead(expression: str) -> bool:
    """Whether an expression may read what the rules of leads give: for any other, nothing of that is computed."""
    return "profile" in expression and any(name in expression for name in LEAD_NAMES)


def is_met(condition: str | None, scope: Scope) -> bool:
    """Whether a condition is true in JMESPath's sense: not null, false, or empty. None is always true."""
    return condition is None or is_true(evaluate(condition, scope))


def is_met_by(condition: str | None, names: Mapping[str, Any]) -> bool:
    """The same for a mapping of names, without the functions that need the customer's events."""
    if condition is None:
        return True
    try:
        return is_true(compiled(condition).search(names))
    except (JMESPathError, ValueError, TypeError, ArithmeticError):
        return False


def is_true(value: Any) -> bool:
    """Whether a value is there: not null, false, or empty."""
    return value is not None and value is not False and value not in ("", [], {})


FUNCTION_NAMES = frozenset(functions.Functions.FUNCTION_TABLE) | frozenset(_Functions.FUNCTION_TABLE)
