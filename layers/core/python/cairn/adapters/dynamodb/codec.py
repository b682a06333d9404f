"""How the domain is written into JSON attributes and read back. Explicit: renaming a field changes no stored name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cairn.application.values.messages import DeferredMessage, DeliveryRequest, Settlement
from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.contact import Claim, Deferral
from cairn.domain.consent.suppression import Mark, SuppressionChange
from cairn.domain.effects import Fact
from cairn.domain.event import Event, consent_from_wire, consent_to_wire
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.journey.enrollment import Enrollment, Status
from cairn.domain.message.message import Approval, Message, MessageStatus, Written
from cairn.domain.profile.lead import NO_LEAD, Lead, Move, Points, Spent
from cairn.domain.profile.profile import UNRECORDED, Activity, Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from cairn.domain.shared.invites import Invite

Wire = dict[str, Any]

NONE = "-"
"""An empty field, in a text whose fields are separated by blanks."""


def names_to_wire(profile: Profile) -> Wire:
    """A profile without attributes, activity, sources and merges.

    Of the identifiers that a visitor typed, `typed` has the positions: every kilobyte costs a write unit.
    """
    keys = [one.key for one in profile.identifiers]
    typed = [keys.index(name) if name in keys else name for name in sorted(profile.typed)]
    return {
        "created_at": instant_to_wire(profile.created_at),
        "identifiers": [[one.kind, one.value] for one in profile.identifiers],
        **({"typed": typed} if typed else {}),
        **({"pointers": dict(profile.pointers)} if profile.pointers else {}),
    }


def profile_to_wire(profile: Profile) -> Wire:
    return names_to_wire(profile) | {
        "attributes": stamped_to_wire(profile.attributes),
        "activity": {name: activity_to_wire(one) for name, one in profile.activity.items()},
        "sources": instants_to_wire(profile.sources),
        "merged": instants_to_wire(profile.merged),
        **({"references": instants_to_wire(profile.references)} if profile.references else {}),
        **({} if profile.lead == NO_LEAD else {"lead": lead_to_wire(profile.lead)}),
    }


def lead_to_wire(lead: Lead) -> Wire:
    return {
        "points": {name: points_to_wire(one) for name, one in lead.points.items()},
        "spent": {name: spent_to_wire(one) for name, one in lead.spent.items()},
        "moves": {name: moves_to_wire(one) for name, one in lead.moves.items()},
        "marks": stamped_to_wire(lead.marks),
    }


def lead_from_wire(wire: Wire) -> Lead:
    if not any(wire.values()):
        return NO_LEAD
    return Lead(
        {name: _points_from_wire(one) for name, one in wire["points"].items()},
        {name: _spent_from_wire(one) for name, one in wire["spent"].items()},
        {name: _moves_from_wire(one) for name, one in wire["moves"].items()},
        stamped_from_wire(wire["marks"]),
    )


def points_to_wire(one: Points) -> list[Any]:
    return [one.total, one.count, one.half_life, instant_to_wire(one.at)]


def _points_from_wire(wire: list[Any]) -> Points:
    total, count, half_life, at = wire
    return Points(float(total), int(count), float(half_life), instant_from_wire(at))


def spent_to_wire(one: Spent) -> list[Any]:
    """Without any order its instants are empty: in pages, an entry ends with the instant of its change."""
    first, last = (instant_to_wire(at) if at else "" for at in (one.first, one.last))
    return [one.orders, one.amount, one.refunds, one.refunded, first, last]


def _spent_from_wire(wire: list[Any]) -> Spent:
    orders, amount, refunds, refunded, first, last = wire
    whens = (instant_from_wire(at) if at else None for at in (first, last))
    return Spent(int(orders), int(amount), int(refunds), int(refunded), *whens)


def moves_to_wire(moves: tuple[Move, ...]) -> Wire:
    rows = [[instant_to_wire(one.at), one.stage, one.by] for one in moves]
    return {"at": rows[-1][0] if rows else "", "moves": rows}


def _moves_from_wire(wire: Wire) -> tuple[Move, ...]:
    return tuple(Move(instant_from_wire(at), stage, by) for at, stage, by in wire["moves"])


def activity_to_wire(one: Activity) -> list[Any]:
    return [one.count, instant_to_wire(one.first), instant_to_wire(one.last)]


def profile_from_wire(customer_id: str, wire: Wire) -> Profile:
    identifiers = tuple(Identifier(kind, value) for kind, value in wire["identifiers"])
    typed = (identifiers[one].key if isinstance(one, int) else one for one in wire.get("typed", ()))
    return Profile(
        id=customer_id,
        created_at=known_since(wire),
        identifiers=identifiers,
        typed=frozenset(typed),
        pointers=wire.get("pointers", {}),
        attributes=stamped_from_wire(wire["attributes"]),
        activity={
            name: Activity(count, instant_from_wire(first), instant_from_wire(last))
            for name, (count, first, last) in wire["activity"].items()
        },
        merged=instants_from_wire(wire["merged"]),
        references=instants_from_wire(wire.get("references", {})),
        sources=instants_from_wire(wire.get("sources", {UNRECORDED: wire["created_at"]})),
        lead=lead_from_wire(wire.get("lead", {})),
    )


def known_since(wire: Wire) -> datetime:
    """When a profile was made, without reading the rest of it."""
    return instant_from_wire(wire["created_at"])


def enrollment_to_wire(one: Enrollment) -> Wire:
    wire = {
        "journey": one.journey,
        "version": one.version,
        "key": one.key,
        "entered_at": instant_to_wire(one.entered_at),
        "since": instant_to_wire(one.since),
        "data": one.data,
        "data_at": _maybe(one.data_at),
        "status": one.status.value,
        "step": one.step,
        "reached_at": _maybe(one.reached_at),
        "due_at": _maybe(one.due_at),
        "moved_to": _maybe(one.moved_to),
        "sequence": one.sequence,
        "met": list(one.met) or None,
        "values": one.values or None,
        "passed": list(one.passed) or None,
        "joined": one.joined,
        "paused_by": one.paused_by,
        "handled": one.handled,
        "addresses": addresses_to_wire(one.addresses),
        "counted": {step: list(assigned) for step, assigned in one.counted.items()} or None,
        "goal_at": _maybe(one.goal_at),
        "ended_at": _maybe(one.ended_at),
        "outcome": one.outcome,
    }
    return {name: value for name, value in wire.items() if value not in (None, "")}


def enrollment_from_wire(enrollment_id: str, wire: Wire) -> Enrollment:
    return Enrollment(
        id=enrollment_id,
        journey=wire["journey"],
        version=wire["version"],
        key=wire.get("key", ""),
        entered_at=instant_from_wire(wire["entered_at"]),
        since=instant_from_wire(wire["since"]),
        data=wire["data"],
        data_at=_instant(wire, "data_at"),
        status=Status(wire["status"]),
        step=wire.get("step"),
        reached_at=_instant(wire, "reached_at"),
        due_at=_instant(wire, "due_at"),
        moved_to=_instant(wire, "moved_to"),
        sequence=wire["sequence"],
        met=tuple(map(int, wire.get("met", ()))),
        values=wire.get("values", {}),
        passed=tuple(wire.get("passed", ())),
        joined=wire.get("joined", ""),
        paused_by=wire.get("paused_by", ""),
        handled=wire.get("handled", ""),
        addresses=addresses_from_wire(wire),
        counted={step: (arm, version) for step, (arm, version) in wire.get("counted", {}).items()},
        goal_at=_instant(wire, "goal_at"),
        ended_at=_instant(wire, "ended_at"),
        outcome=wire.get("outcome", ""),
    )


ROW = (
    *("journey", "version", "key", "entered_at", "since", "data", "data_at", "status", "step", "reached_at"),
    *("due_at", "moved_to", "sequence", "handled", "addresses", "goal_at", "ended_at", "outcome", "data_in"),
    *("met", "values", "paused_by", "passed", "joined", "counted"),
)
"""The fields of an enrollment in a row. New ones go to the end: rows are stored. `data_in` stands in the place of data
that is not in a row of the head (in_head.py)."""

ABSENT = 0
"""In the place of a field that is absent; or follows from others, and then one that is absent is None."""


def enrollment_to_row(wire: Wire) -> list[Any]:
    """An enrollment without the names of its fields: with its outbox it is to be within a kilobyte."""
    implied = _implied_by(wire)
    row = [ABSENT if wire.get(name) == implied.get(name) else wire.get(name) for name in ROW]
    while row[-1] == ABSENT:
        row.pop()
    return row


def enrollment_from_row(row: list[Any]) -> Wire:
    wire = {name: one for name, one in zip(ROW, row, strict=False) if one != ABSENT}
    return {name: one for name, one in {**_implied_by(wire), **wire}.items() if one is not None}


def _implied_by(wire: Wire) -> Wire:
    reached_at = {"reached_at": wire["entered_at"]} if "step" in wire else {}
    return {"status": Status.ACTIVE.value, "data_at": wire["since"], "sequence": 0, **reached_at}


def addresses_to_wire(addresses: Mapping[Channel, str] | None) -> Wire | None:
    return None if addresses is None else {channel.value: address for channel, address in addresses.items()}


def addresses_from_wire(wire: Wire, name: str = "addresses") -> dict[Channel, str] | None:
    """The addresses that an enrollment or a message is limited to; None where it is not."""
    addresses = wire.get(name)
    return None if addresses is None else {Channel(channel): address for channel, address in addresses.items()}


def enrollments_from_wire(wire: Mapping[str, Wire]) -> dict[str, Enrollment]:
    return {name: enrollment_from_wire(name, one) for name, one in wire.items()}


def early_event_to_wire(event: Event) -> Wire:
    """What a rule of a journey may ask of an event."""
    wire = {"id": event.id, "source": event.source, "type": event.type, "at": instant_to_wire(event.occurred_at)}
    return wire | ({"properties": event.properties} if event.properties else {})


def early_event_from_wire(wire: Wire) -> Event:
    at = instant_from_wire(wire["at"])
    return Event(wire["id"], wire["source"], wire["type"], at, properties=wire.get("properties", {}))


def fact_to_wire(fact: Fact) -> Wire:
    wire = {"kind": fact.kind, "enrollment": fact.enrollment, "journey": fact.journey, "step": fact.step}
    return {name: value for name, value in wire.items() if value} | ({"detail": fact.detail} if fact.detail else {})


def fact_from_wire(wire: Wire) -> Fact:
    return Fact(
        wire["kind"],
        wire.get("enrollment", ""),
        wire.get("journey", ""),
        wire.get("step", ""),
        wire.get("detail", {}),
    )


def message_to_wire(message: Message) -> Wire:
    return {
        "id": message.id,
        "customer": message.customer,
        "enrollment": message.enrollment,
        "journey": message.journey,
        "version": message.version,
        "step": message.step,
        "channels": [channel.value for channel in message.channels],
        "template": message.template,
        "purpose": message.purpose.value,
        "addresses": {channel.value: address for channel, address in message.addresses.items()},
        "decided_at": instant_to_wire(message.decided_at),
        "variables": message.variables,
        "time_zone": message.time_zone,
        **({"place": message.position} if message.position else {}),
        **({"key": message.key} if message.key else {}),
        **({"only_to": addresses_to_wire(message.only_to)} if message.only_to is not None else {}),
        **({"invite": invite_to_wire(message.invite)} if message.invite else {}),
        **({"answers": message.answers} if message.answers else {}),
        **({"written": _written_to_wire(message.written)} if message.written is not None else {}),
    }


def invite_to_wire(invite: Invite) -> Wire:
    """Without its texts, which are the template's."""
    times = {"starts": invite.starts, "ends": invite.ends}
    return {
        "uid": invite.uid,
        "sequence": invite.sequence,
        **{name: instant_to_wire(one) for name, one in times.items() if one},
        **({"cancels": True} if invite.cancels else {}),
    }


