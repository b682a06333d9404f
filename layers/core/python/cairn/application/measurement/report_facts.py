"""Reports that are counted from the log of facts: funnels, deliveries, latencies, tasks, matching, losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cairn.application.ports import FactQueries
from cairn.domain.measurement.facts import milliseconds
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.instants import instant_to_wire

OF_A_JOURNEY = "funnel"

REPORTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "funnel": ("funnel",),
        "deliveries": ("deliveries", "suppressions"),
        "latencies": ("latencies",),
        "matching": ("matching",),
        "tasks": ("tasks",),
        "stages": ("stages",),
        "kinds": ("kinds",),
        "losses": ("losses",),
    }
)
"""Each report, and the queries that answer it."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Raises InvalidRequestError for a report that there is not, or a funnel of no journey."""

    facts: FactQueries

    def __call__(self, name: str, journey: str, days: int, now: datetime) -> dict[str, Any]:
        if name not in REPORTS:
            raise InvalidRequestError([f"report: one of {', '.join(REPORTS)}"])
        if name == OF_A_JOURNEY and not journey:
            raise InvalidRequestError(["journey: say which one"])
        since = now - timedelta(days=days)
        times = [milliseconds(at) for at in (since, now)]
        about: list[str | int] = [journey, *times] if name == OF_A_JOURNEY else [*times]
        answers = self.facts.ask([(query, about) for query in REPORTS[name]])
        rows = {query: list(map(dict, answer)) for query, answer in zip(REPORTS[name], answers, strict=True)}
        return {"since": instant_to_wire(since), "until": instant_to_wire(now), **rows}
