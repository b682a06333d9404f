"""Enrollments in the head of a customer's state, and how the head stays far below what an item may have.

They are there in rows, for a while: a commit had no room for them as items of their own. Data of theirs that is an item
already stays one, and where the head would grow too large, their other data becomes items too, the largest first. An
outbox without room in the head is divided among items of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.codec import Wire
from cairn.adapters.dynamodb.entries import size_of
from cairn.adapters.dynamodb.items import DATA, ENROLLED, OUTBOX, CustomerItem
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire

KILOBYTE = 1024

MOST_IN_HEAD = 250 * KILOBYTE
"""Bytes of a head without its outbox, from which on data leaves it (DynamoDB: 400 KB an item). 400 enrollments without
data take about 100."""

FULL_HEAD = 300 * KILOBYTE
"""Bytes of a head with its outbox, from which on the outbox leaves it."""

MOST_IN_OUTBOX = 250 * KILOBYTE
"""Bytes of an outbox that is an item. A single effect of more has one for itself."""

FEW_DECISIONS = 20
"""Effects and facts that fit into any head, if no enrollment is in it: they are not measured."""

OUTBOX_STAYS = timedelta(days=2)
"""How long an outbox is there that is an item, if no commit deletes it: the stream has it for a day, and more is not
needed."""

DataIn = int | str
"""Where the data of an enrollment in the head is, if it is an item: the `written_at` of its usual item; or, in the key
of another one, the hash of its content."""


def data_key(id_: str, where: DataIn) -> str:
    """The sort key of an enrollment's data."""
    return f"{ENROLLED}{id_}{DATA}" if isinstance(where, int) else f"{ENROLLED}{id_}#{where}{DATA}"


def wires_in(enrollments: Mapping[str, Any] | None) -> dict[str, Wire]:
    """The enrollments of a head, by id. Data that is an item is not in them; `data_in` then says where it is.

    Until version 0.2 they were no rows, and had their data.
    """
    return {
        id_: codec.enrollment_from_row(one) if isinstance(one, list) else one
        for id_, one in (enrollments or {}).items()
    }


def enrollments_in(enrollments: Mapping[str, Any] | None) -> tuple[dict[str, Enrollment], frozenset[str]]:
    """The enrollments of a head, and the ids of those whose data is not in it."""
    wires = wires_in(enrollments)
    without = frozenset(id_ for id_, wire in wires.items() if "data" not in wire)
    return codec.enrollments_from_wire({id_: {"data": {}, **wire} for id_, wire in wires.items()}), without


@dataclass(slots=True)
class Rows:
    """Enrollments as the head has them."""

    enrollments: dict[str, list[Any]] = field(default_factory=dict)
    data_in: dict[str, DataIn] = field(default_factory=dict)
    """Where their data is, of those whose data is an item."""
    items: list[CustomerItem] = field(default_factory=list)
    """The data that is an item from now on, to be written before the head refers to it. Written twice, it is the same:
    its key is made of it."""
    size: int = 0
    """Bytes, with what the head has beside them."""


def rows_of(customer_id: str, inline: Iterable[Enrollment], data_in: Mapping[str, DataIn], beside: Any) -> Rows:
    """The rows of enrollments. `data_in` says whose data is an item; `beside` is what else the head has."""
    rows = Rows()
    wires: dict[str, Wire] = {}
    inside: dict[str, str] = {}
    for one in inline:
        wire = wires[one.id] = codec.enrollment_to_wire(one)
        if one.id in data_in:
            wire["data_in"] = rows.data_in[one.id] = data_in[one.id]
            del wire["data"]
        else:
            inside[one.id] = to_json(dict(one.data))
        rows.enrollments[one.id] = codec.enrollment_to_row(wire)
    if not wires:
        return rows
    rows.size = size_of(rows.enrollments) + size_of(beside)
    for id_, data in sorted(inside.items(), key=lambda one: (-len(one[1]), one[0])):
        if rows.size <= MOST_IN_HEAD:
            break
        wire, where = wires[id_], short_hash(data, length=24)
        rows.items.append(CustomerItem(customer_id, data_key(id_, where), data=wire.pop("data")))
        wire["data_in"] = rows.data_in[id_] = where
        before, rows.enrollments[id_] = rows.enrollments[id_], codec.enrollment_to_row(wire)
        rows.size += size_of(rows.enrollments[id_]) - size_of(before)
    return rows


def outbox_items(customer_id: str, version: int, outbox: Wire, enrollments: Mapping[str, Any]) -> list[CustomerItem]:
    """An outbox as items: each has some effects and facts, and the rows of the enrollments that those are about.

    Data in the rows is left out: a message's data is read when it is relayed.
    """
    items: list[CustomerItem] = []
    size = MOST_IN_OUTBOX
    for kind, one in _numbered(outbox):
        row = enrollments.get(one.get("enrollment", ""))
        more = size_of(one) + (size_of(row) if row else 0)
        if size + more > MOST_IN_OUTBOX:
            items.append(
                CustomerItem(
                    customer_id,
                    f"{OUTBOX}{len(items):03d}",
                    version=version,
                    outbox={"at": outbox["at"]},
                    enrollments={},
                    expires_at=int((instant_from_wire(outbox["at"]) + OUTBOX_STAYS).timestamp()),
                )
            )
            size = 0
        items[-1].outbox.setdefault(kind, []).append(one)
        if row:
            items[-1].enrollments[one["enrollment"]] = _without_data(row)
        size += more
    return items


def _numbered(outbox: Wire) -> Iterator[tuple[str, Wire]]:
    """Effects, each with its number in the commit, and facts."""
    for position, effect in enumerate(outbox.get("effects", ())):
        yield "effects", {"place": position, **effect}
    for fact in outbox.get("facts", ()):
        yield "facts", fact


def _without_data(row: list[Any]) -> list[Any]:
    wire = codec.enrollment_from_row(row)
    return codec.enrollment_to_row({name: one for name, one in wire.items() if name != "data"})
