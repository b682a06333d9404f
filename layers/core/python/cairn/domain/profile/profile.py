"""A customer's identifiers, attributes and activity. They merge to the same result in any order of arrival."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, USER_ID, Identifier, strongest_first
from cairn.domain.identity.references import MAX_REFERENCES
from cairn.domain.identity.trust import TRACK_SOURCE
from cairn.domain.profile.attributes import GUARDED, TAGS
from cairn.domain.profile.lead import LEAD_NAMES, NO_LEAD, Lead
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.instants import moved

TYPED_ATTRIBUTE = "attributes."
"""Before the name of an attribute, among what a visitor typed."""

ADDRESS_KINDS = frozenset({EMAIL, PHONE})

TAG = f"{TAGS}."
"""Before the name of a tag, among the stored attributes: each tag merges on its own."""
MAX_SOURCES = 20
"""Sources stored for a profile. One more would change nothing: a customer of two sources is everybody's (privacy)."""

UNRECORDED = "unrecorded"
"""In the place of a source: the profile is older than the list of its sources, so any source may have reported."""

FORGOTTEN_AT_ONCE = 10
"""References that one commit takes away, more than an event has: after a merge of many they become fewer again."""

MAX_ACTIVITY_TYPES = 64
"""Event types counted for a profile. It bounds the item's size, far above what a business uses."""


ONE_INSTANT = timedelta(milliseconds=1)
"""Steps that are performed at one instant come one after the other within it; vendors' events are no finer."""


@dataclass(frozen=True, slots=True)
class Activity:
    """The count, first and last instant of one type of event."""

    count: int
    first: datetime
    last: datetime

    def plus(self, other: "Activity | None") -> "Activity":
        if other is None:
            return self
        return Activity(self.count + other.count, min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True)
