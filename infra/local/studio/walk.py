"""A path drawn on a journey's graph: of a customer who is here, or of a sample's, walked by the engine alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from authoring.defaults import default_file, projects_policy
from authoring.leads import compile_leads, leads_of
from authoring.people import compile_people, people_beside
from authoring.policy import compile_policy
from authoring.preflight.samples import FILE, read_samples
from authoring.simulation.customers import customer as sample_customer
from authoring.simulation.customers import trial_of
from authoring.simulation.messages import Messages
from authoring.simulation.planned import Planned, to_the_end, unnamed, ways_on
from authoring.simulation.report import report
from cairn.adapters.documents.leads import leads_from_document
from cairn.adapters.documents.people import people_from_document
from cairn.adapters.documents.policy import policy_from_document
from cairn.adapters.drawing.graph import graph_of
from cairn.adapters.drawing.svg import svg
from cairn.domain.journey.enrollment import COMPLETED
from cairn.domain.shared.instants import zone_named
from infra.local.studio.studio import Json, Studio, StudioError
from infra.local.studio.words import local, words

UTC = ZoneInfo("UTC")

CUSTOMER, SAMPLE = "customer:", "sample:"
"""With these begin the names of those whose path can be drawn."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A path, and what happened on it, in words."""

    steps: frozenset[str] = frozenset()
    to_the_end: bool = False
    rows: Sequence[tuple[str, str, str]] = ()
    """Each line: when, what, and at which step."""
    says: str = ""
    may_come: Sequence[tuple[str, str]] = ()
    """Events that would change the path, each with what it would do."""


def journey_of(studio: Studio, name: str) -> Json:
    """The compiled journey that is deployed. Raises StudioError."""
    found = next((one for one in studio.compiled() if one["journey"] == name), None)
    if found is None:
        raise StudioError(f"there is no journey {name} among those that run")
    return found


def picture(studio: Studio, name: str, who: str, events: str = "") -> str:
    """The graph with the path, as an SVG. Raises StudioError, InvalidEventError."""
    walked = walk(studio, name, who, events)
    graph = graph_of(journey_of(studio, name)["document"])
    return svg(graph.walking(walked.steps, to_the_end=walked.to_the_end))


def walkers(studio: Studio, name: str) -> list[tuple[str, str]]:
    """All whose path can be drawn, by name: customers who were in the journey, the newest first, and its samples.

    Raises StudioError.
    """
    journey_of(studio, name)
    seen = {one["customer_id"]: one["customer"] for one in studio.lines() if one.get("journey") == name}
    here = [(f"{CUSTOMER}{id_}", f"{called}, here") for id_, called in reversed(seen.items())]
    file = studio.project.journeys / name / FILE
    named = [one.name for one in read_samples(file)] if file.exists() else []
    return here + [(f"{SAMPLE}{one}", f"{one}, simulated") for one in named or [""]]


def walk(studio: Studio, name: str, who: str, events: str = "", zone: ZoneInfo = UTC) -> Walk:
    """The path of one of `walkers`; nobody's is empty. `events` happen in a simulation, as in `cairn simulate`."""
    if who.startswith(CUSTOMER):
        return _walked(studio, name, who.removeprefix(CUSTOMER), zone)
    if who.startswith(SAMPLE):
        return _simulated(studio, name, who.removeprefix(SAMPLE), events)
    return Walk()


def _walked(studio: Studio, name: str, customer: str, zone: ZoneInfo) -> Walk:
    own = [one for one in studio.lines() if one["customer_id"] == customer]
    enrollments = [one["enrollment"] for one in own if one.get("journey") == name and one.get("enrollment")]
    if not enrollments:
        return Walk(says="This customer was not in this journey.")
    lines = [one for one in own if one.get("enrollment") == enrollments[-1]]
    ended = next((one for one in lines if one["kind"] == "ended"), None)
    versions = {one["version"] for one in lines if one.get("version")}
    deployed = journey_of(studio, name)["version"]
    another = "" if deployed in versions else " It is on an earlier version; steps that are gone are not drawn."
    return Walk(
        frozenset(one["step"] for one in lines if one.get("step")),
        ended is not None and ended.get("outcome") == COMPLETED,
        [(local(one["at"], zone), words(one, zone), one.get("step", "")) for one in lines],
        f"{'Ended' if ended else 'Still in it'}.{another}",
    )


def _simulated(studio: Studio, name: str, sample: str, events: str) -> Walk:
    project = studio.project
    folder = project.journeys / name
    compiled = journey_of(studio, name)
    found = sample_customer(folder, f"{FILE}#{sample}" if sample else "")
    own = projects_policy(project.policy)
    leads = compile_leads(leads_of(own))
    trial = trial_of(
        compiled,
        found,
        leads=leads_from_document(leads) if leads is not None else None,
        people=people_from_document(compile_people(people_beside(own), project.journeys)),
    )
    rules = policy_from_document(compile_policy(project.policy, default_file("law.toml")))
    planned = [Planned.read(one) for one in events.split()]
    walked = to_the_end(trial.begin(found.at), planned)
    document = report(walked.simulation, Messages(trial.journey, compiled["templates"], found, rules))
    zone = zone_named(None, trial.zone.key)
    return Walk(
        frozenset(walked.simulation.steps),
        document["outcome"] == COMPLETED,
        [(local(one["at"], zone), words(one, zone), one.get("step", "")) for one in document["lines"]],
        _ending(document, zone, [text for _, text in unnamed(planned, compiled["document"])], trial.enters(found.at)),
        _possible(trial.begin(found.at), compiled["document"]),
    )


def _ending(document: Mapping[str, Any], zone: ZoneInfo, unknown: Sequence[str], enters: bool) -> str:  # noqa: FBT001
    at = f" on {local(document['ended_at'], zone)}" if document["ended_at"] else ""
    goal = " and the goal is reached" if document["goal_at"] else ""
    refused = "" if enters else " Such a customer would not enter: a condition or the key of the entry is not met."
    ending = f"It ends with {document['outcome']}{at}{goal}" if document["outcome"] else "It still waits"
    return " ".join([f"{ending}; times are of {zone.key}.{refused}", *unknown])


def _possible(begun: Any, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The events that change the first wait, each with what it does."""
    return ways_on(begun) if document["steps"] else []
