"""The playbooks that Cairn ships: each a folder that is a project of its own, for a business to take as it is."""

import re
from dataclasses import dataclass
from pathlib import Path

from authoring.defaults import default_playbooks

README = "README.md"
MAIN_STORY = "good-way"
STORIES = (MAIN_STORY, "silent-way", "awkward-way", "clocks-change")
"""Each playbook has these, and as many more as it needs."""

HEADING = re.compile(r"^# (?P<title>.+)\n+(?P<about>(?:.+\n)+)")


@dataclass(frozen=True, slots=True)
class Playbook:
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def journeys(self) -> Path:
        return self.folder / "journeys"

    @property
    def policy(self) -> Path:
        return self.folder / "policy.toml"

    @property
    def stories(self) -> list[Path]:
        """Its stories, the main one first."""
        found = {path.name.partition(".")[0]: path for path in sorted(self.folder.glob("stories/*.story.yaml"))}
        first = [found.pop(name) for name in STORIES if name in found]
        return [*first, *found.values()]

    @property
    def journey_names(self) -> list[str]:
        """Its own name first."""
        found = sorted(path.parent.name for path in self.journeys.glob("*/journey.yaml"))
        return sorted(found, key=lambda name: name != self.name)

    @property
    def readme(self) -> str:
        return (self.folder / README).read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        return self._heading["title"]

    @property
    def about(self) -> str:
        """Its first paragraph, on one line."""
        return " ".join(self._heading["about"].split())

    @property
    def _heading(self) -> re.Match[str]:
        found = HEADING.match(self.readme)
        if found is None:
            raise ValueError(f"{self.folder / README} begins with no title and paragraph")
        return found


def playbooks(folder: Path | None = None) -> list[Playbook]:
    """Every playbook of a folder, by name; without one, of those that Cairn ships."""
    return [Playbook(path.parent) for path in sorted((folder or default_playbooks()).glob(f"*/{README}"))]


def playbook_named(name: str) -> Playbook | None:
    return next((one for one in playbooks() if one.name == name), None)
