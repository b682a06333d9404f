"""A customer's state in parts, so that an event costs what it changes and not what the customer has.

* The *head* (`open#state`): names, the version, entries that changed lately.
* *Pages* (`open#state#about#<n>`): all other entries.
* Each *enrollment* (`open#state#enrolled#<id>`), and its data apart where there is much of it. A wake-up that asked
  nothing about the profile writes its enrollment alone.

A commit writes the parts that change, in one transaction, on condition that the head is still as it was read. Where it
changes more enrollments than a transaction has room for, they first move into the head, and the decision is made anew;
later commits move them out again, some at a time. Meanwhile their data stays where it is, and an outbox for which the
head has no room has items of its own (in_head.py). The head of a version until 0.2 has all parts in it: it is read as
one whose enrollments have not moved out yet, and written as above.

Data that has no room in the head may be more than a transaction takes. It is written before, each under a key that is
made of its content, and is nobody's until the head refers to it. What nobody refers to is deleted with later commits,
on condition that the head is as it was read, so that no commit loses what it refers to.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zlib import crc32

from pynamodb.expressions.condition import Condition

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.codec import Wire
from cairn.adapters.dynamodb.due_times import due_keys
from cairn.adapters.dynamodb.entries import (
    Entries,
    InUse,
    Version,
    all_entries,
    arranged,
    changed_entries,
    changes_in_use,
    customer_from,
    in_use_in,
    profile_from,
    size_of,
)
from cairn.adapters.dynamodb.in_head import (
    FEW_DECISIONS,
    FULL_HEAD,
    OUTBOX_STAYS,
    DataIn,
    Rows,
    data_key,
    enrollments_in,
    outbox_items,
    rows_of,
    wires_in,
)
from cairn.adapters.dynamodb.items import DATA, ENROLLED, ENTRIES, LAST_CHARACTER, OUTBOX, STATE, CustomerItem
from cairn.domain.customer.overdue import next_timer
from cairn.domain.customer.state import Concerns, Customer
from cairn.domain.effects import SendMessage
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.profile.lead import NO_LEAD
from cairn.domain.profile.profile import Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.instants import instant_from_wire
from cairn.settings import DEAD_LETTER_RETENTION, PATIENCE

DATA_APART = 300
"""Bytes of an enrollment's data from which on it is an item of its own, written only when it changes."""

MOVED_OUT = 24
"""Enrollments that one commit moves out of the head at most, beside those that it changes."""

MOVED_DATA = 1024 * 1024
"""Bytes of data that one commit moves out of the head at most, each once or twice (DynamoDB: 4 MB a transaction)."""

FOR_OUTBOXES = 10
"""Items of a transaction that a commit leaves for its outbox, where there are enrollments in the head."""

ENDED_STAYS = 2 * (PATIENCE + DEAD_LETTER_RETENTION)
"""How long an enrollment stays after its end at least, where its data is an item of its own. That is read when a
message is relayed, which may wait in its queue, lie among the dead letters, and do both again once it is redriven."""

Outboxes = Mapping[str, Wire]
"""Effects and facts by the enrollment whose item has them; under an empty id, those of the head."""


class TornReadError(Exception):
    """A commit came into a read."""


@dataclass(frozen=True, slots=True)
class Part:
    """An enrollment that has an item of its own."""

    version: int
    """How often it was written. With `written_at` the condition of the next write: one that was moved into the head and
    out again begins anew."""
    written_at: int
    data_written_at: int | None = None
    """Where its data is an item of its own."""


@dataclass(frozen=True, slots=True)
class AsRead:
    """How a customer is stored; what a commit has to write is the difference."""

    customer: Customer
    head: Mapping[str, Any] = field(default_factory=dict)
    """The entries in the head."""
    pages: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    pages_written_at: Mapping[int, int] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    """The enrollments that were read from items of their own; some may be unread. All others are in the head."""
    data_in: Mapping[str, DataIn] = field(default_factory=dict)
    """Where the data is of those in the head, if it is an item."""
    unread: Mapping[str, Any] = field(default_factory=dict)
    """Those in the head of which the data was not read, as they are stored."""
    spare: Mapping[str, int] = field(default_factory=dict)
    """The sort keys of items that nothing refers to any more, and what each adds to the checksum."""
    is_whole: bool = True
    """Whether all was read."""
    ended_stay_until: int = 0
    """Seconds since 1970: until then messages may be on their way whose data is read when they are relayed, also of
    enrollments that have ended since."""
    enrolled_sum: int = 0
    in_use: Mapping[Version, InUse] = field(default_factory=dict)
    """The enrollments in each version of a journey, also those that were not read."""
    is_older: bool = False
    """Whether the head is as a version until 0.2 wrote it."""


