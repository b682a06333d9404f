"""What pytest asks: which files are stories, and its options. Nothing else is imported before there is a story."""

from pathlib import Path

import pytest

STORY = "*.story.yaml"
HISTORY = "*.history.json"

PATHS = {
    "cairn_journeys": ("journeys", "The folder of journeys that stories run with"),
    "cairn_policy": ("policy.toml", "The policy file that stories run with"),
    "cairn_sources": ("sources.toml", "The file of the sources that post"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cairn", "stories of journeys")
    for name, (default, what) in PATHS.items():
        help_ = f"{what}, from pytest's root directory (default: {default})."
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


def path_of(config: pytest.Config, name: str) -> Path:
    """The file or folder of an option, else where it usually lies."""
    return config.rootpath / (config.getoption(name) or config.getini(name) or PATHS[name][0])
