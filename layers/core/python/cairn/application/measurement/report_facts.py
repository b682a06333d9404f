"""Reports that are counted from the log of facts: funnels, deliveries, latencies, stages of the business and others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cairn.application.ports import FactQueries
from cairn.application.values.facts import BusinessStage, Question
from cairn.domain.measurement.facts import milliseconds
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.instants import instant_to_wire

OF_A_JOURNEY = "funnel"
OF_STAGES = "kpis"

REPORTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "funnel": ("funnel",),
        "kpis": ("goals",),
        "deliveries": ("deliveries", "suppressions"),
        "latencies": ("latencies",),
        "consents": ("consents",),
        "matching": ("matching",),
        "tasks": ("tasks",),
        "stages": ("stages", "classes"),
        "kinds": ("kinds",),
        "losses": ("losses",),
    }
)
"""Each report, and the queries that answer it."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Raises InvalidRequestError for a report that there is not, or a funnel of no journey."""

    facts: FactQueries
    stages: Sequence[BusinessStage] = ()
    """In their order."""

    def __call__(self, name: str, journey: str, days: int, now: datetime) -> dict[str, Any]:
        if name not in REPORTS:
            raise InvalidRequestError([f"report: one of {', '.join(REPORTS)}"])
        if name == OF_A_JOURNEY and not journey:
            raise InvalidRequestError(["journey: say which one"])
        since = now - timedelta(days=days)
        times = [milliseconds(at) for at in (since, now)]
        about: list[str | int] = [journey, *times] if name == OF_A_JOURNEY else [*times]
        stages = self.stages if name == OF_STAGES else ()
        answers = self.facts.ask([*_of_stages(stages, times), *((query, about) for query in REPORTS[name])])
        rows = {
            query: list(map(dict, answer)) for query, answer in zip(REPORTS[name], answers[len(stages) :], strict=True)
        }
        if name == OF_STAGES:
            rows = {
                OF_STAGES: [{"stage": one.name, **row} for one, (row,) in zip(stages, answers, strict=False)],
                **rows,
            }
        return {"since": instant_to_wire(since), "until": instant_to_wire(now), **rows}


def _of_stages(stages: Sequence[BusinessStage], times: Sequence[int]) -> list[Question]:
    """A question for each stage: a customer may be in several, so that what each answers cannot be added up."""
    texts = [f" {' '.join(one.events)} " for one in stages]
    return [(OF_STAGES, [own, following, *times]) for own, following in zip(texts, [*texts[1:], " "], strict=False)]
