"""Journeys and what lies beside them, each as JSON (twenty journeys load in 37 µs; as YAML in 12,760)."""

from pathlib import Path

from authoring.project import SCRIPTS, compile_project
from infra.cloud.bundle import CATALOGUE, ROOT, new_folder
from infra.cloud.bundle import PEOPLE as PEOPLE_FILE
from infra.cloud.bundle import POLICY as POLICY_FILE
from infra.cloud.bundle.modes import make_readable

JOURNEYS = ROOT / "layers" / "journeys"
POLICY = ROOT / "policy.toml"

CATALOGUE_PATH = f"/opt/{CATALOGUE}"
POLICY_PATH = f"/opt/{POLICY_FILE}"
PEOPLE_PATH = f"/opt/{PEOPLE_FILE}"
SCRIPTS_PATH = f"/opt/{CATALOGUE.with_name(SCRIPTS)}"
"""The path in Lambda: a layer is unpacked at /opt."""


def journeys_layer(journeys: Path, policy: Path = POLICY) -> Path:
    """The layer's folder.

    Raises InvalidJourneysError, InvalidPolicyError, InvalidPeopleError, InvalidLeadsError, InvalidAudiencesError or
    InvalidRepliesError.

    Nothing broken is ever deployed, and no journey that preflight has not passed as it stands.
    """
    layer = new_folder("journeys")
    target = (layer / CATALOGUE).parent
    target.mkdir()
    compile_project(journeys, policy, policy, target, complete=True)
    make_readable(layer)
    return layer
