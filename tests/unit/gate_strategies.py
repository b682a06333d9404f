"""Hypothesis strategies for the gate: messages, customers, policies and switches in every combination."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method
from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.gate import decide
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Verdict
from cairn.domain.message.message import Approval, Jurisdiction, Message, Review, Terms
from cairn.domain.operations.pauses import Pause, PausePolicy
from cairn.domain.policy import EVERYWHERE, Cap, Closed, Cooldown, Forbidden, Hours, Policy, ReviewRule
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_to_wire
from tests.unit.makers import message

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

OWN, ENROLLMENT, JOURNEY = "enr-confirm-1", "enr", "visit"

SENT = frozenset({Reason.GRANTED, Reason.IMPLIED, Reason.ANSWER})
DEFERRED = frozenset(
    {Reason.PAUSED, Reason.REVIEW, Reason.QUIET_HOURS, Reason.CLOSED_DAY, Reason.PREFERRED_HOUR, Reason.CAP}
    | {Reason.COOLDOWN, Reason.ORDER, Reason.RATE}
)
DROPPED = frozenset(Reason) - SENT - DEFERRED


@dataclass(frozen=True)
class Case:
    """All inputs of a verdict."""

    message: Message
    contact: Contact
    settings: GateSettings
    now: datetime

    def verdict(self) -> Verdict:
        return decide(self.message, self.contact, self.contact.claims, self.settings, self.now)

    def later(self, now: datetime) -> "Case":
        return replace(self, now=now)

    @property
    def policy(self) -> Policy:
        return self.settings.policy


seconds = st.integers(0, 86_399).map(lambda number: timedelta(seconds=number))
instants = st.one_of(
    st.datetimes(datetime(2026, 2, 25), datetime(2026, 4, 8), timezones=st.just(UTC)),  # noqa: DTZ001
    # Days on which clocks change: New York, Europe, Sydney and Lord Howe; New York and Europe once more in autumn.
    st.builds(
        lambda day, ago: datetime.combine(day, time(), UTC) + ago,
        st.sampled_from([date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 11, 1), date(2026, 10, 25)]),
        seconds,
    ),
)
rarely = st.sampled_from([False] * 4 + [True])
lengths = st.sampled_from([MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 10 * DAY])
ago = st.sampled_from([timedelta(), -MINUTE, HOUR, 5 * HOUR, DAY, 6 * DAY])
channels = st.sampled_from(Channel)
purposes = st.sampled_from([Purpose.MARKETING, Purpose.MARKETING, Purpose.TRANSACTIONAL])
some_channels = st.sampled_from(
    [frozenset(Channel), frozenset(Channel), frozenset({Channel.SMS}), frozenset({Channel.EMAIL})]
)
some_purposes = st.sampled_from([frozenset({Purpose.MARKETING}), frozenset(Purpose)])
otherwise = st.sampled_from(["send", "drop"])
zones = st.sampled_from(
    [
        *["America/New_York", "Europe/Paris", "Asia/Kolkata", "America/Phoenix", "Australia/Lord_Howe"] * 60,
        *sorted(available_timezones()),
    ]
)
territories = st.sampled_from(
    [(EVERYWHERE, ""), (EVERYWHERE, ""), ("US", ""), ("US-FL", ""), ("IN", "Asia/Kolkata"), ("FR", "")]
)
FLORIDA = frozenset({"America/New_York", "America/Chicago"})


def few(one: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    """Mostly none: if every rule denies, nothing goes out and the test shows little."""
    return st.sampled_from([0, 0, *range(1, most + 1)]).flatmap(lambda number: st.tuples(*[one] * number))


def _hours(territory: tuple[str, str], when: tuple[time, time], days: frozenset[int], **about: Any) -> Hours:
    jurisdiction, clock = territory
    regional = FLORIDA if "-" in jurisdiction else frozenset()
    start, end = when
    return Hours(jurisdiction=jurisdiction, clock=clock, zones=regional, start=start, end=end, days=days, **about)


hours = st.builds(
    _hours,
    territories,
    st.sampled_from(
        [(time(8), time(21)), (time(9), time(20)), (time(2, 30), time(12)), (time(18), time(0)), (time(0), time(0))]
    ),
    st.sampled_from([frozenset(range(1, 8)), frozenset(range(1, 8)), frozenset(range(1, 7)), frozenset({7})]),
    channels=some_channels,
    purposes=some_purposes,
    source=st.sampled_from(["law", "carrier"]),
)
closed = st.builds(
    lambda territory, some, days, dates: Closed(
        jurisdiction=territory[0],
        channels=some,
        zones=FLORIDA if "-" in territory[0] else frozenset(),
        days=days,
        dates=dates,
    ),
    territories,
    some_channels,
    st.sampled_from([frozenset(), frozenset({7}), frozenset({6, 7})]),
    st.sampled_from([frozenset(), frozenset({date(2026, 3, 9)}), frozenset({date(2026, 3, 29), date(2026, 3, 30)})]),
)
priorities = st.sampled_from([0, 0, 0, 10, -5])
caps = st.builds(
    lambda limit, reserved, **about: Cap(limit=limit, reserved=min(reserved, limit - 1), **about),
    limit=st.integers(1, 3),
    reserved=st.sampled_from([0, 0, 1]),
    window=st.sampled_from(["day", "week", DAY, 7 * DAY]),
    channel=st.none() | channels,
    purposes=some_purposes,
    journey=st.sampled_from(["", "", JOURNEY, "other"]),
)
cooldowns = st.builds(Cooldown, length=lengths, channel=st.none() | channels, purposes=some_purposes)
review_rules = st.builds(
    ReviewRule,
    queue=st.just("billing"),
    within=lengths,
    otherwise=otherwise,
    steps=st.sampled_from([frozenset({f"{JOURNEY}/confirm"}), frozenset({"other/confirm"})]),
    when=st.sampled_from(["", "profile.vip"]),
)
forbidden = st.builds(
    Forbidden, channel=channels, purpose=st.sampled_from(Purpose), country=st.sampled_from(["US", "IN"])
)
policies = st.builds(
    Policy,
    hours=st.lists(hours, max_size=3).map(tuple),
    closed=few(closed, 1),
    unknown_region=st.sampled_from(["strictest", "country"]),
    preferred_hour_window=st.sampled_from([MINUTE, HOUR, 3 * HOUR]),
    max_hold=st.sampled_from([DAY, 14 * DAY, 14 * DAY]),
    caps=st.lists(caps, max_size=2).map(tuple),
    cooldowns=few(cooldowns, 1),
    forbidden=few(forbidden, 1),
    double_opt_in=st.sampled_from([frozenset(), frozenset(), frozenset({Channel.EMAIL}), frozenset(Channel)]),
    countries_needing_registration=st.sampled_from([{}, {}, {Channel.SMS: frozenset({"IN"})}]),
    dlt_entity=st.sampled_from(["", "1101"]),
    reviews=rarely.flatmap(lambda one: st.tuples(review_rules) if one else st.just(())),
)

targets = st.sampled_from(
    ["all", "channel:email", "channel:sms", "journey:visit", "journey:other", "template:visit/confirm", "country:US"]
)
pauses = st.tuples(targets, lengths, st.sampled_from([None, 0.0, 0.3, 0.9, 1.0]), st.sampled_from(PausePolicy), lengths)
registrations = st.sampled_from(
    [{}, {Channel.SMS: {"dlt_template": "1"}}, {Channel.WHATSAPP: {"whatsapp_template": "x"}}]
)
terms = st.builds(
    Terms,
    useful_for=st.sampled_from([None] * 4 + [HOUR, 5 * HOUR, DAY, 3 * DAY]),
    preferred_hour=rarely,
    review=st.sampled_from(
        [None] * 30
        + [Review("billing", within, then) for within in (HOUR, DAY, 3 * DAY, 10 * DAY) for then in ("send", "drop")]
    ),
    registered=registrations,
    priority=priorities,
)
countries = st.sampled_from(["US", "US", "IN", "FR", ""])
wheres = st.builds(
    Jurisdiction,
    few(zones),
    st.builds(lambda one, others: dict.fromkeys(Channel, others) | {Channel.SMS: one}, countries, countries),
    st.sampled_from(["", "", "FL", "NY"]),
)
preferences = st.sampled_from([None, None, "18:30", "02:30", "23:45", "soon"])
wishes = st.permutations(list(Channel)).map(lambda order: tuple(order[:2]))
addresses = st.sampled_from([dict.fromkeys(Channel, "a@x.org")] * 3 + [{Channel.SMS: "", Channel.EMAIL: "a@x.org"}, {}])
wait_limits = st.tuples(
    st.sampled_from([timedelta(), timedelta(), HOUR, DAY, 10 * DAY]), st.sampled_from([0.1, 0.5, 1.0])
)

changes = st.tuples(
    channels, st.sampled_from(Purpose), st.sampled_from(ConsentStatus), ago, st.sampled_from([*Method, ""])
)
any_deferral = st.tuples(
    st.sampled_from([OWN, "a", "b"]),
    st.none() | ago | ago.map(lambda length: length - 8 * HOUR),
    st.sampled_from(sorted(DEFERRED)),
    st.sampled_from([ENROLLMENT, "other"]),
    ago,
    st.integers(0, 2),
    priorities,
)
claims = st.tuples(
    st.sampled_from([OWN, "a", "b", "c"]), ago, st.sampled_from(Purpose), channels, st.sampled_from([JOURNEY, "other"])
)
suppressions = st.tuples(channels, st.sampled_from(Cause), ago, st.none() | st.none() | st.sampled_from(Purpose))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Every case."""
    now = draw(instants)
    length, share = draw(wait_limits)
    wanted = message(
        id=OWN,
        channels=draw(wishes),
        purpose=draw(purposes),
        addresses=draw(addresses),
        decided_at=now - length * share,
        variables={"profile": {"preferred_time": draw(preferences), "vip": draw(rarely)}},
        time_zone=draw(zones),
        position=draw(st.integers(0, 1)),
        terms=draw(terms),
        jurisdiction=draw(wheres),
        approval=Approval(not draw(rarely), "eve", now) if draw(rarely) else None,
        journey_ended=draw(rarely) and draw(rarely),
    )
    return Case(wanted, draw(contacts(now)), draw(settings(now)), now)