def as_read(customer: Customer) -> AsRead:
    """How a customer is stored that was read here; a new one is not stored at all."""
    stored = customer.as_read
    return stored if isinstance(stored, AsRead) else AsRead(Customer(Profile(customer.id, customer.profile.created_at)))


def customer_in(items: Mapping[str, CustomerItem], *, is_whole: bool = True, to_commit: bool = True) -> Customer:
    """The customer whose state these items are, by sort key, without contact. Raises TornReadError.

    Without `is_whole`, some of the enrollments were not read. To look at a customer, and not `to_commit` anything, a
    read will do into which a commit came.
    """
    head = items[STATE]
    pages = {_number(sk): one for sk, one in items.items() if sk.startswith(ENTRIES)}
    parts = dict(_parts(items))
    sums = _sum(items, ENTRIES) != int(head.pages_sum or 0), _sum(items, ENROLLED) != int(head.enrolled_sum or 0)
    if to_commit and (sums[0] or (is_whole and sums[1]) or not all(_fits(one, items) for one in parts)):
        raise TornReadError
    inline, data_in = _in_head(head, items)
    unread = {} if is_whole else {id_: one for id_, one in (head.enrollments or {}).items() if id_ not in inline}
    if to_commit and is_whole and inline.keys() != (head.enrollments or {}).keys():
        raise TornReadError
    is_older = _is_older(head)
    own, other = _entries_of(head), {number: one.entries or {} for number, one in pages.items()}
    entries = all_entries(own, other.values())
    in_use = in_use_in(entries)
    enrollments = [
        *(inline if to_commit else enrollments_in(head.enrollments)[0] | inline).values(),
        *(enrollment_in(items[ENROLLED + id_], items.get(ENROLLED + id_ + DATA)) for id_ in parts),
    ]
    customer = replace(
        customer_from(head.pk, head.profile or {}, entries),
        enrollments={one.id: one for one in sorted(enrollments, key=lambda one: (one.entered_at, one.id))},
        unread_in=frozenset() if is_whole else frozenset(name for (name, _), one in in_use.items() if one.count),
        unread=0 if is_whole else sum(one.count for one in in_use.values()) - len(enrollments),
        version=int(head.version or 0),
    )
    stored = AsRead(
        customer,
        {} if is_older else own,
        other,
        {number: int(one.written_at or 0) for number, one in pages.items()},
        parts,
        data_in,
        unread,
        _spare(items, parts, data_in) if is_whole else {},
        is_whole,
        int(head.ended_stay_until or 0),
        int(head.enrolled_sum or 0),
        in_use,
        is_older,
    )
    return replace(customer, as_read=stored)


def _in_head(head: CustomerItem, items: Mapping[str, CustomerItem]) -> tuple[dict[str, Enrollment], dict[str, DataIn]]:
    """The enrollments in the head whose data was read, and where the data of each is, if it is an item."""
    found: dict[str, Wire] = {}
    data_in: dict[str, DataIn] = {}
    for id_, wire in wires_in(head.enrollments).items():
        if "data_in" not in wire:
            found[id_] = wire
        elif (data := data_of(id_, wire["data_in"], items)) is not None:
            found[id_], data_in[id_] = {**wire, "data": data}, wire["data_in"]
    return codec.enrollments_from_wire(found), data_in


def data_of(id_: str, where: DataIn, items: Mapping[str, CustomerItem]) -> Any:
    """The data of an enrollment in the head, if it is an item of its own and among these; else None."""
    item = items.get(data_key(id_, where))
    is_it = item is not None and (isinstance(where, str) or item.written_at == where)
    return item.data if item is not None and is_it else None


