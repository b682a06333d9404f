"""How a task finds its owner: one pure choice, and why it was made.

A queue's work is shared as in start-time fair queueing (Goyal, Vin and Cheng, 1996). Each member has a position in the
queue, and the least one gets the next task, which moves it up by a UNIT, divided by the weight. A member who is new, or
comes back, goes on at the position at which the last task was given, and not at what was missed meanwhile. Between
equal positions, the fewer tasks in all come first. Hence two members who are there at the same times, and fit the same
tasks, never differ by more than one task, whatever others come and go. A task that goes to the customer's owner, or
to who has the customer's open task, is outside of this.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import asin, cos, lcm, radians, sin, sqrt
from typing import Any
from zoneinfo import ZoneInfo

from cairn.domain.people.members import Absence, Deal, Member, Override, People, Queue, Share, Strategy, Territory, Work
from cairn.domain.people.task import Wanted
from cairn.domain.shared.hashing import share, short_hash
from cairn.domain.shared.instants import moved

MAX_WEIGHT = 20
UNIT = lcm(*range(1, MAX_WEIGHT + 1))
"""One task, as a share of a queue's work: it is divided by every weight without a rest."""

MAX_OPEN = 1_000
"""The most open tasks of one member: their names are one item of the table, of 400 KB at most (DynamoDB quota)."""

MAX_WHY = 400
"""Characters of a reason: it is stored with the task, and a kilobyte costs a write unit."""

LONGEST_LOOK = 1_000
"""How often the hours of a member and of the queue are compared, before they count as never the same."""

EARTH = 6_371.0
"""Its radius, in kilometres."""

DEFAULT_ZONE = ZoneInfo("UTC")
"""Of a calendar without a zone, which the check of people.toml refuses."""

EMAIL_DOMAIN = "email_domain"
"""The deal key that is the domain of the customer's e-mail address."""

OWNER, LOCALE, SOURCE = "owner", "locale", "source"
LOCATION = ("language", "country", "region", "postal_code")
"""The attributes of a customer by which a task finds its owner."""

NONE_YET = Share()

Finding = tuple[str, str]
"""A member, and what keeps them from a task."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The member who gets a task. With no owner, `why` says what kept each member from it."""

    owner: str
    why: str
    queue: str
    """Where the task is now: a branch or a fallback of the queue that was asked for."""
    work: Work | None = None
    """The owner's work, as the choice was made."""
    share: Share = NONE_YET
    """The owner's share of the queue's work, with this task."""


@dataclass(frozen=True, slots=True)
class Candidate:
    member: Member
    begins_at: datetime
    """When they work first, in this queue; now, where they are there."""
    work: Work
    share: Share
    """With the position at which they are counted now."""
    weight: int
    distance: float
    """How narrowly their territory fits: the smaller, the better."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A task that is to find its owner, and the people who may have it."""

    people: People
    """As they are now (`with_overrides`)."""
    work: Mapping[str, Work]
    """Of all `members_of` its queue; a member without an entry has nothing."""
    wanted: Wanted
    now: datetime
    due_at: datetime
    task: str = ""
    """Its id, which decides between equals, always in the same way."""
    without: Collection[str] = ()
    """Members who have had it already."""


def choose(queue: str, asked: Asked) -> Assignment:
    """The member who gets a task of this queue. Never raises.

    It goes to a member who works now, else to the one who works first, if that is before it is due.
    """
    people, wanted = asked.people, asked.wanted
    if queue not in people.queues:
        return Assignment("", f"people.toml has no queue {queue}", queue)
    if wanted.member:
        return _of_the_deal(queue, asked)
    reasons: list[str] = []
    for name in route(queue, people, wanted):
        here = people.queues[name]
        outside = _outside(here.territories, wanted)
        candidates, findings = ([], []) if outside else _candidates(here, asked)
        if candidates:
            chosen, how, share_after = _chosen(here, candidates, asked)
            said = _shortened([*reasons, f"{name}: {how}", *_said_of(findings)])
            return Assignment(chosen.member.id, said, name, chosen.work, share_after)
        because = [outside] if outside else _said_of(findings) or ["it has no members"]
        reasons.append(f"{name}: nobody ({'; '.join(because)})")
    return Assignment("", _shortened(reasons), queue)