class Profile:
    """Immutable: every change returns a new profile."""

    id: str
    created_at: datetime
    identifiers: tuple[Identifier, ...] = ()
    attributes: Mapping[str, Stamped] = field(default_factory=dict)
    activity: Mapping[str, Activity] = field(default_factory=dict)
    merged: Mapping[str, datetime] = field(default_factory=dict)
    """The ids of merged profiles, and when each was merged."""
    sources: Mapping[str, datetime] = field(default_factory=dict)
    """The sources that reported something about the customer, and the instant of the first report of each."""
    typed: frozenset[str] = frozenset()
    """What a visitor typed: the keys of identifiers, and the names of attributes that rules read (`attributes.`)."""
    pointers: Mapping[str, str] = field(default_factory=dict)
    """By an identifier's key, the id under which it leads here, where that is not the usual one."""
    references: Mapping[str, datetime] = field(default_factory=dict)
    """The ids of references that lead here (domain/identity/references), and when each was first seen."""
    lead: Lead = NO_LEAD
    reader: Any = field(default=None, compare=False, repr=False)
    """The rules by which the lead is read (LeadReader); None where there are none. Nobody stores it."""

    def get(self, name: str) -> Any:
        stamped = self.attributes.get(name)
        return stamped.value if stamped else None

    @property
    def vouched_identifiers(self) -> tuple[Identifier, ...]:
        """Strongest first; for each, a source has vouched, or its owner has confirmed it."""
        return tuple(name for name in self.identifiers if name.key not in self.typed)

    @property
    def is_known(self) -> bool:
        """Whether there is more to this customer than what a visitor typed."""
        return not self.identifiers or bool(self.vouched_identifiers)

    @property
    def own_identifiers(self) -> tuple[Identifier, ...]:
        """The vouched names. Without an address among them, also the strongest typed name: one address, and no more.

        What stands beside it may be another person's: a shop finds an account by the e-mail that a visitor types, and
        takes the visitor's phone number with it.
        """
        vouched = self.vouched_identifiers
        if any(name.kind in ADDRESS_KINDS for name in vouched):
            return vouched
        return (*vouched, *[name for name in self.identifiers if name.key in self.typed][:1])

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(
            sorted(
                name.removeprefix(TAG)
                for name, stamped in self.attributes.items()
                if name.startswith(TAG) and stamped.value
            ),
        )

    @property
    def last_activity(self) -> datetime:
        return max((activity.last for activity in self.activity.values()), default=self.created_at)

    def view(self, now: datetime | None = None) -> dict[str, Any]:
        """`profile` in conditions and templates: attributes by name, identifiers, tags; with `now`, also as a lead."""
        attributes = {
            name: stamped.value
            for name, stamped in self.attributes.items()
            if not name.startswith(TAG) and stamped.value is not None
        }
        external = {
            name.kind.removeprefix(EXTERNAL): name.value for name in self.identifiers if name.kind.startswith(EXTERNAL)
        }
        user_id = next((name.value for name in self.identifiers if name.kind == USER_ID), None)
        own: dict[str, Any] = {"id": self.id, TAGS: list(self.tags), "external_ids": external, "user_id": user_id}
        own |= self.reader.view(self, now) if self.reader is not None and now is not None else {}
        return attributes | {name: value for name, value in own.items() if value is not None}

    def changes_since(self, before: "Profile") -> frozenset[str]:
        """The fields of the view that have another value, or by the rules of leads may have one."""
        names: set[str] = set()
        if before.attributes is not self.attributes:
            every = before.attributes.keys() | self.attributes.keys()
            found = (name for name in every if before.attributes.get(name) is not self.attributes.get(name))
            names = {TAGS if name.startswith(TAG) else name for name in found}
        if self.reader is not None and (names or before.lead is not self.lead):
            names |= LEAD_NAMES
        return frozenset(names)

    def after(self, event: Event) -> Self:
        """The profile after an event: attributes change by the event's own time."""
        stated = dict(event.attributes)
        stated |= {name.kind: name.value for name in event.vouched_identifiers if name.kind in ADDRESS_KINDS}
        for name in event.typed_identifiers:  # fills an address of a beginning customer, and replaces none
            if name.kind in ADDRESS_KINDS and name in self.identifiers and self.get(name.kind) is None:
                stated[name.kind] = name.value
        profile = self._marking_typed(stated, event).patched(stated, event.occurred_at)
        if event.source != TRACK_SOURCE and event.type.startswith(f"{event.source}."):  # one that no mapping names
            return profile
        activity = dict(self.activity)
        if event.type in activity or len(activity) < MAX_ACTIVITY_TYPES:
            happened = Activity(1, event.occurred_at, event.occurred_at)
            activity[event.type] = happened.plus(activity.get(event.type))
        return replace(profile, activity=activity)

    def _marking_typed(self, stated: Iterable[str], event: Event) -> Self:
        """With a mark at each guarded attribute that a visitor typed, before the event's attributes are set.

        A visitor's value yields to a source that vouches for the attribute, even to an older one.
        """
        typed = {TYPED_ATTRIBUTE + name for name in event.attributes if name in event.settable and name in GUARDED}
        yielding = self.typed & ({TYPED_ATTRIBUTE + name for name in stated} - typed)
        if not yielding and typed <= self.typed:
            return self
        gone = {name.removeprefix(TYPED_ATTRIBUTE) for name in yielding}
        attributes = {name: stamped for name, stamped in self.attributes.items() if name not in gone}
        return replace(self, attributes=attributes, typed=(self.typed - yielding) | typed)

    def patched(self, attributes: Mapping[str, Any], at: datetime) -> Self:
        """Each attribute takes its latest value by event time; None removes it; `tags` adds and removes tags."""
        changed = dict(self.attributes)
        for name, value in flattened(attributes).items():
            changed[name] = Stamped(value, at).latest(changed.get(name))
        return replace(self, attributes=changed)

    def updated(self, attributes: Mapping[str, Any], now: datetime) -> Self:
        """As `patched`, by a step: it comes after all that the profile has of this instant, whatever the values."""
        changed = dict(self.attributes)
        for name, value in flattened(attributes).items():
            there = changed.get(name)
            is_now = there is not None and now <= there.at < moved(now, ONE_INSTANT)
            at = moved(there.at, timedelta.resolution) if there is not None and is_now else now
            changed[name] = Stamped(value, at).latest(there)
        return replace(self, attributes=changed)

    def reported_by(self, source: str, at: datetime) -> Self:
        """With this source among those that reported something. Of more than MAX_SOURCES, none is added."""
        first = min(at, self.sources.get(source, at))
        if self.sources.get(source) == first or (source not in self.sources and len(self.sources) >= MAX_SOURCES):
            return self
        return replace(self, sources={**self.sources, source: first})

    def with_references(self, ids: Iterable[str], at: datetime) -> Self:
        """With further references. Above MAX_REFERENCES, a few of the oldest go."""
        new = [one for one in ids if one not in self.references]
        if not new:
            return self
        oldest = sorted(self.references, key=lambda one: (self.references[one], one))
        gone = oldest[: min(max(0, len(oldest) + len(new) - MAX_REFERENCES), FORGOTTEN_AT_ONCE)]
        left = {one: seen for one, seen in self.references.items() if one not in gone}
        return replace(self, references={**left, **dict.fromkeys(new, at)})

    def with_identifiers(self, *identifiers: Identifier) -> Self:
        """With names that are vouched for. Once an address is among them, typed ones no longer count."""
        if not identifiers:
            return _settled(self)
        keys = {name.key for name in identifiers}
        names = strongest_first((*self.identifiers, *identifiers))
        return _settled(replace(self, identifiers=names, typed=self.typed - keys))

    def with_pointers(self, pointers: Mapping[str, str]) -> Self:
        """With the ids under which some of the identifiers lead here (`pointers`)."""
        return replace(self, pointers={**self.pointers, **pointers}) if pointers else self

    def with_typed(self, *identifiers: Identifier) -> Self:
        """With names that a visitor typed."""
        new = [name for name in identifiers if name not in self.identifiers]
        if not new:
            return self
        return replace(
            self,
            identifiers=strongest_first((*self.identifiers, *new)),
            typed=self.typed | {name.key for name in new},
        )

    def without_identifiers(self, identifiers: Iterable[Identifier]) -> Self:
        """Without these names, and without the addresses that they are."""
        gone = set(identifiers)
        addresses = [(name.kind, name.value) for name in gone]
        return replace(
            self,
            identifiers=tuple(name for name in self.identifiers if name not in gone),
            typed=self.typed - {name.key for name in gone},
            pointers={key: id_ for key, id_ in self.pointers.items() if key not in {name.key for name in gone}},
            attributes={
                name: stamped
                for name, stamped in self.attributes.items()
                if name not in ADDRESS_KINDS or (name, stamped.value) not in addresses
            },
        )

    def narrowed(self, names: Iterable[Identifier], guarded: frozenset[str] = frozenset()) -> Self:
        """Only these names of a customer who is not known, and no attribute that a visitor may not set later."""
        left = set(names)
        profile = self.without_identifiers(name for name in self.identifiers if name not in left)
        addresses = [(name.kind, name.value) for name in left]  # an attribute's value may be of any shape
        return replace(
            profile,
            attributes={
                name: stamped
                for name, stamped in profile.attributes.items()
                if name.partition(".")[0] not in GUARDED | guarded or (name, stamped.value) in addresses
            },
        )

    def absorbing(self, other: "Profile", now: datetime) -> Self:
        """Both profiles as one. Any order of merges gives the same result, apart from the id that survives."""
        attributes = dict(self.attributes)
        for name, stamped in other.attributes.items():
            attributes[name] = stamped.latest(attributes.get(name))
        activity = dict(self.activity)
        for event_type, happened in other.activity.items():
            activity[event_type] = happened.plus(activity.get(event_type))
        merged = replace(
            self,
            created_at=min(self.created_at, other.created_at),
            identifiers=strongest_first((*self.identifiers, *other.identifiers)),
            typed=(self.typed | other.typed)
            - {name.key for name in (*self.vouched_identifiers, *other.vouched_identifiers)},
            pointers={**other.pointers, **self.pointers},
            attributes=attributes,
            activity=activity,
            merged={**other.merged, **self.merged, other.id: now},
            sources=_first_reports(self.sources, other.sources),
            references=_earliest(self.references, other.references),
            lead=self.lead if other.lead is NO_LEAD else self.lead.absorbing(other.lead),
        )
        return _settled(merged)


