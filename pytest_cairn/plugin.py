"""What pytest asks: which files are stories, and its options. Nothing else is imported before there is a story."""

from pathlib import Path

import pytest

STORY = "*.story.yaml"
HISTORY = "*.history.json"

PATHS = {
    "cairn_journeys": "The folder of journeys that stories run with (default: layers/journeys, or journeys)",
    "cairn_policy": "The policy file that stories run with (default: policy.toml)",
    "cairn_sources": "The file of the sources that post (default: sources.toml)",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cairn", "stories of journeys")
    for name, what in PATHS.items():
        help_ = f"{what}, from pytest's root directory."
        parser.addini(name, help_, default="")
        group.addoption(f"--{name.replace('_', '-')}", dest=name, metavar="PATH", help=help_)
    parser.addini("cairn_stories", f"Patterns of further story files, beside {STORY}.", type="args", default=[])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.match(HISTORY):
        from pytest_cairn.items import HistoryFile  # noqa: PLC0415  only where there is one

        return HistoryFile.from_parent(parent, path=file_path)
    if any(file_path.match(pattern) for pattern in (STORY, *parent.config.getini("cairn_stories"))):
        from pytest_cairn.items import StoryFile  # noqa: PLC0415

        return StoryFile.from_parent(parent, path=file_path)
    return None
