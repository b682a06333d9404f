"""The transactional outbox: a commit writes its effects into the items that it changes; the stream delivers them here.

What an enrollment decided stands in its item, everything else in the head of the customer's state, or in items of its
own where the head has no room for it. What its item says anyway, the outbox of an enrollment does not repeat, such as
the timer that it waits for: every kilobyte costs a write unit.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec, effect_codec
from cairn.adapters.dynamodb.announced import announced_in
from cairn.adapters.dynamodb.codec import Wire
from cairn.adapters.dynamodb.customer_state import as_read
from cairn.adapters.dynamodb.in_head import enrollments_in
from cairn.adapters.dynamodb.items import BROADCAST, DATA, ENROLLED, OUTBOX, STATE, TASK
from cairn.adapters.s3 import MAX_QUEUED_BYTES
from cairn.application.events.relay_effects import Committed, WaitingEffect, commit_of_version, enrollment_of
from cairn.application.values.customers import Commit
from cairn.domain.effects import Effect, Fact, FactKind, WakeAt, effect_id
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.people.task import Task
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

Image = Mapping[str, Mapping[str, Any]]


def outboxes_of(commit: Commit, apart: frozenset[str]) -> dict[str, Wire]:
    """The outboxes of a commit: by the enrollments that it writes as items of their own, and under "" the head's.

    A commit that decided nothing has none.
    """
    reaction, found = commit.reaction, dict[str, Wire]()
    known = {} if reaction.customer.erasure_pending_since else reaction.customer.enrollments
    owners = {id_: known[id_] for id_ in apart if id_ in known}
    elsewhere = as_read(reaction.customer).parts.keys() - apart
    beside = {id_: one for id_, one in known.items() if id_ not in elsewhere}
    for position, effect in enumerate(reaction.effects):
        owner = owners.get(enrollment_of(effect))
        effects = _outbox(found, owner, commit.at).setdefault("effects", [])
        if_elsewhere = {} if position == len(effects) else {"place": position}
        effects.append(_effect_to_wire(effect, owner) | if_elsewhere)
    for fact in reaction.facts:
        owner = owners.get(fact.enrollment)
        _outbox(found, owner, commit.at).setdefault("facts", []).append(_fact_to_wire(fact, owner, beside))
    return found


def outbox_of_task(task: Task, follows: Sequence[Effect]) -> Wire | None:
    """The outbox of a task's item. The ids of its effects begin with that of the task, which is not repeated."""
    if not follows:
        return None
    wires = (effect_codec.effect_to_wire(one) for one in follows)
    effects = [
        {name: value for name, value in wire.items() if (name, value) not in (("enrollment", ""), ("task", task.id))}
        | {"id": wire["id"].removeprefix(task.id)}
        for wire in wires
    ]
    last = max((one.at for one in task.history), default=task.opened_at)
    return {"at": instant_to_wire(last), "effects": effects}


def outbox_of_loser(
    at: datetime,
    fact: Fact,
    effects: Sequence[Effect],
    apart: frozenset[str],  # noqa: ARG001  it is about no enrollment
) -> dict[str, Wire]:
    """The outbox of a customer who loses a name to another one: the fact, and what follows from it."""
    follows = {"effects": [effect_codec.effect_to_wire(one) for one in effects]} if effects else {}
    return {"": {"at": instant_to_wire(at), **follows, "facts": [codec.fact_to_wire(fact)]}}


def committed_in(record: Mapping[str, Any], heard: Collection[AnnouncedType] = ()) -> Committed | None:
    """What follows from a stream record (NEW_AND_OLD_IMAGES): its outbox, and what it announces if that is `heard`.

    None without either.
    """
    found, announced = _outbox_in(record), announced_in(record) if heard else None
    if announced is None or announced.type not in heard:
        return found
    keys = record["dynamodb"]["Keys"]
    commit = found or Committed(keys["pk"]["S"], keys["sk"]["S"], announced.at)
    return replace(
        commit,
        effects=(*commit.effects, announced),
        positions=(*commit.positions, len(commit.effects)),
    )