P = TypeVar("P", bound=Profile)


def _settled(profile: P) -> P:
    """Without typed names, once an address is vouched for."""
    if profile.typed and any(name.kind in ADDRESS_KINDS for name in profile.vouched_identifiers):
        return profile.without_identifiers(name for name in profile.identifiers if name.key in profile.typed)
    return profile


def survivor(profiles: tuple[Profile, ...]) -> Profile:
    """The profile whose id survives a merge: the strongest identifier, then the oldest, then the least id."""
    return min(profiles, key=lambda profile: (_strength(profile), profile.created_at.astimezone(UTC), profile.id))


def _first_reports(left: Mapping[str, datetime], right: Mapping[str, datetime]) -> dict[str, datetime]:
    """Of both, the earliest MAX_SOURCES, so that any order of merges gives the same result."""
    both = _earliest(left, right)
    return {source: both[source] for source in sorted(both, key=lambda one: (both[one], one))[:MAX_SOURCES]}


def _earliest(left: Mapping[str, datetime], right: Mapping[str, datetime]) -> dict[str, datetime]:
    return {name: min(at for at in (left.get(name), right.get(name)) if at) for name in {**left, **right}}


def _strength(profile: Profile) -> int:
    return min((name.strength[0] for name in profile.identifiers), default=9)


def flattened(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as they are stored: each tag by itself."""
    flat = {name: value for name, value in attributes.items() if name != TAGS and not name.startswith(TAG)}
    tags = attributes.get(TAGS) or ()
    if isinstance(tags, Mapping):
        return flat | {f"{TAG}{name}": bool(present) for name, present in tags.items()}
    names = tags if isinstance(tags, list | tuple) else [tags]
    return flat | {f"{TAG}{name}": True for name in names if isinstance(name, str)}
