"""The stamp of preflight: a file beside the journey, for one version of it. Deploying requires it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authoring.problems import Problem

FILE = "preflight.json"


def write_stamp(folder: Path, stamp: Mapping[str, Any]) -> None:
    """The same stamp gives the same file."""
    text = json.dumps(stamp, indent=2, ensure_ascii=False) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def remove_stamp(folder: Path) -> None:
    (folder / FILE).unlink(missing_ok=True)


def stamp_of(folder: Path, version: str) -> Mapping[str, Any] | None:
    """The stamp of this version; None where preflight has passed another one, or none."""
    try:
        stamp = json.loads((folder / FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) and stamp.get("version") == version else None


def stamp_problem(folder: Path, journey: str, version: str) -> Problem | None:
    """The reason why this version may not be deployed; None if it may."""
    file = folder / FILE
    command = f"Run `cairn preflight {journey}` (all of them: `make preflight`), and check in what it writes."
    try:
        stamp = json.loads(file.read_bytes())
    except FileNotFoundError:
        return Problem(file, 1, "", "", "preflight has not passed this journey", command)
    except ValueError:
        return Problem(file, 1, "", "", "this is no stamp of preflight", command)
    known = stamp.get("version") if isinstance(stamp, dict) else None
    if known == version:
        return None
    return Problem(file, 1, "", "version", f"preflight passed version {known}, and the journey is {version}", command)
