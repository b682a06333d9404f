"""Figures of a playbook, each as the command says it that a page names: score, proof, events and their sources."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from authoring.defaults import default_file
from authoring.journeys import compile_catalogue
from authoring.journeys.automation import Scored, scored
from authoring.journeys.events import CAIRNS, SHIPPED, declared_for
from authoring.journeys.events import FILE as EVENTS
from authoring.journeys.source import read_yaml
from authoring.playbooks import Playbook
from authoring.policy import compile_policy
from authoring.preflight.rendering import Rendering, render
from authoring.preflight.samples import read_samples, samples_of
from authoring.preflight.variants import variants_of
from authoring.proof.report import Proof, prove
from cairn.adapters.documents.journey import journey_from_document
from cairn.adapters.documents.policy import policy_from_document
from cairn.domain.journey.definition import CONDITION_MET, DATE_CHANGED, Journey
from cairn.domain.policy import Policy

TRACK = "track"
"""The source of one's own systems: POST /events."""
CAIRN = "Cairn"
"""The source of events that no system sends: receipts, replies, outcomes of tasks."""
PEOPLE = re.compile(r"task\.\w+")

NAMED = re.compile(r"\b(?:seen|seen_since|count|days_since)\(\s*'([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)'")
"""The types that conditions ask for."""


@dataclass(frozen=True, slots=True)
class Need:
    """An event that a playbook names. Without `sources` nothing produces it."""

    event: str
    about: str
    sources: tuple[str, ...]
    properties: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Figures:
    playbook: Playbook

    @cached_property
    def policy(self) -> Policy:
        return policy_from_document(compile_policy(self.playbook.policy, default_file("law.toml")))

    @cached_property
    def compiled(self) -> dict[str, dict[str, Any]]:
        """Its journeys by name, its own name first. Raises InvalidJourneysError."""
        found = {one["journey"]: one for one in compile_catalogue(self.playbook.journeys)}
        return {name: found[name] for name in self.playbook.journey_names}

    @cached_property
    def proof(self) -> Proof:
        return prove(self.playbook.journeys, list(self.compiled.values()), self.policy)

    @property
    def scores(self) -> list[Scored]:
        return [scored(self.playbook.journeys / name / "journey.yaml") for name in self.compiled]

    @property
    def marketing_in_a_week(self) -> int:
        """The most of one customer, in all its journeys together."""
        return sum(one.marketing.week for one in self.proof.reports)

    @property
    def usd(self) -> float:
        """What one customer costs in all its journeys, by the dearest paths."""
        return sum(one.usd.most for one in self.proof.reports)

    def journey(self, name: str) -> Journey:
        return journey_from_document(self.compiled[name]["document"], self.compiled[name]["version"])

    def needs(self) -> list[Need]:
        """Every event that its journeys name, and the systems that send it."""
        documents = [self.own_events, *(dict(_read(file)) for file in (SHIPPED, CAIRNS))]
        types = {event for name in self.compiled for event in self._named(name)}
        return [_need(event, *(declared_for(event, one) for one in documents)) for event in sorted(types)]

    @property
    def sources(self) -> list[str]:
        """The systems that send what it needs, our own API first."""
        found = {source for need in self.needs() for source in need.sources} - {CAIRN}
        return sorted(found, key=lambda one: (one != TRACK, one))

    @property
    def own_events(self) -> dict[str, Any]:
        file = self.playbook.journeys / EVENTS
        return dict(_read(file)) if file.is_file() else {}

    def texts(self, name: str) -> Iterator[Rendering]:
        """Each message of a journey as the first sample gets it that can have it."""
        journey, folder = self.journey(name), self.playbook.journeys / name
        samples = read_samples(samples_of(folder))
        for variant in variants_of(folder, journey, self.compiled[name]["templates"]):
            tried = (render(variant, sample, journey, self.policy) for sample in samples)
            yield next(one for one in tried if isinstance(one, Rendering))

    def _named(self, name: str) -> set[str]:
        named = {*self.journey(name).listens_to, *NAMED.findall(str(self.compiled[name]["document"]))}
        return named - {DATE_CHANGED, CONDITION_MET}


def _need(event: str, own: Any, shipped: Any, cairns: Any) -> Need:
    sources = (*(own or {}).get("sources", ()), *(shipped or {}).get("sources", ()))
    if cairns is not None or PEOPLE.fullmatch(event):
        sources = (*sources, CAIRN)
    about = (own or {}).get("about", "")
    return Need(event, about, tuple(dict.fromkeys(sources)), (own or {}).get("properties", {}))


def _read(file: Path) -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_yaml(file.read_text(encoding="utf-8"), file).data
    return data
