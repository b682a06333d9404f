"""Dates of the samples for which a wait would wait, and that nobody can read."""

from collections.abc import Iterator

from jmespath.exceptions import JMESPathError

from authoring.preflight.links import Fault
from authoring.preflight.samples import Sample
from cairn.domain.journey.conditions import compiled, is_true
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.wait import Wait
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.shared.instants import to_instant, zone_named
from cairn.domain.shared.moments import Until


def date_faults(journey: Journey, sample: Sample) -> Iterator[Fault]:
    """Of each step that waits until a date. An expression with functions of Cairn's counts as one without a value."""
    names = {"profile": sample.profile, "data": sample.data, "enrollment": {"values": sample.values}, "event": {}}
    zone = zone_named(sample.profile.get(TIME_ZONE), journey.time_zone)
    for step in reversed(tuple(journey.steps.values())):
        if not isinstance(step, Wait | WaitFor) or not isinstance(step.moment, Until):
            continue
        try:
            found = compiled(step.moment.date).search(names)
        except (JMESPathError, ValueError, TypeError, ArithmeticError):
            continue
        if is_true(found) and to_instant(found, zone) is None:
            why = f"step {step.id} waits until {step.moment.date}, and nobody can say when {found!r} is"
            fix = "Have its source write it as docs/journeys.md#dates says, or its mapping change it (docs/sources.md)."
            yield Fault("error", "unreadable_date", why, fix)
