"""A story and a history as tests. A failure is a text with file and line, never a traceback."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from cairn.domain.shared.errors import CairnError
from pytest_cairn.plugin import PATHS

OURS = frozenset({"authoring", "cli", "functions", "infra"})
"""Our packages whose names a repository may have too."""


class FailedError(Exception):
    """A story or a history does not hold; the message says where and how."""


class _Item(pytest.Item):
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our own errors say all in their message; any other is a mistake of ours, with its traceback."""
        if isinstance(excinfo.value, FailedError | CairnError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[PathLike[str], int, str]:
        return self.path, 0, self.name


class StoryFile(pytest.File):
    def collect(self) -> Iterator["StoryItem"]:
        yield StoryItem.from_parent(self, name=self.path.name.partition(".")[0])


class StoryItem(_Item):
    """Runs the story on a local deployment of its own, in virtual time."""

    def runtest(self) -> None:
        with _silent(), _installed():
            outcome = self._outcome()
        if outcome.difference:
            where = f"{_shown(self.path)}:{outcome.comparison.line}"
            raise FailedError(f"{where}: what was expected did not happen\n{outcome.difference}")

    def _outcome(self) -> Any:
        from authoring.defaults import own_or_default  # noqa: PLC0415  only where a story runs
        from authoring.stories import load  # noqa: PLC0415
        from cairn.adapters.sources import sources  # noqa: PLC0415
        from infra.local.scenario import deployed, run_scenario  # noqa: PLC0415  moto is slow to import
        from infra.local.signing import local_secrets  # noqa: PLC0415

        config = self.config
        journeys, policy, configuration = (
            own_or_default(name, config.rootpath, config.getoption(name) or config.getini(name)) for name in PATHS
        )
        known = sources(configuration)
        path = _shown(self.path)
        scenario = load(path, known)
        secrets = local_secrets(os.environ, known)
        with deployed(
            path,
            scenario,
            secrets,
            journeys=journeys,
            policy=policy,
            configuration=configuration,
        ) as deployment:
            return run_scenario(path, scenario, deployment, secrets)


class HistoryFile(pytest.File):
    def collect(self) -> Iterator["HistoryItem"]:
        yield HistoryItem.from_parent(self, name=self.path.name.partition(".")[0])


class HistoryItem(_Item):
    """Holds today's engine against what was decided before."""

    def runtest(self) -> None:
        with _installed():
            from authoring.history import first_difference, read_history  # noqa: PLC0415  only where there is one

            difference = first_difference(read_history(_shown(self.path)))
        if difference:
            raise FailedError(f"{_shown(self.path)}: {difference}")


@contextmanager
def _silent() -> Iterator[None]:
    """Without the logs of the handlers; CAIRN_LOG_LEVEL=INFO brings them back."""
    with patch.dict(os.environ, POWERTOOLS_LOG_LEVEL=os.environ.get("CAIRN_LOG_LEVEL", "CRITICAL")):
        yield


@contextmanager
def _installed() -> Iterator[None]:
    """Say how to mend it where what stories need cannot be imported."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = error.name or ""
        shadow = sys.modules.get(missing.partition(".")[0])
        if shadow is not None and missing.partition(".")[0] in OURS:
            where = (shadow.__file__ or str(next(iter(shadow.__path__)))).removesuffix("/__init__.py")
            raise FailedError(
                f"Cairn has a package named {shadow.__name__}, and {where} is imported in its stead. Run "
                "`pytest --import-mode=importlib` (not `python -m pytest`), which leaves it off the path, or rename it."
            ) from None
        raise FailedError(
            f"{missing} is not installed: Cairn's extra `local` brings it (docs/testing-journeys.md)."
        ) from None


def _shown(path: Path) -> Path:
    """As short as an editor can open it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