def sort_keys_of(id_: str, head: CustomerItem) -> list[str]:
    """The sort keys of an enrollment's items, by the head."""
    stored = (head.enrollments or {}).get(id_)
    if stored is None:
        return [ENROLLED + id_, ENROLLED + id_ + DATA]
    wire = wires_in({id_: stored})[id_]
    return [data_key(id_, wire["data_in"])] if "data_in" in wire else []


def is_read(id_: str, items: Mapping[str, CustomerItem]) -> bool:
    """Whether an enrollment is among these items with its data."""
    stored = (items[STATE].enrollments or {}).get(id_)
    if stored is None:
        return ENROLLED + id_ in items
    where = wires_in({id_: stored})[id_].get("data_in")
    return where is None or data_of(id_, where, items) is not None


def enrollments_among(items: Mapping[str, CustomerItem]) -> dict[str, Enrollment]:
    """The enrollments that are among these items with their data."""
    apart = [sk for sk in items if sk.startswith(ENROLLED) and not sk.endswith(DATA)]
    found = [enrollment_in(items[sk], items.get(sk + DATA)) for sk in apart]
    return {**_in_head(items[STATE], items)[0], **{one.id: one for one in found}}


def _spare(
    items: Mapping[str, CustomerItem], parts: Mapping[str, Part], data_in: Mapping[str, DataIn]
) -> dict[str, int]:
    """The data that no enrollment refers to, and outboxes: the stream has them."""
    used = {ENROLLED + id_ + DATA for id_, part in parts.items() if part.data_written_at is not None}
    used |= {data_key(id_, where) for id_, where in data_in.items()}
    data = {sk: one for sk, one in items.items() if sk.startswith(ENROLLED) and sk.endswith(DATA) and sk not in used}
    return {sk: _marked(sk, one.written_at) for sk, one in data.items()} | {
        sk: 0 for sk in items if sk.startswith(OUTBOX)
    }


def concerned_in(items: Mapping[str, CustomerItem], concerns: Concerns) -> Collection[str] | None:
    """The enrollments to read, by the head and the pages; None where it is simpler to read all."""
    in_use = in_use_in(entries_in(items))
    concerned = [in_use[version] for version in concerns(in_use)]
    if any(one.count and not one.ids for one in concerned):
        return None
    return [id_ for one in concerned for id_ in one.ids]


def are_of_one_commit(items: Mapping[str, CustomerItem]) -> bool:
    """Whether no commit came between the reads of the head and of its pages."""
    return _sum(items, ENTRIES) == int(items[STATE].pages_sum or 0)


def profile_in(items: Mapping[str, Any]) -> Profile:
    """The whole profile in a partition's items; with the head alone, as much as a sender reads."""
    head = items[STATE]
    return profile_from(head.pk, head.profile or {}, entries_in(items))


def entries_in(items: Mapping[str, Any]) -> Entries:
    """All entries in a partition's items, or of the head alone."""
    pages = [one.entries or {} for sk, one in items.items() if sk.startswith(ENTRIES)]
    return all_entries(_entries_of(items[STATE]), pages)


def read_profile(customer_id: str) -> dict[str, CustomerItem]:
    """The head of a customer's state and the pages. One Query, short for any number of enrollments."""
    until = CustomerItem.sk.between(STATE, ENTRIES + LAST_CHARACTER)
    query = CustomerItem.query(customer_id, until, consistent_read=True)
    return {item.sk: item for item in query}


def with_pages(head: CustomerItem) -> dict[str, CustomerItem]:
    """A head that was read, with its pages: one more read where it has any."""
    return {STATE: head, **(read_profile(head.pk) if head.pages_sum else {})}


def profile_of(head: CustomerItem) -> Profile:
    """The whole profile of a customer whose head was read."""
    return profile_in(with_pages(head))


def enrollment_in(item: CustomerItem, data: CustomerItem | None = None) -> Enrollment:
    wire = codec.enrollment_from_row(item.enrollment)
    return codec.enrollment_from_wire(item.sk.removeprefix(ENROLLED), {"data": (data and data.data) or {}, **wire})