def route(queue: str, people: People, wanted: Wanted) -> Iterator[str]:
    """The queues that are asked one after the other: branches around the customer, the queue itself, its fallback."""
    seen: set[str] = set()

    def below(name: str) -> Iterator[str]:
        if name in seen or name not in people.queues:
            return
        seen.add(name)
        here = people.queues[name]
        fits = ((fit(people.queues[one].territories, wanted), one) for one in here.branches if one in people.queues)
        for _, branch in sorted((distance, one) for distance, one in fits if distance is not None):
            yield from below(branch)
        yield name
        yield from below(here.fallback)

    yield from below(queue)


def members_of(queue: str, people: People) -> frozenset[str]:
    """Everybody who may get a task of this queue, by its branches and fallbacks too."""
    names = _reached(queue, people, lambda here: (*here.branches, here.fallback))
    return frozenset(member for name in names for member in people.queue(name).members)


def is_sticky(queue: str, people: People) -> bool:
    """Whether one of the queues that are asked for a task of this one looks for the customer's own member."""
    return any(people.queue(name).sticky for name in _reached(queue, people, lambda one: (*one.branches, one.fallback)))


def reachable(queue: str, people: People) -> frozenset[str]:
    """This queue, and all to which a task of it may go: by branches and fallbacks, and where it is overdue."""
    return _reached(queue, people, lambda here: (*here.branches, here.fallback, here.escalate_to))


def _reached(queue: str, people: People, leads_to: Callable[[Queue], Iterable[str]]) -> frozenset[str]:
    seen, todo = {queue}, [queue]
    while todo:
        new = set(leads_to(people.queue(todo.pop()))) - {"", *seen}
        seen |= new
        todo += new
    return frozenset(seen)


def with_overrides(people: People, said: Mapping[str, Override]) -> People:
    """People as they are now: who left is a member of no queue, and what operators say comes before people.toml."""
    if not said:
        return people
    left = {id_ for id_, one in said.items() if one.left is not None}
    members = {id_: _with_override(one, said.get(id_)) for id_, one in people.members.items() if id_ not in left}
    queues = people.queues
    if left:
        queues = {
            name: replace(one, members={id_: weight for id_, weight in one.members.items() if id_ not in left})
            for name, one in queues.items()
        }
    return replace(people, queues=queues, members=members)


def with_deals(wanted: Wanted, deals: Mapping[str, Deal], now: datetime) -> Wanted:
    """For the one partner who has registered the customer, if any."""
    valid = (deals[one].partner for one in wanted.deals if one in deals and deals[one].until > now)
    partner = next(valid, "")
    return replace(wanted, member=partner) if partner else wanted


def due_after(queue: Queue | None, now: datetime, allowed: timedelta) -> datetime:
    """When a task is due: after so much of the queue's working hours. A queue that never opens counts all hours."""
    if queue is None or queue.calendar is None:
        return moved(now, allowed)
    return queue.calendar.after(now, allowed, DEFAULT_ZONE) or moved(now, allowed)


def wanted_of(attributes: Mapping[str, Any], people: People, emails: Iterable[str] = ()) -> Wanted:
    """By what a task finds its owner, from a customer's attributes and e-mail addresses. Nothing in them raises."""
    names = (OWNER, LOCALE, SOURCE, *LOCATION)
    texts = {name: str(value) for name in names if isinstance(value := attributes.get(name), str | int)}
    country = texts.get("country", "").upper()
    region = texts.get("region", "").upper()
    values = {name: [str(one)] for name, one in attributes.items() if isinstance(one, str | int) and one != ""}
    values[EMAIL_DOMAIN] = [email.rpartition("@")[2] for email in emails]
    deals = (deal_hash(key, one) for key in people.deal_keys for one in values.get(key, ()))
    latitude, longitude = (_degrees(attributes.get(name)) for name in ("latitude", "longitude"))
    return Wanted(
        owner=texts.get(OWNER, ""),
        language=(texts.get("language") or texts.get(LOCALE, "")).lower()[:2],
        source=texts.get(SOURCE, ""),
        country=country,
        region=region if "-" in region or not (region and country) else f"{country}-{region}",
        postal_code=texts.get("postal_code", "").upper().replace(" ", ""),
        latitude=latitude if longitude is not None else None,
        longitude=longitude if latitude is not None else None,
        deals=tuple(deals),
    )


def deal_hash(key: str, value: str) -> str:
    """The name under which a deal is stored: the value itself is the customer's."""
    return short_hash("deal", key, value.strip().casefold(), length=24)