@st.composite
def settings(draw: st.DrawFn, now: datetime) -> GateSettings:
    paused = []
    for target, length, share, policy, window in draw(few_pauses):
        until = None if share is None else now - length * (1 - share)
        paused.append(Pause(target, now - length, until, policy, window))
    return GateSettings(draw(policies), draw(stopped), tuple(paused))


few_pauses = few(pauses)
stopped = st.sampled_from(
    [frozenset()] * 8
    + [frozenset({one}) for one in ("all", "channel:email", "channel:sms", "journey:visit", "journey:other")]
    + [frozenset({"template:visit/confirm"}), frozenset({"country:US", "journey:other"})]
)


@st.composite
def contacts(draw: st.DrawFn, now: datetime) -> Contact:
    said = agreed(now) if draw(st.sampled_from([False, True, True])) else []
    for channel, purpose, status, since, method in draw(few_changes):
        evidence = {"method": str(method)} if method else {}
        if status is ConsentStatus.IN_DOUBT:
            evidence["until"] = instant_to_wire(now - since + DAY)
        said.append(ConsentChange(channel, purpose, status, now - since, "form", evidence))
    against = draw(few_suppressions)
    return Contact(
        claims={id_: Claim(now - since, *what) for id_, since, *what in draw(few_claims)},
        deferrals={
            id_: Deferral(
                None if until is None else now - until, reason, enrollment, now - since, position, priority=priority
            )
            for id_, until, reason, enrollment, since, position, priority in draw(few_deferrals)
        },
        last_inbound={one: now - since for one, since in draw(few_words)},
        suppressed={one: (Suppression(cause, now - since, purpose),) for one, cause, since, purpose in against},
    ).after(said)


