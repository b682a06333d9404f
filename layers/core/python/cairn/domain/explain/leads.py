"""A customer as a lead: its stages, its score with each rule's points, its value. For people, and as a document."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cairn.domain.gate.decision import on_day
from cairn.domain.lead.pipelines import Pipeline, Stay
from cairn.domain.lead.reading import Score, score_of, stays, view
from cairn.domain.lead.rules import Rules
from cairn.domain.profile.lead import (
    CATEGORY,
    CONTACT_CONFIDENCE,
    FIRST_ORDER_AT,
    FIRST_TOUCH,
    HISTORY,
    HOT,
    IDENTITY_MATCH,
    LAST_ORDER_AT,
    LATEST_TOUCH,
    LIFETIME_VALUE,
    ORDERS,
    REFUNDS,
    RFM,
    SCORE,
)
from cairn.domain.profile.profile import Profile

FIELDS = (
    *(LIFETIME_VALUE, ORDERS, REFUNDS, FIRST_ORDER_AT, LAST_ORDER_AT, RFM),
    *(CATEGORY, FIRST_TOUCH, LATEST_TOUCH, CONTACT_CONFIDENCE, IDENTITY_MATCH),
)
"""Of the view, besides stages and score."""


@dataclass(frozen=True, slots=True)
class InPipeline:
    """Where a customer stands in a pipeline, and since when."""

    pipeline: str
    queue: str
    goal: str
    goal_reached: bool
    """Whether the goal's event has come since."""
    history: tuple[Stay, ...]
    """The present stage last."""
    allowed: tuple[str, ...]
    """The stages to which it may move."""

    @property
    def present(self) -> Stay:
        return self.history[-1]


@dataclass(frozen=True, slots=True)
class LeadExplanation:
    at: datetime
    pipelines: tuple[InPipeline, ...] = ()
    score: Score | None = None
    """None: no rule gives points."""
    hot: bool = False
    days: dict[str, int] = field(default_factory=dict)
    """The last score of each day on which it changed."""
    fields: dict[str, Any] = field(default_factory=dict)
    """What else the rules give of the profile, without what is not known."""


def explain_lead(rules: Rules, profile: Profile, now: datetime) -> LeadExplanation:
    seen = view(rules, profile, now)
    own = ((pipeline, stays(pipeline, profile.lead)) for pipeline in rules.pipelines)
    return LeadExplanation(
        now,
        tuple(_in_pipeline(pipeline, history, profile) for pipeline, history in own if history),
        score_of(rules, profile, now) if SCORE in seen else None,
        bool(seen.get(HOT)),
        dict(profile.lead.get(HISTORY) or {}),
        {name: seen[name] for name in FIELDS if seen.get(name) not in (None, {})},
    )


def sentences(explained: LeadExplanation, zone: ZoneInfo) -> Iterator[str]:
    """In the explanation of a customer."""
    for one in explained.pipelines:
        here = one.present
        since = f"since {on_day(here.since, zone)} ({(explained.at - here.since).days} days)"
        owner = f", for {one.queue}" if one.queue else ""
        yield f"{one.pipeline}: in stage {here.stage} {since}{owner}, because of {here.by}"
    if explained.score is not None and explained.score.lines:
        lines = ", ".join(f"{line.rule} {line.points:.0f}" for line in explained.score.lines)
        yield f"score {explained.score.total}{', hot' if explained.hot else ''}: {lines}"
    if explained.fields.get(ORDERS):
        value = ", ".join(f"{amount} {currency}" for currency, amount in explained.fields[LIFETIME_VALUE].items())
        yield f"{explained.fields[ORDERS]} orders, lifetime value in minor units: {value}"


def _in_pipeline(pipeline: Pipeline, history: tuple[Stay, ...], profile: Profile) -> InPipeline:
    here = history[-1]
    stage = pipeline.stage(here.stage)
    goal = stage.goal if stage else ""
    reached = profile.activity.get(goal)
    return InPipeline(
        pipeline.name,
        stage.queue if stage else "",
        goal,
        reached is not None and reached.last >= here.since,
        history,
        tuple(one.name for one in pipeline.stages if one.name != here.stage and pipeline.allows(here.stage, one.name)),
    )