def invite_from_wire(wire: Wire) -> Invite:
    starts, ends = _instant(wire, "starts"), _instant(wire, "ends")
    return Invite(wire["uid"], int(wire["sequence"]), starts, ends, cancels=wire.get("cancels", False))


def message_from_wire(wire: Wire) -> Message:
    return Message(
        id=wire["id"],
        customer=wire["customer"],
        enrollment=wire["enrollment"],
        journey=wire["journey"],
        version=wire["version"],
        step=wire["step"],
        channels=tuple(Channel(one) for one in wire["channels"]),
        template=wire["template"],
        purpose=Purpose(wire["purpose"]),
        addresses={Channel(channel): address for channel, address in wire["addresses"].items()},
        decided_at=instant_from_wire(wire["decided_at"]),
        variables=wire["variables"],
        time_zone=wire["time_zone"],
        position=wire.get("place", 0),
        key=wire.get("key", ""),
        only_to=addresses_from_wire(wire, "only_to"),
        invite=invite_from_wire(wire["invite"]) if "invite" in wire else None,
        answers=wire.get("answers", ""),
        written=_written_from_wire(wire["written"]) if "written" in wire else None,
    )


def _written_to_wire(written: Written) -> Wire:
    return {"text": written.text, "by": written.by, **({"subject": written.subject} if written.subject else {})}


