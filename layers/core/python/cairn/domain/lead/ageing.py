"""What time makes of a customer: another RFM class, and silence for longer than is usual for this customer.

Both are computed by an event that may change them, and by one timer for each customer. It is set where there is none,
and when it fires it looks at what has happened since: so most events set none, and nobody is scanned for.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from cairn.domain.effects import Fact
from cairn.domain.lead.changes import Changed, OwnEvent
from cairn.domain.lead.reading import HOUR, rfm_of
from cairn.domain.lead.rules import RESUMED, RFM_CHANGED, SLOWED, Rules, Slowing
from cairn.domain.profile.lead import AGES_AT, DAY, RFM_CLASS, SLOW, Lead
from cairn.domain.profile.profile import Activity, Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

NO_CLASS = "none"
"""Of a customer with orders whom no class fits."""


def heard(rules: Rules, profile: Profile, now: datetime, *, by: str, starts: bool) -> Changed:
    """After an event of the type `by`. Without `starts` (a backfilled event) nothing is said and no timer is set.

    A timer that should have fired a day ago is lost, and set anew.
    """
    if by not in rules.ages or not starts:
        return Changed(profile)
    set_for = _set_for(profile)
    is_lost = set_for is not None and now - set_for > DAY
    return _looked(rules, profile, now, None if is_lost else set_for)


def fired(rules: Rules, profile: Profile, now: datetime) -> Changed | None:
    """The customer's timer fired; None where a later one has taken its place."""
    set_for = _set_for(profile)
    if set_for is None or now < set_for:
        return None
    return _looked(rules, profile, now, None)


def silent_from(slowing: Slowing, profile: Profile) -> datetime | None:
    """When the customer will have been silent for too long; None where there is no habit yet."""
    seen: Activity | None = None
    for event in slowing.events:
        if (one := profile.activity.get(event)) is not None:
            seen = one.plus(seen)
    if seen is None or seen.count < slowing.least:
        return None
    usual = (seen.last - seen.first) / (seen.count - 1)
    return seen.last + max(usual * slowing.times, DAY)


def _looked(rules: Rules, profile: Profile, now: datetime, set_for: datetime | None) -> Changed:
    """`set_for`: when the customer's timer fires; None where there is none."""
    lead, facts, says = profile.lead, list[Fact](), list[OwnEvent]()
    rfm = rfm_of(rules, lead, now) if rules.grades and rules.grades.classes else None
    if rfm is not None:
        class_, before = rfm["class"] or NO_CLASS, lead.get(RFM_CLASS)
        if class_ != before:
            about = {"class": class_, **({"before": before} if before else {})}
            lead = _marked(lead, RFM_CLASS, class_, now)
            facts.append(Fact("classified", detail={"arm": class_, **({"before": before} if before else {})}))
            says.append(OwnEvent(RFM_CHANGED, about | {name: rfm[name] for name in GRADES}))
    silent = silent_from(rules.slowing, profile) if rules.slowing else None
    slow = silent is not None and silent <= now
    if silent is not None and slow is not bool(lead.get(SLOW)):
        lead = _marked(lead, SLOW, slow, now)
        facts.append(Fact("slowed" if slow else "resumed"))
        says.append(OwnEvent(SLOWED if slow else RESUMED, {}))
    dues = [*_grades_sink(rules, profile, now), *([silent] if silent is not None and not slow else [])]
    due = min(dues, default=None)
    if due is not None and set_for is not None and due >= set_for - DAY:
        due = None  # the timer that there is comes soon enough
    elif due is not None:
        due = due.replace(minute=0, second=0, microsecond=0) + HOUR
        lead = _marked(lead, AGES_AT, instant_to_wire(due), now)
    elif set_for is None and lead.get(AGES_AT):
        lead = _marked(lead, AGES_AT, "", now)
    profile = profile if lead is profile.lead else replace(profile, lead=lead)
    return Changed(profile, tuple(facts), tuple(one for one in says if one.type in rules.says), ages_at=due)


GRADES = ("recency", "frequency", "monetary")


def _grades_sink(rules: Rules, profile: Profile, now: datetime) -> Iterator[datetime]:
    """When the recency of a customer to whom nothing happens is one grade less."""
    last = max((one.last for one in profile.lead.spent.values() if one.last), default=None)
    if last is None or rules.grades is None or not rules.grades.classes:
        return
    yield from (last + most for most in rules.grades.recency if last + most >= now)


def _marked(lead: Lead, name: str, value: Any, now: datetime) -> Lead:
    """Whatever it was, also at the same instant."""
    return replace(lead, marks={**lead.marks, name: Stamped(value, now)})


def _set_for(profile: Profile) -> datetime | None:
    written: Any = profile.lead.get(AGES_AT)
    return instant_from_wire(written) if written else None
