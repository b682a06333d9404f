"""Files beside the code that stories and checks need: where a checkout has them, and where an installed package."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
INSTALLED = Path(__file__).parent / "shipped"
"""The wheel brings them here (pyproject.toml)."""


def default_file(name: str) -> Path:
    """law.toml, policy.toml, sources.toml or cdk.json, as we ship it."""
    return INSTALLED / name if INSTALLED.is_dir() else CHECKOUT / name


def own_or_default(name: str) -> Path:
    """The same of an installed package's user, who has it in the present folder; else as we ship it."""
    own = Path(name)
    return own if INSTALLED.is_dir() and own.exists() else default_file(name)


def own_journeys() -> Path:
    """The folder of journeys: ours in a checkout, and `journeys` of an installed package's user."""
    return Path("journeys") if INSTALLED.is_dir() else CHECKOUT / "layers" / "journeys"
