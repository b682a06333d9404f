"""A project's files, checked as a whole: journeys, scripts, the policy and what lies beside it, and sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from authoring.audiences import FILE as AUDIENCES
from authoring.audiences import check_audiences
from authoring.defaults import default_file, projects_policy
from authoring.journeys import read_catalogue
from authoring.journeys.catalogue import Catalogue, Compiled
from authoring.journeys.events import Declarations
from authoring.leads import check_leads, leads_of
from authoring.people import check_people, people_beside
from authoring.policy import check_policy
from authoring.problems import Problem
from authoring.replies import FILE as REPLIES
from authoring.replies import check_replies
from authoring.scripts import check_scripts
from authoring.sources.check import all_problems, configuration_problems, folder_problems
from cairn.adapters.sources import OWN


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
        *check_policy(policy, default_file("law.toml"), compiled, catalogue.problem),
        *check_people(people_beside(own), folder, compiled, policy, declared, catalogue.problem),
        *check_leads(leads_of(own), compiled, declared),
        *check_audiences(own.with_name(AUDIENCES), compiled),
        *check_replies(own.with_name(REPLIES), compiled, catalogue.problem),
        *of_sources,
    ]
    return Checked(catalogue, compiled, problems)


def watched_files(folder: Path, policy: Path, configuration: Path) -> tuple[Path, ...]:
    """The files and folders that `check_project` reads."""
    own = projects_policy(policy)
    beside = (people_beside(own), leads_of(own), own.with_name(AUDIENCES), own.with_name(REPLIES))
    return (folder, policy, *beside, default_file("law.toml"), configuration, configuration.parent / OWN)
