"""How a lead is read: its stage, its score with each rule's points, its value. Nothing here is stored.

A score decays while nothing happens, so it is computed whenever it is asked for, from what the events have brought.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cairn.domain.identity.identifiers import EXTERNAL, USER_ID
from cairn.domain.journey.conditions import Scope, is_met
from cairn.domain.lead.pipelines import Pipeline, Stay
from cairn.domain.lead.rules import Grades, Group, Rules, ScoreRule
from cairn.domain.profile.lead import (
    CATEGORY,
    CONTACT_CONFIDENCE,
    FIRST_ORDER_AT,
    FIRST_TOUCH,
    HOT,
    IDENTITY_MATCH,
    LAST_ORDER_AT,
    LATEST_TOUCH,
    LIFETIME_VALUE,
    ORDERS,
    REFUNDS,
    RFM,
    SCORE,
    STAGE,
    STAGE_QUEUE,
    STAGE_SINCE,
    STAGES,
    Lead,
)
from cairn.domain.profile.profile import ADDRESS_KINDS, Profile
from cairn.domain.shared.instants import instant_to_wire, moved

LONGEST_LOOK = timedelta(days=400)
"""How far ahead it is computed when a score will have sunk."""

HOUR = timedelta(hours=1)

VOUCHED_ADDRESS, TYPED_ADDRESS = 1.0, 0.5
"""How sure an address is that a source vouches for, and one that a visitor typed."""


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """The points of one rule at present."""

    rule: str
    group: str
    points: float
    count: int
    """Of the events that have brought them; 0 for a condition."""


@dataclass(frozen=True, slots=True)
class GroupLine:
    group: str
    points: float
    """Within its cap."""
    cap: float | None


@dataclass(frozen=True, slots=True)
class Score:
    total: int
    """From 0 to the cap of the whole."""
    lines: tuple[ScoreLine, ...] = ()
    """Of the rules that give any."""
    groups: tuple[GroupLine, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenFields:
    """A reader of fields that are known already: conditions of rules read what is computed before them."""

    fields: Mapping[str, Any]

    def view(self, profile: Profile, now: datetime) -> Mapping[str, Any]:  # noqa: ARG002  as LeadReader has it
        return self.fields


def view(rules: Rules, profile: Profile, now: datetime) -> dict[str, Any]:
    """The fields of `profile` that the rules give. One whose rules there are none of is not among them."""
    fields = _before_the_score(rules, profile, now)
    if rules.scoring.rules:
        fields[SCORE] = _score(rules, profile, now, fields).total
        fields[HOT] = bool(profile.lead.get(HOT))
    if rules.categories:
        scope = _scope(profile, now, fields)
        fields[CATEGORY] = next((one.name for one in rules.categories if is_met(one.when, scope)), None)
    return fields


def score_of(rules: Rules, profile: Profile, now: datetime) -> Score:
    """The score, and the points of each rule. Of negative points a group may have any number."""
    return _score(rules, profile, now, _before_the_score(rules, profile, now))


def sinks_at(rules: Rules, profile: Profile, now: datetime) -> datetime | None:
    """The full hour from which on a hot customer to whom nothing happens is hot no longer.

    None: that is not within LONGEST_LOOK.
    """
    low, high = now, moved(now, LONGEST_LOOK)
    if score_of(rules, profile, high).total >= rules.scoring.cool:
        return None
    while high - low > HOUR / 60:
        middle = low + (high - low) / 2
        low, high = (middle, high) if score_of(rules, profile, middle).total >= rules.scoring.cool else (low, middle)
    return high.replace(minute=0, second=0, microsecond=0) + HOUR


def stays(pipeline: Pipeline, lead: Lead) -> tuple[Stay, ...]:
    return pipeline.history(lead.moves.get(pipeline.name, ()))


def orders_of(lead: Lead) -> int:
    return sum(one.orders for one in lead.spent.values())


def _before_the_score(rules: Rules, profile: Profile, now: datetime) -> dict[str, Any]:
    fields = _identity(profile)
    if rules.pipelines:
        fields |= _stages(rules, profile.lead)
    if rules.money:
        fields |= _value(rules.grades, profile.lead, now)
    if rules.captures:
        fields |= {name: profile.lead.get(name) for name in (FIRST_TOUCH, LATEST_TOUCH)}
    return fields


def _score(rules: Rules, profile: Profile, now: datetime, fields: Mapping[str, Any]) -> Score:
    scoring, scope = rules.scoring, _scope(profile, now, fields)
    lines = [_line(rule, scoring.groups[rule.group], profile.lead, scope) for rule in scoring.rules]
    groups = []
    for group in scoring.groups.values():
        total = sum(line.points for line in lines if line.group == group.name)
        groups.append(GroupLine(group.name, total if group.cap is None else min(total, group.cap), group.cap))
    total = max(0.0, min(scoring.cap, sum(one.points for one in groups)))
    return Score(round(total), tuple(one for one in lines if one.points), tuple(one for one in groups if one.points))


def _line(rule: ScoreRule, group: Group, lead: Lead, scope: Scope) -> ScoreLine:
    if not rule.events:
        return ScoreLine(rule.name, group.name, rule.points if is_met(rule.when, scope) else 0, 0)
    stored = lead.points.get(rule.name)
    if stored is None:
        return ScoreLine(rule.name, group.name, 0, 0)
    points = stored.total_at(scope.now, group.half_life)
    return ScoreLine(rule.name, group.name, points if rule.most is None else min(points, rule.most), stored.count)


def _stages(rules: Rules, lead: Lead) -> dict[str, Any]:
    """Of the first pipeline that the customer is in: the stage, since when, and the queue that owns its customers."""
    present = {one.name: history[-1] for one in rules.pipelines if (history := stays(one, lead))}
    fields: dict[str, Any] = {STAGES: {name: stay.stage for name, stay in present.items()}}
    for name, stay in present.items():
        pipeline = rules.pipeline(name)
        stage = pipeline.stage(stay.stage) if pipeline else None
        return fields | {
            STAGE: stay.stage,
            STAGE_SINCE: instant_to_wire(stay.since),
            STAGE_QUEUE: stage.queue or None if stage else None,
        }
    return fields


def _value(grades: Grades | None, lead: Lead, now: datetime) -> dict[str, Any]:
    spent = lead.spent.values()
    first = min((one.first for one in spent if one.first), default=None)
    last = max((one.last for one in spent if one.last), default=None)
    return {
        LIFETIME_VALUE: {currency: one.value for currency, one in sorted(lead.spent.items())},
        ORDERS: orders_of(lead),
        REFUNDS: sum(one.refunds for one in spent),
        FIRST_ORDER_AT: instant_to_wire(first) if first else None,
        LAST_ORDER_AT: instant_to_wire(last) if last else None,
        RFM: _rfm(grades, lead, last, now) if grades and last else None,
    }


def rfm_of(rules: Rules, lead: Lead, now: datetime) -> dict[str, Any] | None:
    """Grades and class; None without an order."""
    rfm: dict[str, Any] | None = _value(rules.grades, lead, now)[RFM]
    return rfm


def _rfm(grades: Grades, lead: Lead, last: datetime, now: datetime) -> dict[str, Any]:
    spent = lead.spent.get(grades.currency)
    value = spent.value if spent else 0
    recency = 1 + sum(now - last <= most for most in grades.recency)
    frequency = 1 + sum(orders_of(lead) >= least for least in grades.frequency)
    monetary = 1 + sum(value >= least for least in grades.monetary)
    named = (
        one.name
        for one in grades.classes
        if recency >= one.recency and frequency >= one.frequency and monetary >= one.monetary
    )
    return {"recency": recency, "frequency": frequency, "monetary": monetary, "class": next(named, None)}


def _identity(profile: Profile) -> dict[str, Any]:
    """How sure the address is, from 0 to 1, and by what the customer is known; what an attribute says goes before."""
    vouched = {name.kind for name in profile.vouched_identifiers}
    typed = bool(profile.typed & {name.key for name in profile.identifiers if name.kind in ADDRESS_KINDS})
    by_account = any(kind == USER_ID or kind.startswith(EXTERNAL) for kind in vouched)
    confidence = VOUCHED_ADDRESS if vouched & ADDRESS_KINDS else TYPED_ADDRESS if typed else 0.0
    match = "account" if by_account else "address" if vouched else "typed"
    found = {CONTACT_CONFIDENCE: confidence, IDENTITY_MATCH: match}
    return {name: value for name, value in found.items() if profile.get(name) is None}


def _scope(profile: Profile, now: datetime, fields: Mapping[str, Any]) -> Scope:
    return Scope(replace(profile, reader=GivenFields(fields)), now, {})
