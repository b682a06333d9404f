"""Writes what was compiled from a file, for the functions to read."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def write_or_remove(document: Mapping[str, Any] | None, target: Path) -> None:
    """A JSON file; none where there is no document, since the functions load nothing then."""
    if document is None:
        target.unlink(missing_ok=True)
        return
    target.write_text(json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a document, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(inner)
