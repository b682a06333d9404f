"""The answers to operators, as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from cairn.application.operations.migrate_journey import MigratedPage
from cairn.application.people.serve_inbox import Conversation
from cairn.application.ports import OpenConversation, PrivacyTask, UnderReview
from cairn.application.privacy.answer_requests import Answered
from cairn.domain.consent.suppression import Suppression
from cairn.domain.explain.explanations import CustomerExplanation, MessageExplanation, Sentence
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.seen import SeenType
from cairn.domain.operations.switches import PauseRecord, SwitchRecord, SwitchState
from cairn.domain.replies.thread import Utterance, last_reply
from cairn.domain.shared.instants import duration_text, instant_to_wire

Json = dict[str, Any]


def board(state: SwitchState) -> Json:
    """The switches that are stopped and the pauses that last; an ended pause is left out."""
    return {
        "stopped": [{"target": target, **_note(note)} for target, note in sorted(state.stopped.items())],
        "paused": [_pause(one) for one in state.pauses if one.pause.until is None],
    }


def message(explained: MessageExplanation) -> Json:
    return {
        "message": explained.id,
        "customer": explained.customer,
        "about": explained.origin,
        "zone": explained.zone,
        "history": [_sentence(one) for one in explained.history],
    }


def customer(explained: CustomerExplanation) -> Json:
    return {
        "customer": explained.id,
        "zone": explained.zone,
        "profile": explained.profile,
        "consents": explained.consents,
        "suppressions": explained.suppressions,
        "waiting": explained.waiting,
        "decisions": [{"message": one.message, "about": one.origin, **_sentence(one)} for one in explained.decisions],
    }


def open_conversation(one: OpenConversation) -> Json:
    return {
        "task": one.task,
        "customer": one.customer,
        "opened_at": one.opened_at,
        "due_at": one.due_at,
        "context": one.context,
    }


def conversation(shown: Conversation) -> Json:
    """`latest` names the customer's last text: an answer that names it is given to that text, and to no later one."""
    heard = last_reply(shown.lines)
    return {
        "customer": shown.customer,
        "lines": [{name: value for name, value in _line(one).items() if value != ""} for one in shown.lines],
        "earlier": shown.earlier,
        "latest": heard.id if heard is not None else None,
        "waits": open_conversation(shown.task) if shown.task is not None else None,
    }


def _line(line: Utterance) -> Json:
    direction = "in" if line.inbound else "out"
    shown = {name: getattr(line, name) for name in ("id", "at", "channel", "text", "status", "subject", "by", "reason")}
    return {"direction": direction, **shown, "intent": line.intent}


def reviews(waiting: Iterable[UnderReview]) -> list[Json]:
    return [
        {
            "message": one.message,
            "customer": one.customer,
            "deadline": one.deadline,
            "queue": one.queue,
            **one.about,
            "context": one.context,
        }
        for one in waiting
    ]


def privacy_tasks(waiting: Iterable[PrivacyTask]) -> list[Json]:
    return [
        {
            "task": one.id,
            "customer": one.customer,
            "opened_at": one.opened_at,
            "due_at": one.due_at,
            "title": one.title,
            "script": one.script,
            "context": dict(one.context),
        }
        for one in waiting
    ]


def answered(done: Answered) -> Json:
    """A receipt where something is being erased, and the document where data was asked for."""
    answer = {"task": done.task, "customer": done.customer, "choice": done.choice.value}
    answer |= {"receipt": done.receipt} if done.receipt else {}
    return answer | ({"document": done.document} if done.document is not None else {})


def suppressions(standing: Iterable[Suppression]) -> list[Json]:
    return [
        {
            "cause": one.cause.value,
            "since": instant_to_wire(one.at),
            "purpose": one.purpose.value if one.purpose else "all",
        }
        for one in standing
    ]


def still_suppressed(standing: Sequence[Suppression]) -> Json:
    """What to say where a consent was recorded and its address stays suppressed; nothing else."""
    if not standing:
        return {}
    causes = ", ".join(sorted({one.cause.value.replace("_", " ") for one in standing}))
    note = f"recorded, but the address stays suppressed because of: {causes}; releasing the address lifts it"
    return {"suppressed": suppressions(standing), "note": note}


def audit(entries: Iterable[AuditEntry]) -> list[Json]:
    return [
        {
            "id": one.id,
            "at": instant_to_wire(one.at),
            "who": one.actor,
            "identity": dict(one.identity),
            "what": one.action,
            "target": one.target,
            "why": one.reason,
            "detail": dict(one.detail),
        }
        for one in entries
    ]


def seen_types(found: Iterable[SeenType]) -> list[Json]:
    return [
        {
            "source": one.source,
            "type": one.type,
            "vendors_type": one.vendors_type,
            "counts": {because.value: count for because, count in one.counts.items()},
            "first_at": instant_to_wire(one.first_at),
            "last_at": instant_to_wire(one.last_at),
            "shape": one.shape,
        }
        for one in found
    ]


def migrated(page: MigratedPage) -> Json:
    """A page of enrollments that wait: how many move where, and how many stay why."""
    moves, stays = [], []
    for line, count in page.counts.items():
        here = {"version": line.version, "step": line.step, "count": count}
        if line.timer is None:
            stays.append({**here, "because": line.because})
        else:
            moves.append({**here, "to_step": line.to_step or None, "timer": line.timer})
    return {"to": page.to_version or None, "moves": moves, "stays": stays, "after": page.following}


def _note(note: SwitchRecord) -> Json:
    return {"by": note.by, "at": instant_to_wire(note.at), "why": note.why}


def _pause(one: PauseRecord) -> Json:
    pause = one.pause
    chosen = {"policy": pause.policy.value, "window": duration_text(pause.window)}
    return {"target": pause.target, "since": instant_to_wire(pause.since), **chosen, **_note(one.record)}


def _sentence(one: Sentence) -> Json:
    document = {"at": instant_to_wire(one.at), "local": one.local, "kind": one.kind, "says": one.text}
    return document | ({"audit_id": one.audit_id} if one.audit_id else {})
