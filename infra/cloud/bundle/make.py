"""The bundle of a deployment."""

from pathlib import Path

from infra.cloud.bundle import Bundle
from infra.cloud.bundle.code import core_layer
from infra.cloud.bundle.dataclass_code import add_dataclass_code
from infra.cloud.bundle.dependencies import dependencies_layer
from infra.cloud.bundle.journeys import JOURNEYS, journeys_layer

PYTHON = "python"
"""The folder of a layer that Lambda's Python imports from."""


def make_bundle(journeys: Path = JOURNEYS) -> Bundle:
    """Journeys first: their errors, the most likely ones, show before anything is downloaded."""
    bundle = Bundle(journeys=journeys_layer(journeys), core=core_layer(), dependencies=dependencies_layer())
    add_dataclass_code(bundle.core / PYTHON, bundle.dependencies / PYTHON)
    return bundle
