"""The gate: one pure function that every message passes. It sends, waits or drops, and always gives its reason.

First, whether the message may go at all (consent, suppression, law), channel by channel in the journey's order of
preference. Then, for the first channel that may, when. A message that would wait until it is useless is dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.gate import limits, quiet_hours, reasons
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.permission import denial, legal_basis
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer, Send, Suppress, Verdict
from cairn.domain.journey.conditions import is_met_by
from cairn.domain.message.message import Message, Review
from cairn.domain.operations import pauses
from cairn.domain.policy import Cap, Policy
from cairn.domain.profile.attributes import PREFERRED_TIME
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import at_local, zone_named

ANSWER_WITHIN = timedelta(minutes=5)
"""How long after a STOP its confirmation may come (47 CFR 64.1200(a)(12)). A later answer to HELP is no use either."""

ORDER_RECHECK = timedelta(minutes=1)
"""Recheck delay behind an earlier or a more important message."""

REVIEW_RECHECK = timedelta(hours=1)
"""Recheck interval while the earlier message waits for a person."""

OVERDUE = timedelta(days=1)
"""A message that is this late no longer blocks another one."""

BY_THE_CLOCK = frozenset(
    {Reason.QUIET_HOURS, Reason.CLOSED_DAY, Reason.PREFERRED_HOUR, Reason.CAP, Reason.COOLDOWN},
)
"""The waits that end at a known time, so that a less important message can yield to the one that waits. A message that
waits behind another one of its enrollment is none of these: that one may be yielding itself.
"""

PREFERRED_DAYS = 7
"""How many days ahead the gate looks for the customer's preferred hour on a day when the law allows it."""

MORNING = time(8)
"""From when on, by the customer's clock, marketing goes out that a cap of the day or week stopped the day before."""

MAX_ITERATIONS = 100
"""After this many rounds no instant satisfies all rules."""


def decide(
    message: Message,
    contact: Contact,
    history: Mapping[str, Claim],
    settings: GateSettings,
    now: datetime,
) -> Verdict:
    """The verdict on a message now. The same arguments give the same verdict; the gate raises nothing."""
    dropped = _dropped(message, settings, now)
    if dropped is not None:
        return dropped
    if message.answers:
        return _answer(message, settings)
    channel = _permitted(message, contact, settings, now)
    if isinstance(channel, Suppress):
        return channel
    waits = _WaitingRules(message, channel, contact, history, settings)
    verdict = waits.at(now)
    if isinstance(verdict, Defer):
        return _unless_useless(verdict, waits)
    if verdict is not None:
        return verdict
    return Send(channel, message.addresses[channel], legal_basis(message, channel, contact))


def _dropped(message: Message, settings: GateSettings, now: datetime) -> Suppress | None:
    """The reasons to drop a message that hold for every channel."""
    switch = _switched_off(settings, message.journey, message.template)
    if switch is not None:
        return switch
    if message.journey_ended:
        return Suppress(reasons.Ended(message.journey))
    if message.approval is not None and not message.approval.granted:
        return Suppress(reasons.Rejected(message.approval.by, message.approval.at))
    useful_until = _useful_until(message, settings, now)
    if now > useful_until:
        return Suppress(reasons.Stale(useful_until))
    return None


def _switched_off(settings: GateSettings, journey: str, template: str, *more: Any) -> Suppress | None:
    targets = pauses.targets_of(journey, template, *more)
    stopped = next((target for target in targets if target in settings.stopped), None)
    return Suppress(reasons.KillSwitch(stopped)) if stopped else None


def _useful_until(message: Message, settings: GateSettings, now: datetime) -> datetime:
    """A step's limit includes pauses. The policy's limit (`max_hold`) does not count paused time."""
    if message.answers:
        return message.decided_at + ANSWER_WITHIN
    if message.terms.useful_for is not None:
        return message.decided_at + message.terms.useful_for
    paused = pauses.paused_for(settings.pauses, _targets_of(message), message.decided_at, now)
    return message.decided_at + settings.policy.max_hold + paused


def _targets_of(message: Message) -> set[str]:
    countries = message.jurisdiction.countries
    return {
        target
        for channel in message.channels
        for target in pauses.targets_of(message.journey, message.template, channel, countries.get(channel, ""))
    }


def _answer(message: Message, settings: GateSettings) -> Verdict:
    """The answer to a keyword: sent at once, and even to a customer who has just replied STOP."""
    ((channel, address),) = message.addresses.items()
    stopped_by = _stopped_on_channel(channel, message, settings)
    return stopped_by or Send(channel, address, reasons.Answer(message.answers))


def _stopped_on_channel(channel: Channel, message: Message, settings: GateSettings) -> Suppress | None:
    country = message.jurisdiction.countries.get(channel, "")
    return _switched_off(settings, message.journey, message.template, channel, country)


