"""The bundle of a deployment."""

from functools import cache
from pathlib import Path

from cairn.bytecode import OURS
from infra.cloud.bundle import Bundle
from infra.cloud.bundle.archive import write_archive
from infra.cloud.bundle.code import core_layer
from infra.cloud.bundle.compiled import compiled_at_start
from infra.cloud.bundle.dependencies import SERVICES, dependencies_layer
from infra.cloud.bundle.journeys import JOURNEYS, journeys_layer

PYTHON = "python"
"""The folder of a layer that Lambda's Python imports from."""


def make_bundle(journeys: Path = JOURNEYS) -> Bundle:
    """Journeys first: their errors, the most likely ones, show before anything is downloaded."""
    bundle = Bundle(journeys=journeys_layer(journeys), core=core_layer(), dependencies=dependencies_layer())
    add_archive(bundle.core / PYTHON, bundle.dependencies / PYTHON)
    return bundle


@cache
def add_archive(core: Path, dependencies: Path) -> None:
    """Add to the folder of our package what it starts from, once per process."""
    write_archive(core, OURS, compiled_at_start(core, dependencies, SERVICES))
