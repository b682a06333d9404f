"""What a change of the table says that can be counted: each record of the stream as facts of the log."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cairn.adapters.dynamodb.items import CONSENT, EVENT, FACTS, MESSAGE, TASK
from cairn.adapters.dynamodb.seen import SEEN
from cairn.domain.measurement.facts import KINDS, LoggedFact
from cairn.domain.message.message import MessageStatus
from cairn.domain.message.sms import parts_of
from cairn.domain.operations.seen import SeenBecause
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire

Record = Mapping[str, Any]
Image = Mapping[str, Mapping[str, Any]]
Wire = Mapping[str, Any]

LOGGED = (EVENT, FACTS, MESSAGE, TASK, CONSENT)
"""How the sort keys of records begin that are logged, beside the counts of what reached no customer."""

OF_A_MERGED_CUSTOMER = re.compile(r"-(c_[a-z2-7]{26})$")
"""The end of the sort key of facts that belong to a customer who was merged since (timeline.py)."""

MOVED_BEHIND_SENT = frozenset(one.value for one in MessageStatus if one.rank > MessageStatus.SENT.rank)


def facts_in(record: Record) -> list[LoggedFact]:
    """The facts that a stream record (NEW_AND_OLD_IMAGES) shows; none for a change that says nothing to count.

    The same record gives the same ids each time, and so does the copy of a record that moves to a surviving customer.
    """
    change = record["dynamodb"]
    new, old = change.get("NewImage"), change.get("OldImage", {})
    if new is None:
        return []
    pk, sk = change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]
    if pk == SEEN:
        return list(_unmatched(sk, new, old))
    prefix = next((one for one in LOGGED if sk.startswith(one)), None)
    return list(READERS[prefix](Changed(pk, sk, sk.removeprefix(prefix), new, old, _created(change)))) if prefix else []


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that is new or was changed."""

    customer: str
    sk: str
    name: str
    """The sort key behind its prefix."""
    new: Image
    old: Image
    created: int
    """When the table changed, in milliseconds since 1970."""


def _event(changed: Changed) -> Iterator[LoggedFact]:
    if changed.old:
        return
    body, at = _body(changed.new), _instant(changed.new["at"]["S"])
    backfill = body.get("backfill") is True
    yield LoggedFact(
        f"event-{changed.name}",
        at,
        "event",
        changed.customer,
        event=body.get("type", ""),
        source=body.get("source", ""),
        reason="backfill" if backfill else "",
        lag_ms=0 if backfill else max(changed.created - at, 0),
    )


def _decisions(changed: Changed) -> Iterator[LoggedFact]:
    """One line for each decision; of `detail` only what is a name of Cairn's own, a code or a number."""
    if changed.old:
        return
    merged = OF_A_MERGED_CUSTOMER.search(changed.sk)
    customer = merged[1] if merged else changed.customer
    sk, at = OF_A_MERGED_CUSTOMER.sub("", changed.sk), _instant(changed.new["at"]["S"])
    for number, fact in enumerate(_body(changed.new).get("facts", ())):
        kind, detail = fact["kind"], fact.get("detail", {})
        yield LoggedFact(
            short_hash(customer, sk, str(number), length=26),
            at,
            kind if kind in KINDS else "other",
            customer,
            journey=fact.get("journey", ""),
            version=detail.get("version", ""),
            enrollment=fact.get("enrollment", ""),
            step=fact.get("step", "") or detail.get("pipeline", ""),
            arm=str(detail.get("stage", detail.get("arm", ""))),
            event=detail.get("because", "") if kind in CAUSED_BY_EVENTS else "",
            reason=detail.get("reason", ""),
            outcome=detail.get("outcome", ""),
            other=detail.get("absorbed", ""),
            change="" if kind in KINDS else kind,
            value=detail.get("value", 0),
            currency=detail.get("currency", ""),
            lag_ms=detail.get("lag", 0),
            via=detail.get("via", ""),
        )


CAUSED_BY_EVENTS = frozenset({"goal_reached", "happened", "ended", "refreshed", "staged"})
"""Decisions of which `because` is the type of an event."""