few_changes = few(changes, 5)
few_suppressions = few(suppressions, 1)
few_claims = few(claims, 4)
few_deferrals = few(any_deferral)
few_words = few(st.tuples(channels, ago))


def agreed(now: datetime) -> list[ConsentChange]:
    """A customer who has agreed to everything."""
    proof = {"method": Method.DOUBLE_OPT_IN.value}
    return [
        ConsentChange(channel, purpose, ConsentStatus.GRANTED, now - 10 * DAY, "form", proof)
        for channel in Channel
        for purpose in Purpose
    ]


def cooling_down_until_days_that_are_closed() -> Case:
    """Today is legal, but too soon after another message; from tomorrow on no day is legal."""
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    wanted = message(id=OWN, purpose=Purpose.MARKETING, addresses=dict.fromkeys(Channel, "a@x.org"), decided_at=now)
    closed = Closed(jurisdiction=EVERYWHERE, dates=frozenset(now.date() + ahead * DAY for ahead in range(1, 30)))
    policy = Policy(closed=(closed,), cooldowns=(Cooldown(length=DAY),), max_hold=14 * DAY)
    contact = Contact(claims={"a": Claim(now - HOUR, Purpose.MARKETING, wanted.channels[0], JOURNEY)})
    return Case(wanted, contact.after(agreed(now)), GateSettings(policy), now)


