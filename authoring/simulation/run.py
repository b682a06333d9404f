"""One customer on the way through one journey, moved by the real engine and by nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeGuard, cast
from zoneinfo import ZoneInfo

from authoring.simulation.keys import with_key
from authoring.simulation.lead import Lead
from authoring.simulation.observed import Choose, Observed
from authoring.simulation.outcomes import TaskRules, comes_back
from cairn.domain.effects import ANSWERED, REFUSED, Effect, Fact, OpenTask, SendMessage, WakeAt
from cairn.domain.event import MESSAGE_EVENTS, Event
from cairn.domain.identity.trust import JOURNEYS_SOURCE, LEADS_SOURCE, PEOPLE_SOURCE
from cairn.domain.journey.conditions import Scope, is_met
from cairn.domain.journey.definition import CONDITION_MET, DATE_CHANGED, ENTRY, Journey, Match
from cairn.domain.journey.engine import (
    Entered,
    Happened,
    TimerFired,
    Trigger,
    entry_key,
    new_enrollment,
)
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.journey.steps import Step
from cairn.domain.journey.steps.task import AwaitedTask
from cairn.domain.people.members import Outcome, People
from cairn.domain.people.task import DONE_EVENT, WITHDRAWN_EVENT
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.instants import zone_named

if TYPE_CHECKING:
    from cairn.domain.lead.leads import Leads

SOURCE = "simulation"
"""Where the events of a simulation come from."""

MOST_IN_VAIN = 3
"""Then a simulation ends: every year that follows is like this one."""

SOURCES = {
    ANSWERED: JOURNEYS_SOURCE,
    REFUSED: JOURNEYS_SOURCE,
    DONE_EVENT: PEOPLE_SOURCE,
    WITHDRAWN_EVENT: PEOPLE_SOURCE,
}
"""Of the events that answer a step."""

OWN_EVENTS = frozenset({DATE_CHANGED, CONDITION_MET})
"""The starts that Cairn itself finds in the profile; their event has no data."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A decision or an event, with the customer's state after it."""

    at: datetime
    what: Fact | Effect | Event
    enrollment: Enrollment
    profile: Profile
    step: str = ""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A customer's way so far. Immutable: every move returns a new one.

    A move may get a function that chooses among the ways of a branch or a split; without it, the customer's data does.
    """

    observed: Observed
    enrollment: Enrollment
    profile: Profile
    now: datetime
    entries: tuple[TimelineEntry, ...] = ()
    steps: tuple[str, ...] = ()
    """The steps in the order in which they were performed; a wait each time that it begins, goes on or ends."""
    people: People = field(default_factory=People)
    """The queues of people.toml, where there is one."""
    in_vain: int = 0
    """How many times in a row a timer has fired and the customer still waits there, as for a birthday of each year."""
    lead: Lead = field(default_factory=Lead)
    """What the rules of leads.toml look at later."""

    @property
    def journey(self) -> Journey:
        return self.observed.journey

    @property
    def due(self) -> datetime | None:
        """When the customer goes on if nothing happens; None where the journey has ended, or is in vain."""
        return self.enrollment.timer_at if self.in_vain < MOST_IN_VAIN else None

    @property
    def waits_for(self) -> tuple[Match, ...]:
        """The matches of the step at which the customer waits, as far as nothing has met them."""
        step = self.journey.steps.get(self.enrollment.step or "")
        matches: tuple[Match, ...] = getattr(step, "matches", ())
        return tuple(one for number, one in enumerate(matches) if number not in self.enrollment.met)

    @property
    def halfway(self) -> datetime:
        """The middle of the wait, to the minute: when an event comes that has no instant of its own."""
        left = (self.due or self.now) - self.now
        half = left / 2
        return self.now + (half - half % timedelta(minutes=1) if half > timedelta(minutes=1) else half)

    def timed_out(self, choose: Choose | None = None) -> Self:
        """Nothing happens until the timer fires."""
        now = max(self.now, self.due or self.now)
        cooled = self.cooled_by(now, choose)
        if cooled.enrollment.sequence != self.enrollment.sequence:
            return cooled  # that has moved the customer
        after = cooled.moved(TimerFired(self.enrollment.sequence), cooled.profile, now, choose)
        return replace(after, in_vain=self.in_vain + 1) if after.enrollment.step == self.enrollment.step else after

    def cooled_by(self, at: datetime, choose: Choose | None = None) -> Self:
        """A hot customer to whom nothing happens has cooled by then, or not."""
        here = self
        while (looks := here.lead.looks_at) is not None and looks <= at:
            here = replace(here, now=max(here.now, looks))
            here = here.taking(here.lead.cooled(here.profile, looks), looks).saying(choose)
        return here

    def after(self, event: Event, choose: Choose | None = None, certain: Match | None = None) -> Self:
        """An event happens; the profile counts it first, as it always does, and then the rules of leads hear it."""
        here = self if event.source == LEADS_SOURCE else self.cooled_by(event.occurred_at, choose)
        certain = None if certain not in here.waits_for else certain
        profile, at = here.profile.after(event), event.occurred_at
        happened = TimelineEntry(at, event, here.enrollment, profile)
        seen = replace(here, profile=profile, entries=(*here.entries, happened))
        seen = seen.taking(seen.lead.heard(here.profile, profile, event, at), at)
        return seen.moved(Happened(event), seen.profile, at, choose, certain).saying(choose)

    def taking(self, lead: Lead, at: datetime) -> Self:
        """What the rules of leads have made of the customer, with a line for each fact."""
        profile = lead.profile or self.profile
        facts = (TimelineEntry(at, one, self.enrollment, profile) for one in lead.facts)
        rest = replace(lead, profile=None, facts=())
        return replace(self, profile=profile, entries=(*self.entries, *facts), lead=rest)

    def saying(self, choose: Choose | None = None) -> Self:
        """The events that follow by the rules of leads: that the customer has become hot, or has cooled."""
        if not self.lead.says:
            return self
        said, *rest = self.lead.says
        number = sum(isinstance(entry.what, Event) for entry in self.entries)
        event = Event(f"{SOURCE}-{number}", LEADS_SOURCE, said.type, self.now, properties=said.properties)
        return replace(self, lead=replace(self.lead, says=tuple(rest))).after(event, choose)

    def answered(self, match: Match, choose: Choose | None = None) -> Self:
        """The step's own event happens, half way to its timeout. Its condition and key count as met."""
        step = self.journey.steps.get(self.enrollment.step or "")
        if not _is_outcome(step, match):
            return self.after(self.event(match.event, self.halfway), choose, match)
        outcome = TaskRules(self.people).outcome(step.queue, list(step.targets)[step.matches.index(match)])
        at = max(self.halfway, TaskRules(self.people).soonest(step.queue, outcome, self.now))
        if self.due is not None and at > self.due:
            return self.timed_out(choose)  # by then the journey waits for it no longer
        done = self.after(self.event(match.event, at, {"outcome": outcome.name}), choose, match)
        return done.after(done.event(outcome.event, at), choose) if outcome.event else done

    def said(self, at: datetime, properties: Mapping[str, Any]) -> Self:
        """A person says what has come of the task that the journey waits for. After some outcomes it comes back.

        Raises InvalidEventError.
        """
        step, outcome, rules = self.enrollment.step, self.outcome_of(properties), TaskRules(self.people)
        if outcome is None or step is None:
            return self.after(self.event(DONE_EVENT, at, properties))
        opened = [one.what for one in self.entries if isinstance(one.what, OpenTask) and one.what.step == step]
        if comes_back(outcome, len(opened) - 1):
            back = TimelineEntry(at, rules.again(opened[-1], outcome, at), self.enrollment, self.profile, step)
            here = replace(self, now=max(self.now, at), entries=(*self.entries, back))
        else:
            here = self.after(self.event(DONE_EVENT, at, properties))
        return here.after(here.event(outcome.event, at, properties)) if outcome.event else here

    def outcome_of(self, properties: Mapping[str, Any]) -> Outcome | None:
        """The outcome of the task that the journey waits for; None where it waits for none, or the event names none.

        Raises InvalidEventError.
        """
        step = self.journey.steps.get(self.enrollment.step or "")
        if not isinstance(step, AwaitedTask) or "outcome" not in properties:
            return None
        return TaskRules(self.people).outcome(step.queue, str(properties["outcome"]))

    def event(self, type_: str, at: datetime, properties: Mapping[str, Any] | None = None) -> Event:
        """An event of the customer. It has the properties of the starting one, with the enrollment's key in them."""
        number = sum(isinstance(entry.what, Event) for entry in self.entries)
        found = dict(self.enrollment.data)
        for rule in self.rules:
            found = with_key(found, rule.key, self.enrollment.key) if rule.event == type_ else found
        source = SOURCES.get(type_, SOURCE)
        if source != SOURCE:
            found |= {"enrollment": self.enrollment.id, "step": self.enrollment.step}
        elif type_.startswith(MESSAGE_EVENTS):
            found |= {"enrollment": self.enrollment.id, **self._last_message()}
        return Event(f"{SOURCE}-{number}", source, type_, at, properties=found | dict(properties or {}))

    def _last_message(self) -> Mapping[str, str]:
        """The message that an event about a message is about."""
        sent = [entry.what for entry in self.entries if isinstance(entry.what, SendMessage)]
        return {"step": sent[-1].step, "channel": sent[-1].channels[0], "message_id": sent[-1].id} if sent else {}

    @property
    def rules(self) -> tuple[Match, ...]:
        """All matches that an event may meet here: the step's, and those that hold at every step."""
        goal = (self.journey.goal.match,) if self.journey.goal else ()
        return (*self.waits_for, *self.journey.exit_on, *goal, *self.journey.refresh_on)

    def moved(
        self,
        trigger: Trigger,
        profile: Profile,
        now: datetime,
        choose: Choose | None = None,
        certain: Match | None = None,
    ) -> Self:
        """What the engine makes of a trigger."""
        decision, performed = self.observed.advance(self.enrollment, profile, trigger, now, choose, certain)
        before, enrollment, profile = profile, decision.enrollment, decision.profile
        rules = TaskRules(self.people)
        made = (
            (step, rules.opened(what, now)) for step, all_ in performed for what in all_ if not isinstance(what, WakeAt)
        )
        return replace(
            self,
            enrollment=enrollment,
            profile=profile,
            now=now,
            entries=(*self.entries, *(TimelineEntry(now, what, enrollment, profile, step) for step, what in made)),
            steps=(*self.steps, *(step for step, _ in performed if step)),
            in_vain=0,
        ).taking(self.lead.settled(before, profile, now), now)


