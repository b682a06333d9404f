"""The gate: one pure function that every message passes. It sends, waits or drops, and always says why.

Whether a message may go at all (consent, suppression, law) is asked first, channel by channel in the journey's order
of preference; then, for the first channel that may, when. A message that would wait until it is of no use is dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.gate import limits, quiet_hours
from cairn.domain.gate.permission import denial, legal_basis
from cairn.domain.gate.verdict import Defer, Reason, Send, Suppress, Verdict
from cairn.domain.journey.conditions import is_met_by
from cairn.domain.message.message import Message, Review
from cairn.domain.operations import pauses
from cairn.domain.operations.pauses import Pause
from cairn.domain.policy import Policy
from cairn.domain.profile.attributes import PREFERRED_TIME
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import at_local, instant_to_wire, zone_named

ANSWER_WITHIN = timedelta(minutes=5)
"""How long after a STOP its confirmation may come (47 CFR 64.1200(a)(12)); a HELP's answer is no use later either."""

ORDER_RECHECK = timedelta(minutes=1)
"""How much later than the message before it one that keeps the order is looked at again."""

REVIEW_RECHECK = timedelta(hours=1)
"""How often one looks again whose predecessor waits for a person."""

OVERDUE = timedelta(days=1)
"""A hold that is overdue by so much holds back nobody any more."""

PREFERRED_DAYS = 7
"""How far ahead a customer's preferred hour is looked for on a day on which the law has it open."""

MAX_ITERATIONS = 100
"""Rules that send each other round in circles for so long leave no instant."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What people can turn without a deployment, read again within a minute; and the deployment's policy."""

    policy: Policy = field(default_factory=Policy)
    stopped: frozenset[str] = frozenset()
    """What is switched off: `all`, `channel:sms`, `journey:<name>`, `template:<journey>/<template>`, `country:US`."""
    pauses: tuple[Pause, ...] = ()
    """Of the same targets: those that last, and those that somebody ended lately."""


def decide(
    message: Message,
    contact: Contact,
    history: Mapping[str, Claim],
    settings: GateSettings,
    now: datetime,
) -> Verdict:
    """What becomes of a message now. The same arguments give the same verdict; there is no other way out."""
    dropped = _dropped(message, settings, now)
    if dropped is not None:
        return dropped
    if message.answers:
        return _answer(message, settings)
    channel = _permitted(message, contact, settings, now)
    if isinstance(channel, Suppress):
        return channel
    waits = _Waits(message, channel, contact, history, settings)
    verdict = waits.at(now)
    if isinstance(verdict, Defer):
        return _worth_it(verdict, waits)
    if verdict is not None:
        return verdict
    reason, why = legal_basis(message, channel, contact)
    return Send(channel, message.addresses[channel], reason, why)


def _dropped(message: Message, settings: GateSettings, now: datetime) -> Suppress | None:
    """What ends a message whatever its channel."""
    switch = _switched_off(settings, message.journey, message.template)
    if switch is not None:
        return switch
    if message.journey_ended:
        return Suppress(Reason.ENDED, {"journey": message.journey})
    if message.approval is not None and not message.approval.granted:
        return Suppress(Reason.REJECTED, {"by": message.approval.by, "at": instant_to_wire(message.approval.at)})
    useful_until = _useful_until(message, settings, now)
    if now > useful_until:
        return Suppress(Reason.STALE, {"useful_until": instant_to_wire(useful_until)})
    return None


def _switched_off(settings: GateSettings, journey: str, template: str, *more: Any) -> Suppress | None:
    targets = pauses.targets_of(journey, template, *more)
    found = next((target for target in targets if target in settings.stopped), None)
    return Suppress(Reason.KILL_SWITCH, {"switch": found}) if found else None


def _useful_until(message: Message, settings: GateSettings, now: datetime) -> datetime:
    """What a step says counts by the clock. The policy's own limit is for rules that never agree: a pause stops it."""
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
    """What the customer asked for by a keyword: said at once, and even to one who has just said STOP."""
    ((channel, address),) = message.addresses.items()
    off = _off_on(channel, message, settings)
    return off or Send(channel, address, Reason.ANSWER, {"keyword": message.answers})


def _off_on(channel: Channel, message: Message, settings: GateSettings) -> Suppress | None:
    country = message.jurisdiction.countries.get(channel, "")
    return _switched_off(settings, message.journey, message.template, channel, country)


def _permitted(message: Message, profile: Contact, settings: GateSettings, now: datetime) -> Channel | Suppress:
    """The first channel that is allowed, else the objection to the first on which the customer can be reached."""
    objections = []
    for channel in message.channels:
        found = _off_on(channel, message, settings) or denial(message, channel, profile, settings.policy, now)
        if found is None:
            return channel
        objections.append(found)
    reached = [one for one in objections if one.reason is not Reason.NO_ADDRESS]
    return next(iter(reached or objections), Suppress(Reason.NO_ADDRESS))


def _worth_it(first: Defer, waits: "_Waits") -> Verdict:
    """The wait as it will be when all rules of time have had their say: to the first instant that suits them all.

    What a person decides, or what goes before, may be settled sooner, and is not looked past.
    """
    until = first.until
    if until is None or first.reason is Reason.REVIEW:
        return first
    useful_until = _useful_until(waits.message, waits.settings, until)
    for _ in range(MAX_ITERATIONS):
        if until > useful_until:
            late = {"because": first.reason.value, "until": instant_to_wire(until)}
            return Suppress(Reason.STALE, {**first.why, **late, "useful_until": instant_to_wire(useful_until)})
        if first.reason is Reason.ORDER:
            return first
        later = waits.by_the_clock(until)
        if later is None or isinstance(later, Suppress) or later.until is None:
            return replace(first, until=until)
        until = later.until
    return Suppress(Reason.NO_LEGAL_HOUR, {"because": first.reason.value})


