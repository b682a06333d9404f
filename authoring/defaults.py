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

BESIDE = {
    "cairn_journeys": (),
    "cairn_policy": ("people.toml", "leads.toml", "replies.toml", "audiences.toml"),
    "cairn_sources": ("sources",),
}
"""Files that are read beside another: where a folder has one of them, the other is expected there too, never ours."""


def default_file(name: str) -> Path:
    """law.toml, policy.toml, sources.toml, cdk.json or the folder playbooks, as we ship it."""
    return INSTALLED / name if INSTALLED.is_dir() else CHECKOUT / name


def default_journeys(folder: Path = Path()) -> Path:
    """Our own journeys, within our own checkout. Elsewhere it is the folder that this one should have."""
    return CHECKOUT / "layers" / "journeys" if is_our_checkout(folder) else folder / "journeys"


def default_playbooks() -> Path:
    """The folder of the playbooks that we ship."""
    return default_file("playbooks")


def own_or_default(setting: str, folder: Path, named: str = "") -> Path:
    """The path that a setting names, from this folder; else what the folder has; else as we ship it."""
    if named:
        return folder / named
    usual = [folder / one for one in USUAL[setting]]
    default = default_journeys(folder) if setting == "cairn_journeys" else default_file(usual[0].name)
    missing = [usual[-1]] if any((folder / one).exists() for one in BESIDE[setting]) else []
    found = next((one for one in usual if one.exists()), *(missing or [default]))
    return default if found.exists() and default.exists() and found.samefile(default) else found


def own_or_new(setting: str, folder: Path, named: str = "") -> Path:
    """The path of this folder to write to, whether it exists or not: never ours, but within our own checkout."""
    found = own_or_default(setting, folder, named)
    return found if not is_ours(found) or is_our_checkout(folder) else folder / USUAL[setting][-1]


def projects_policy(policy: Path, folder: Path = Path()) -> Path:
    """The policy beside which people.toml and the like are looked for.

    Where a folder has no policy, and takes ours, the people of our example are not its people.
    """
    return folder / policy.name if is_ours(policy) and not is_our_checkout(folder) else policy


def project_of(journeys: Path) -> Path:
    """The folder whose journeys these are."""
    parts = journeys.resolve().parts
    return Path(*parts[: -2 if parts[-2:] == ("layers", "journeys") else -1])


def is_our_checkout(folder: Path) -> bool:
    """Whether a folder is Cairn's own repository, or a part of it."""
    return not INSTALLED.is_dir() and is_ours(folder)


def is_ours(path: Path) -> bool:
    """Whether a path is one that Cairn brings. A playbook is a project of its own."""
    in_playbook = path.resolve().is_relative_to(default_playbooks())
    return not in_playbook and path.resolve().is_relative_to(INSTALLED if INSTALLED.is_dir() else CHECKOUT)


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
