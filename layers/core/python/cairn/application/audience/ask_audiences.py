"""Answer who is in an audience: in pages, counted, a sample, and how many are in another one too.

Members are named by their ids alone; that operators have looked is in the audit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from cairn.application.ports import AudienceIndex, Audit
from cairn.application.values.audiences import FilledAudience, Member, MemberCount, MemberPage
from cairn.domain.audience.audiences import Audience, Audiences
from cairn.domain.audience.selection import Asked, Selection, selection
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import InvalidRequestError, UnknownAudienceError
from cairn.domain.shared.hashing import share

LIST_MEMBERS, SAMPLE_MEMBERS = "list_members", "sample_members"

PAGE = 1_000
"""Members that are read at once."""

LOOKED_AT = 20_000
"""Members at most from whom a sample is drawn."""

COMPARED_AT_ONCE = 5_000
"""Members at most that one answer compares with another audience."""


@dataclass(frozen=True, slots=True)
class AudienceState:
    audience: Audience
    filled: FilledAudience | None
    """When the present version was filled; None: it has only customers who have joined since it was deployed."""


@dataclass(frozen=True, slots=True)
class Sample:
    members: tuple[Member, ...]
    among: int
    """Of so many members."""
    is_whole: bool
    """Whether these are all members."""


@dataclass(frozen=True, slots=True)
class Overlap:
    members: int
    """Of the first audience, so many were compared."""
    both: int
    following: str | None


@dataclass(frozen=True, slots=True)
class AskAudiences:
    """Raises UnknownAudienceError, and InvalidRequestError where an audience cannot be asked so."""

    audiences: Audiences
    index: AudienceIndex
    audit: Audit

    def states(self) -> Sequence[AudienceState]:
        filled = self.index.filled()
        return [AudienceState(one, _of_version(one, filled)) for one in self.audiences.all]

    def named(self, name: str) -> Audience:
        found = self.audiences.named(name)
        if found is None:
            names = [one.name for one in self.audiences.all]
            near = get_close_matches(name, names, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UnknownAudienceError(f"there is no audience {name}{meant}")
        return found

    def members(self, name: str, asked: Asked, limit: int, after: str, order: "Order") -> MemberPage:
        audience, selected = self.named(name), self.selected(name, asked)
        page = self.index.page(audience, selected, limit, after)
        if not after:
            self.audit.write(order.entry(LIST_MEMBERS, name))
        return page

    def count(self, name: str, asked: Asked, after: str) -> MemberCount:
        audience, selected = self.named(name), self.selected(name, asked)
        return self.index.count(audience, selected, after)

    def sample(self, name: str, asked: Asked, size: int, order: "Order") -> Sample:
        """A random choice of members: always the same for the same `now`."""
        audience, selected = self.named(name), self.selected(name, asked)
        salt, looked_at, drawn = order.now.isoformat(), 0, list[tuple[float, Member]]()
        after: str | None = ""
        while after is not None and looked_at < LOOKED_AT:
            page = self.index.page(audience, selected, PAGE, after)
            looked_at, after = looked_at + len(page.members), page.following
            drawn += [(share(salt, one.customer), one) for one in page.members]
            drawn = sorted(drawn, key=lambda each: each[0])[:size]
        self.audit.write(order.entry(SAMPLE_MEMBERS, name))
        return Sample(tuple(one for _, one in drawn), looked_at, after is None)

    def overlap(self, name: str, other: str, after: str) -> Overlap:
        """How many members of the first are members of the other one."""
        first, second = self.named(name), self.named(other)
        selected = Selection()
        members, both, following = 0, 0, after or ""
        while members < COMPARED_AT_ONCE:
            page = self.index.page(first, selected, PAGE, following)
            members += len(page.members)
            both += len(self.index.among(second, [one.customer for one in page.members]))
            if page.following is None:
                return Overlap(members, both, None)
            following = page.following
        return Overlap(members, both, following)

    def selected(self, name: str, asked: Asked) -> Selection:
        found = selection(self.named(name), asked)
        if isinstance(found, Selection):
            return found
        raise InvalidRequestError(found)


@dataclass(frozen=True, slots=True)
class Order:
    """An operator's request."""

    by: str
    why: str
    now: datetime

    def entry(self, what: str, audience: str) -> AuditEntry:
        return AuditEntry(self.now, self.by, what, f"audience:{audience}", self.why, {})


def _of_version(audience: Audience, filled: Mapping[str, FilledAudience]) -> FilledAudience | None:
    found = filled.get(audience.name)
    return found if found is not None and found.version == audience.version else None
