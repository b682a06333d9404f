"""The proof of a folder of journeys: a report on each, what several answer together, and the warnings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from pathlib import Path
from typing import Any

from authoring.journeys.catalogue import FILE, Compiled
from authoring.journeys.expansion import expanded
from authoring.journeys.source import Source, read_yaml
from authoring.problems import Loc, Problem
from authoring.proof.across import answered, clashes
from authoring.proof.costs import Range, cost
from authoring.proof.invites import uncorrected
from authoring.proof.limits import confirmable, hints, reentry, warnings
from authoring.proof.paths import Counts, Paths, crowded, longest
from authoring.proof.ways import DAY, WEEK
from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.journey.definition import Journey
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.moments import Until


@dataclass(frozen=True, slots=True)
class Most:
    """The most messages of one enrollment."""

    day: int
    """In 24 hours."""
    week: int
    enrollment: int

    def to_json(self) -> dict[str, int]:
        return {"day": self.day, "week": self.week, "enrollment": self.enrollment}


@dataclass(frozen=True, slots=True)
class Report:
    journey: str
    version: str
    paths: int
    messages: Most
    marketing: Most
    by_channel: Mapping[tuple[Purpose, Channel], Most]
    """A message counts on each channel that it may take."""
    longest: float | None
    """Seconds; None where only dates of the customer's data say how long it takes."""
    dates: tuple[str, ...]
    """Those, each as `step: expression`."""
    reentry: str
    """When one customer may have another enrollment; empty where never."""
    usd: Range
    hints: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "journey": self.journey,
            "version": self.version,
            "paths": self.paths,
            "messages": self.messages.to_json(),
            "marketing": self.marketing.to_json(),
            "by_channel": [
                {"purpose": purpose, "channel": channel, **most.to_json()}
                for (purpose, channel), most in self.by_channel.items()
            ],
            "longest_seconds": self.longest,
            "waits_for_dates": list(self.dates),
            "reentry": self.reentry,
            "usd": {name: round(usd, 6) for name, usd in self.usd._asdict().items()},
            "hints": list(self.hints),
        }


@dataclass(frozen=True, slots=True)
class Shared:
    """An event that several journeys answer."""

    event: str
    journeys: tuple[str, ...]
    messages: int
    """The most that all of them together send within 24 hours of it."""

    def to_json(self) -> dict[str, Any]:
        return {"event": self.event, "journeys": list(self.journeys), "messages_in_a_day": self.messages}


@dataclass(frozen=True, slots=True)
class Proof:
    reports: tuple[Report, ...]
    shared: tuple[Shared, ...]
    warnings: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "journeys": [one.to_json() for one in self.reports],
            "shared_events": [one.to_json() for one in self.shared],
            "warnings": [_warning_to_json(one) for one in self.warnings],
        }


def prove(root: Path, compiled: Sequence[Compiled], policy: Policy) -> Proof:
    """The proof of journeys without problems; `root` is their folder."""
    journeys = [journey_from_document(one["document"], one["version"]) for one in compiled]
    templates = {one["journey"]: one["templates"] for one in compiled}
    reports = (_report(journey, policy, templates[journey.name]) for journey in journeys)
    return Proof(tuple(reports), tuple(_shared(journeys)), tuple(sorted(_warnings(root, journeys, policy, templates))))


def _report(journey: Journey, policy: Policy, templates: Mapping[str, Any]) -> Report:
    paths, seconds = crowded(journey), longest(journey)
    kinds = dict.fromkeys((send.purpose, channel) for send in paths.sends for channel in send.channels)
    return Report(
        journey=journey.name,
        version=journey.version,
        paths=paths.number,
        messages=_most(paths, lambda _: True),
        marketing=_most(paths, lambda send: send.purpose is Purpose.MARKETING),
        by_channel={kind: _most(paths, _of_kind(*kind)) for kind in kinds},
        longest=None if isinf(seconds) else seconds,
        dates=tuple(_dates(journey, paths)),
        reentry=reentry(journey),
        usd=cost(journey, templates),
        hints=tuple(hints(journey, policy, templates)),
    )


def _most(paths: Paths, counts: Counts) -> Most:
    runs = paths.runs(counts, WEEK)
    day = max((number for number, run in runs.items() if run.seconds < DAY), default=0)
    return Most(day, max(runs, default=0), paths.most(counts))


def _of_kind(purpose: Purpose, channel: Channel) -> Counts:
    return lambda send: send.purpose is purpose and channel in send.channels


def _dates(journey: Journey, paths: Paths) -> Iterator[str]:
    for step in paths.ways:
        moment = getattr(journey.steps[step], "moment", None)
        if isinstance(moment, Until) and any(isinf(way.span.most) for way in paths.ways[step]):
            yield f"{step}: {moment.date}"


def _shared(journeys: Sequence[Journey]) -> Iterator[Shared]:
    for event in sorted(set().union(*map(answered, journeys))):
        answering = [one for one in journeys if event in answered(one)]
        if len(answering) > 1:
            together = sum(crowded(one).most_after_entry(lambda _: True, DAY) for one in answering)
            yield Shared(event, tuple(one.name for one in answering), together)


def _warnings(
    root: Path, journeys: Sequence[Journey], policy: Policy, templates: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    sources = {journey.name: _source(root, journey) for journey in journeys}
    confirmed = {channel for journey in journeys for channel in confirmable(journey, templates[journey.name])}
    for journey in journeys:
        for one in warnings(journey, policy, confirmed):
            yield _problem(sources[journey.name], one.step, one.message, one.fix)
    for journey, one in uncorrected(journeys):
        yield _problem(sources[journey.name], one.step, one.message, one.fix)
    for clash in clashes(journeys, policy):
        yield _problem(sources[clash.journey], clash.step, clash.message, clash.fix)


def _source(root: Path, journey: Journey) -> Source:
    file = root / journey.name / FILE
    return read_yaml(file.read_text(encoding="utf-8"), file)


def _problem(source: Source, step: str, message: str, fix: str) -> Problem:
    """Where the step is written; one of a later pass or of a path has another id there."""
    written = expanded(source.data, None)
    return source.problem(written.written_at(next(_locs(written.document, step), ())), message, fix)


def _locs(value: Any, step: str, loc: Loc = ()) -> Iterator[Loc]:
    """The path to a step in the document."""
    if isinstance(value, dict) and value.get("id") == step:
        yield loc
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, one in inner:
        yield from _locs(one, step, (*loc, part))


def _warning_to_json(one: Problem) -> dict[str, Any]:
    return {"file": str(one.file), "line": one.line, "step": one.step, "message": one.message, "fix": one.fix}
