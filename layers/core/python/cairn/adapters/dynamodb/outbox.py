"""The transactional outbox: a commit writes its effects into the items that it changes; the stream delivers them here.

What an enrollment decided stands in its item, everything else in the head of the customer's state. What its item says
anyway, the outbox of an enrollment does not repeat: every kilobyte costs a write unit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec, effect_codec
from cairn.adapters.dynamodb.codec import Wire
from cairn.adapters.dynamodb.items import DATA, ENROLLED, STATE
from cairn.adapters.s3 import MAX_QUEUED_BYTES
from cairn.application.events.relay_effects import Committed, WaitingEffect, commit_of_version, enrollment_of
from cairn.application.ports import Commit
from cairn.domain.effects import Effect, Fact
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

Image = Mapping[str, Mapping[str, Any]]


def outboxes_of(commit: Commit, apart: frozenset[str]) -> dict[str, Wire]:
    """The outboxes of a commit: by the enrollments that it writes as items of their own, and under "" the head's.

    A commit that decided nothing has none.
    """
    reaction, found = commit.reaction, dict[str, Wire]()
    known = {} if reaction.customer.erasure_pending_since else reaction.customer.enrollments
    for position, effect in enumerate(reaction.effects):
        owner = enrollment_of(effect)
        owner = owner if owner in apart else ""
        effects = _outbox(found, owner, commit.at).setdefault("effects", [])
        effects.append(_effect_to_wire(effect, owner, position if position != len(effects) else None))
    for fact in reaction.facts:
        owner = fact.enrollment if fact.enrollment in apart else ""
        _outbox(found, owner, commit.at).setdefault("facts", []).append(_fact_to_wire(fact, owner, known))
    return found


def facts_alone(at: datetime, *facts: Fact) -> dict[str, Wire]:
    """The outbox of a head for which nothing else was decided."""
    return {"": {"at": instant_to_wire(at), "facts": [codec.fact_to_wire(fact) for fact in facts]}}


def committed_in(record: Mapping[str, Any]) -> Committed | None:
    """The outbox that a stream record (NEW_AND_OLD_IMAGES) shows; None for any other change of the table."""
    change = record["dynamodb"]
    sk, new = change["Keys"]["sk"]["S"], change.get("NewImage", {})
    owner = sk.removeprefix(ENROLLED) if sk.startswith(ENROLLED) and not sk.endswith(DATA) else ""
    if (not owner and sk != STATE) or "outbox" not in new:
        return None
    if _number(new, "rev") == _number(change.get("OldImage", {}), "rev"):
        return None
    enrollments, without_data = _enrollments(owner, new)
    return _committed(
        change["Keys"]["pk"]["S"], _commit_named(owner, new), owner, _json(new, "outbox"), enrollments, without_data
    )


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
    about = {"customer": keys.get("pk", {}).get("S", ""), "commit": _commit_named(owner, new)}
    about |= {"enrollment": owner} if owner else {}
    text = new.get("outbox", {}).get("S", "")
    try:
        outbox = json.loads(text)  # as a document, so that it can be shown without its values
    except ValueError:
        outbox = text
    whole = to_json({**about, "outbox": outbox})
    if len(whole.encode()) > MAX_QUEUED_BYTES:
        whole = to_json({**about, "sequence_number": change.get("SequenceNumber", "")})
    return UnreadCommit(whole, why)


def effects_in(dead_letter: Mapping[str, Any]) -> tuple[WaitingEffect, ...]:
    """The effects of a commit that could not be read when it was relayed. Raises as `committed_in` does."""
    outbox = dead_letter["outbox"] if isinstance(dead_letter["outbox"], dict) else json.loads(dead_letter["outbox"])
    commit = dead_letter.get("commit") or commit_of_version(dead_letter["version"])
    return _committed(dead_letter["customer"], commit, dead_letter.get("enrollment", ""), outbox, {}).work()


def _outbox(found: dict[str, Wire], owner: str, at: datetime) -> Wire:
    return found.setdefault(owner, {"at": instant_to_wire(at)})


def _effect_to_wire(effect: Effect, owner: str, position: int | None) -> Wire:
    wire = effect_codec.effect_to_wire(effect)
    if owner:
        del wire["enrollment"]
        wire["id"] = wire["id"].removeprefix(owner)  # what follows begins with "-", as no whole id does
    return wire if position is None else wire | {"place": position}


def _fact_to_wire(fact: Fact, owner: str, known: Mapping[str, Enrollment]) -> Wire:
    """Without the journey where the enrollment beside it names it."""
    enrollment = known.get(fact.enrollment)
    wire = codec.fact_to_wire(replace(fact, journey="") if enrollment and enrollment.journey == fact.journey else fact)
    return {name: one for name, one in wire.items() if name != "enrollment"} if owner else wire


def _committed(  # noqa: PLR0913, PLR0917  what an outbox says, and what its item says of it
    customer: str,
    commit: str,
    owner: str,
    outbox: Wire,
    enrollments: Mapping[str, Enrollment],
    without_data: frozenset[str] = frozenset(),
) -> Committed:
    effects = outbox.get("effects", ())
    return Committed(
        customer=customer,
        name=commit,
        at=instant_from_wire(outbox["at"]),
        effects=tuple(effect_codec.effect_from_wire(_with_owner(effect, owner)) for effect in effects),
        facts=tuple(_fact_from_wire(fact, owner, enrollments) for fact in outbox.get("facts", ())),
        positions=tuple(int(effect.get("place", number)) for number, effect in enumerate(effects)),
        enrollments=enrollments,
        without_data=without_data,
    )


def _with_owner(effect: Wire, owner: str) -> Wire:
    if not owner:
        return effect
    id_ = effect["id"]
    return {**effect, "enrollment": owner, "id": owner + id_ if id_.startswith("-") else id_}


def _fact_from_wire(wire: Wire, owner: str, enrollments: Mapping[str, Enrollment]) -> Fact:
    """With the enrollment in whose item it stands, and the journey that is stored beside it."""
    fact = codec.fact_from_wire({**wire, "enrollment": owner} if owner else wire)
    enrollment = enrollments.get(fact.enrollment)
    return fact if fact.journey or enrollment is None else replace(fact, journey=enrollment.journey)


def _enrollments(owner: str, image: Image) -> tuple[dict[str, Enrollment], frozenset[str]]:
    """The enrollments that an item has, and those of them whose data is stored elsewhere."""
    if not owner:
        return codec.enrollments_from_wire(_json(image, "enrollments") if "enrollments" in image else {}), frozenset()
    wire = _json(image, "enrollment")
    one = codec.enrollment_from_wire(owner, {"data": {}, **wire})
    return {owner: one}, frozenset() if "data" in wire else frozenset({owner})


def _commit_named(owner: str, image: Image) -> str:
    """Of an enrollment that was written alone, its own number tells the commits of one version apart."""
    if not owner:
        return commit_of_version(_number(image, "rev"))
    return f"{commit_of_version(_number(image, 'by'))}-{owner}-{_number(image, 'rev')}"


def _json(image: Image, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(image[name]["S"])
    return document


def _number(image: Image, name: str) -> int:
    return int(image[name]["N"]) if name in image else 0