def _permitted(message: Message, contact: Contact, settings: GateSettings, now: datetime) -> Channel | Suppress:
    """The first channel that is allowed, else the denial of the first that has an address."""
    denials = []
    for channel in message.channels:
        stopped_by = _stopped_on_channel(channel, message, settings)
        refused = stopped_by or denial(message, channel, contact, settings.policy, now)
        if refused is None:
            return channel
        denials.append(refused)
    reachable = [refused for refused in denials if refused.reason is not Reason.NO_ADDRESS]
    return next(iter(reachable or denials), Suppress(reasons.NoAddress()))


def _unless_useless(first: Defer, waits: "_WaitingRules") -> Verdict:
    """Waits until the first instant that all rules of time allow, or drops a message that is useless by then.

    Reviews, doubts and earlier messages may end sooner: their `until` is only an upper bound, so nothing is computed
    beyond it.
    """
    until = first.until
    if until is None or first.reason in {Reason.REVIEW, Reason.IN_DOUBT}:
        return first
    useful_until = _useful_until(waits.message, waits.settings, until)
    for _ in range(MAX_ITERATIONS):
        if until > useful_until:
            return Suppress(reasons.Stale(useful_until, first.because, until))
        if first.reason is Reason.ORDER:
            return first
        later = waits.by_the_clock(until)
        if isinstance(later, Suppress):
            return later  # waiting would not change it
        if later is None or later.until is None:
            return replace(first, until=until)
        until = later.until
    return Suppress(reasons.NoLegalHour(first.because))


@dataclass(frozen=True, slots=True)
class _WaitingRules:
    """Every rule that can make a message wait, in the order in which they are checked."""

    message: Message
    channel: Channel
    contact: Contact
    history: Mapping[str, Claim]
    settings: GateSettings

    def at(self, now: datetime) -> Defer | Suppress | None:
        """The verdict of the first rule that stops the message; None if every rule allows it."""
        rules = (self._pause, self._doubt, self._review, self._order)
        first = next((verdict for rule in rules if (verdict := rule(now)) is not None), None)
        return first or self.by_the_clock(now) or self._yield(now)

    def by_the_clock(self, now: datetime) -> Defer | Suppress | None:
        """The same, for rules that depend on time alone."""
        rules = (self._hours, self._preferred_hour, self._limits)
        return next((verdict for rule in rules if (verdict := rule(now)) is not None), None)

    def _pause(self, now: datetime) -> Defer | Suppress | None:
        message, own = self.message, self.contact.deferrals.get(self.message.id)
        deferred = own.until if own is not None and own.reason != Reason.PAUSED else None
        country = message.jurisdiction.countries.get(self.channel, "")
        targets = pauses.targets_of(message.journey, message.template, self.channel, country)
        due, spread_key = deferred or message.decided_at, message.enrollment
        outcome = pauses.resume_message(self.settings.pauses, targets, due=due, spread_key=spread_key, now=now)
        match outcome:
            case pauses.Paused(target):
                return Defer(None, reasons.Paused(target))
            case pauses.NotBefore(at, target):
                return Defer(at, reasons.Paused(target, resumed=True))
            case pauses.Late(target):
                return Suppress(reasons.Late(target))
            case pauses.Proceed():
                return None
            case _:
                assert_never(outcome)

    def _doubt(self, now: datetime) -> Defer | Suppress | None:
        """A reply that may be a STOP. The person may decide before the deadline, so the gate looks regularly."""
        doubt = self.contact.doubt(self.channel) if self.message.purpose is Purpose.MARKETING else None
        if doubt is None or doubt.until is None:
            return None
        because = reasons.InDoubt(self.channel, doubt)
        useful_until = _useful_until(self.message, self.settings, now)
        if now >= useful_until:
            return Suppress(reasons.Stale(useful_until, because, doubt.until))
        return Defer(min(doubt.until, now + REVIEW_RECHECK, useful_until), because)

    def _review(self, now: datetime) -> Defer | Suppress | None:
        review = review_of(self.message, self.settings.policy)
        approval = self.message.approval
        if review is None or (approval is not None and approval.channel in {None, self.channel}):
            return None
        useful_until = _useful_until(self.message, self.settings, now)
        deadline = min(self.message.decided_at + review.within, useful_until)
        if now < deadline:
            return Defer(deadline, reasons.Review(self.channel, review.queue))
        if review.otherwise == "drop":
            return Suppress(reasons.Unreviewed(review.queue, deadline))
        return None

    def _order(self, now: datetime) -> Defer | None:
        """An enrollment's messages go out in the order they were decided.

        A transactional message does not wait for a marketing one.
        """
        message = self.message
        before = [
            (_recheck_at(earlier, now), id_, earlier)
            for id_, earlier in self.contact.deferrals.items()
            if id_ != message.id
            and earlier.enrollment == message.enrollment
            and earlier.order < message.order
            and not (message.purpose is Purpose.TRANSACTIONAL and earlier.purpose is Purpose.MARKETING)
            and (earlier.until is None or now - earlier.until < OVERDUE)
        ]
        if not before:
            return None
        until, behind, earlier = max(before, key=lambda entry: entry[:2])
        useful_until = _useful_until(message, self.settings, now)
        if _waits_for_a_person(earlier) and now < useful_until:
            until = min(until, useful_until)  # the person may still act in time
        return Defer(until, reasons.Order(behind))

    def _hours(self, now: datetime) -> Defer | Suppress | None:
        opening = quiet_hours.first_legal(self.settings.policy, self.message, self.channel, now)
        if opening.at is None:
            return Suppress(reasons.NoLegalHour(opening))
        if not opening.denials:
            return None
        closed = opening.denials[0].kind == "closed_day"
        return Defer(opening.at, reasons.ClosedDay(opening) if closed else reasons.QuietHours(opening))

    def _preferred_hour(self, now: datetime) -> Defer | None:
        preferred = _clock(self.message.variables.get("profile", {}).get(PREFERRED_TIME))
        if preferred is None or not self.message.terms.preferred_hour:
            return None
        zone = zone_named(self.message.time_zone, "UTC")
        today = now.astimezone(zone).date()
        policy = self.settings.policy
        window = policy.preferred_hour_window
        for day in (today + timedelta(days=ahead) for ahead in range(-1, PREFERRED_DAYS + 1)):
            due = at_local(day, preferred, zone)
            if due <= now < due + window:
                return None
            if due > _useful_until(self.message, self.settings, now):
                return None  # too late for the preferred hour: send now
            if due > now:
                legal = quiet_hours.first_legal(policy, self.message, self.channel, due).at
                if legal is not None and legal < due + window:
                    return Defer(due, reasons.PreferredHour(preferred, zone.key))
        return None  # the law closes the hour on all of these days

    def _limits(self, now: datetime) -> Defer | None:
        zone = zone_named(self.message.time_zone, "UTC")
        free = limits.next_free(self.settings.policy, self.message, self.channel, self.history, zone=zone, now=now)
        if free.denial is None:
            return None
        until = self._by_day(free.at, zone) if free.denial.ends_with_a_day else free.at
        return Defer(until, _limited_by(free.denial))

    def _by_day(self, midnight: datetime, zone: ZoneInfo) -> datetime:
        """When marketing goes out that must wait for another day: then it is not for the night."""
        if self.message.purpose is not Purpose.MARKETING or self._preferred_hour(midnight) is not None:
            return midnight  # or at the hour that the customer prefers
        morning = at_local(midnight.astimezone(zone).date(), MORNING, zone)
        return midnight if morning > _useful_until(self.message, self.settings, midnight) else morning

    def _yield(self, now: datetime) -> Defer | None:
        """A more important message waits for its time, and a limit would stop it if this one went out now.

        Both are decided again at that time: what has gone out by then counts. Only strictly more important messages
        count, so no two yield to each other; and each yields at most until it is of no use.
        """
        message, deferrals = self.message, self.contact.deferrals
        waiting = [
            limits.Waiting(id_, max(one.until, now), one.purpose, one.priority)
            for id_, one in deferrals.items()
            if one.priority > message.terms.priority
            and one.reason in BY_THE_CLOCK
            and one.until is not None
            and now - one.until < OVERDUE
            and one.enrollment != message.enrollment
        ]
        if not waiting:
            return None
        zone = zone_named(message.time_zone, "UTC")
        policy, history = self.settings.policy, self.history
        denial = limits.in_the_way(policy, message, self.channel, history, waiting, zone=zone, now=now)
        return Defer(_recheck_at(deferrals[denial.yields_to], now), _limited_by(denial)) if denial else None


