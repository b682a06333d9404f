"""Deployment-wide documents: switches that people turn, and the journey versions that somebody is walking."""

import gzip
import json
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist

from cairn.adapters.dynamodb.items import JOURNEY, SETTINGS, SWITCHES, VERSION, Kept
from cairn.domain.gate import GateSettings
from cairn.settings import SWITCH_TTL


class DynamoSwitches:
    """Implements the port Switches; reads the table once in SWITCH_TTL."""

    def __init__(self) -> None:
        self._read: tuple[datetime, GateSettings] | None = None

    def current(self, now: datetime) -> GateSettings:
        if self._read is None or not (now - SWITCH_TTL < self._read[0] <= now):
            self._read = (now, GateSettings(stopped=frozenset(self.stopped())))
        return self._read[1]

    def stopped(self) -> list[str]:
        try:
            body = Kept.get(SETTINGS, SWITCHES, consistent_read=True).body or {}
        except DoesNotExist:
            return []
        return list(body.get("stopped", ()))

    def stop(self, *what: str) -> None:
        """Set what is stopped: `all`, `channel:sms`, `journey:<name>`; nothing starts everything again."""
        Kept(SETTINGS, SWITCHES, body={"stopped": sorted(what)}).save()


def keep_version(entry: dict[str, Any]) -> None:
    """Store a version of a journey, templates included, for those who walk it when it is no longer deployed."""
    packed = gzip.compress(json.dumps(entry, separators=(",", ":"), sort_keys=True).encode(), mtime=0)
    Kept(JOURNEY + entry["journey"], VERSION + entry["version"], packed=packed).save()


def kept_version(journey: str, version: str) -> dict[str, Any] | None:
    try:
        packed = Kept.get(JOURNEY + journey, VERSION + version).packed
    except DoesNotExist:
        return None
    document: dict[str, Any] = json.loads(gzip.decompress(packed or b""))
    return document
