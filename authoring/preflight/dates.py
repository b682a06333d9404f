"""Dates of the samples for which a step would wait or invite, and that nobody can read."""

from collections.abc import Iterator

from jmespath.exceptions import JMESPathError

from authoring.preflight.links import Fault
from authoring.preflight.samples import Sample
from cairn.domain.journey.conditions import compiled, is_true
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.invite import InviteRule
from cairn.domain.journey.steps import Step
from cairn.domain.journey.steps.send import Send
from cairn.domain.journey.steps.wait import Wait
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.shared.instants import to_instant, zone_named
from cairn.domain.shared.moments import Until


def _dates_of(step: Step) -> tuple[str, ...]:
    match step:
        case Wait(moment=Until(date=date)) | WaitFor(moment=Until(date=date)):
            return (date,)
        case Send(invite=InviteRule(starts=starts, ends=ends)):
            return tuple(filter(None, (starts, ends)))
        case _:
            return ()


def date_faults(journey: Journey, sample: Sample) -> Iterator[Fault]:
    """Of each step that waits or invites for a date. One with functions of Cairn's counts as empty."""
    names = {"profile": sample.profile, "data": sample.data, "enrollment": {"values": sample.values}, "event": {}}
    zone = zone_named(sample.profile.get(TIME_ZONE), journey.time_zone)
    for step in reversed(tuple(journey.steps.values())):
        for date in _dates_of(step):
            try:
                found = compiled(date).search(names)
            except (JMESPathError, ValueError, TypeError, ArithmeticError):
                continue
            if not is_true(found) or to_instant(found, zone) is not None:
                continue
            does = "invites for" if isinstance(step, Send) else "waits until"
            why = f"step {step.id} {does} {date}, and nobody can say when {found!r} is"
            fix = "Have its source write it as docs/journeys.md#dates says, or its mapping change it (docs/sources.md)."
            yield Fault("error", "unreadable_date", why, fix)
