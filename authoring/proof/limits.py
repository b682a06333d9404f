"""A journey's messages under the policy: those that its limits would defer, and those that lack a consent."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authoring.proof.paths import Counts, crowded
from authoring.proof.ways import DAY, WEEK
from cairn.domain.journey.definition import Journey, Reentry
from cairn.domain.journey.steps.emit import Emit
from cairn.domain.policy import Cap, Cooldown, Policy
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose
from cairn.domain.shared.instants import duration_text

WINDOWS = {"day": DAY, "week": WEEK}
CONFIRM = "links.confirm"
ASKS_FOR_CONSENT = (CONFIRM, "links.preferences")
"""Pages on which a customer gives consent; templates link to them."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to mend, at a step; `fix` is a sentence."""

    step: str
    message: str
    fix: str


def warnings(journey: Journey, policy: Policy, confirmed: AbstractSet[Channel]) -> Iterator[Warned]:
    """All of one journey. `confirmed`: the channels on which some journey asks to confirm a consent."""
    for cap in policy.caps:
        yield from _above(journey, cap)
    yield from _unconfirmed(journey, policy, confirmed)
    yield from _unlimited(journey, policy)


def covered(journey: Journey, limit: Cap | Cooldown) -> Counts:
    """The messages that the limit may count: a message of several channels counts on each of them."""
    return lambda send: any(limit.covers(send.purpose, channel, journey.name) for channel in send.channels)


def _above(journey: Journey, cap: Cap) -> Iterator[Warned]:
    """The first messages of which there may be one too many."""
    counts, window = covered(journey, cap), window_of(cap)
    highest = max((send.priority_in(journey) for send in crowded(journey).sends if counts(send)), default=0)
    room = cap.room(highest)
    run = crowded(journey).runs(counts, window).get(room + 1)
    if run is not None:
        soon = f"may come within {length(run.seconds)}" if run.seconds else "may come at once"
        message = (
            f"more {_kind(cap)} {_period(cap)} than the policy's {room}: "
            f"{', '.join(run.steps[:-1])} and {run.steps[-1]} {soon}, so the gate will hold this one back"
        )
        fix = (
            f"Let {length(window)} pass from {run.steps[0]} to this step, send less, or change the cap in policy.toml."
        )
        yield Warned(run.steps[-1], message, fix)


def _unconfirmed(journey: Journey, policy: Policy, confirmed: AbstractSet[Channel]) -> Iterator[Warned]:
    for send in crowded(journey).sends:
        needed = policy.double_opt_in - confirmed
        if send.purpose is Purpose.MARKETING and needed.issuperset(send.channels):
            names = " and ".join(send.channels)
            message = (
                f"marketing by {names} needs a confirmed consent (double_opt_in of the policy), and no journey asks"
            )
            fix = f"Link to {{{{ {CONFIRM} }}}} in a transactional message, or take {names} out of double_opt_in."
            yield Warned(send.id, message, fix)


def _unlimited(journey: Journey, policy: Policy) -> Iterator[Warned]:
    """Marketing that a customer may get again and again, and that no cap of the policy counts."""
    if not reentry(journey):
        return
    for send in crowded(journey).sends:
        capped = any(covered(journey, cap)(send) for cap in policy.caps)
        if send.purpose is Purpose.MARKETING and not capped:
            message = f"a customer may enter again ({reentry(journey)}), and no cap limits this marketing message"
            yield Warned(send.id, message, "Add a cap to policy.toml.")


def reentry(journey: Journey) -> str:
    """When one customer may have another enrollment; empty where never."""
    again = {
        Reentry.NEVER: "",
        Reentry.WHEN_ENDED: "each year" if journey.entry.is_yearly else "when ended",
        Reentry.AFTER: f"after {duration_text(journey.entry.again_after)}",
    }[journey.entry.again]
    return ", ".join(one for one in ("each key" if any(journey.entry.keys) else "", again) if one)


def hints(journey: Journey, policy: Policy, templates: Mapping[str, Any]) -> Iterator[str]:
    """What bounds the messages of several enrollments, and what marketing needs before it may go out."""
    sends = list(crowded(journey).sends)
    if sends and reentry(journey):
        bounds = [bound for one in dict.fromkeys(send.purpose for send in sends) if (bound := _bound(one, policy))]
        yield f"a customer may enter again ({reentry(journey)}), and each enrollment counts anew; {', '.join(bounds)}"
    needing = dict.fromkeys(
        (send.purpose, channel)
        for send in sends
        for channel in send.channels
        if send.purpose not in CHANNELS[channel].implied_consent
    )
    asks = any(page in str(template) for template in templates.values() for page in ASKS_FOR_CONSENT)
    for purpose in dict.fromkeys(one for one, _ in needing) if not asks else ():
        by = " and ".join(channel for one, channel in needing if one is purpose)
        yield f"{purpose} messages by {by} need a recorded consent, and no message here asks for one"
    for rule in policy.forbidden:
        if (rule.purpose, rule.channel) in needing:
            yield f"{rule.purpose} by {rule.channel} is forbidden in {rule.country}"


def _bound(purpose: Purpose, policy: Policy) -> str:
    caps = [one for one in policy.caps if one.covers(purpose, Channel.EMAIL, "")]
    limits = ", ".join(f"{cap.limit} {_period(cap)}" for cap in caps if cap.channel is None)
    return f"{purpose} is bounded by the policy ({limits})" if limits else f"nothing bounds {purpose} messages"


def confirmable(journey: Journey, templates: Mapping[str, Any]) -> set[Channel]:
    """The channels on which the journey asks to confirm a consent: by a YES, or a link in a message that needs none."""
    asked = {channel for step in journey.steps.values() if isinstance(step, Emit) for channel in step.asks_consent}
    return asked | {
        channel
        for send in crowded(journey).sends
        for channel in send.channels
        if send.purpose in CHANNELS[channel].implied_consent
        and any(CONFIRM in str(text) for name, text in templates.items() if is_of(name, send.template, channel))
    }


def is_of(name: str, template: str, channel: Channel) -> bool:
    """Whether a file is of this template and channel, in whatever language."""
    first, *_, last = name.split(".")
    return first == template and last == channel


def window_of(limit: Cap | Cooldown) -> float:
    """Seconds. A day and a week of the calendar are those of 24 hours and of seven days."""
    window = limit.length if isinstance(limit, Cooldown) else limit.window
    return window.total_seconds() if isinstance(window, timedelta) else WINDOWS[window]


def length(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))


def _period(cap: Cap) -> str:
    return f"in {duration_text(cap.window)}" if isinstance(cap.window, timedelta) else f"a {cap.window}"


def _kind(cap: Cap) -> str:
    purposes = "" if len(cap.purposes) == len(Purpose) else f"{min(cap.purposes)} "
    return f"{purposes}{CHANNELS[cap.channel].plural if cap.channel else 'messages'}"
