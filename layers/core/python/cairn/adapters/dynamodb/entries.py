"""Entries: the smallest things about a customer that change, each with a name.

An entry is an attribute, the count of one type of event, the instant of an entry into a journey. DynamoDB charges each
started kilobyte of an item that is written, so entries are where few kilobytes change:

* The *head* has the entries that changed last, and the attributes that a sender reads, within a kilobyte.
* *Pages* have the others, each page within a kilobyte. Entries that were written together stand together, since the
  next event of their source changes them together.

An entry in the head counts, and what a page says of it is older. So a change is written into the head alone, until
another one takes its place there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.codec import Wire
from cairn.domain.customer.state import Customer
from cairn.domain.profile.attributes import READ_BY_CAIRN
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.instants import instant_to_wire

UNIT = 1024
"""Bytes of a write unit (DynamoDB)."""

OTHERWISE = 110
"""Bytes of an item beside its entries and names: keys, the names of attributes, numbers."""

LEAST_IN_HEAD = 200
"""Bytes of the head for entries that change, however much else there is: of two or three types of events."""

MANY = 10
"""Enrollments of a customer from which on a read leaves out those that do not matter."""

FEW_IN_A_VERSION = 8
"""Enrollments that are read one by one; of more in one version, all are read."""

IN_A_PAGE = UNIT - OTHERWISE

PAGES_AT_ONCE = 24
"""Pages that a commit writes at most to make room in the head; what it leaves there goes with the next ones."""

ATTRIBUTE, ACTIVITY, SOURCE, MERGED, ENTERED, IN_USE = "a.", "n.", "s.", "g.", "i.", "j."
EARLY_EXIT, EARLY_REFRESH, EARLY_EVENT, ERASED, ELSEWHERE, REFERENCE = "x.", "r.", "v.", "e.", "o.", "f."
POINTS, SPENT, MOVES, MARK = "p.", "l.", "q.", "h."
"""The beginning of an entry's name says its kind."""

ALWAYS_IN_HEAD = frozenset(ATTRIBUTE + name for name in READ_BY_CAIRN)
"""A sender reads the head alone."""

Entries = dict[str, Any]
Pages = Mapping[int, Mapping[str, Any]]


def customer_from(customer_id: str, names: Wire, entries: Mapping[str, Any]) -> Customer:
    """A customer without contact and enrollments. From the head alone it has no more attributes than a sender reads."""
    of = _by_kind(entries)
    early = [codec.early_event_from_wire(one) for one in of[EARLY_EVENT].values()]
    return Customer(
        _profile_from(customer_id, names, of),
        entered=codec.instants_from_wire(of[ENTERED]),
        early_exits=codec.instants_from_wire(of[EARLY_EXIT]),
        early_refreshes=codec.stamped_from_wire(of[EARLY_REFRESH]),
        early_events=tuple(sorted(early, key=lambda one: (one.occurred_at, one.key))),
        erased=codec.instants_from_wire(of[ERASED]),
        elsewhere=frozenset(of[ELSEWHERE]),
    )


def profile_from(customer_id: str, names: Wire, entries: Mapping[str, Any]) -> Profile:
    return _profile_from(customer_id, names, _by_kind(entries))


def _profile_from(customer_id: str, names: Wire, of: Mapping[str, Entries]) -> Profile:
    own = {"attributes": of[ATTRIBUTE], "activity": of[ACTIVITY], "sources": of[SOURCE], "merged": of[MERGED]}
    own |= {"references": of[REFERENCE]}
    own |= {"lead": {"points": of[POINTS], "spent": of[SPENT], "moves": of[MOVES], "marks": of[MARK]}}
    return codec.profile_from_wire(customer_id, {**names, **own})


def early_exits_in(entries: Mapping[str, Any]) -> dict[str, Any]:
    return _by_kind(entries)[EARLY_EXIT]


def all_entries(head: Mapping[str, Any], pages: Iterable[Mapping[str, Any]]) -> Entries:
    """Every entry as it counts."""
    entries: Entries = {}
    for page in pages:
        entries |= page
    return {**entries, **head}


