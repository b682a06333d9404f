"""The stories of a project."""

import re
from dataclasses import dataclass
from pathlib import Path

from infra.local.studio.studio import Project

PATTERNS = (
    "*.story.yaml",
    "stories/*.yaml",
    "stories/*.story.yaml",
    "tests/*.story.yaml",
    "tests/stories/*.story.yaml",
)
SCENARIOS = "events/scenarios/*.yaml"

TITLE = re.compile(r"^scenario:(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Story:
    file: Path
    title: str


def stories(project: Project) -> list[Story]:
    """Those that the project has, the newest file first, then its scenarios by name. Read, and not yet checked."""
    own = {file for pattern in PATTERNS for file in project.root.glob(pattern)}
    newest = sorted(own, key=lambda file: (-file.stat().st_mtime, file))
    return [_story(file) for file in [*newest, *sorted(project.root.glob(SCENARIOS))]]


def _story(file: Path) -> Story:
    title = TITLE.search(file.read_text(encoding="utf-8", errors="replace"))
    return Story(file, title[1].strip().strip("\"'") if title else file.stem)
