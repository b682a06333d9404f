"""Audiences: conditions over the profile, whose members commits keep up to date (docs/audiences.md).

A commit asks only those audiences that read something that it has changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cairn.domain.audience.order import SortType, encoded, partition_key, shard_of
from cairn.domain.effects import AUDIENCE_JOINED, AUDIENCE_LEFT, Effect, EmitEvent, JoinAudience, LeaveAudience
from cairn.domain.identity.trust import AUDIENCES_SOURCE
from cairn.domain.journey.conditions import Scope, evaluate, is_met
from cairn.domain.profile.lead import LEAD_NAMES
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.hashing import short_hash

NAMES = frozenset({"external_ids", "user_id"})
"""The fields of the profile that follow from its identifiers."""


@dataclass(frozen=True, slots=True)
class Audience:
    name: str
    version: str
    """A hash of all that decides who is a member, and where one stands in order. Another version has other members."""
    condition: str
    """JMESPath on the profile, which follows from nothing but the profile: not from the time."""
    watches: frozenset[str] = frozenset()
    """The fields of the profile and the types of events that the expressions read."""
    partition: str = ""
    sort: str = ""
    until: str = ""
    """Expressions: by what members are divided, by what they are sorted, and where the range ends that `sort` begins;
    empty for none."""
    sorted_as: SortType = SortType.NUMBER
    shards: int = 1
    """Into so many parts the index is divided: each takes about 1,000 changes a second (DynamoDB quota)."""
    says: frozenset[str] = frozenset()
    """AUDIENCE_JOINED, AUDIENCE_LEFT: what deployed journeys listen to."""

    def position(self, profile: Profile, now: datetime) -> "Position | None":
        """Where the customer stands among the members; None for one who is no member."""
        scope = Scope(profile, now, {})
        if not is_met(self.condition, scope):
            return None
        return Position(
            partition_key(evaluate(self.partition, scope)) if self.partition else "",
            encoded(evaluate(self.sort, scope), self.sorted_as, scope.zone) if self.sort else "",
            encoded(evaluate(self.until, scope), self.sorted_as, scope.zone) if self.until else "",
        )

    def joining(self, this: str, customer: str, position: "Position") -> JoinAudience:
        shard = shard_of(customer, self.shards)
        about = (position.partition, position.sort, position.until)
        return JoinAudience(this, self.name, self.version, shard, *about)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a member stands: texts of order.py."""

    partition: str = ""
    sort: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Audiences:
    """All audiences of a deployment; one without audiences.toml loads nothing of this package."""

    all: tuple[Audience, ...]
    _by_field: Mapping[str, tuple[Audience, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, tuple[Audience, ...]] = {}
        for one in self.all:
            for name in one.watches:
                found[name] = (*found.get(name, ()), one)
        object.__setattr__(self, "_by_field", found)

    def named(self, name: str) -> Audience | None:
        return next((one for one in self.all if one.name == name), None)

    def reading(self, changed: Iterable[str]) -> Iterator[Audience]:
        """The audiences that read any of these fields or events, in their order in the file."""
        names = {one.name for name in changed for one in self._by_field.get(name, ())}
        return (one for one in self.all if one.name in names)

    def changes(self, change: "Change", now: datetime) -> tuple[Effect, ...]:
        """How the audiences change by a commit: a customer joins or leaves, or stands elsewhere in order."""
        before, after = change.before, change.after
        if before is after:
            return ()
        effects: list[Effect] = []
        for one in self.reading(changed_fields(before, after)):
            was = one.position(before, now) if before is not None else None
            is_now = one.position(after, now)
            if was == is_now:
                continue
            this = short_hash("audience", one.name, after.id, change.by, length=20)
            if is_now is None:
                effects.append(LeaveAudience(f"{this}-member-1", one.name, one.version))
                says = AUDIENCE_LEFT
            else:
                effects.append(one.joining(f"{this}-member-1", after.id, is_now))
                says = AUDIENCE_JOINED
            if change.starts and says in one.says and (was is None or is_now is None):
                about = {"audience": one.name}
                source = AUDIENCES_SOURCE
                effects.append(EmitEvent(f"{this}-says-1", "", says, about, only_to=change.only_to, source=source))
        return tuple(effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A profile before and after a commit."""

    by: str
    """The key of the event, or the wake-up's own: what changes by it is the same however often it is decided."""
    before: Profile | None
    """As it was stored under the id of `after`; None for a customer who begins."""
    after: Profile
    starts: bool = True
    """Whether it may start journeys; a backfilled event may not."""
    only_to: Mapping[Channel, str] | None = None
    """The only addresses that what it starts may write to; None: the customer's own."""


def changed_fields(before: Profile | None, after: Profile) -> frozenset[str]:
    """The fields of the profile's view that may have another value, and the types of events that have happened."""
    if before is None:
        before = Profile(after.id, after.created_at)
    changed = set(after.changes_since(before))
    if before.identifiers != after.identifiers or before.typed != after.typed:
        changed |= NAMES | (LEAD_NAMES if after.reader is not None else frozenset())
    if before.activity is not after.activity:
        changed |= {
            name
            for name in before.activity.keys() | after.activity.keys()
            if before.activity.get(name) != after.activity.get(name)
        }
    return frozenset(changed)