@dataclass(frozen=True, slots=True)
class Trial:
    """A journey, and the customer on whom it is tried, with the data of the start."""

    journey: Journey
    labels: Mapping[str, tuple[str, ...]]
    """By step, the words at its ways out."""
    profile: Profile
    data: Mapping[str, Any]
    leads: "Leads | None" = None
    """The rules of leads.toml, where there are any."""
    people: People = field(default_factory=People)

    @property
    def zone(self) -> ZoneInfo:
        """The customer's, in which the times of the journey are."""
        return zone_named(self.profile.get(TIME_ZONE), self.journey.time_zone)

    def enters(self, at: datetime) -> bool:
        """Whether the customer's data meets the entry, and gives a key. The simulation begins in any case."""
        entry = self.journey.entry
        is_met_now = is_met(entry.condition, Scope(self.profile, at, {}, default_zone=self.journey.time_zone))
        gives_key = any(isinstance(self._key(one, at), str) for one in entry.matches)
        return is_met_now and gives_key and entry.is_open_on(at, self.journey.time_zone)

    def begin(self, at: datetime, choose: Choose | None = None) -> Simulation:
        """The customer enters, and goes as far as the first wait. Here nobody is in the holdout.

        With `choose`, a condition that a waiting entry asks on its day counts as met.
        """
        matches = self.journey.entry.matches
        match = next((one for one in matches if isinstance(self._key(one, at), str)), matches[0])
        event = self._start(match, at)
        lead = Lead(self.leads).known(self.profile, at)
        known = lead.profile or self.profile
        lead = replace(lead, profile=None).heard(known, known.after(event), event, at)
        profile = lead.profile or known.after(event)
        key = self._key(replace(match, where=None), at)
        enrollment = new_enrollment(self.journey, profile, event, key if isinstance(key, str) else "", at)
        steps = self.journey.steps
        if choose and ENTRY in steps and self.journey.entry.waits:
            steps = {**steps, ENTRY: replace(cast("Any", steps[ENTRY]), where=None)}
        observed = Observed(replace(self.journey, holdout=0.0, steps=steps), self.labels)
        started = TimelineEntry(at, event, enrollment, profile)
        simulation = Simulation(observed, enrollment, profile, at, (started,), people=self.people).taking(lead, at)
        return simulation.moved(Entered(), profile, at, choose).saying(choose)

    def _key(self, match: Match, at: datetime) -> Any:
        """The key that an entry's match gives; no text where it starts nothing."""
        event = self._start(match, at)
        alone = replace(self.journey, entry=replace(self.journey.entry, matches=(match,)))
        return entry_key(alone, self.profile.after(event), event, at)

    def _start(self, match: Match, at: datetime) -> Event:
        if match.event in OWN_EVENTS:
            return Event(f"{SOURCE}-0", JOURNEYS_SOURCE, match.event, at, properties={"journey": self.journey.name})
        return Event(f"{SOURCE}-0", SOURCE, match.event, at, properties=self.data)


def _is_outcome(step: Step | None, match: Match) -> TypeGuard[AwaitedTask]:
    return isinstance(step, AwaitedTask) and match.event == DONE_EVENT
