"""What an event, and what has changed by it, makes of a lead.

An event that no rule hears changes nothing and asks no condition. What a rule cannot do becomes a fact with its reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cairn.domain.effects import Fact
from cairn.domain.event import Event
from cairn.domain.identity.trust import OPERATORS_SOURCE, TYPED
from cairn.domain.journey.conditions import Scope, evaluate, is_met
from cairn.domain.lead.money import spent_by
from cairn.domain.lead.pipelines import ALREADY_THERE, Pipeline
from cairn.domain.lead.reading import score_of, sinks_at
from cairn.domain.lead.rules import BECAME_HOT, COOLED, STAGE_SET, Capture, Money, Rules
from cairn.domain.profile.attributes import TAGS
from cairn.domain.profile.lead import FIRST_TOUCH, HISTORY, HOT, LATEST_TOUCH, Lead, Move, Points
from cairn.domain.profile.profile import TAG, Profile

MOST_CURRENCIES = 8
"""Of one customer."""

LONGEST_WORD = 128
"""Characters of a source, campaign or medium that are stored."""


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event that follows from the rules."""

    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    profile: Profile
    facts: tuple[Fact, ...] = ()
    says: tuple[OwnEvent, ...] = ()
    look_at: datetime | None = None
    """When to look whether the customer has cooled."""
    ages_at: datetime | None = None
    """When to look what time has made of the customer (ageing.py)."""


def heard(rules: Rules, profile: Profile, event: Event, now: datetime, *, by_vouched: bool) -> Changed:
    """The profile after the rules that hear this event.

    `by_vouched` is false where a visitor typed the name by which the customer was found: money is then not counted for
    a customer who is known.
    """
    if event.type == STAGE_SET and event.source == OPERATORS_SOURCE:
        return _set_stage(rules, profile, event)
    asked = rules.heard.get(event.type)
    if asked is None:
        return Changed(profile)
    scope = Scope(profile, now, {}, event.view())
    lead, facts = _counted(profile.lead, asked.money, scope, event, trusted=by_vouched or not profile.is_known)
    for capture in asked.captures:
        lead = _touched(lead, capture, scope, event)
    points = dict(lead.points)
    for rule in asked.scores:
        if is_met(rule.when, scope):
            half_life = rules.scoring.groups[rule.group].half_life
            points[rule.name] = Points(rule.points, 1, half_life, event.occurred_at).plus(points.get(rule.name))
    changed = replace(profile, lead=lead if points == lead.points else replace(lead, points=points))
    tags = {one.tag: True for one in asked.tags if is_met(one.when, scope)}
    changed = changed.patched({TAGS: tags}, event.occurred_at) if tags else changed
    for pipeline, stage in asked.stages:
        if is_met(stage.when, scope) and _is_for(pipeline, changed, scope):
            changed, found = _moved(pipeline, changed, Move(event.occurred_at, stage.name, event.type))
            facts += found
    return Changed(changed, facts)


def settled(  # noqa: PLR0913  what has changed, and by what
    rules: Rules, before: Profile, profile: Profile, now: datetime, *, by: str, starts: bool
) -> Changed:
    """The profile after the conditions that read what has changed since `before`; `by` is the type of the event.

    Tags first, then stages, then the score. Without `starts` (a backfilled event) nobody becomes hot.
    """
    changed = profile.changes_since(before) | {by}
    if rules.watches.isdisjoint(changed) and before.lead.points is profile.lead.points:
        return Changed(profile)
    was, now_is = Scope(before, now, {}), Scope(profile, now, {})
    tags = {
        one.tag: is_met(one.when, now_is)
        for one in rules.tags
        if not one.events and not one.watches.isdisjoint(changed)
    }
    tags = {tag: has for tag, has in tags.items() if has is not bool(profile.get(TAG + tag))}
    if tags:
        profile = profile.updated({TAGS: tags}, now)
        changed, now_is = changed | {TAGS}, Scope(profile, now, {})
    facts: tuple[Fact, ...] = ()
    for pipeline in rules.pipelines:
        for stage in pipeline.stages:
            if stage.events or stage.watches.isdisjoint(changed) or is_met(stage.when, was):
                continue
            if is_met(stage.when, now_is) and _is_for(pipeline, profile, now_is):
                profile, found = _moved(pipeline, profile, Move(now, stage.name, "its condition"))
                facts += found
    after = scored(rules, profile, now, starts=starts)
    return replace(after, facts=facts)


