"""Limits: how often a customer is written to. Counted in the claims of what was sent, which travel with every send."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    """A limit that leaves no room now."""

    limit: Cap | Cooldown
    count: int
    """Messages that stand against it: those within the cap's window, or the one that the cooldown counts from."""
    until: datetime

    @property
    def kind(self) -> Literal["cap", "cooldown"]:
        return "cap" if isinstance(self.limit, Cap) else "cooldown"

    def why(self) -> Mapping[str, Any]:
        limit = self.limit
        told: dict[str, Any] = {"purposes": sorted(limit.purposes)}
        if isinstance(limit, Cap):
            window = limit.window if isinstance(limit.window, str) else duration_text(limit.window)
            told |= {"limit": limit.limit, "count": self.count, "window": window}
        else:
            told |= {"length": duration_text(limit.length)}
        named = {"channel": limit.channel, "journey": limit.journey if isinstance(limit, Cap) else ""}
        return told | {name: str(value) for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class NextFree:
    """When every limit has room for one more message, and what objected on the way; nothing where that is now."""

    at: datetime
    denials: tuple[LimitDenial, ...] = ()

    @property
    def denial(self) -> LimitDenial | None:
        """The one that holds out longest."""
        return self.denials[-1] if self.denials else None


def next_free(  # noqa: PLR0913  each is one thing that room depends on
    policy: Policy, message: Message, channel: Channel, claims: Mapping[str, Claim], *, zone: ZoneInfo, now: datetime
) -> NextFree:
    """The earliest instant from now on at which every cap and cooldown has room, if nothing else is sent till then.

    Days and weeks are those of the zone's calendar. The message's own claim is never counted.
    """
    others = [claim for id_, claim in claims.items() if id_ != message.id]
    every: tuple[Cap | Cooldown, ...] = (*policy.caps, *policy.cooldowns)
    limits = [one for one in every if _about(one, message.purpose, channel, message.journey)]
    objections: list[LimitDenial] = []
    at = now
    while (objection := next(_objections(limits, others, zone, at), None)) is not None:
        objections.append(objection)
        at = objection.until
    return NextFree(at, tuple(objections))


def _about(limit: Cap | Cooldown, purpose: Purpose, channel: Channel, journey: str) -> bool:
    """Whether a limit is about such a message: it limits those that it counts."""
    named = limit.journey if isinstance(limit, Cap) else ""
    return purpose in limit.purposes and limit.channel in {None, channel} and named in {"", journey}


def _objections(
    limits: list[Cap | Cooldown], claims: list[Claim], zone: ZoneInfo, now: datetime
) -> Iterator[LimitDenial]:
    for limit in limits:
        sent = sorted(claim.at for claim in claims if _about(limit, claim.purpose, claim.channel, claim.journey))
        if isinstance(limit, Cooldown):
            if sent and sent[-1] + limit.length > now:
                yield LimitDenial(limit, 1, sent[-1] + limit.length)
        elif isinstance(limit.window, timedelta):
            # A sender whose clock is ahead of ours may have claimed after "now"; that counts as well.
            within = [at for at in sent if at > now - limit.window]
            if len(within) >= limit.limit:
                yield LimitDenial(limit, len(within), within[-limit.limit] + limit.window)
        else:
            first, following = _period(limit.window, now.astimezone(zone).date())
            within = [at for at in sent if first <= at.astimezone(zone).date() < following]
            if len(within) >= limit.limit:
                yield LimitDenial(limit, len(within), at_local(following, MIDNIGHT, zone))


def _period(window: Literal["day", "week"], today: date) -> tuple[date, date]:
    """The first day of the calendar's day or week, and the first one after it."""
    if window == "day":
        return today, today + timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=7)