@dataclass(slots=True)
class StateWrites:
    """The items that a commit writes of one customer's state, each with the version that it must still have."""

    head: CustomerItem
    data_in: Mapping[str, DataIn] = field(default_factory=dict)
    """Where the data is of those enrollments in the head whose data is an item."""
    before: Sequence[CustomerItem] = ()
    """Data that is to be written before; nothing refers to it yet."""
    spare: Mapping[str, int] = field(default_factory=dict)
    """As in `AsRead`, after this commit."""
    puts: list[CustomerItem] = field(default_factory=list)
    deletes: list[CustomerItem] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    """As they were read, by sort key; an item without one is guarded by the head."""

    def __len__(self) -> int:
        return 1 + len(self.puts) + len(self.deletes)

    def delete_spare(self, most: int) -> None:
        """Delete items that nothing refers to any more, so many at most."""
        for sk in sorted(self.spare)[: max(0, most)]:
            self.deletes.append(CustomerItem(self.head.pk, sk))
            self.head.enrolled_sum = int(self.head.enrolled_sum or 0) - self.spare[sk] or None


def parts_apart(after: Customer, room: int) -> frozenset[str] | None:
    """The enrollments that a commit writes as items of their own; None where it has no room for all that it must."""
    stored = as_read(after)
    changed = {one.id: one for one in after.enrollments.values() if _differs(one, stored)}
    must = [one for one in changed.values() if one.id in stored.parts]
    gone = [part for id_, part in stored.parts.items() if id_ not in after.enrollments]
    room -= sum(_items_of(one, stored) for one in must) + sum(1 + (one.data_written_at is not None) for one in gone)
    if room < 0:
        return None
    apart = {one.id for one in must}
    inline = [one for one in after.enrollments.values() if one.id not in stored.parts and _may_move(one.id, stored)]
    resting = [one for one in inline if one.id not in changed]
    room -= FOR_OUTBOXES if len(inline) > FEW_DECISIONS else 0
    size = 0
    for one in (*(one for one in inline if one.id in changed), *resting[:MOVED_OUT]):
        room -= _items_of(one, stored)
        size += size_of(dict(one.data))
        if room < 0 or size > MOVED_DATA:
            break
        apart.add(one.id)
    return frozenset(apart)


def state_writes(
    after: Customer, pages: tuple[Entries, Mapping[int, Entries]], apart: frozenset[str], outboxes: Outboxes
) -> StateWrites:
    """The items of a commit, for the entries as they are placed and the enrollments that are apart."""
    stored, version = as_read(after), after.version + 1
    entries, written = pages
    inline = [one for id_, one in after.enrollments.items() if id_ not in apart and id_ not in stored.parts]
    names = codec.names_to_wire(after.profile)
    rows = rows_of(after.id, inline, _data_in(inline, stored), [names, entries, stored.unread])
    in_head = {**stored.unread, **rows.enrollments}
    waiting = (*inline, *enrollments_in(stored.unread)[0].values())
    marks = {_page_key(number): at for number, at in stored.pages_written_at.items()}
    replaced = {id_: part for id_, part in stored.parts.items() if id_ in apart or id_ not in after.enrollments}
    enrolled: dict[str, int] = {}
    writes = StateWrites(
        CustomerItem(
            after.id,
            STATE,
            version=version,
            profile=names,
            entries=entries,
            enrollments=in_head or None,
            **due_keys(after.id, next_timer(waiting)),
        ),
        rows.data_in,
        [one for one in rows.items if one.sk not in stored.spare],
    )
    _add_outbox(writes, outboxes.get(""), rows, stored)
    for number, page in written.items():
        item = CustomerItem(after.id, _page_key(number), entries=page, written_at=version)
        if page:
            writes.puts.append(item)
            marks[item.sk] = version
        elif marks.pop(item.sk, None) is not None:
            writes.deletes.append(item)
    for id_, part in replaced.items():
        if id_ not in after.enrollments:
            _delete_enrollment(after.id, id_, part, writes)
    for id_ in apart:
        _write_enrollment(after, after.enrollments[id_], stored, outboxes.get(id_), version, writes, enrolled)
    writes.head.pages_sum = _total(marks) or None
    before = sum(_total(_marks_of(id_, part)) for id_, part in replaced.items())
    data = {**_data_of_those_in_the_head(stored), **stored.spare}
    taken = {one.sk for one in (*writes.puts, *writes.deletes)} | enrolled.keys()
    before += sum(mark for sk, mark in data.items() if sk in taken)
    writes.head.enrolled_sum = stored.enrolled_sum - before + _total(enrolled) or None
    used = taken | {data_key(id_, where) for id_, where in writes.data_in.items()}
    writes.spare = {sk: mark for sk, mark in data.items() if sk not in used}
    return writes


