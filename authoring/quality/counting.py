"""What one customer adds to the counts of a report. Pure: the run adds them up."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple

from cairn.adapters.phone.numbers import to_e164
from cairn.domain.consent.suppression import Cause, Mark, current_suppressions
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.identity.trust import RESERVED_SOURCES
from cairn.domain.lead.leads import Leads
from cairn.domain.profile.addresses import own_addresses
from cairn.domain.profile.lead import STAGE, STAGES
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import CHANNELS, AddressKind

EVERYBODY = ("all", "")

STALE_AFTER = timedelta(days=365)
"""Nobody has reported an address, and nothing has arrived there, for so long."""

INACTIVE_AFTER = timedelta(days=1095)
"""Three years after the last contact, the French authority wants data of a prospect deleted (CNIL, référentiel relatif
à la gestion des activités commerciales, 2022, section 6)."""

GONE = frozenset({Cause.HARD_BOUNCE, Cause.INVALID_NUMBER})
"""Causes that say that an address does not exist."""

NONE, INVALID, BOUNCED, ANOTHERS, STALE, USABLE = "none", "invalid", "bounced", "not_its_own", "stale", "usable"
"""The state of an address, the first that is true. `not_its_own`: it identifies another customer, so nobody writes."""

TO_MEND = (INVALID, BOUNCED, ANOTHERS, STALE)


class Report(NamedTuple):
    """That a source has reported an attribute: when, and the tag of the value."""

    at: datetime
    tag: str


@dataclass(slots=True)
class Copied:
    """A customer as the export has it."""

    profile: Profile
    audiences: list[str] = field(default_factory=list)
    reported: dict[str, dict[str, Report]] = field(default_factory=dict)
    """By attribute and source, the latest report."""
    arrived: dict[str, datetime] = field(default_factory=dict)
    """By channel, when a message last arrived."""
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    """By channel, what suppresses an address of the customer."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Names of counts, each of which is one more."""

    counts: tuple[tuple[str, ...], ...]
    findings: tuple[tuple[str, str], ...]
    """A fault that can be mended, with an attribute where it is about one."""


@dataclass(frozen=True, slots=True)
class Counting:
    asked: Collection[str]
    """The attributes that journeys ask for."""
    at: datetime
    leads: Leads | None = None

    def __call__(self, one: Copied) -> Counted:
        counts: list[tuple[str, ...]] = []
        findings: list[tuple[str, str]] = []
        filled = [name for name in self.asked if is_filled(one.profile.get(name))]
        for segment in dict.fromkeys(self._segments(one)):
            counts.append(("segment", *segment))
            counts += [("filled", *segment, name) for name in filled]
        for kind in filter(lambda one: one.is_attribute, AddressKind):
            state = self._state(one, kind)
            counts.append(("address", kind.value, state))
            findings += [(f"{kind.value}_{state}", "")] if state in TO_MEND else []
        for name, left, right in disagreements(one.reported):
            counts.append(("disagree", name, left, right))
            findings.append(("disagreement", name))
        if self.at - one.profile.last_activity > INACTIVE_AFTER:
            counts.append(("inactive",))
            findings.append(("inactive", ""))
        return Counted(tuple(counts), tuple(dict.fromkeys(findings)))

    def _segments(self, one: Copied) -> Iterator[tuple[str, str]]:
        yield EVERYBODY
        yield from (("source", name) for name in one.profile.sources if name not in RESERVED_SOURCES)
        yield from (("audience", name) for name in one.audiences)
        view = self.leads.read(one.profile).view(self.at) if self.leads is not None else {}
        stages = view.get(STAGES) or {"": one.profile.get(STAGE)}
        yield from (("stage", stage) for stage in stages.values() if isinstance(stage, str) and stage)

    def _state(self, one: Copied, kind: AddressKind) -> str:
        stamped = one.profile.attributes.get(kind.value)
        if stamped is None or not is_filled(stamped.value):
            return NONE if stamped is None or stamped.value in {None, ""} else INVALID
        channels = [channel for channel, traits in CHANNELS.items() if traits.address is kind]
        if not is_valid(kind, stamped.value):
            return INVALID
        since = [mark for channel in channels for mark in one.marks.get(channel.value, ()) if mark.at >= stamped.at]
        if any(each.cause in GONE for each in current_suppressions(since)):
            return BOUNCED
        if not any(channel in own_addresses(one.profile) for channel in channels):
            return ANOTHERS
        arrived = (one.arrived[channel] for channel in channels if channel in one.arrived)
        return STALE if self.at - max(stamped.at, *arrived, stamped.at) > STALE_AFTER else USABLE


def is_filled(value: Any) -> bool:
    """Whether there is a value, and none such as `undefined` or `n/a`."""
    if isinstance(value, str):
        return bool(value.strip()) and not is_placeholder(value)
    return value is not None and value not in ([], {})


def is_valid(kind: AddressKind, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    match kind:
        case AddressKind.EMAIL:
            return canonical_email(value) is not None
        case AddressKind.PHONE:
            return to_e164(value, "") is not None
        case AddressKind.PUSH_ENDPOINT:
            return value.startswith("arn:")
        case AddressKind.USER_ID:
            return bool(value)


def disagreements(reported: Mapping[str, Mapping[str, Report]]) -> Iterator[tuple[str, str, str]]:
    """Each attribute whose latest reports of two sources differ, with the two."""
    for name, by_source in sorted(reported.items()):
        for left, right in combinations(sorted(by_source), 2):
            if by_source[left].tag != by_source[right].tag:
                yield name, left, right
