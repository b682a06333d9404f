"""Journey versions that have enrollments, stored so that they outlive their deployment."""

import gzip
import json
from collections.abc import Iterator
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
    except DoesNotExist:
        return None
    return _unpacked(item)


def has_version(journey: str) -> bool:
    """Whether any version of the journey is stored: a customer has been enrolled in it."""
    ours = DocumentItem.sk.startswith(VERSION)
    return any(True for _ in DocumentItem.query(JOURNEY + journey, ours, consistent_read=True, limit=1))


def saved_version_ids(journey: str) -> list[str]:
    """The ids of the stored versions of a journey."""
    ours = DocumentItem.sk.startswith(VERSION)
    found = DocumentItem.query(JOURNEY + journey, ours, consistent_read=True, attributes_to_get=["sk"])
    return [item.sk.removeprefix(VERSION) for item in found]


def saved_versions(journey: str) -> Iterator[dict[str, Any]]:
    """Every stored version of a journey, read page by page."""
    for item in DocumentItem.query(JOURNEY + journey, DocumentItem.sk.startswith(VERSION), consistent_read=True):
        yield _unpacked(item)


def _unpacked(item: DocumentItem) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(item.packed or b""))
    return document
