"""The transactional outbox: a commit writes its effects into the customer's state; the stream delivers them here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec, effect_codec
from cairn.adapters.dynamodb.items import STATE
from cairn.adapters.s3 import MAX_QUEUED_BYTES
from cairn.application.events.relay_effects import Committed, WaitingEffect
from cairn.domain.effects import Fact
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.instants import instant_from_wire

Image = Mapping[str, Mapping[str, Any]]


def committed_in(record: Mapping[str, Any]) -> Committed | None:
    """The commit that a stream record (NEW_AND_OLD_IMAGES) shows; None for any other change of the table."""
    change = record["dynamodb"]
    new: Image = change.get("NewImage", {})
    if change["Keys"]["sk"]["S"] != STATE or "outbox" not in new:
        return None
    if _version(new) == _version(change.get("OldImage", {})):
        return None
    outbox = _json(new, "outbox")
    enrollments = codec.enrollments_from_wire(_json(new, "enrollments") if "enrollments" in new else {})
    return Committed(
        profile=_profile(change["Keys"]["pk"]["S"], new, instant_from_wire(outbox["at"])),
        enrollments=enrollments,
        version=_version(new),
        at=instant_from_wire(outbox["at"]),
        effects=tuple(effect_codec.effect_from_wire(effect) for effect in outbox["effects"]),
        facts=tuple(_fact(fact, enrollments) for fact in outbox["facts"]),
    )


def _fact(wire: dict[str, Any], enrollments: Mapping[str, Enrollment]) -> Fact:
    """With the journey of its enrollment, which is stored beside it."""
    fact = codec.fact_from_wire(wire)
    enrollment = enrollments.get(fact.enrollment)
    return fact if fact.journey or enrollment is None else replace(fact, journey=enrollment.journey)


@dataclass(frozen=True, slots=True)
class UnreadCommit:
    """A commit that this version of Cairn cannot read, as a dead letter: its outbox is what is worth keeping."""

    body: str
    why: str


def unread_commit(record: Mapping[str, Any], why: str) -> UnreadCommit:
    """Never raises. An outbox that is too large for SQS stays in the stream, for a day, and in the customer's item."""
    change = record.get("dynamodb", {})
    new, keys = change.get("NewImage", {}), change.get("Keys", {})
    about = {"customer": keys.get("pk", {}).get("S", ""), "version": new.get("rev", {}).get("N", "0")}
    text = new.get("outbox", {}).get("S", "")
    try:
        outbox = json.loads(text)  # as a document, so that it can be shown without its values
    except ValueError:
        outbox = text
    whole = to_json({**about, "outbox": outbox})
    if len(whole.encode()) > MAX_QUEUED_BYTES:
        whole = to_json({**about, "sequence_number": change.get("SequenceNumber", "")})
    return UnreadCommit(whole, why)


def effects_in(dead_letter: Mapping[str, Any], now: datetime) -> tuple[WaitingEffect, ...]:
    """The effects of a commit that could not be read when it was relayed. Raises as `committed_in` does."""
    outbox = dead_letter["outbox"] if isinstance(dead_letter["outbox"], dict) else json.loads(dead_letter["outbox"])
    return Committed(
        profile=Profile(dead_letter["customer"], created_at=now),
        enrollments={},
        version=int(dead_letter["version"]),
        at=instant_from_wire(outbox["at"]),
        effects=tuple(effect_codec.effect_from_wire(effect) for effect in outbox["effects"]),
        facts=tuple(codec.fact_from_wire(fact) for fact in outbox["facts"]),
    ).work()


def _profile(customer_id: str, image: Image, at: datetime) -> Profile:
    """The profile; an empty one for the commit that erases the customer, which no longer contains it."""
    if "profile" not in image:
        return Profile(customer_id, created_at=at)
    return codec.profile_from_wire(customer_id, _json(image, "profile"))


def _json(image: Image, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(image[name]["S"])
    return document


def _version(image: Image) -> int:
    return int(image["rev"]["N"]) if "rev" in image else 0