def _outbox_in(record: Mapping[str, Any]) -> Committed | None:
    change = record["dynamodb"]
    sk, new = change["Keys"]["sk"]["S"], change.get("NewImage", {})
    owner = sk.removeprefix(ENROLLED) if sk.startswith(ENROLLED) and not sk.endswith(DATA) else ""
    if (not owner and sk != STATE and not sk.startswith((OUTBOX, TASK, BROADCAST))) or "outbox" not in new:
        return None
    if sk.startswith(TASK):
        return _of_task(change["Keys"]["pk"]["S"], sk.removeprefix(TASK), change)
    if _number(new, "rev") == _number(change.get("OldImage", {}), "rev"):
        return None
    if sk.startswith(BROADCAST):
        name = commit_of_version(_number(new, "rev"))
        return _committed(change["Keys"]["pk"]["S"], name, None, _json(new, "outbox"), {})
    customer, commit, outbox = change["Keys"]["pk"]["S"], _commit_named(sk, new), _json(new, "outbox")
    if owner:
        return _of_enrollment(customer, commit, owner, json.loads(new["enrollment"]["S"]), outbox)
    enrollments, without_data = enrollments_in(_json(new, "enrollments") if "enrollments" in new else {})
    return _committed(customer, commit, None, outbox, enrollments, without_data)


def _of_enrollment(customer: str, commit: str, id_: str, row: list[Any], outbox: Wire) -> Committed:
    wire = codec.enrollment_from_row(row)
    one = codec.enrollment_from_wire(id_, {"data": {}, **wire})
    without_data = frozenset() if "data" in wire else frozenset({id_})
    return _committed(customer, commit, one, outbox, {id_: one}, without_data)


def _of_task(customer: str, id_: str, change: Mapping[str, Any]) -> Committed | None:
    new, version = change["NewImage"], _number(change["NewImage"], "rank")
    if version == _number(change.get("OldImage", {}), "rank"):
        return None
    return _task_committed(customer, id_, version, _json(new, "outbox"))


def _task_committed(customer: str, id_: str, version: int, outbox: Wire) -> Committed:
    effects = [{"enrollment": "", "task": id_, **one, "id": id_ + one["id"]} for one in outbox["effects"]]
    return _committed(customer, f"{TASK}{id_}#{version}", None, {**outbox, "effects": effects}, {})


@dataclass(frozen=True, slots=True)
class UnreadCommit:
    """A commit that this version of Cairn cannot read, as a dead letter: its outbox is what is worth keeping."""

    body: str
    why: str


def unread_commit(record: Mapping[str, Any], why: str) -> UnreadCommit:
    """Never raises. An outbox that is too large for SQS stays in the stream, for a day, and in the customer's item."""
    change = record.get("dynamodb", {})
    new, keys = change.get("NewImage", {}), change.get("Keys", {})
    sk = keys.get("sk", {}).get("S", "")
    owner = sk.removeprefix(ENROLLED) if sk.startswith(ENROLLED) else ""
    about: Wire = {"customer": keys.get("pk", {}).get("S", ""), "commit": _commit_named(sk, new)}
    if owner:
        about |= {"enrollment": owner, "row": _shown(new.get("enrollment", {}).get("S", ""))}
    outbox = _shown(new.get("outbox", {}).get("S", ""))
    whole = to_json({**about, "outbox": outbox})
    if len(whole.encode()) > MAX_QUEUED_BYTES:
        whole = to_json({**about, "sequence_number": change.get("SequenceNumber", "")})
    return UnreadCommit(whole, why)


def effects_in(dead_letter: Mapping[str, Any]) -> tuple[WaitingEffect, ...]:
    """The effects of a commit that could not be read when it was relayed. Raises as `committed_in` does."""
    commit = dead_letter.get("commit") or commit_of_version(dead_letter["version"])
    customer, outbox = dead_letter["customer"], _read(dead_letter["outbox"])
    if "enrollment" in dead_letter:
        return _of_enrollment(customer, commit, dead_letter["enrollment"], _read(dead_letter["row"]), outbox).work()
    return _committed(customer, commit, None, outbox, {}).work()


