"""Legal hours: when a message may arrive, by the laws that may apply to the customer, on the customer's own clock.

If the zone or region of a customer is unknown, an instant is legal only if all possible zones and regions allow it. A
number without a country may be anywhere: there, no hours that end are legal in all zones.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from cairn.domain.message.message import Message
from cairn.domain.policy import EVERY_DAY, EVERYWHERE, Closed, Hours, Policy, Territory
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.instants import at_local, zone_named

HORIZON = timedelta(days=14)
"""How far ahead to look for a legal instant. A message that arrives later has lost its meaning."""

ANYWHERE = ("Etc/GMT+12", "UTC", "Etc/GMT-14")
"""Zones that show every date that it is somewhere: the first clock, the last one, and one between them."""

Rule = TypeVar("Rule", bound=Territory)

DAY = timedelta(days=1)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class HoursDenial:
    """The rule that denies an instant, and the zone whose clock it uses."""

    kind: Literal["quiet_hours", "closed_day"]
    jurisdiction: str
    zone: str
    source: str
    hours: str = ""
    """The hours that it allows: `08:00-21:00`, or with days, `Mon-Sat 09:00-21:00, Sun 12:00-21:00`."""

    def why(self) -> Mapping[str, Any]:
        why = {"jurisdiction": self.jurisdiction, "zone": self.zone, "source": self.source, "hours": self.hours}
        return {name: text for name, text in why.items() if text}


@dataclass(frozen=True, slots=True)
class Opening:
    """The first legal instant, and the rules that deny the earlier ones."""

    at: datetime | None
    """None if no instant within the horizon is legal."""
    denials: tuple[HoursDenial, ...] = ()
    """In order: the first denies now. Empty if now is legal."""

    def why(self) -> Mapping[str, Any]:
        """The first denial, and those that make the wait longer."""
        first, *others = (denial.why() for denial in self.denials)
        return {**first, "also": others} if others else first


def first_legal(policy: Policy, message: Message, channel: Channel, now: datetime) -> Opening:
    """The earliest instant, from now on, at which a message may legally arrive on a channel.

    For a customer without a zone and without a number, the journey's zone counts.
    """
    constraints = tuple(_constraints(policy, message, channel))
    denials: dict[HoursDenial, None] = {}
    at = now
    # Each constraint gives its own next instant. None of them is later than the first instant that all allow, so
    # moving to it skips no legal instant.
    while (later := next(((each, due) for each in constraints if (due := each.first(at)) != at), None)) is not None:
        constraint, due = later
        denials[constraint.denial] = None
        if due is None or due - now > HORIZON:
            return Opening(None, tuple(denials))
        at = due
    return Opening(at, tuple(denials))


@dataclass(frozen=True, slots=True)
class _Constraint:
    """Rules that belong together: the windows of a jurisdiction, or its closed days, on the clock of one zone."""

    denial: HoursDenial
    windows: tuple[Hours, ...] = ()
    closed: tuple[Closed, ...] = ()
    never: bool = False
    """The clock is not known: it is always outside the windows somewhere."""

    @property
    def zone(self) -> ZoneInfo:
        return zone_named(self.denial.zone, "UTC")

    def first(self, now: datetime) -> datetime | None:
        """The first instant, from now on, that it allows."""
        if self.never:
            return None
        if self._open(now):
            return now
        today = now.astimezone(self.zone).date()
        for day in (today + DAY * ahead for ahead in range(HORIZON.days + 2)):
            starts = sorted(start for start in self._starts(day) if start > now and self._open(start))
            if starts:
                return starts[0]
        return None

    def _open(self, instant: datetime) -> bool:
        local = instant.astimezone(self.zone)
        if self.windows:
            return any(_within(window, local) for window in self.windows)
        return not any(_closes(rule, local.date()) for rule in self.closed)

    def _starts(self, day: date) -> Iterator[datetime]:
        """The instants of a day at which it may open: the start of a window, or a change of the clocks."""
        for start in {window.start for window in self.windows} or {MIDNIGHT}:
            yield at_local(day, start, self.zone)
            yield datetime.combine(day, start.replace(fold=1), self.zone).astimezone(UTC)  # when the hour occurs twice
        yield from _clock_change(day, self.zone)


def _constraints(policy: Policy, message: Message, channel: Channel) -> Iterator[_Constraint]:
    if channel in message.jurisdiction.anywhere:
        yield from _constraints_anywhere(policy, message, channel)
        return
    country, region = message.jurisdiction.countries.get(channel, ""), message.jurisdiction.region
    region = region if region in policy.regions.get(country, {region}) else ""
    for name in message.jurisdiction.zones or (message.time_zone,):

        def binding(rule: Territory, zone: str = name) -> bool:
            asked = channel in rule.channels and message.purpose in rule.purposes
            return asked and _covers(rule, country, region, zone, policy.unknown_region)

        for (jurisdiction, source), windows in _by_origin(filter(binding, policy.hours)):
            clock = windows[0].clock or name
            yield _Constraint(
                HoursDenial("quiet_hours", jurisdiction, clock, source, _in_text(windows)), windows=windows
            )
        for (jurisdiction, source), closed in _by_origin(filter(binding, policy.closed)):
            yield _Constraint(HoursDenial("closed_day", jurisdiction, name, source), closed=closed)


def _constraints_anywhere(policy: Policy, message: Message, channel: Channel) -> Iterator[_Constraint]:
    """Every rule binds, whatever its jurisdiction. Its own clock counts, where it has one."""

    def binding(rule: Territory) -> bool:
        return channel in rule.channels and message.purpose in rule.purposes

    hours = [one for one in _by_origin(filter(binding, policy.hours)) if not any(map(_is_always_open, one[1]))]
    for (jurisdiction, source), windows in sorted(hours, key=lambda one: bool(one[1][0].clock)):
        clock = windows[0].clock or ""
        denial = HoursDenial("quiet_hours", jurisdiction, clock, source, _in_text(windows))
        yield _Constraint(denial, windows=windows, never=not clock)
    for name in ANYWHERE:
        for (jurisdiction, source), closed in _by_origin(filter(binding, policy.closed)):
            yield _Constraint(HoursDenial("closed_day", jurisdiction, name, source), closed=closed)


def _is_always_open(window: Hours) -> bool:
    return window.days == EVERY_DAY and window.start == window.end == MIDNIGHT


def _by_origin(rules: Iterable[Rule]) -> Iterator[tuple[tuple[str, str], tuple[Rule, ...]]]:
    """Rules with the same jurisdiction and source."""

    def origin(rule: Rule) -> tuple[str, str]:
        return rule.jurisdiction, rule.source

    for key, group in groupby(sorted(rules, key=origin), key=origin):
        yield key, tuple(group)


def _covers(rule: Territory, country: str, region: str, zone: str, unknown_region: str) -> bool:
    """Whether a rule may apply to a customer in this zone."""
    if rule.jurisdiction == EVERYWHERE:
        return True
    its_country, _, its_region = rule.jurisdiction.partition("-")
    if its_country != country:
        return False
    if not its_region or its_region == region:
        return True
    return not region and unknown_region == "strictest" and zone in rule.zones


def _in_text(windows: tuple[Hours, ...]) -> str:
    """The windows in text: `Mon-Sat 09:00-21:00`."""
    return ", ".join(f"{_days(window.days)}{window.start:%H:%M}-{window.end:%H:%M}" for window in windows)


def _days(days: frozenset[int]) -> str:
    """`Mon-Sat `, `Sun `; empty for every day."""
    first, last = min(days, default=1), max(days, default=7)
    if days == EVERY_DAY:
        return ""
    if len(days) > 1 and days == set(range(first, last + 1)):
        return f"{WEEKDAYS[first - 1]}-{WEEKDAYS[last - 1]} "
    return "/".join(WEEKDAYS[day - 1] for day in sorted(days)) + " "


def _within(window: Hours, local: datetime) -> bool:
    clock = local.time()
    return (
        local.isoweekday() in window.days and window.start <= clock and (clock < window.end or window.end == MIDNIGHT)
    )


def _closes(rule: Closed, day: date) -> bool:
    return day.isoweekday() in rule.days or day in rule.dates or f"{day:%m-%d}" in rule.yearly


def _clock_change(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The instant at which clocks change on a day; none on most days."""
    before, after = at_local(day, MIDNIGHT, zone), at_local(day + DAY, MIDNIGHT, zone)
    was = before.astimezone(zone).utcoffset()
    if was == after.astimezone(zone).utcoffset():
        return
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == was else (before, middle)
    yield after