def _written_from_wire(wire: Wire) -> Written:
    return Written(wire["text"], wire["by"], wire.get("subject", ""))


def settlement_to_wire(settlement: Settlement) -> Wire:
    """The message, and what became of it."""
    deferral, at = settlement.deferral, settlement.at
    about = {
        "claim": claim_to_wire(settlement.claim),
        "deferral": deferral_to_wire(deferral) if deferral else None,
        "status": settlement.status.value if settlement.status else None,
        "at": instant_to_wire(at) if at else None,
        "detail": dict(settlement.detail),
    }
    return message_to_wire(settlement.message) | {"settled": {name: one for name, one in about.items() if one}}


def settlement_from_wire(wire: Wire) -> Settlement:
    about = wire["settled"]
    return Settlement(
        message_from_wire(wire),
        claim_from_wire(about["claim"]),
        deferral_from_wire(about["deferral"]) if "deferral" in about else None,
        MessageStatus(about["status"]) if "status" in about else None,
        _instant(about, "at"),
        about.get("detail", {}),
    )


def delivery_request_from_wire(wire: Wire) -> DeliveryRequest:
    """The content of a queue of messages: a message, the key of a deferred one, or what became of one."""
    if "settled" in wire:
        return settlement_from_wire(wire)
    return DeferredMessage(wire["customer"], wire["held"]) if "held" in wire else message_from_wire(wire)