Version = tuple[str, str]
"""Name and version of a journey."""


@dataclass(frozen=True, slots=True)
class InUse:
    """The enrollments in one version of a journey."""

    count: int = 0
    ids: tuple[str, ...] = ()
    """All of them, or none: only where a customer has many enrollments, and few in this version."""


def in_use_in(entries: Mapping[str, Any]) -> dict[Version, InUse]:
    found = {}
    for name, (count, _, *ids) in _by_kind(entries)[IN_USE].items():
        journey, _, version = name.rpartition("@")
        found[journey, version] = InUse(int(count), tuple(ids))
    return found


def changes_in_use(in_use: Mapping[Version, InUse], before: Customer, after: Customer) -> Entries:
    """The entries of the versions into which enrollments came, or from which they went."""
    came = _not_in(before, after)
    went = _not_in(after, before)
    many = sum(one.count for one in in_use.values()) + len(came) - len(went) >= MANY
    changed: dict[Version, list[Any]] = {}
    for one in (*came, *went):
        changed.setdefault((one.journey, one.version), []).append(one)
    entries: Entries = {}
    for version, some in changed.items():
        known = in_use.get(version, InUse())
        count = known.count + sum(1 if one in came else -1 for one in some)
        ids = {*known.ids, *(one.id for one in some if one in came)} - {one.id for one in some if one in went}
        if not after.unread:
            ids = {id_ for id_, one in after.enrollments.items() if (one.journey, one.version) == version}
        listed = sorted(ids) if many and len(ids) == count <= FEW_IN_A_VERSION else []
        at = max(one.ended_at or one.entered_at for one in some)
        entries[f"{IN_USE}{version[0]}@{version[1]}"] = [count, instant_to_wire(at), *listed] if count else None
    return entries


def _not_in(other: Customer, customer: Customer) -> list[Any]:
    """The customer's enrollments that the other one has not, or has in another version."""
    there = other.enrollments
    return [one for id_, one in customer.enrollments.items() if id_ not in there or there[id_].version != one.version]


def changed_entries(before: Customer, after: Customer) -> Entries:
    """The entries that differ, as they are to be stored; None for one that is gone."""
    changed: Entries = {}
    for prefix, old, new, to_wire in _kinds(before, after):
        if new is not old:
            changed |= {prefix + name: None for name in old.keys() - new.keys()}
            changed |= {
                prefix + name: to_wire(one)
                for name, one in new.items()
                if name not in old or (old[name] is not one and to_json(to_wire(old[name])) != to_json(to_wire(one)))
            }
    return changed


def arranged(
    changed: Entries, head: Mapping[str, Any], pages: Pages, names: Wire
) -> tuple[Entries, dict[int, Entries]]:
    """The head's entries after a change, and the pages to write. A page without entries is to be deleted."""
    in_head, after = dict(head), _Pages(pages)
    for name, wire in changed.items():
        if wire is None:
            in_head.pop(name, None)
            after.remove(name)
        else:
            in_head[name] = wire
    for name in _without_room(in_head, names):
        if after.put(name, in_head[name]):
            del in_head[name]
    for page in after.written.values():
        for name in page.keys() & in_head.keys():
            del page[name]
    return in_head, after.written


class _Pages:
    """Pages in the course of a change."""

    def __init__(self, stored: Pages) -> None:
        self.written: dict[int, Entries] = {}
        self._stored = stored
        self._where = {name: number for number, page in stored.items() for name in page}
        self._sizes: dict[int, int] = {}

    def remove(self, name: str) -> None:
        number = self._where.pop(name, None)
        if number is not None:
            page = self._to_write(number)
            self._sizes[number] = self._size(number) - size_of({name: page.pop(name)})

    def put(self, name: str, wire: Any) -> bool:
        """Into the entry's own page, while there is room; else into the first page with room, written ones before.

        False where that is one page too many.
        """
        own, size = self._where.get(name), size_of({name: wire})
        if own is not None and own not in self.written and self._is_last():
            return False
        self.remove(name)
        first = () if own is None else (own,)
        others = () if self._is_last() else (one for one in self._stored if one not in self.written)
        for number in (*first, *self.written, *others):
            if self._size(number) + size <= IN_A_PAGE or (number == own and not self.written[number]):
                break
        else:
            if self._is_last():
                return False
            number = max((*self._stored, *self.written), default=-1) + 1
        self._to_write(number)[name] = wire
        self._where[name] = number
        self._sizes[number] = self._size(number) + size
        return True

    def _is_last(self) -> bool:
        return len(self.written) >= PAGES_AT_ONCE

    def _to_write(self, number: int) -> Entries:
        return self.written.setdefault(number, dict(self._stored.get(number, {})))

    def _size(self, number: int) -> int:
        if number not in self._sizes:
            self._sizes[number] = size_of(self._stored.get(number, {}))
        return self._sizes[number]


