"""The uploaded code: third-party layer, our layer, journeys and handlers, built without Docker.

Several processes may build at the same time, also from one checkout. Each builds in a folder of its own. They share
only the third-party layer, under build/, which takes longest: nobody changes or removes it once it is there.
"""

import atexit
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from authoring import project
from cairn.adapters.documents.journey import status_reports_heard
from cairn.domain.shared.announced import AnnouncedType

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The folders of the three layers."""

    core: Path
    dependencies: Path
    journeys: Path


CATALOGUE = Path("journeys", project.CATALOGUE)
"""Of the compiled journeys, in their layer."""

POLICY = CATALOGUE.with_name(project.POLICY)
PEOPLE = CATALOGUE.with_name(project.PEOPLE)
"""The compiled policy, and people, beside them."""


def new_folder(name: str) -> Path:
    """An empty folder for a part of the bundle. It lasts as long as this process: synthesis copies what it uploads."""
    return Path(mkdtemp(prefix=f"{name}-", dir=_folder_of_this_process()))


@cache
def _folder_of_this_process() -> str:
    folder = TemporaryDirectory(prefix="cairn-bundle-")
    atexit.register(folder.cleanup)
    return folder.name


def status_reports_of(journeys: Path) -> str:
    """The status reports that a journey of the layer may hear."""
    return status_reports_heard(json.loads((journeys / CATALOGUE).read_bytes()))


def has_deliveries(journeys: Path) -> bool:
    """Whether the layer names webhook endpoints, or members who get notifications."""
    people = journeys / PEOPLE
    members = json.loads(people.read_bytes()).get("members") if people.exists() else None
    return bool(json.loads((journeys / POLICY).read_bytes()).get("subscribers") or members)


def announced_by(journeys: Path) -> frozenset[AnnouncedType]:
    """What any webhook endpoint of the layer hears of, beside consent."""
    endpoints = json.loads((journeys / POLICY).read_bytes()).get("subscribers", ())
    return frozenset(AnnouncedType(one) for row in endpoints for one in row.get("events", ()))


def stub_bundle(folder: Path) -> Bundle:
    """Layers of one file each, for templates that are looked at and not deployed."""
    layers = {name: folder / name for name in ("core", "dependencies", "journeys")}
    for layer in layers.values():
        layer.mkdir()
        (layer / "stub").touch()
    (layers["journeys"] / CATALOGUE).parent.mkdir()
    (layers["journeys"] / CATALOGUE).write_text("[]")
    (layers["journeys"] / POLICY).write_text("{}")
    (layers["journeys"] / POLICY).with_name("people.json").write_text("{}")
    return Bundle(**layers)
