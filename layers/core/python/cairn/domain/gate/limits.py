"""Limits: how often a customer gets messages. Counted in the claims of sent messages, which every sender reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cairn.domain.consent.contact import Claim
from cairn.domain.message.message import Message
from cairn.domain.policy import Cap, Cooldown, Policy
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.instants import at_local, duration_text

MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class LimitDenial:
    """A limit that is reached."""

    limit: Cap | Cooldown
    count: int
    """The number of messages that count: in the cap's window, or 1 for a cooldown."""
    until: datetime

    @property
    def kind(self) -> Literal["cap", "cooldown"]:
        return "cap" if isinstance(self.limit, Cap) else "cooldown"

    def why(self) -> Mapping[str, Any]:
        limit = self.limit
        why: dict[str, Any] = {"purposes": sorted(limit.purposes)}
        if isinstance(limit, Cap):
            window = limit.window if isinstance(limit.window, str) else duration_text(limit.window)
            why |= {"limit": limit.limit, "count": self.count, "window": window}
        else:
            why |= {"length": duration_text(limit.length)}
        named = {"channel": limit.channel, "journey": limit.journey if isinstance(limit, Cap) else ""}
        return why | {name: str(value) for name, value in named.items() if value}


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
    while (denial := next(_denials(limits, others, zone, at), None)) is not None:
        denials.append(denial)
        at = denial.until
    return NextFree(at, tuple(denials))


def _denials(limits: list[Cap | Cooldown], claims: list[Claim], zone: ZoneInfo, now: datetime) -> Iterator[LimitDenial]:
    for limit in limits:
        sent = sorted(claim.at for claim in claims if limit.covers(claim.purpose, claim.channel, claim.journey))
        if isinstance(limit, Cooldown):
            if sent and sent[-1] + limit.length > now:
                yield LimitDenial(limit, 1, sent[-1] + limit.length)
        elif isinstance(limit.window, timedelta):
            # A sender with a faster clock may have claimed after "now"; its claims count too.
            within = [at for at in sent if at > now - limit.window]
            if len(within) >= limit.limit:
                yield LimitDenial(limit, len(within), within[-limit.limit] + limit.window)
        else:
            first, following = _period(limit.window, now.astimezone(zone).date())
            within = [at for at in sent if first <= at.astimezone(zone).date() < following]
            if len(within) >= limit.limit:
                yield LimitDenial(limit, len(within), at_local(following, MIDNIGHT, zone))


def _period(window: Literal["day", "week"], today: date) -> tuple[date, date]:
    """The first day of the calendar's day or week, and the first day after it."""
    if window == "day":
        return today, today + timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=7)
