"""Journey versions that have enrollments, stored so that they outlive their deployment."""

import gzip
import json
from typing import Any

from pynamodb.exceptions import DoesNotExist

from cairn.adapters.dynamodb.items import JOURNEY, VERSION, DocumentItem


def save_version(entry: dict[str, Any]) -> None:
    """Store a journey version with its templates, for enrollments that continue after it is no longer deployed."""
    packed = gzip.compress(json.dumps(entry, separators=(",", ":"), sort_keys=True).encode(), mtime=0)
    DocumentItem(JOURNEY + entry["journey"], VERSION + entry["version"], packed=packed).save()


def saved_version(journey: str, version: str) -> dict[str, Any] | None:
    try:
        item = DocumentItem.get(JOURNEY + journey, VERSION + version, consistent_read=True)  # it may be new
        packed = item.packed
    except DoesNotExist:
        return None
    document: dict[str, Any] = json.loads(gzip.decompress(packed or b""))
    return document
