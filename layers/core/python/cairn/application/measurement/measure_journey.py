"""Measure what a journey is worth: count its facts in the log, and compare its customers with its holdout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from cairn.application.ports import FactQueries, MeasuredPlans
from cairn.application.values.facts import Row
from cairn.domain.measurement.facts import milliseconds
from cairn.domain.measurement.looks import Day, Look, looks_at
from cairn.domain.measurement.measure import Measurement, measure
from cairn.domain.measurement.observed import Observed
from cairn.domain.measurement.plan import Change, OnDate, Plan, changed
from cairn.domain.measurement.prices import Prices
from cairn.domain.measurement.totals import (
    HOLDOUT,
    TREATED,
    ArmTotals,
    Costs,
    GuardrailTotals,
    Proportion,
    SessionTotals,
)
from cairn.domain.policy import EVERY_JOURNEY
from cairn.domain.shared.errors import InvalidRequestError, UnknownTargetError

OVERALL = "a [holdout] in policy.toml (docs/measuring.md), and there is none"

_EPOCH = date(1970, 1, 1)
OPEN = -1
"""The day of customers whose window has not closed."""

MILLISECOND, DAY = timedelta(milliseconds=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitArm:
    """What an arm of a split has brought."""

    step: str
    arm: str
    totals: ArmTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A journey at one look."""

    journey: str
    at: datetime
    plan: Plan
    since: datetime | None
    """The first entry that is counted; None where nobody has entered."""
    versions: tuple[str, ...]
    """Those that are measured by this plan. Customers of other versions are not counted."""
    changes: tuple[Change, ...]
    """By which the plan differs from the one before it."""
    treated: ArmTotals
    holdout: ArmTotals
    result: Measurement
    looks: tuple[Look, ...]
    """The difference as it was at the end of each day."""
    split_arms: tuple[SplitArm, ...]
    others: tuple[Row, ...]
    """Other journeys that wrote to these customers meanwhile: arm, journey, customers."""
    days_to_goal: Mapping[str, float]
    """The median, by arm."""
    usd_for_messages: float
    minutes_of_work: int
    currencies: int
    """In how many currencies goals were paid; in more than one, values are not comparable."""


@dataclass(frozen=True, slots=True)
class MeasureJourney:
    """Raises UnknownTargetError for a journey that is not deployed, InvalidRequestError for one without a holdout."""

    plans: MeasuredPlans
    facts: FactQueries
    prices: Prices

    def __call__(self, journey: str, now: datetime) -> Measured:
        plan = self._plan(journey)
        until, window = self._until(plan, now), plan.window // MILLISECOND
        [arms] = self.facts.ask([("arms", [journey, 0, until, window])])
        currency = next((row["currency"] for row in arms if row["currency"]), plan.currency)
        plan = replace(plan, currency=currency)
        counted, before = self._by_plan(journey, plan, arms)
        since = min((row["first_at"] for row in counted), default=until)
        treated, holdout = _totals(TREATED, counted), _totals(HOLDOUT, counted)
        about = [journey, since, until, window]
        versions = f" {' '.join(sorted({row['version'] for row in counted}))} "
        guardrails, others, split_arms, sessions, costs, work, times = self.facts.ask(
            [(name, about) for name in ("guardrails", "others", "split_arms")]
            + [("sessions", [*about, versions])]
            + [(name, about[:3]) for name in ("costs", "work", "times_to_goal")]
        )
        usd, minutes = self.prices.of_messages(costs), sum(row["minutes"] or 0 for row in work)
        spent = Costs(messages=100 * usd, tasks=100 * minutes * self.prices.minute)
        days = (_instant(until) - _instant(since)) / DAY
        observed = Observed(
            treated=treated,
            holdout=holdout,
            guardrails=_guardrails(guardrails),
            costs=(spent, Costs()) if treated.customers and holdout.customers else None,
            entering_per_day=(treated.entered_total + holdout.entered_total) / max(days, 1.0),
            counted_until=_instant(until).date(),
            sessions=_sessions(sessions),
        )
        return Measured(
            journey=journey,
            at=now,
            plan=plan,
            since=_instant(since) if counted else None,
            versions=tuple(sorted({row["version"] for row in counted})),
            changes=changed(before, plan) if before else (),
            treated=treated,
            holdout=holdout,
            result=measure(plan, observed),
            looks=looks_at(plan, _days(counted)),
            split_arms=tuple(SplitArm(step=row["step"], arm=row["arm"], totals=_arm(row)) for row in split_arms),
            others=tuple(others),
            days_to_goal=_medians(times),
            usd_for_messages=usd,
            minutes_of_work=minutes,
            currencies=_currencies(counted),
        )

    def _plan(self, journey: str) -> Plan:
        version = self.plans.deployed(journey)
        if version is None and journey == EVERY_JOURNEY:
            raise UnknownTargetError(f"which journey? All together are measured by {OVERALL}")
        if version is None:
            raise UnknownTargetError(f"no journey is called {journey}")
        plan = self.plans.plan(journey, version, "USD")
        if plan is None:
            needs = "it needs a goal, and a holdout to compare with, such as holdout: 10%"
            raise InvalidRequestError([f"journey: {journey} cannot be measured: {needs}"])
        return plan

    @staticmethod
    def _until(plan: Plan, now: datetime) -> int:
        """A plan that looks once, on a day, looks at that day for ever after."""
        match plan.stopping:
            case OnDate(on) if on < now.date():
                return milliseconds(datetime.combine(on, time(), UTC))
        return milliseconds(now)

    def _by_plan(self, journey: str, plan: Plan, arms: Sequence[Row]) -> tuple[list[Row], Plan | None]:
        """The rows of versions with this plan; and the last plan before it that was another one."""
        plans = {row["version"]: self.plans.plan(journey, row["version"], plan.currency) for row in arms}
        counted = [row for row in arms if (its := plans[row["version"]]) and its.hash == plan.hash]
        start = min((row["first_at"] for row in counted), default=None)
        earlier = [
            (row["last_at"], row["version"])
            for row in arms
            if row not in counted and plans[row["version"]] and (start is None or row["first_at"] < start)
        ]
        return counted, plans[max(earlier)[1]] if earlier else None