def _message(changed: Changed) -> Iterator[LoggedFact]:
    """One line for each status that the message comes to, and for each time that the gate defers it."""
    new, old = changed.new, changed.old
    status, decisions = _text(new, "status"), json.loads(_text(new, "decisions") or "[]")
    deferred = status == MessageStatus.DEFERRED
    was = _text(old, "status"), len(json.loads(_text(old, "decisions") or "[]")) if deferred else 0
    if not status or status == MessageStatus.CLAIMED or was == (status, len(decisions) if deferred else 0):
        return
    body, last = _body(new), decisions[-1] if decisions else {}
    at = changed.created if status in MOVED_BEHIND_SENT else _instant(new["at"]["S"])
    at = _instant(new["delivered_at"]["S"]) if status == MessageStatus.DELIVERED and "delivered_at" in new else at
    measured = json.loads(_text(new, "measured") or "{}")
    channel = body.get("channel", "") or (last.get("why", {}).get("channel", "") if deferred else "")
    yield LoggedFact(
        f"{changed.name}-{status}" + (f"-{len(decisions)}" if deferred else ""),
        at,
        "deferred" if deferred else status,
        changed.customer,
        journey=body.get("journey", ""),
        version=body.get("version", ""),
        enrollment=body.get("enrollment", ""),
        step=body.get("step", ""),
        message=changed.name,
        template=body.get("template", ""),
        channel=channel,
        provider=measured.get("provider", ""),
        purpose=body.get("purpose", ""),
        country=measured.get("country", ""),
        parts=parts_of(body["body"]) if status == "sent" and channel == Channel.SMS and "body" in body else 0,
        reason=str(last.get("reason", "") if deferred else body.get("reason", "")),
        lag_ms=measured.get("lag", 0) if status == MessageStatus.SENT else 0,
    )


def _task(changed: Changed) -> Iterator[LoggedFact]:
    """One line for each entry of its history. Members are not named."""
    body, before = _body(changed.new), _body(changed.old).get("history", ())
    about = {"journey": body.get("journey", ""), "enrollment": body.get("enrollment", ""), "step": body.get("step", "")}
    for entry in body.get("history", ()):
        if entry in before:
            continue
        at, _, what, *_ = entry
        yield LoggedFact(
            short_hash(changed.name, *map(str, entry), length=26),
            _instant(at),
            "task",
            changed.customer,
            **about,
            task=changed.name,
            queue=body.get("queue", ""),
            change=what,
            outcome=body.get("outcome", "") if what == "done" else "",
        )


def _consent(changed: Changed) -> Iterator[LoggedFact]:
    if changed.old:
        return
    body, at = _body(changed.new), _instant(changed.new["at"]["S"])
    said = body.get("consent")
    about = said or body.get("address", {})
    cause, purpose, sign = (*str(about.get("mark", "")).split(" "), "", "")[:3]
    yield LoggedFact(
        short_hash(changed.customer, changed.name, length=26),
        at,
        "consent" if said else "suppression",
        changed.customer,
        source=body.get("told_by", ""),
        channel=about.get("channel", ""),
        purpose=about.get("purpose", "") if said else purpose,
        status=about.get("status", "") if said else ("released" if sign == "-" else "suppressed"),
        reason=cause,
        lag_ms=max(changed.created - at, 0),
    )


READERS: Mapping[str, Callable[[Changed], Iterator[LoggedFact]]] = {
    EVENT: _event,
    FACTS: _decisions,
    MESSAGE: _message,
    TASK: _task,
    CONSENT: _consent,
}
"""By the prefix of the sort key, how a record is read."""


def _unmatched(sk: str, new: Image, old: Image) -> Iterator[LoggedFact]:
    source, _, type_ = sk.partition("#")
    if not type_:
        return
    for because in SeenBecause:
        now, before = _count(new, because), _count(old, because)
        if now > before:
            at = _instant(new["last_at"]["S"])
            id_ = short_hash(sk, because, str(now), length=26)
            yield LoggedFact(
                id_, at, "unmatched", source=source, event=type_, reason=because.value, number=now - before
            )


def _body(image: Image) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(image["body"]["S"]) if "body" in image else {}
    return found


def _text(image: Image, name: str) -> str:
    return str(image[name]["S"]) if name in image else ""


def _count(image: Image, name: str) -> int:
    return int(image[name]["N"]) if name in image else 0


def _instant(text: str) -> int:
    return _milliseconds(instant_from_wire(text))


def _created(change: Record) -> int:
    """When the table changed, to the second: in seconds, as Lambda gives it, or as an instant, as the API does."""
    at = change["ApproximateCreationDateTime"]
    if not isinstance(at, datetime):
        return int(float(at) * 1000)
    return _milliseconds(at if at.tzinfo else at.replace(tzinfo=UTC))


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