def _shown(text: str) -> Any:
    """A document, so that it can be shown without its values; or the text that is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored


def _outbox(found: dict[str, Wire], owner: Enrollment | None, at: datetime) -> Wire:
    return found.setdefault(owner.id if owner else "", {"at": instant_to_wire(at)})


def _effect_to_wire(effect: Effect, owner: Enrollment | None) -> Wire:
    if owner is None:
        return effect_codec.effect_to_wire(effect)
    if effect == _timer_of(owner):
        return {"do": WakeAt.KIND}
    wire = effect_codec.effect_to_wire(effect)
    del wire["enrollment"]
    return wire | {"id": wire["id"].removeprefix(owner.id)}  # what follows begins with "-", as no whole id does


def _effect_from_wire(wire: Wire, owner: Enrollment | None) -> Effect:
    if owner is None:
        return effect_codec.effect_from_wire(wire)
    timer = _timer_of(owner)
    if wire == {"do": WakeAt.KIND} and timer is not None:
        return timer
    id_ = wire["id"]
    whole = owner.id + id_ if id_.startswith("-") else id_
    return effect_codec.effect_from_wire({**wire, "enrollment": owner.id, "id": whole})


def _fact_to_wire(fact: Fact, owner: Enrollment | None, beside: Mapping[str, Enrollment]) -> Wire:
    """Without the journey where an enrollment that is written with it names it."""
    if owner is not None and fact.kind == WAITING:
        via = {name: one for name, one in fact.detail.items() if name == VIA}
        if fact == _wait_of(owner, via):
            return {"kind": WAITING, **via}
    enrollment = beside.get(fact.enrollment)
    wire = codec.fact_to_wire(replace(fact, journey="") if enrollment and enrollment.journey == fact.journey else fact)
    return {name: one for name, one in wire.items() if name != "enrollment"} if owner else wire


def _fact_from_wire(wire: Wire, owner: Enrollment | None, enrollments: Mapping[str, Enrollment]) -> Fact:
    """With the enrollment in whose item it stands, and the journey that is stored beside it."""
    via = {name: one for name, one in wire.items() if name == VIA}
    wait = _wait_of(owner, via) if owner else None
    if wire == {"kind": WAITING, **via} and wait is not None:
        return wait
    fact = codec.fact_from_wire({**wire, "enrollment": owner.id} if owner else wire)
    enrollment = enrollments.get(fact.enrollment)
    return fact if fact.journey or enrollment is None else replace(fact, journey=enrollment.journey)


WAITING: FactKind = "waiting"
VIA = "via"
"""How an enrollment has come to where it waits: the one detail of its fact that its item does not say."""


def _timer_of(one: Enrollment) -> WakeAt | None:
    """The effect of an enrollment that has just begun to wait."""
    if one.step is None or one.timer_at is None:
        return None
    return WakeAt(effect_id(one.id, one.step, one.sequence), one.id, one.sequence, one.timer_at)


def _wait_of(one: Enrollment, via: Mapping[str, str]) -> Fact | None:
    """And its fact."""
    if one.step is None or one.timer_at is None:
        return None
    return Fact(WAITING, one.id, one.journey, one.step, {"until": instant_to_wire(one.timer_at), **via})


def _committed(  # noqa: PLR0913, PLR0917  what an outbox says, and what its item says of it
    customer: str,
    commit: str,
    owner: Enrollment | None,
    outbox: Wire,
    enrollments: Mapping[str, Enrollment],
    without_data: frozenset[str] = frozenset(),
) -> Committed:
    effects = outbox.get("effects", ())
    positions = tuple(int(effect.get("place", number)) for number, effect in enumerate(effects))
    bare = [{name: one for name, one in effect.items() if name != "place"} for effect in effects]
    return Committed(
        customer=customer,
        name=commit,
        at=instant_from_wire(outbox["at"]),
        effects=tuple(_effect_from_wire(effect, owner) for effect in bare),
        facts=tuple(_fact_from_wire(fact, owner, enrollments) for fact in outbox.get("facts", ())),
        positions=positions,
        enrollments=enrollments,
        without_data=without_data,
    )


def _commit_named(sk: str, image: Image) -> str:
    """Of an enrollment that was written alone, its own number distinguishes the commits of one version."""
    if sk.startswith(ENROLLED):
        return f"{commit_of_version(_number(image, 'by'))}-{sk.removeprefix(ENROLLED)}-{_number(image, 'rev')}"
    commit = commit_of_version(_number(image, "rev"))
    return f"{commit}-outbox-{sk.removeprefix(OUTBOX)}" if sk.startswith(OUTBOX) else commit


def _json(image: Image, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(image[name]["S"])
    return document


def _number(image: Image, name: str) -> int:
    return int(image[name]["N"]) if name in image else 0