def first_at_work(member: Member, queue: Queue, since: datetime, until: datetime) -> datetime | None:
    """When a member works first in a queue: in the hours of both, and not absent. None where that is after `until`."""
    zone = _zone_of(member)
    at: datetime | None = since
    for _ in range(LONGEST_LOOK):
        before = at
        for calendar in (queue.calendar, member.calendar):
            at = calendar.after(at, timedelta(), zone) if calendar and at else at
        away = next((one for one in member.absences if at and one.start <= at < one.end), None)
        at = away.end if away else at
        if at is None or at > until:
            return None
        if at == before:
            return at
    return None


def fit(territories: Sequence[Territory], wanted: Wanted) -> float | None:
    """How narrowly one of these territories fits around the customer, less is narrower; None where none does.

    Kilometres where a distance decides. Everywhere is the widest.
    """
    if not territories:
        return EVERYWHERE
    return min((found for one in territories if (found := _fit(one, wanted)) is not None), default=None)


ELSEWHERE = "the customer is in another territory"
NOWHERE = "nobody knows where the customer is, and here is a territory"

EVERYWHERE, COUNTRY, REGION, POSTAL_CODE = 40_000.0, 30_000.0, 25_000.0, 21_000.0
"""Wider than any distance, so that the nearest comes before the longest postal code, region and country."""


def _fit(territory: Territory, wanted: Wanted) -> float | None:
    width = EVERYWHERE
    if territory.country:
        if territory.country != wanted.country:
            return None
        width = COUNTRY
    if territory.region:
        if territory.region != wanted.region:
            return None
        width = REGION
    if territory.postal_code:
        if not wanted.postal_code.startswith(territory.postal_code):
            return None
        width = POSTAL_CODE - len(territory.postal_code)
    if territory.latitude is not None and territory.longitude is not None:
        if wanted.latitude is None or wanted.longitude is None:
            return None
        width = kilometres((territory.latitude, territory.longitude), (wanted.latitude, wanted.longitude))
        return width if width <= territory.kilometres else None
    return width


