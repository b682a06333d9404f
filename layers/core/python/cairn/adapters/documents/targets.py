"""The targets that operators can stop and pause: of the deployment, and of what customers are still enrolled in."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from cairn.adapters.dynamodb.journey_versions import has_version, saved_versions
from cairn.adapters.phone.jurisdiction import zones_by_country
from cairn.adapters.phone.numbers import countries
from cairn.adapters.templates.variants import template_of
from cairn.domain.operations.targets import CLOSED


class Targets:
    """Implements the port SwitchTargets. `catalogue` is the deployment's catalogue.json."""

    def __init__(self, catalogue: Path) -> None:
        self._catalogue = catalogue

    def deployed(self) -> frozenset[str]:
        return self._deployed

    def exists(self, target: str) -> bool:
        if target in self._deployed:
            return True
        kind, _, name = target.partition(":")
        journey, _, template = name.partition("/")
        match kind:
            case "journey":
                return has_version(journey)
            case "template":
                return any(template in map(template_of, version["templates"]) for version in saved_versions(journey))
            case _:
                return False

    def time_zone(self, journey: str) -> str:
        """That of a deployed journey; empty where there is no such journey."""
        return next((one["document"].get("time_zone", "") for one in self._entries if one["journey"] == journey), "")

    @cached_property
    def _entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads(self._catalogue.read_bytes())
        return entries

    @cached_property
    def _deployed(self) -> frozenset[str]:
        entries = self._entries
        return frozenset(
            {
                *CLOSED,
                *(f"country:{code}" for code in {*countries(), *zones_by_country()}),
                *(f"journey:{entry['journey']}" for entry in entries),
                *(f"template:{entry['journey']}/{template_of(key)}" for entry in entries for key in entry["templates"]),
            }
        )