def unhindered(case: Case) -> Case:
    """The same message with nothing that forbids it: it goes out sooner or later."""
    wanted = case.message
    registered = {one: {"dlt_template": "1", "whatsapp_template": "x"} for one in Channel}
    approval = wanted.approval if wanted.approval and wanted.approval.granted else None
    wanted = replace(
        wanted,
        terms=replace(wanted.terms, registered=registered),
        addresses=dict.fromkeys(Channel, "a@x.org"),
        journey_ended=False,
        approval=approval,
    )
    policy = replace(case.policy, forbidden=(), dlt_entity="1101")
    contact = replace(case.contact, consents={one.key: one for one in agreed(case.now)}, suppressed={})
    return Case(wanted, contact, replace(case.settings, policy=policy, stopped=frozenset()), case.now)


def by_the_clock(case: Case) -> Case:
    """The same message with hours and limits as the only rules."""
    case = unhindered(case)
    wanted, policy = case.message, case.policy
    wanted = replace(wanted, terms=replace(wanted.terms, review=None, useful_for=None), decided_at=case.now)
    settings = replace(case.settings, pauses=(), policy=replace(policy, reviews=(), max_hold=14 * DAY))
    return replace(case, message=wanted, contact=replace(case.contact, deferrals={}), settings=settings)


def _said(case: Case, purpose: Purpose, status: ConsentStatus | None) -> Case:
    """The contact with this change alone, on every channel."""
    words = [] if status is None else [ConsentChange(one, purpose, status, case.now - DAY, "form") for one in Channel]
    return replace(case, contact=replace(case.contact, consents={word.key: word for word in words}))


def _suppressed(case: Case, cause: Cause, purpose: Purpose | None) -> Case:
    against = dict.fromkeys(Channel, (Suppression(cause, case.now - DAY, purpose),))
    return replace(case, contact=replace(case.contact, suppressed=against))


def _with(case: Case, **changes: Any) -> Case:
    return replace(case, message=replace(case.message, **changes))


HINDRANCES: tuple[Callable[[Case], Case], ...] = (
    lambda case: _with(case, journey_ended=True),
    lambda case: _with(case, approval=Approval(granted=False, by="eve", at=case.now)),
    lambda case: _with(case, addresses={}),
    lambda case: _suppressed(case, Cause.HARD_BOUNCE, None),
    lambda case: _suppressed(case, Cause.STOP, None),
    lambda case: _suppressed(case, Cause.UNSUBSCRIBE, case.message.purpose),
    lambda case: _said(case, case.message.purpose, ConsentStatus.DENIED),
    lambda case: _said(_with(case, purpose=Purpose.MARKETING), Purpose.MARKETING, None),
    lambda case: _said(_with(case, purpose=Purpose.MARKETING), Purpose.MARKETING, ConsentStatus.PENDING),
    lambda case: _said(_with(case, purpose=Purpose.MARKETING), Purpose.TRANSACTIONAL, ConsentStatus.GRANTED),
    lambda case: _said(_with(case, channels=(Channel.WHATSAPP,)), case.message.purpose, None),
)
"""Each of them suppresses a message."""

