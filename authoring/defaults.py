"""Files beside the code that stories and checks need: those of a repository of one's own, else as we ship them."""

import tomllib
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigurationError
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
INSTALLED = Path(__file__).parent / "shipped"
"""The wheel brings them here (pyproject.toml)."""

USUAL = {
    "cairn_journeys": ("layers/journeys", "journeys"),
    "cairn_policy": ("policy.toml",),
    "cairn_sources": ("sources.toml",),
}
"""Where a repository has its own, by the setting of pytest that says another path."""


def default_file(name: str) -> Path:
    """law.toml, policy.toml, sources.toml or cdk.json, as we ship it."""
    return INSTALLED / name if INSTALLED.is_dir() else CHECKOUT / name


def default_journeys(folder: Path = Path()) -> Path:
    """Our own journeys. The wheel does not bring them: there it is the folder that this one should have."""
    return folder / "journeys" if INSTALLED.is_dir() else CHECKOUT / "layers" / "journeys"


def own_or_default(setting: str, folder: Path, named: str = "") -> Path:
    """The path that a setting names, from this folder; else what the folder has; else as we ship it."""
    if named:
        return folder / named
    usual = [folder / one for one in USUAL[setting]]
    default = default_journeys(folder) if setting == "cairn_journeys" else default_file(usual[0].name)
    found = next((one for one in usual if one.exists()), default)
    return default if found.exists() and default.exists() and found.samefile(default) else found


def settings_of(folder: Path) -> Mapping[str, str]:
    """What a folder's pytest.ini, else its pyproject.toml, says of ours. One that cannot be read says nothing."""
    try:
        if (folder / "pytest.ini").is_file():
            parser = ConfigParser(interpolation=None)
            parser.read(folder / "pytest.ini", encoding="utf-8")
            said: Mapping[str, Any] = parser["pytest"] if parser.has_section("pytest") else {}
        else:
            tool = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
            said = tool.get("ini_options", tool)
        return {one: said[one] for one in USUAL if isinstance(said.get(one), str)}
    except (OSError, ValueError, ConfigurationError, KeyError, TypeError, AttributeError):
        return {}