def _may_move(id_: str, stored: AsRead) -> bool:
    """Whether it is known what the table has in the place of an enrollment's data, so that it may leave the head."""
    return stored.is_whole or id_ not in stored.customer.enrollments or isinstance(stored.data_in.get(id_), int)


def _data_of_those_in_the_head(stored: AsRead) -> dict[str, int]:
    """The data of enrollments in the head that is an item, by sort key, and what each adds to the checksum."""
    keys = {data_key(id_, where): where for id_, where in stored.data_in.items()}
    return {sk: _marked(sk, where if isinstance(where, int) else None) for sk, where in keys.items()}


def _data_in(inline: Collection[Enrollment], stored: AsRead) -> dict[str, DataIn]:
    """Where the data of enrollments in the head is an item and stays as it is."""
    before = stored.customer.enrollments
    return {
        one.id: stored.data_in[one.id]
        for one in inline
        if one.id in stored.data_in and one.id in before and before[one.id].data is one.data
    }


def _add_outbox(writes: StateWrites, outbox: Wire | None, rows: Rows, stored: AsRead) -> None:
    """The outbox goes into the head while there is room."""
    writes.head.ended_stay_until = stored.ended_stay_until or None
    if outbox is None:
        return
    effects = outbox.get("effects", ())
    is_small = not rows.enrollments and len(effects) + len(outbox.get("facts", ())) <= FEW_DECISIONS
    if is_small or rows.size + size_of(outbox) <= FULL_HEAD:
        writes.head.outbox = outbox
        without_data = frozenset(rows.data_in)
    else:
        writes.puts += outbox_items(writes.head.pk, int(writes.head.version or 0), outbox, rows.enrollments)
        without_data = frozenset(rows.enrollments)
    if any(one["do"] == SendMessage.KIND and one.get("enrollment") in without_data for one in effects):
        writes.head.ended_stay_until = int((instant_from_wire(outbox["at"]) + OUTBOX_STAYS).timestamp())


def alone(after: Customer, enrollment: Enrollment, outbox: Wire | None) -> CustomerItem | None:
    """The one item of a commit that changes one enrollment and nothing else; None where more is to be written."""
    stored = as_read(after)
    part = stored.parts.get(enrollment.id)
    before = stored.customer.enrollments.get(enrollment.id)
    if part is None or before is None or before.data is not enrollment.data:
        return None
    is_large = _is_large(enrollment, stored)
    item = _enrollment_item(after.id, enrollment, part.version + 1, part.written_at, outbox, is_large=is_large)
    item.data_written_at = part.data_written_at
    return item if is_large == (part.data_written_at is not None) else None


def is_apart(customer: Customer) -> bool:
    """Whether nothing is in the head that has its place elsewhere: no enrollment, and no entry without room there."""
    stored = as_read(customer)
    is_bare = customer.enrollments.keys() == stored.parts.keys() and not stored.spare
    return not stored.is_older and is_bare and not placed(customer)[1]


def gathered(customer: Customer, most: int) -> tuple[StateWrites, Customer]:
    """The writes that move enrollments into the head, `most` at once; and the customer after that.

    Data that is an item stays one.
    """
    stored = as_read(customer)
    taken = list(stored.parts)[:most]
    items = {id_: stored.parts[id_].data_written_at for id_ in taken}
    left = replace(
        stored,
        parts={id_: part for id_, part in stored.parts.items() if id_ not in taken},
        data_in={**stored.data_in, **{id_: where for id_, where in items.items() if where is not None}},
        enrolled_sum=stored.enrolled_sum - sum(_mark(ENROLLED + id_, stored.parts[id_].written_at) for id_ in taken),
    )
    customer = replace(stored.customer, version=customer.version, as_read=left)  # nothing of what was decided
    writes = state_writes(customer, (dict(stored.head), {}), frozenset(), {})
    for id_ in taken:
        writes.deletes.append(CustomerItem(customer.id, ENROLLED + id_))
        writes.parts[ENROLLED + id_] = stored.parts[id_]
    return writes, replace(customer, version=customer.version + 1, as_read=replace(left, data_in=writes.data_in))


