"""Limits: how often a customer gets messages. Counted in the claims of sent messages, which every sender reads."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cairn.domain.consent.contact import Claim
from cairn.domain.message.message import Message
from cairn.domain.policy import Cap, Cooldown, Policy
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import at_local, duration_text

MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class LimitDenial:
    """A limit that is reached."""

    limit: Cap | Cooldown
    count: int
    """The number of messages that count: in the cap's window, or 1 for a cooldown."""
    until: datetime
    reserved: int = 0
    """How many of the cap's messages are for more important ones than this."""
    yields_to: str = ""
    """The id of the more important message that waits, and that it would be reached for; empty where it is reached."""

    @property
    def kind(self) -> Literal["cap", "cooldown"]:
        return "cap" if isinstance(self.limit, Cap) else "cooldown"

    @property
    def ends_with_a_day(self) -> bool:
        """Whether it is a cap of the calendar, which ends at midnight."""
        return isinstance(self.limit, Cap) and not isinstance(self.limit.window, timedelta)

    def why(self) -> Mapping[str, Any]:
        limit = self.limit
        why: dict[str, Any] = {"purposes": sorted(limit.purposes)}
        if isinstance(limit, Cap):
            window = limit.window if isinstance(limit.window, str) else duration_text(limit.window)
            why |= {"limit": limit.limit, "window": window} | ({} if self.yields_to else {"count": self.count})
        else:
            why |= {"length": duration_text(limit.length)}
        named: dict[str, Any] = {"channel": limit.channel, "journey": limit.journey if isinstance(limit, Cap) else ""}
        numbers = {"reserved": self.reserved} if self.reserved else {}
        named |= {"yields_to": self.yields_to}
        return why | numbers | {name: str(value) for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class NextFree:
    """The first instant that every limit allows, and the denials before it; without denials, it is now."""

    at: datetime
    denials: tuple[LimitDenial, ...] = ()

    @property
    def denial(self) -> LimitDenial | None:
        """The denial that ends last."""
        return self.denials[-1] if self.denials else None


def next_free(  # noqa: PLR0913  the result depends on each of them
    policy: Policy, message: Message, channel: Channel, claims: Mapping[str, Claim], *, zone: ZoneInfo, now: datetime
) -> NextFree:
    """The earliest instant, from now on, that every cap and cooldown allows if nothing else is sent until then.

    Days and weeks are those of the zone's calendar. The message's own claim is never counted.
    """
    others = [claim for id_, claim in claims.items() if id_ != message.id]
    limits = [limit for limit in policy.limits if limit.covers(message.purpose, channel, message.journey)]
    denials: list[LimitDenial] = []
    at = now
    while (denial := next(_denials(limits, others, zone, at, message.terms.priority), None)) is not None:
        denials.append(denial)
        at = denial.until
    return NextFree(at, tuple(denials))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message of the customer that waits for its time."""

    id: str
    at: datetime
    """When it goes out, at the earliest; not in the past."""
    purpose: Purpose
    priority: int


def in_the_way(  # noqa: PLR0913  the result depends on each of them
    policy: Policy,
    message: Message,
    channel: Channel,
    claims: Mapping[str, Claim],
    waiting: Iterable[Waiting],
    *,
    zone: ZoneInfo,
    now: datetime,
) -> LimitDenial | None:
    """The limit that would stop one of the waiting messages at its time, if this one were sent now.

    None where all of them have room besides it, or none of their own. Only limits on all channels and journeys count:
    it is not known on which channel a message will go out.
    """
    sent = [claim for id_, claim in claims.items() if id_ != message.id]
    own = Claim(now, message.purpose, channel, message.journey)
    limits = [limit for limit in policy.limits if limit.is_general and message.purpose in limit.purposes]
    # At one instant, those without a share of what is reserved go first: the others have room after them.
    for one in sorted(waiting, key=lambda one: (one.at, one.priority, one.id)):
        counting = [limit for limit in limits if one.purpose in limit.purposes]
        if next(_denials(counting, sent, zone, one.at, one.priority), None) is not None:
            continue
        denial = next(_denials(counting, [*sent, own], zone, one.at, one.priority), None)
        if denial is not None:
            return replace(denial, until=one.at, yields_to=one.id)
        sent.append(Claim(one.at, one.purpose, channel, ""))
    return None


def _denials(
    limits: list[Cap | Cooldown], claims: list[Claim], zone: ZoneInfo, now: datetime, priority: int
) -> Iterator[LimitDenial]:
    for limit in limits:
        sent = sorted(claim.at for claim in claims if limit.covers(claim.purpose, claim.channel, claim.journey))
        if isinstance(limit, Cooldown):
            if sent and sent[-1] + limit.length > now:
                yield LimitDenial(limit, 1, sent[-1] + limit.length)
            continue
        room = limit.room(priority)
        reserved = limit.limit - room
        if isinstance(limit.window, timedelta):
            # A sender with a faster clock may have claimed after "now"; its claims count too.
            within = [at for at in sent if at > now - limit.window]
            if len(within) >= room:
                yield LimitDenial(limit, len(within), within[-room] + limit.window, reserved)
        else:
            first, following = _period(limit.window, now.astimezone(zone).date())
            within = [at for at in sent if first <= at.astimezone(zone).date() < following]
            if len(within) >= room:
                yield LimitDenial(limit, len(within), at_local(following, MIDNIGHT, zone), reserved)


def _period(window: Literal["day", "week"], today: date) -> tuple[date, date]:
    """The first day of the calendar's day or week, and the first day after it."""
    if window == "day":
        return today, today + timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=7)