def _limited_by(denial: limits.LimitDenial) -> reasons.CapReached | reasons.CoolingDown:
    return reasons.CapReached(denial) if isinstance(denial.limit, Cap) else reasons.CoolingDown(denial)


def priority_while(verdict: Defer, message: Message) -> int:
    """The priority that a deferral has for others: none where it is not known when it ends."""
    return message.terms.priority if verdict.reason in BY_THE_CLOCK else 0


def _recheck_at(earlier: Deferral, now: datetime) -> datetime:
    """When to look again at a message behind an earlier one: soon after it, or regularly if its end is unknown."""
    if earlier.until is None or _waits_for_a_person(earlier) or now - earlier.until > 10 * ORDER_RECHECK:
        return now + REVIEW_RECHECK
    return max(earlier.until, now) + ORDER_RECHECK


def _waits_for_a_person(earlier: Deferral) -> bool:
    """True if a person can end this deferral at any time, even before its `until`."""
    return earlier.until is None or earlier.reason in {Reason.REVIEW, Reason.IN_DOUBT}


def review_of(message: Message, policy: Policy) -> Review | None:
    """The review that the message needs before it goes out: its step's, else the policy's."""
    if message.terms.review is not None:
        return message.terms.review
    step, template = f"{message.journey}/{message.step}", f"{message.journey}/{message.template}"
    for rule in policy.reviews:
        named = not (rule.steps or rule.templates) or step in rule.steps or template in rule.templates
        if named and (not rule.when or is_met_by(rule.when, {"profile": message.variables.get("profile", {})})):
            return Review(rule.queue, rule.within, rule.otherwise)
    return None


def _clock(value: Any) -> time | None:
    try:
        return time.fromisoformat(value).replace(tzinfo=None)
    except (ValueError, TypeError):
        return None