OF_SESSIONS = (
    "customers",
    "enrollments",
    "converted",
    "enrollments_squared",
    "converted_squared",
    "converted_times_enrollments",
)


def _totals(name: str, rows: Sequence[Row]) -> ArmTotals:
    return _added(name, [row for row in rows if row["arm"] == name])


def _arm(row: Row) -> ArmTotals:
    return _added(f"{row['step']}: {row['arm']}", [row])


def _added(name: str, rows: Sequence[Row]) -> ArmTotals:
    return ArmTotals(
        name,
        sum(int(row["customers"]) for row in rows),
        sum(int(row["converted"]) for row in rows),
        sum(float(row["value"]) for row in rows),
        sum(float(row["value_squared"]) for row in rows),
        sum(int(row["entered"]) for row in rows),
    )


def _days(rows: Sequence[Row]) -> list[Day]:
    """Of the customers whose window has closed."""
    by_day: dict[int, list[Row]] = {}
    for row in rows:
        by_day.setdefault(int(row["day"]), []).append(row)
    by_day.pop(OPEN, None)
    return [
        Day(_EPOCH + timedelta(days=day), *(Proportion.converted(_totals(name, own)) for name in (TREATED, HOLDOUT)))
        for day, own in by_day.items()
    ]


def _currencies(rows: Sequence[Row]) -> int:
    named = {row["currency"] for row in rows if row["currency"]}
    return max([len(named), *(int(row["currencies"]) for row in rows)])


def _sessions(rows: Sequence[Row]) -> tuple[SessionTotals, SessionTotals] | None:
    """None where nobody has entered again: goals per enrollment are then those per customer."""
    found = {row["arm"]: SessionTotals(row["arm"], *(int(row[name]) for name in OF_SESSIONS)) for row in rows}
    if len(found) < len((TREATED, HOLDOUT)) or all(one.enrollments == one.customers for one in found.values()):
        return None
    return found[TREATED], found[HOLDOUT]


def _guardrails(rows: Sequence[Row]) -> tuple[GuardrailTotals, ...]:
    found = {(row["harm"], row["arm"]): int(row["customers"]) for row in rows}
    names = ("complained", "unsubscribed", "escalated")
    return tuple(GuardrailTotals(one, found.get((one, TREATED), 0), found.get((one, HOLDOUT), 0)) for one in names)


def _medians(rows: Sequence[Row]) -> dict[str, float]:
    """Of days, from how many took so many."""
    found = {}
    for arm in (TREATED, HOLDOUT):
        own = sorted((int(row["days"]), int(row["customers"])) for row in rows if row["arm"] == arm)
        half, passed = sum(number for _, number in own) / 2, 0
        for days, number in own:
            passed += number
            if passed >= half:
                found[arm] = float(days)
                break
    return found


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