def kilometres(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The distance of two points on a sphere of the Earth's size, from latitudes and longitudes in degrees."""
    (north, east), (other_north, other_east) = ((radians(a), radians(b)) for a, b in (here, there))
    half = sin((other_north - north) / 2) ** 2 + cos(north) * cos(other_north) * sin((other_east - east) / 2) ** 2
    return 2 * EARTH * asin(sqrt(min(1.0, half)))


def _candidates(queue: Queue, asked: Asked) -> tuple[list[Candidate], list[Finding]]:
    shares = {name: asked.work.get(name, Work()).shares.get(queue.name, NONE_YET) for name in queue.members}
    start = max((one.start for one in shares.values()), default=0)
    candidates: list[Candidate] = []
    findings: list[Finding] = []
    for member in _those_of(queue, asked.people):
        theirs = asked.work.get(member.id, Work())
        why = "has had it" if member.id in asked.without else _unfit(member, asked.wanted) or _full(member, theirs)
        begins_at = None if why else first_at_work(member, queue, asked.now, asked.due_at)
        if begins_at is None:
            findings.append((member.id, why or _away(member, asked.now)))
            continue
        share = replace(shares[member.id], position=max(shares[member.id].position, start))
        weight = queue.members[member.id] if queue.strategy is Strategy.WEIGHTED else 1
        distance = fit(member.territories, asked.wanted) or 0.0
        candidates.append(Candidate(member, begins_at, theirs, share, weight, distance))
    return candidates, findings


def _those_of(queue: Queue, people: People) -> list[Member]:
    return [people.members[name] for name in queue.members if name in people.members]


def _share_after(chosen: Candidate) -> Share:
    before = chosen.share
    return Share(before.position + UNIT // chosen.weight, before.number + 1, before.position)


def _unfit(member: Member, wanted: Wanted) -> str:
    """What keeps a member from such tasks at any time; empty where nothing does."""
    if member.languages and wanted.language and wanted.language not in member.languages:
        return f"does not speak {wanted.language}"
    if missing := wanted.skills - member.skills:
        return f"cannot do {', '.join(sorted(missing))}"
    return _outside(member.territories, wanted)


def _full(member: Member, work: Work) -> str:
    return "has enough to do" if len(work.open) >= (member.capacity or MAX_OPEN) else ""


def _away(member: Member, now: datetime) -> str:
    absence = next((one for one in member.absences if one.start <= now < one.end), None)
    return "is away" if absence else "does not work before it is due"


def _chosen(queue: Queue, candidates: Sequence[Candidate], asked: Asked) -> tuple[Candidate, str, Share]:
    """One of them, how, and the share of the queue's work that they have then."""
    wanted = asked.wanted
    for member, why in ((wanted.owner, "looks after the customer"), (wanted.at_work, "has the customer's open task")):
        theirs = next((one for one in candidates if queue.sticky and one.member.id == member), None)
        if theirs is not None:
            return theirs, f"{member} {why}", theirs.share
    begins_at = min(one.begins_at for one in candidates)
    first = [one for one in candidates if one.begins_at == begins_at]
    when = "" if begins_at <= asked.now else f", at work first, on {_written(begins_at)}"
    chosen = min(first, key=lambda one: (*_rank(queue.strategy, one), share(asked.task, one.member.id), one.member.id))
    among = f" of {len(first)}" if len(first) > 1 else ""
    return chosen, f"{chosen.member.id}, {_BY[queue.strategy]}{among}{when}", _share_after(chosen)


_BY = {
    Strategy.ROUND_ROBIN: "whose turn it is",
    Strategy.WEIGHTED: "whose turn it is by weight",
    Strategy.LEAST_LOADED: "who has the fewest open tasks",
    Strategy.TERRITORY: "whose territory is the narrowest",
}


def _rank(strategy: Strategy, one: Candidate) -> tuple[float, ...]:
    """The least gets the task."""
    shared = (one.share.position, one.share.number * UNIT // one.weight)
    match strategy:
        case Strategy.LEAST_LOADED:
            return len(one.work.open), *shared
        case Strategy.TERRITORY:
            return one.distance, *shared
        case _:
            return shared


def _of_the_deal(queue: str, asked: Asked) -> Assignment:
    """The partner who has registered the customer, and nobody else."""
    name, people = asked.wanted.member, asked.people
    partner, theirs = people.members.get(name), asked.work.get(name, Work())
    why = f"{name} has registered the deal"
    if partner is None:
        return Assignment("", f"{why}, and is no member any more", queue)
    keeps = "has had it" if name in asked.without else _full(partner, theirs)
    at_all_hours = replace(people.queues[queue], calendar=None)
    if not keeps and first_at_work(partner, at_all_hours, asked.now, asked.due_at) is None:
        keeps = _away(partner, asked.now)
    if keeps:
        return Assignment("", f"{why}, but {keeps}", queue)
    return Assignment(partner.id, why, queue, theirs, theirs.shares.get(queue, NONE_YET))


def _outside(territories: Sequence[Territory], wanted: Wanted) -> str:
    if fit(territories, wanted) is not None:
        return ""
    return ELSEWHERE if _is_located(wanted) else NOWHERE


def _is_located(wanted: Wanted) -> bool:
    return bool(wanted.country or wanted.region or wanted.postal_code) or wanted.latitude is not None


def _said_of(findings: Iterable[Finding]) -> list[str]:
    """The members by what keeps them: `ben, cy: is away`."""
    by_reason: dict[str, list[str]] = {}
    for member, why in sorted(findings):
        by_reason.setdefault(why, []).append(member)
    return [f"not {', '.join(members)}: {why}" for why, members in by_reason.items()]


def _shortened(reasons: Iterable[str]) -> str:
    text = "; ".join(reasons)
    return text if len(text) <= MAX_WHY else f"{text[: MAX_WHY - 1]}…"


def _with_override(member: Member, said: Override | None) -> Member:
    if said is None:
        return member
    capacity = member.capacity if said.capacity is None else said.capacity
    written = (_until_back(one, said.back) for one in member.absences)
    return replace(member, absences=(*written, *said.absences), capacity=capacity)


def _until_back(absence: Absence, back: datetime | None) -> Absence:
    return replace(absence, end=min(absence.end, back)) if back and absence.start <= back else absence


def _zone_of(member: Member) -> ZoneInfo:
    return ZoneInfo(member.zone) if member.zone else DEFAULT_ZONE


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _degrees(value: Any) -> float | None:
    try:
        degrees = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except ValueError:
        return None
    return degrees if degrees is not None and abs(degrees) <= 180 else None  # noqa: PLR2004  of a circle
