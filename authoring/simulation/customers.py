"""The made-up customers on whom a journey is tried: those of its samples.yaml, or a bare one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authoring.preflight.samples import MIDDAY, Sample, profile_of, read_samples, samples_of
from authoring.simulation.run import Trial
from cairn.adapters.documents.journey import journey_from_document
from cairn.adapters.drawing.graph import steps_in
from cairn.adapters.drawing.looks import ways_out
from cairn.domain.consent.contact import Contact
from cairn.domain.people.members import People
from cairn.domain.profile.attributes import TAGS
from cairn.domain.shared.errors import CairnError

if TYPE_CHECKING:
    from cairn.domain.lead.leads import Leads

BARE = "a customer of whom nothing is known"


class UnknownSampleError(CairnError):
    """A customer is named that no file of samples has."""


def customer(folder: Path, named: str) -> Sample:
    """`NAME` of the journey's own samples, or `FILE#NAME`; the first one without a name.

    Raises UnknownSampleError, or InvalidJourneysError where a file cannot be read. A journey without samples has a
    bare customer.
    """
    written, hash_, name = named.rpartition("#")
    file = _file(folder, written) if hash_ else samples_of(folder)
    if not file.exists() and not named:
        return Sample(BARE, {"id": "c_sample_1", TAGS: [], "external_ids": {}}, {}, {}, MIDDAY, Contact())
    samples = read_samples(file)
    if not name:
        return samples[0]
    found = next((one for one in samples if one.name == name), None)
    if found is None:
        raise UnknownSampleError(f"{file} has no customer “{name}”; it has: {', '.join(one.name for one in samples)}")
    return found


def _file(folder: Path, written: str) -> Path:
    """A file of the journey's folder, or else any."""
    if not written:
        return samples_of(folder)
    own = folder / written
    return own if own.exists() else Path(written)


def trial_of(
    compiled: Mapping[str, Any], sample: Sample, *, leads: "Leads | None" = None, people: People | None = None
) -> Trial:
    """The trial of a compiled journey on a sample, with the rules of leads.toml and people.toml where there are any."""
    document = compiled["document"]
    labels = {step["id"]: tuple(ways_out(step)) for step in steps_in(document["steps"])}
    return Trial(
        journey_from_document(document, compiled["version"]),
        labels,
        profile_of(sample),
        sample.data,
        leads,
        people or People(),
    )