def pages_gathered(customer: Customer, most: int) -> tuple[StateWrites, Customer]:
    """The writes that move pages into the head, `most` at once; and the customer after that."""
    stored = as_read(customer)
    taken = list(stored.pages)[:most]
    head = all_entries(stored.head, (stored.pages[number] for number in taken))
    customer = replace(stored.customer, version=customer.version, as_read=stored)  # nothing of what was decided
    writes = state_writes(customer, (head, {number: {} for number in taken}), frozenset(), {})
    left = replace(
        stored,
        head=head,
        pages={number: page for number, page in stored.pages.items() if number not in taken},
        pages_written_at={number: at for number, at in stored.pages_written_at.items() if number not in taken},
        data_in=writes.data_in,
    )
    return writes, replace(customer, version=customer.version + 1, as_read=left)


def changed_enrollments(after: Customer) -> list[str]:
    """The enrollments that differ from what is stored, or are gone."""
    stored = as_read(after)
    gone = [id_ for id_ in stored.customer.enrollments if id_ not in after.enrollments]
    return [*gone, *(one.id for one in after.enrollments.values() if _differs(one, stored))]


def placed(after: Customer) -> tuple[Entries, dict[int, Entries]]:
    """The entries of the head, and the pages to write."""
    stored = as_read(after)
    before = Customer(Profile(after.id, after.profile.created_at)) if stored.is_older else stored.customer
    changed = changed_entries(before, after) | changes_in_use(stored.in_use, before, after)
    return arranged(changed, stored.head, stored.pages, codec.names_to_wire(after.profile))


def _write_enrollment(  # noqa: PLR0913, PLR0917  what is written, and where
    after: Customer,
    one: Enrollment,
    stored: AsRead,
    outbox: Wire | None,
    version: int,
    writes: StateWrites,
    marks: dict[str, int],
) -> None:
    part, is_large = stored.parts.get(one.id), _is_large(one, stored)
    item = _enrollment_item(after.id, one, (part.version if part else 0) + 1, version, outbox, is_large=is_large)
    writes.puts.append(item)
    marks[item.sk] = version
    if part:
        writes.parts[item.sk] = part
    data = CustomerItem(after.id, item.sk + DATA, data=dict(one.data), written_at=version)
    had = _data_as_stored(one.id, stored)
    before = stored.customer.enrollments.get(one.id)
    if not is_large:
        if had is not None or data.sk in stored.spare:
            writes.deletes.append(data)
    elif had is not None and before is not None and before.data is one.data:
        marks[data.sk] = item.data_written_at = had
    else:
        writes.puts.append(data)
        marks[data.sk] = item.data_written_at = version


def _data_as_stored(id_: str, stored: AsRead) -> int | None:
    """The `written_at` of an enrollment's data, where that is in its usual item."""
    part, where = stored.parts.get(id_), stored.data_in.get(id_)
    return part.data_written_at if part else where if isinstance(where, int) else None


def _delete_enrollment(customer_id: str, id_: str, part: Part, writes: StateWrites) -> None:
    sk = ENROLLED + id_
    writes.deletes.append(CustomerItem(customer_id, sk))
    writes.parts[sk] = part
    if part.data_written_at is not None:
        writes.deletes.append(CustomerItem(customer_id, sk + DATA))


def _enrollment_item(  # noqa: PLR0913  what it says of an enrollment
    customer_id: str, one: Enrollment, version: int, written_at: int, outbox: Wire | None, *, is_large: bool
) -> CustomerItem:
    wire = codec.enrollment_to_wire(one)
    if is_large:  # a message's data is read when it is relayed
        del wire["data"]
    return CustomerItem(
        customer_id,
        ENROLLED + one.id,
        version=version,
        enrollment=codec.enrollment_to_row(wire),
        written_at=written_at,
        outbox=outbox,
        **due_keys(customer_id, one.timer_at),
    )


def _is_large(one: Enrollment, stored: AsRead) -> bool:
    """Whether an enrollment's data is an item of its own. Of one that ends it stays one: deleting it costs as much."""
    may_be = one.open or _data_as_stored(one.id, stored) is not None
    return may_be and len(to_json(dict(one.data)).encode(errors="replace")) > DATA_APART