def _kinds(before: Customer, after: Customer) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any], Any]]:
    old, new = before.profile, after.profile
    yield ATTRIBUTE, old.attributes, new.attributes, codec.value_to_wire
    yield ACTIVITY, old.activity, new.activity, codec.activity_to_wire
    yield SOURCE, old.sources, new.sources, instant_to_wire
    yield MERGED, old.merged, new.merged, instant_to_wire
    yield REFERENCE, old.references, new.references, instant_to_wire
    yield POINTS, old.lead.points, new.lead.points, codec.points_to_wire
    yield SPENT, old.lead.spent, new.lead.spent, codec.spent_to_wire
    yield MOVES, old.lead.moves, new.lead.moves, codec.moves_to_wire
    yield MARK, old.lead.marks, new.lead.marks, codec.value_to_wire
    yield ENTERED, before.entered, after.entered, instant_to_wire
    yield EARLY_EXIT, before.early_exits, after.early_exits, instant_to_wire
    yield EARLY_REFRESH, before.early_refreshes, after.early_refreshes, codec.value_to_wire
    yield EARLY_EVENT, _by_key(before), _by_key(after), codec.early_event_to_wire
    yield ERASED, before.erased, after.erased, instant_to_wire
    yield ELSEWHERE, dict.fromkeys(before.elsewhere, ""), dict.fromkeys(after.elsewhere, ""), str


def _without_room(head: Mapping[str, Any], names: Wire) -> list[str]:
    """The entries that are to leave the head: attributes first, since a sender seldom changes one alone.

    Half of the room is made free at once, so that the next entries cost no page.
    """
    if OTHERWISE + size_of(names) + size_of(head) <= UNIT:
        return []
    sizes = {name: size_of({name: wire}) for name, wire in head.items()}
    fixed = OTHERWISE + size_of(names) + sum(sizes[name] for name in head if name in ALWAYS_IN_HEAD)
    room = -(-(fixed + LEAST_IN_HEAD) // UNIT) * UNIT - fixed
    others = [name for name in head if name not in ALWAYS_IN_HEAD]
    used = sum(sizes[name] for name in others)
    out = []
    if used > room:
        for name in sorted(others, key=lambda one: (not one.startswith(ATTRIBUTE), _changed_at(one, head[one]), one)):
            out.append(name)
            used -= sizes[name]
            if used <= room // 2:
                break
    return sorted(out)


def size_of(document: Any) -> int:
    """Bytes, as JSON."""
    return len(to_json(document).encode(errors="replace"))


def _by_kind(entries: Mapping[str, Any]) -> Mapping[str, Entries]:
    """The entries by the beginning of their names, and without it; a kind of which there are none is empty."""
    found: defaultdict[str, Entries] = defaultdict(dict)
    for name, wire in entries.items():
        found[name[: len(ATTRIBUTE)]][name[len(ATTRIBUTE) :]] = wire
    return found


def _by_key(customer: Customer) -> Mapping[str, Any]:
    return {one.key: one for one in customer.early_events}


def _changed_at(name: str, wire: Any) -> str:
    """The instant in an entry, of which the later one is the greater text."""
    if isinstance(wire, str):
        return wire
    return str(wire["at"] if isinstance(wire, dict) else wire[1] if name.startswith(IN_USE) else wire[-1])
