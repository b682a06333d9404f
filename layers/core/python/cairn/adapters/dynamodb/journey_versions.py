"""Journey versions that somebody is walking, kept for when they are deployed no longer."""

import gzip
import json
from typing import Any

from pynamodb.exceptions import DoesNotExist

from cairn.adapters.dynamodb.items import JOURNEY, VERSION, DocumentItem


def save_version(entry: dict[str, Any]) -> None:
    """Store a version of a journey, templates included, for those who walk it when it is no longer deployed."""
    packed = gzip.compress(json.dumps(entry, separators=(",", ":"), sort_keys=True).encode(), mtime=0)
    DocumentItem(JOURNEY + entry["journey"], VERSION + entry["version"], packed=packed).save()


def saved_version(journey: str, version: str) -> dict[str, Any] | None:
    try:
        packed = DocumentItem.get(JOURNEY + journey, VERSION + version).packed
    except DoesNotExist:
        return None
    document: dict[str, Any] = json.loads(gzip.decompress(packed or b""))
    return document
