"""A project's files as a whole: journeys, scripts, the policy and what lies beside it; with sources, to be checked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from authoring.audiences import FILE as AUDIENCES
from authoring.audiences import check_audiences, write_audiences
from authoring.defaults import default_file, projects_policy
from authoring.journeys import read_catalogue, write_catalogue
from authoring.journeys.catalogue import Catalogue, Compiled
from authoring.journeys.events import Declarations
from authoring.leads import check_leads, leads_of, write_leads
from authoring.people import check_people, people_beside, write_people
from authoring.policy import check_policy, write_policy
from authoring.preflight.samples import write_samples
from authoring.problems import Problem
from authoring.proof.checks import write_checks
from authoring.replies import FILE as REPLIES
from authoring.replies import check_replies, write_replies
from authoring.scripts import check_scripts, write_scripts
from authoring.sources.check import all_problems, configuration_problems, folder_problems
from cairn.adapters.documents.catalogue import CHECKS, SAMPLES
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.documents.replies import FILE as COMPILED_REPLIES
from cairn.adapters.sources import OWN
from cairn.compose.audiences import AUDIENCES as COMPILED_AUDIENCES
from cairn.compose.leads import LEADS

LAW = default_file("law.toml")

CATALOGUE, POLICY, PEOPLE, SCRIPTS = "catalogue.json", "policy.json", "people.json", "scripts.json"
"""The files that the functions read; the others beside them are named where they are read."""


@dataclass(frozen=True)
class Checked:
    catalogue: Catalogue
    compiled: Sequence[Compiled] | None
    """Every journey, by name; None where one of them has a problem."""
    problems: Sequence[Problem | str]
    """All of all files, journeys first; those of sources are texts, which name the file too."""


def read_journeys(folder: Path) -> Catalogue:
    """The journeys of a folder, or the one whose own folder it is; none where there is no such folder."""
    return read_catalogue(folder) if folder.is_dir() else Catalogue([], [], Declarations(None))


def check_project(folder: Path, policy: Path, configuration: Path, *, shipped: bool = True) -> Checked:
    """Check the journeys of a folder, and every file that is deployed with them.

    The samples of the vendors that Cairn ships take seconds; they are checked if `shipped`.
    """
    catalogue = read_journeys(folder)
    compiled = None if catalogue.problems else catalogue.compiled()
    declared = None if catalogue.declared.problems else catalogue.declared
    own = projects_policy(policy)
    vendors = configuration.parent / OWN
    of_sources = (
        all_problems(configuration) if shipped else folder_problems(vendors) or configuration_problems(configuration)
    )
    problems: list[Problem | str] = [
        *catalogue.problems,
        *check_scripts(folder),
        *check_policy(policy, LAW, compiled, catalogue.problem),
        *check_people(people_beside(own), folder, compiled, policy, declared, catalogue.problem),
        *check_leads(leads_of(own), compiled, declared),
        *check_audiences(own.with_name(AUDIENCES), compiled),
        *check_replies(own.with_name(REPLIES), compiled, catalogue.problem),
        *of_sources,
    ]
    return Checked(catalogue, compiled, problems)


def compile_project(folder: Path, policy: Path, own: Path, target: Path, *, complete: bool = False) -> None:
    """Compile what a deployment reads besides its code, as JSON into the folder `target`.

    People, leads, audiences and replies are those beside `own`. With `complete`, for AWS, it is a problem too where
    preflight has not passed a journey as it stands, and where people.toml lacks what the others name. Raises
    InvalidFilesError, with all problems of the first kind of file that has some.
    """
    catalogue = target / CATALOGUE
    write_catalogue(folder, catalogue, stamped=complete)
    compiled = json.loads(catalogue.read_bytes())
    write_samples(folder, target / SAMPLES)
    write_scripts(folder, target / SCRIPTS)
    write_policy(policy, LAW, target / POLICY, compiled)
    write_people(people_beside(own), folder, target / PEOPLE, *((compiled, policy) if complete else ()))
    write_leads(leads_of(own), target / LEADS, compiled)
    write_audiences(own.with_name(AUDIENCES), target / COMPILED_AUDIENCES, compiled)
    write_replies(own.with_name(REPLIES), target / COMPILED_REPLIES, compiled)
    write_checks(folder, compiled, policy_at(target / POLICY), target / CHECKS)


def compiled_files(folder: Path, policy: Path, own: Path) -> tuple[Path, ...]:
    """The files and folders that `compile_project` reads."""
    beside = (people_beside(own), leads_of(own), own.with_name(AUDIENCES), own.with_name(REPLIES))
    return (folder, policy, *beside, LAW)


def watched_files(folder: Path, policy: Path, configuration: Path) -> tuple[Path, ...]:
    """The files and folders that `check_project` reads."""
    return (*compiled_files(folder, policy, projects_policy(policy)), configuration, configuration.parent / OWN)
