"""The bundle of a deployment."""

from pathlib import Path

from infra.cloud.bundle import Bundle
from infra.cloud.bundle.code import core_layer
from infra.cloud.bundle.dependencies import dependencies_layer
from infra.cloud.bundle.journeys import JOURNEYS, journeys_layer


def make_bundle(journeys: Path = JOURNEYS) -> Bundle:
    """Journeys first: their errors, the most likely ones, show before anything is downloaded."""
    return Bundle(journeys=journeys_layer(journeys), core=core_layer(), dependencies=dependencies_layer())
