"""The uploaded code: third-party layer, our layer, journeys and handlers, built under build/ without Docker."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The folders of the three layers."""

    core: Path
    dependencies: Path
    journeys: Path
