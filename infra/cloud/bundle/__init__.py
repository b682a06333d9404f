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


def stub_bundle(folder: Path) -> Bundle:
    """Layers of one file each, for templates that are looked at and not deployed."""
    layers = {name: folder / name for name in ("core", "dependencies", "journeys")}
    for layer in layers.values():
        layer.mkdir()
        (layer / "stub").touch()
    return Bundle(**layers)