@dataclass(frozen=True, slots=True)
class _Waits:
    """Every rule that can make a message wait, in the order in which they are asked."""

    message: Message
    channel: Channel
    contact: Contact
    history: Mapping[str, Claim]
    settings: GateSettings

    def at(self, now: datetime) -> Defer | Suppress | None:
        """The first rule's word at an instant; None where it may go out then."""
        standing = (self._pause, self._review, self._order)
        return next((word for rule in standing if (word := rule(now)) is not None), None) or self.by_the_clock(now)

    def by_the_clock(self, now: datetime) -> Defer | Suppress | None:
        """The same, of the rules that time alone settles."""
        rules = (self._hours, self._preferred_hour, self._limits)
        return next((word for rule in rules if (word := rule(now)) is not None), None)

    def _pause(self, now: datetime) -> Defer | Suppress | None:
        message, held = self.message, self.contact.deferrals.get(self.message.id)
        deferred = held.until if held is not None and held.reason != Reason.PAUSED else None
        country = message.jurisdiction.countries.get(self.channel, "")
        targets = pauses.targets_of(message.journey, message.template, self.channel, country)
        due, crowd = deferred or message.decided_at, message.enrollment
        match pauses.resume_message(self.settings.pauses, targets, due=due, spread_key=crowd, now=now):
            case pauses.Paused(target):
                return Defer(None, Reason.PAUSED, {"paused": target}, paused_target=target)
            case pauses.NotBefore(at, target):
                return Defer(at, Reason.PAUSED, {"resumed": target})
            case pauses.Late(target):
                return Suppress(Reason.LATE, {"resumed": target})
            case pauses.Proceed():
                return None

    def _review(self, now: datetime) -> Defer | Suppress | None:
        review = review_of(self.message, self.settings.policy)
        approval = self.message.approval
        if review is None or (approval is not None and approval.channel in {None, self.channel}):
            return None
        useful_until = _useful_until(self.message, self.settings, now)
        deadline = min(self.message.decided_at + review.within, useful_until)
        if now < deadline:
            return Defer(deadline, Reason.REVIEW, {"channel": self.channel.value, "queue": review.queue})
        if review.otherwise == "drop":
            return Suppress(Reason.UNREVIEWED, {"queue": review.queue, "deadline": instant_to_wire(deadline)})
        return None

    def _order(self, now: datetime) -> Defer | None:
        """What the journey meant to say first goes first; but no receipt waits behind an offer."""
        message = self.message
        before = [
            (_looks_again(hold, now), id_, hold)
            for id_, hold in self.contact.deferrals.items()
            if id_ != message.id
            and hold.enrollment == message.enrollment
            and hold.order < message.order
            and not (message.purpose is Purpose.TRANSACTIONAL and hold.purpose is Purpose.MARKETING)
            and (hold.until is None or now - hold.until < OVERDUE)
        ]
        if not before:
            return None
        until, behind, hold = max(before, key=lambda one: one[:2])
        useful_until = _useful_until(message, self.settings, now)
        if _is_acted_upon(hold) and now < useful_until:
            until = min(until, useful_until)  # whoever acts may still do so in time
        return Defer(until, Reason.ORDER, {"behind": behind})

    def _hours(self, now: datetime) -> Defer | Suppress | None:
        opening = quiet_hours.first_legal(self.settings.policy, self.message, self.channel, now)
        if opening.at is None:
            return Suppress(Reason.NO_LEGAL_HOUR, opening.why())
        if opening.denials:
            return Defer(opening.at, Reason(opening.denials[0].kind), opening.why())
        return None

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
                return None  # better at another hour than not at all
            if due > now:
                legal = quiet_hours.first_legal(policy, self.message, self.channel, due).at
                if legal is not None and legal < due + window:
                    why = {"time": preferred.isoformat("minutes"), "zone": zone.key}
                    return Defer(due, Reason.PREFERRED_HOUR, why)
        return None  # an hour that the law closes on all of these days is not waited for

    def _limits(self, now: datetime) -> Defer | None:
        zone = zone_named(self.message.time_zone, "UTC")
        room = limits.next_free(self.settings.policy, self.message, self.channel, self.history, zone=zone, now=now)
        if room.denial is None:
            return None
        return Defer(room.at, Reason(room.denial.kind), room.denial.why())


def _looks_again(hold: Deferral, now: datetime) -> datetime:
    """When a message behind this one is looked at again: soon after it, or now and then where nobody knows when."""
    if hold.until is None or _is_acted_upon(hold) or now - hold.until > 10 * ORDER_RECHECK:
        return now + REVIEW_RECHECK
    return max(hold.until, now) + ORDER_RECHECK


def _is_acted_upon(hold: Deferral) -> bool:
    """Whether a person ends it, whatever instant it names."""
    return hold.until is None or hold.reason == Reason.REVIEW


def review_of(message: Message, policy: Policy) -> Review | None:
    """Who must read the message before it goes out: as its step says, else as the policy says."""
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