def consents_to_wire(consents: Mapping[str, ConsentChange]) -> list[Wire]:
    return [consent_to_wire(change) for change in consents.values()]


def consents_from_wire(wire: list[Wire]) -> dict[str, ConsentChange]:
    return {change.key: change for change in map(consent_change_from_wire, wire)}


def consent_change_from_wire(wire: Wire) -> ConsentChange:
    return consent_from_wire(wire, at=instant_from_wire(wire["at"]), source=wire["source"])


def suppression_change_to_wire(change: SuppressionChange) -> Wire:
    wire = {
        "channel": change.channel.value,
        "address": change.address,
        "key": change.key,
        "mark": change.mark.to_wire(),
    }
    return {name: value for name, value in wire.items() if value}


def suppression_change_from_wire(wire: Wire) -> SuppressionChange:
    mark = Mark.from_wire(wire["mark"])
    return SuppressionChange(Channel(wire["channel"]), mark, wire.get("address", ""), wire.get("key", ""))


def claim_to_wire(claim: Claim) -> str:
    about = f"{claim.purpose.value} {instant_to_wire(claim.at)} {claim.channel.value} {claim.journey}"
    return f"{about} {claim.attempt}" if claim.attempt else about


def claim_from_wire(wire: str) -> Claim:
    """Without an attempt, as it was stored until version 0.2."""
    purpose, at, channel, journey, *attempt = wire.split(" ")
    return Claim(instant_from_wire(at), Purpose(purpose), Channel(channel), journey, *attempt)


def last_inbound_to_wire(last_inbound: Mapping[Channel, datetime]) -> Wire:
    return {channel.value: instant_to_wire(at) for channel, at in last_inbound.items()}


def last_inbound_from_wire(wire: Wire) -> dict[Channel, datetime]:
    return {Channel(channel): at for channel, at in instants_from_wire(wire).items()}


def approval_to_wire(approval: Approval) -> Wire:
    return {"granted": approval.granted, "by": approval.by, "at": instant_to_wire(approval.at)}


def approval_from_wire(wire: Wire) -> Approval:
    return Approval(wire["granted"], wire["by"], instant_from_wire(wire["at"]))


PRIORITY = "/"
"""Between the reason and the priority of a deferral. Version 0.2 reads both as a reason that it does not know, and lets
the message wait until its instant: so only a deferral that ends by the clock has a priority.
"""


def deferral_to_wire(deferral: Deferral) -> str:
    until = instant_to_wire(deferral.until) if deferral.until else NONE
    order = f"{instant_to_wire(deferral.decided_at)} {deferral.position}"
    reason = f"{deferral.reason}{PRIORITY}{deferral.priority}" if deferral.priority else deferral.reason
    about = f"{until} {reason} {deferral.enrollment or NONE} {order} {deferral.purpose}"
    return f"{about} {instant_to_wire(deferral.tried_at)}" if deferral.tried_at else about


def deferral_from_wire(wire: str) -> Deferral:
    until, about, enrollment, decided_at, position, purpose, *tried_at = wire.split(" ")
    reason, _, priority = about.partition(PRIORITY)
    return Deferral(
        None if until == NONE else instant_from_wire(until),
        reason,
        "" if enrollment == NONE else enrollment,
        instant_from_wire(decided_at),
        int(position),
        Purpose(purpose),
        tried_at=instant_from_wire(tried_at[0]) if tried_at else None,
        priority=int(priority or 0),
    )


def stamped_to_wire(stamped: Mapping[str, Stamped]) -> Wire:
    return {name: value_to_wire(one) for name, one in stamped.items()}


def value_to_wire(one: Stamped) -> list[Any]:
    return [one.value, instant_to_wire(one.at)]


def stamped_from_wire(wire: Wire) -> dict[str, Stamped]:
    return {name: Stamped(value, instant_from_wire(at)) for name, (value, at) in wire.items()}


def instants_to_wire(instants: Mapping[str, datetime]) -> Wire:
    return {name: instant_to_wire(at) for name, at in instants.items()}


def instants_from_wire(wire: Wire) -> dict[str, datetime]:
    return {name: instant_from_wire(at) for name, at in wire.items()}


def _maybe(instant: datetime | None) -> str | None:
    return None if instant is None else instant_to_wire(instant)


def _instant(wire: Wire, name: str) -> datetime | None:
    return instant_from_wire(wire[name]) if wire.get(name) else None