def stays_after_its_end(one: Enrollment, stored: AsRead, now: datetime) -> bool:
    """Whether a message may be on its way whose data is read only when it is relayed (ENDED_STAYS)."""
    part = stored.parts.get(one.id)
    is_apart = part is not None and part.data_written_at is not None
    return is_apart and one.ended_at is not None and now - one.ended_at < ENDED_STAYS


def _differs(one: Enrollment, stored: AsRead) -> bool:
    before = stored.customer.enrollments.get(one.id)
    return before is not one and before != one


def _items_of(one: Enrollment, stored: AsRead) -> int:
    is_there = _data_as_stored(one.id, stored) is not None or ENROLLED + one.id + DATA in stored.spare
    return 1 + (_is_large(one, stored) or is_there)


def _parts(items: Mapping[str, CustomerItem]) -> Iterator[tuple[str, Part]]:
    for sk, item in items.items():
        if sk.startswith(ENROLLED) and not sk.endswith(DATA):
            data_at = None if item.data_written_at is None else int(item.data_written_at)
            yield sk.removeprefix(ENROLLED), Part(int(item.version or 0), int(item.written_at or 0), data_at)


def _fits(id_: str, items: Mapping[str, CustomerItem]) -> bool:
    """Whether an enrollment and its data were read as they were written together."""
    data = items.get(ENROLLED + id_ + DATA)
    return (data.written_at if data else None) == items[ENROLLED + id_].data_written_at


def is_part_as_read(part: Part) -> Condition:
    """That nobody has written the enrollment since, nor moved it into the head and out again."""
    unchanged: Condition = (CustomerItem.version == part.version) & (CustomerItem.written_at == part.written_at)
    return unchanged


def _marks_of(id_: str, part: Part) -> dict[str, int]:
    sk = ENROLLED + id_
    data = {} if part.data_written_at is None else {sk + DATA: part.data_written_at}
    return {sk: part.written_at, **data}


def _marked(sk: str, written_at: float | None) -> int:
    """What an item adds to the checksum; nothing, where its key is made of its content."""
    return 0 if written_at is None else _mark(sk, int(written_at))


def _sum(items: Mapping[str, CustomerItem], prefix: str) -> int:
    return sum(_marked(sk, one.written_at) for sk, one in items.items() if sk.startswith(prefix))


def _total(marks: Mapping[str, int]) -> int:
    return sum(_mark(sk, at) for sk, at in marks.items())


def _mark(sk: str, written_at: int) -> int:
    """A sum of these is another one whenever a part was written, came or went (but for one time in 4 billion)."""
    return crc32(f"{sk} {written_at}".encode())


def _page_key(number: int) -> str:
    return f"{ENTRIES}{number:03d}"


def _number(sk: str) -> int:
    return int(sk.removeprefix(ENTRIES))


def _is_older(head: CustomerItem) -> bool:
    return "attributes" in (head.profile or {})


def _entries_of(head: CustomerItem) -> Entries:
    """The entries in the head, also in one of a version until 0.2."""
    if not _is_older(head):
        return head.entries or {}
    memory = head.memory or {}
    profile = codec.profile_from_wire(head.pk, head.profile)
    return changed_entries(
        Customer(replace(profile, attributes={}, activity={}, sources={}, merged={}, lead=NO_LEAD)),
        Customer(
            profile,
            entered=codec.instants_from_wire(memory.get("entered", {})),
            early_exits=codec.instants_from_wire(memory.get("closed", {})),
            early_refreshes=_early_refreshes(memory),
            early_events=tuple(codec.early_event_from_wire(one) for one in memory.get("early", ())),
            erased=codec.instants_from_wire(memory.get("erased", {})),
            elsewhere=frozenset(memory.get("elsewhere", ())),
        ),
    )


def _early_refreshes(memory: Wire) -> dict[str, Stamped]:
    """Under `changed`, with the data alone, until version 0.1."""
    older = codec.stamped_from_wire(memory.get("changed", {}))
    return {
        **{name: Stamped({"data": one.value}, one.at) for name, one in older.items()},
        **codec.stamped_from_wire(memory.get("refreshed", {})),
    }
