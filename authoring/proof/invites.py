"""Entries in customers' calendars that no e-mail corrects when their date moves or their journey ends."""

from collections.abc import Iterator, Sequence

from authoring.proof.limits import Warned
from cairn.domain.journey.definition import Journey, Match
from cairn.domain.journey.invite import InviteRule
from cairn.domain.journey.steps.send import Send


def uncorrected(journeys: Sequence[Journey]) -> Iterator[tuple[Journey, Warned]]:
    """Of each journey that invites, at the first step that does."""
    for journey in journeys:
        invites = _invites(journey)
        first = next((step for step, rule in invites.items() if not rule.cancels and not rule.of), None)
        if first is None:
            continue
        about = [rule for one in journeys for rule in _invites(one).values() if (rule.of or one.name) == journey.name]
        moves = sum(not rule.cancels for rule in about) > 1
        if journey.refresh_on and "data" in invites[first].starts and not moves:
            events = _events(journey.refresh_on)
            message = f"{events} may bring another date, and the customer's calendar keeps the first"
            fix = f"Send the invite again: further on, or in a journey that begins with {events}, {_of(journey)}"
            yield journey, Warned(first, message, fix)
        if journey.exit_on and not any(rule.cancels for rule in about):
            events = _events(journey.exit_on)
            message = f"{events} ends this, and the entry stays in the customer's calendar"
            fix = f"Send `invite: {{cancel: true}}` in a journey that begins with {events}, {_of(journey)}"
            yield journey, Warned(first, message, fix)


def _invites(journey: Journey) -> dict[str, InviteRule]:
    """By step, in the order of the journey, whose steps are stored from the last to the first."""
    steps = reversed(tuple(journey.steps.values()))
    return {step.id: step.invite for step in steps if isinstance(step, Send) and step.invite is not None}


def _events(rules: Sequence[Match]) -> str:
    return " or ".join(dict.fromkeys(rule.event for rule in rules))


def _of(journey: Journey) -> str:
    return f"with `of: {journey.name}`."