def scored(rules: Rules, profile: Profile, now: datetime, *, starts: bool = True) -> Changed:
    """The profile with its score noted, and whether the customer has become hot or has cooled by now."""
    if not rules.scoring.rules:
        return Changed(profile)
    score = score_of(rules, profile, now).total
    lead, today = profile.lead, now.date().isoformat()
    days = lead.get(HISTORY) or {}
    if (days[max(days)] if days else 0) != score:
        lead = lead.marked(HISTORY, {today: score}, now)
    profile = profile if lead is profile.lead else replace(profile, lead=lead)
    was_hot, hot = bool(lead.get(HOT)), rules.scoring.hot
    if not starts:
        return Changed(profile)
    if hot is not None and not was_hot and score >= hot:
        profile = replace(profile, lead=lead.marked(HOT, True, now))  # noqa: FBT003  a value that is stored
        says = (OwnEvent(BECAME_HOT, {"score": score}),)
        return Changed(profile, says=says, look_at=sinks_at(rules, profile, now))
    if was_hot and (hot is None or score < rules.scoring.cool):
        says = (OwnEvent(COOLED, {"score": score}),)
        return Changed(replace(profile, lead=lead.marked(HOT, False, now)), says=says)  # noqa: FBT003
    return Changed(profile)


def cooled(rules: Rules, profile: Profile, now: datetime) -> Changed | None:
    """What the timer of a hot customer finds: it has cooled, or is to be looked at later. None: it is not hot."""
    if not profile.lead.get(HOT):
        return None
    after = scored(rules, profile, now)
    return after if after.says else Changed(profile, look_at=sinks_at(rules, profile, now))


def refusal(rules: Rules, profile: Profile, move: Move, pipeline: str, now: datetime) -> str:
    """Why an operator's move would not count; empty where it would."""
    line = rules.pipeline(pipeline)
    if line is None or line.stage(move.stage) is None:
        return "there is no such stage"
    if not _is_for(line, profile, Scope(profile, now, {})):
        return f"the pipeline {pipeline} is not for this customer"
    return line.asked(profile.lead.moves.get(pipeline, ()), move).refused


def _set_stage(rules: Rules, profile: Profile, event: Event) -> Changed:
    about = event.properties
    move = Move(event.occurred_at, str(about.get("stage")), str(about.get("actor") or OPERATORS_SOURCE))
    name = str(about.get("pipeline"))
    if reason := refusal(rules, profile, move, name, event.occurred_at):
        detail = {"pipeline": name, "stage": move.stage, "reason": reason}
        return Changed(profile, (Fact("not_staged", detail=detail),))
    pipeline = rules.pipeline(name)
    assert pipeline is not None  # noqa: S101  otherwise there is a reason
    return Changed(*_moved(pipeline, profile, move))


def _moved(pipeline: Pipeline, profile: Profile, move: Move) -> tuple[Profile, tuple[Fact, ...]]:
    """The profile with a move, and the fact of it. What the customer has been through before says nothing new."""
    moves = profile.lead.moves.get(pipeline.name, ())
    before = pipeline.history(moves)
    asked = pipeline.asked(moves, move)
    detail: dict[str, Any] = {"pipeline": pipeline.name, "stage": move.stage, "because": move.by}
    detail |= {"before": before[-1].stage} if before else {}
    if asked.moves != moves:
        profile = replace(profile, lead=replace(profile.lead, moves={**profile.lead.moves, pipeline.name: asked.moves}))
    if asked.moved:
        return profile, (Fact("staged", detail=detail),)
    if not asked.refused or asked.refused == ALREADY_THERE or any(stay.stage == move.stage for stay in before):
        return profile, ()
    return profile, (Fact("not_staged", detail=detail | {"reason": asked.refused}),)


def _is_for(pipeline: Pipeline, profile: Profile, scope: Scope) -> bool:
    return bool(profile.lead.moves.get(pipeline.name)) or is_met(pipeline.condition, scope)


def _touched(lead: Lead, capture: Capture, scope: Scope, event: Event) -> Lead:
    """With where this event says that the customer comes from, if it says so."""
    found = {name: evaluate(expression, scope) for name, expression in capture.fields.items()}
    touch = {name: value[:LONGEST_WORD] for name, value in found.items() if isinstance(value, str) and value}
    if not touch or not is_met(capture.when, scope):
        return lead
    touch["event"] = event.type
    return lead.marked(FIRST_TOUCH, touch, event.occurred_at).marked(LATEST_TOUCH, touch, event.occurred_at)


def _counted(
    lead: Lead, rules: Iterable[Money], scope: Scope, event: Event, *, trusted: bool
) -> tuple[Lead, tuple[Fact, ...]]:
    """With the money of an event, and what of it was not counted."""
    facts = []
    for money in rules:
        if not is_met(money.when, scope):
            continue
        currency, spent = spent_by(money, scope, event.occurred_at)
        reason = TYPED if not trusted else spent if isinstance(spent, str) else ""
        if not reason and currency not in lead.spent and len(lead.spent) >= MOST_CURRENCIES:
            reason = "too many currencies"
        if reason or isinstance(spent, str):
            facts.append(Fact("not_counted", detail={"because": event.type, "reason": reason}))
        else:
            lead = replace(lead, spent={**lead.spent, currency: spent.plus(lead.spent.get(currency))})
    return lead, tuple(facts)
