"""Writes what was compiled from a file, for the functions to read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_or_remove(document: Mapping[str, Any] | None, target: Path) -> None:
    """A JSON file; none where there is no document, since the functions load nothing then."""
    if document is None:
        target.unlink(missing_ok=True)
        return
    target.write_text(json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
