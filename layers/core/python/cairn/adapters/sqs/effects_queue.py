"""SQS: effects that wait until AWS can carry them out, and those among the dead letters.

A standard queue: effects need no order (each carries the version, the sequence number or the instant that makes a late
one harmless), and in a FIFO queue an effect that waits would hold up the others of its customer.
"""

import json
from collections.abc import Sequence
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.effect_codec import effect_from_wire, effect_to_wire
from cairn.adapters.s3 import MAX_QUEUED_BYTES
from cairn.adapters.sqs.batches import send_each
from cairn.application.events.relay_effects import RememberFacts, WaitingEffect, Work, commit_of_version
from cairn.domain.shared.errors import InvalidEffectError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

Wire = dict[str, Any]


DELAY_SECONDS = 5
"""What failed just now would fail again at once."""


class EffectsQueue:
    """Where effects wait."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, effects: Sequence[WaitingEffect], delay_seconds: int = DELAY_SECONDS) -> None:
        """Raises where SQS does not take all of them; those that it took are carried out, and may come twice."""
        entries = (
            {"Id": str(number), "MessageBody": body_of(one), "DelaySeconds": delay_seconds}
            for number, one in enumerate(effects)
        )
        for error in send_each(self._sqs, self._url, entries).values():
            raise error


def body_of(one: WaitingEffect) -> str:
    """The content of the queue. Without the enrollment where both together are too large for SQS."""
    wire = {
        "customer": one.customer,
        "commit": one.commit,
        "at": instant_to_wire(one.at),
        "position": one.position,
        "effect": _work_to_wire(one.what),
    }
    body = to_json(wire)
    if one.enrollment is None:
        return body
    whole = to_json({**wire, "enrollment": {one.enrollment.id: codec.enrollment_to_wire(one.enrollment)}})
    return whole if len(whole.encode()) <= MAX_QUEUED_BYTES else body


def effect_in(body: str) -> WaitingEffect:
    """The effect of a message or a dead letter. Raises InvalidEffectError."""
    try:
        wire = json.loads(body)
        enrollments = codec.enrollments_from_wire(wire.get("enrollment") or {})
        return WaitingEffect(
            customer=wire["customer"],
            commit=wire.get("commit") or commit_of_version(wire.get("version", 0)),
            at=instant_from_wire(wire["at"]),
            what=_work_from_wire(wire["effect"]),
            position=int(wire.get("position", 0)),
            enrollment=next(iter(enrollments.values()), None),
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InvalidEffectError(f"effect: cannot be read by this version: {type(error).__name__}") from error


def _work_to_wire(what: Work) -> Wire:
    if isinstance(what, RememberFacts):
        return {"do": what.KIND, "facts": [codec.fact_to_wire(fact) for fact in what.facts]}
    return effect_to_wire(what)


def _work_from_wire(wire: Wire) -> Work:
    if wire["do"] == RememberFacts.KIND:
        return RememberFacts(tuple(codec.fact_from_wire(fact) for fact in wire["facts"]))
    return effect_from_wire(wire)
