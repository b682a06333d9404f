"""The deployed journeys, and earlier versions that customers are still enrolled in."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cairn.adapters.documents.journey import journey_from_document, listens_before, status_reports_in, watches
from cairn.adapters.dynamodb.journey_versions import save_version, saved_version, saved_version_ids
from cairn.adapters.dynamodb.status_reports import note_heard
from cairn.adapters.templates.variants import keys_for, template_of
from cairn.domain.journey.arms import RULE
from cairn.domain.journey.definition import Journey
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import UnknownJourneyError

if TYPE_CHECKING:
    from cairn.domain.measurement.plan import Plan

SAMPLES = "samples.json"
"""Beside the catalogue: the made-up customers by journey, which only previews read."""

CHECKS = "checks.json"
"""Beside the catalogue: what the check and preflight have found, by journey, which only people look at."""

CompiledJourney = dict[str, Any]
"""journey, version, document, templates."""


class Catalogue:
    """Implements the ports JourneyVersions, JourneyDirectory, JourneyDocuments and JourneyTemplates.

    `path` is the catalogue.json that `cairn check` has passed and the build wrote.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[tuple[str, str], CompiledJourney] = {}
        self._journeys: dict[tuple[str, str], Journey] = {}
        self._stored: set[tuple[str, str]] = set()

    @cached_property
    def _deployed(self) -> tuple[tuple[str, str], ...]:
        for entry in json.loads(self._path.read_bytes()):
            self._entries[entry["journey"], entry["version"]] = entry
        return tuple(self._entries)

    @cached_property
    def _listening(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """The journeys by what they listen to before. From their documents: none is built that nobody needs."""
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for this in self._deployed:
            for event_type in sorted(listens_before(self._entries[this]["document"])):
                found[event_type] = (*found.get(event_type, ()), this)
        return found

    @cached_property
    def _watching(self) -> Mapping[str, tuple[Journey, ...]]:
        found: dict[str, tuple[Journey, ...]] = {}
        for this in self._deployed:
            for name in sorted(watches(self._entries[this]["document"])):
                found[name] = (*found.get(name, ()), self.version(*this))
        return found

    def current(self, name: str) -> Journey | None:
        version = self.deployed(name)
        return self.version(name, version) if version else None

    def watching(self) -> Mapping[str, tuple[Journey, ...]]:
        return self._watching

    def listening(self, event_type: str) -> tuple[Journey, ...]:
        return tuple(self.version(name, version) for name, version in self._listening.get(event_type, ()))

    def version(self, name: str, version: str) -> Journey:
        if (name, version) not in self._journeys:
            self._journeys[name, version] = journey_from_document(self._entry(name, version)["document"], version)
        return self._journeys[name, version]

    def document(self, name: str, version: str) -> Mapping[str, Any]:
        document: Mapping[str, Any] = self._entry(name, version)["document"]
        return document

    def checked(self, name: str, version: str) -> Mapping[str, Any] | None:
        file = self._path.with_name(CHECKS)
        found: Mapping[str, Any] | None = json.loads(file.read_bytes()).get(name) if file.exists() else None
        return found if found and found["version"] == version else None

    def plan(self, name: str, version: str, currency: str) -> "Plan | None":
        from cairn.adapters.documents.plan import plan_of  # noqa: PLC0415  nothing else needs the statistics

        try:
            return plan_of(self._entry(name, version)["document"], currency)
        except UnknownJourneyError:
            return None

    def names(self) -> list[str]:
        return [name for name, _ in self._deployed]

    def deployed(self, name: str) -> str | None:
        return next((version for journey, version in self._deployed if journey == name), None)

    def stored(self, name: str) -> list[str]:
        return saved_version_ids(name)

    def choosing_by_rule(self) -> list[Journey]:
        """None is built that has no `winner`."""
        found = [this for this in self._deployed if '"winner"' in json.dumps(self._entries[this]["document"])]
        journeys = [self.version(*this) for this in found]
        return [one for one in journeys if any(split.winner.by == RULE for split in one.measured if split.winner)]

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:
        """A template's parts (text; for e-mail also subject, preview, html) and its registration.

        From exactly that version, in the language closest to the locale. Raises KeyError.
        """
        templates: dict[str, dict[str, Any]] = self._entry(name, version)["templates"]
        for key in keys_for(template, channel, locale):
            if key in templates:
                return templates[key]
        raise KeyError(f"{template}.{channel}")

    def variants(self, name: str, version: str, template: str) -> list[tuple[Channel, str]]:
        keys = [key.split(".") for key in self._entry(name, version)["templates"] if template_of(key) == template]
        return sorted((Channel(channel), ".".join(locale)) for _, *locale, channel in keys)

    def samples(self, name: str) -> list[dict[str, Any]]:
        try:
            every = json.loads(self._path.with_name(SAMPLES).read_bytes())
        except FileNotFoundError:
            return []
        return list(every.get(name, ()))

    def keep(self, journey: Journey) -> None:
        """Store the version, so that it outlives its deployment; once per process, and always the same bytes.

        What it may hear is noted before: until then nobody is enrolled in it.
        """
        this = (journey.name, journey.version)
        if this not in self._stored:
            entry = self._entry(*this)
            if heard := status_reports_in(entry["document"]):
                note_heard(heard)
            save_version(entry)
            self._stored.add(this)

    def _entry(self, name: str, version: str) -> CompiledJourney:
        if (name, version) not in self._deployed and (name, version) not in self._entries:
            stored = saved_version(name, version)
            if stored is None:
                raise UnknownJourneyError(f"journey {name} has no version {version}, deployed or kept")
            self._entries[name, version] = stored
        return self._entries[name, version]
