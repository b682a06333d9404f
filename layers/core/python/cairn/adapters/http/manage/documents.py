"""What is answered to operators, as JSON."""

from collections.abc import Iterable
from typing import Any

from cairn.application.ports import UnderReview
from cairn.domain.consent.suppression import Suppression
from cairn.domain.explain.explanations import CustomerExplanation, MessageExplanation, Sentence
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.switches import PauseRecord, SwitchRecord, SwitchState
from cairn.domain.shared.instants import duration_text, instant_to_wire

Json = dict[str, Any]


def board(told: SwitchState) -> Json:
    """What is stopped and paused now; pauses that are over only say what becomes of those who waited."""
    return {
        "stopped": [{"target": target, **_note(note)} for target, note in sorted(told.stopped.items())],
        "paused": [_pause(one) for one in told.pauses if one.pause.until is None],
    }


def message(told: MessageExplanation) -> Json:
    return {
        "message": told.id,
        "customer": told.customer,
        "about": told.origin,
        "zone": told.zone,
        "history": [_sentence(one) for one in told.history],
    }


def customer(told: CustomerExplanation) -> Json:
    return {
        "customer": told.id,
        "zone": told.zone,
        "profile": told.profile,
        "consents": told.consents,
        "suppressions": told.suppressions,
        "waiting": told.waiting,
        "decisions": [{"message": one.message, "about": one.origin, **_sentence(one)} for one in told.decisions],
    }


def reviews(told: Iterable[UnderReview]) -> list[Json]:
    return [
        {
            "message": one.message,
            "customer": one.customer,
            "deadline": one.deadline,
            "queue": one.queue,
            **one.about,
            "context": one.context,
        }
        for one in told
    ]


def suppressions(told: Iterable[Suppression]) -> list[Json]:
    return [
        {
            "cause": one.cause.value,
            "since": instant_to_wire(one.at),
            "purpose": one.purpose.value if one.purpose else "all",
        }
        for one in told
    ]


def audit(told: Iterable[AuditEntry]) -> list[Json]:
    return [
        {
            "id": one.id,
            "at": instant_to_wire(one.at),
            "who": one.actor,
            "what": one.action,
            "target": one.target,
            "why": one.reason,
            "detail": dict(one.detail),
        }
        for one in told
    ]


def _note(note: SwitchRecord) -> Json:
    return {"by": note.by, "at": instant_to_wire(note.at), "why": note.why}


def _pause(one: PauseRecord) -> Json:
    pause = one.pause
    chosen = {"policy": pause.policy.value, "window": duration_text(pause.window)}
    return {"target": pause.target, "since": instant_to_wire(pause.since), **chosen, **_note(one.record)}


def _sentence(one: Sentence) -> Json:
    told = {"at": instant_to_wire(one.at), "local": one.local, "kind": one.kind, "says": one.text}
    return told | ({"audit_id": one.audit_id} if one.audit_id else {})
