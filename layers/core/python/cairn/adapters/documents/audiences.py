"""From the document of audiences.toml (docs/audiences.md, already checked) to the audiences.

Standard library only: this runs in the functions. `authoring.audiences` reads and checks the file that people write.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cairn.domain.audience.audiences import Audience, Audiences
from cairn.domain.audience.order import SortType


def audiences_at(path: Path) -> Audiences:
    """The audiences that the build wrote after `cairn check`."""
    return audiences_from_document(json.loads(path.read_bytes()))


def audiences_from_document(document: Mapping[str, Any]) -> Audiences:
    """The audiences of a checked document. Raises KeyError or ValueError on an unchecked one."""
    return Audiences(tuple(map(_audience, document["audiences"])))


def _audience(row: Mapping[str, Any]) -> Audience:
    return Audience(
        name=row["audience"],
        version=row["version"],
        condition=row["when"],
        watches=frozenset(row["watches"]),
        partition=row.get("partition", ""),
        sort=row.get("sort", ""),
        until=row.get("until", ""),
        sorted_as=SortType(row.get("sorted_as", SortType.NUMBER)),
        shards=row.get("shards", 1),
        says=frozenset(row["says"]),
    )