timed = cases().map(by_the_clock)
allowed = cases().map(unhindered)
hindered = st.builds(lambda case, hindrance: hindrance(unhindered(case)), cases(), st.sampled_from(HINDRANCES))


def _somewhere(case: Case, where: tuple[str, ...], rules: tuple[Hours, ...]) -> Case:
    case = _with(case, jurisdiction=replace(case.message.jurisdiction, zones=where))
    return replace(case, settings=replace(case.settings, policy=replace(case.policy, hours=rules)))


by_the_hour = st.builds(
    _somewhere,
    timed,
    st.lists(zones, min_size=1, max_size=3).map(tuple),
    st.lists(hours, min_size=1, max_size=2).map(tuple),
)
every_case = st.sampled_from([cases(), cases(), allowed, timed]).flatmap(lambda one: one)


def asleep(case: Case, channel: Channel) -> Iterator[str]:
    """The rules of time that deny a message on a channel, checked one by one."""
    wanted, country = case.message, case.message.jurisdiction.countries.get(channel, "")
    for name in wanted.jurisdiction.zones or (wanted.time_zone,):
        about = [
            rule
            for rule in (*case.policy.hours, *case.policy.closed)
            if channel in rule.channels
            and wanted.purpose in rule.purposes
            and _applies_to(rule.jurisdiction, country, wanted.jurisdiction.region, name in rule.zones, case.policy)
        ]
        local = case.now.astimezone(ZoneInfo(name))
        for rule in about:
            if isinstance(rule, Closed) and (local.isoweekday() in rule.days or local.date() in rule.dates):
                yield f"closed in {name}: {rule}"
        windows = sorted((one for one in about if isinstance(one, Hours)), key=_origin)
        for origin, together in groupby(windows, key=_origin):
            if not any(_opens(window, name, case.now) for window in together):
                yield f"quiet in {name}: {origin}"


def _origin(rule: Hours) -> tuple[str, str]:
    return rule.jurisdiction, rule.source


def _applies_to(jurisdiction: str, country: str, region: str, in_zone: bool, policy: Policy) -> bool:  # noqa: FBT001
    if jurisdiction == EVERYWHERE:
        return True
    its_country, _, its_region = jurisdiction.partition("-")
    if its_country != country:
        return False
    known = its_region in {"", region}
    return known or (not region and in_zone and policy.unknown_region == "strictest")


def _opens(window: Hours, zone: str, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(window.clock or zone))
    minutes = (local.hour, local.minute)
    begun = minutes >= (window.start.hour, window.start.minute)
    over = window.end != time(0) and minutes >= (window.end.hour, window.end.minute)
    return local.isoweekday() in window.days and begun and not over


def crowded(case: Case, channel: Channel) -> Iterator[str]:
    """The limits that one more message would exceed, counted plainly."""
    wanted = case.message
    zone = ZoneInfo(wanted.time_zone)
    others = [claim for id_, claim in case.contact.claims.items() if id_ != wanted.id]
    today = case.now.astimezone(zone).date()
    for cap in case.policy.caps:
        counted = [
            claim
            for claim in others
            if claim.purpose in cap.purposes
            and cap.channel in {None, claim.channel}
            and cap.journey in {"", claim.journey}
            and _within(cap, claim.at, case.now, zone, today)
        ]
        concerned = wanted.purpose in cap.purposes and cap.channel in {None, channel}
        if concerned and cap.journey in {"", wanted.journey} and len(counted) >= cap.room(wanted.terms.priority):
            yield f"{cap}: {counted}"
    for rest in case.policy.cooldowns:
        concerned = wanted.purpose in rest.purposes and rest.channel in {None, channel}
        too_near = [
            claim
            for claim in others
            if claim.purpose in rest.purposes
            and rest.channel in {None, claim.channel}
            and case.now - claim.at < rest.length
        ]
        if concerned and too_near:
            yield f"{rest}: {too_near}"


def _within(cap: Cap, at: datetime, now: datetime, zone: ZoneInfo, today: date) -> bool:
    day = at.astimezone(zone).date()
    if cap.window == "day":
        return day == today
    if cap.window == "week":
        return day.isocalendar()[:2] == today.isocalendar()[:2]
    return now - at < cap.window
