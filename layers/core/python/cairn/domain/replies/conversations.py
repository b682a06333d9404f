"""Replies that a person has to read, as tasks: no reply is lost.

A customer has one conversation, over all channels: its task has one reason, so two are never open. The texts are not
stored with it: `cairn inbox show` reads them from the timeline.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cairn.domain.effects import Effect, Fact, FactKind, OpenTask, RecordConsent
from cairn.domain.event import REPLIED, Event
from cairn.domain.identity.trust import is_provider
from cairn.domain.people.task import CONVERSATION, Task, TaskKind, id_of
from cairn.domain.replies.rules import ANSWER, Handling, Replies
from cairn.domain.shared.instants import instant_to_wire, moved

TITLE = "Answer a customer"
SCRIPT = "cairn inbox show {customer}"
MAX_TEXT_SHOWN = 1_000
"""Characters of the reply that the task shows."""

WHILE_CLOSED = "the customer wrote while the conversation was being closed"

HEARD: frozenset[FactKind] = frozenset({"ended", "entered", "goal_reached", "happened", "refreshed", "stopped"})
"""What a journey has made of an event that it was waiting for."""


def task_of(customer_id: str) -> str:
    """The id of the task about a customer's conversation."""
    return id_of(customer_id, CONVERSATION)


def is_about_one(task: Task) -> bool:
    return task.reason == CONVERSATION


def conversation(  # noqa: PLR0913, PLR0917  what was said, and what became of it
    event: Event,
    replies: Replies,
    customer_id: str,
    facts: Iterable[Fact],
    effects: Iterable[Effect],
    now: datetime,
    draft: str = "",
) -> OpenTask | None:
    """The task of a reply, given what has followed from it; None where nobody has to read it."""
    if event.type != REPLIED or not is_provider(event.source) or event.backfill:
        return None
    if any(isinstance(one, RecordConsent) or (isinstance(one, OpenTask) and not one.enrollment) for one in effects):
        return None  # it confirms a consent, or a person decides whether it means STOP
    because = _because(event.properties, replies, {one.kind for one in facts})
    if not because:
        return None
    said = event.properties
    about = {name: said[name] for name in ("channel", "intent", "confidence", "answer", "perhaps") if name in said}
    about |= {"written_at": instant_to_wire(event.occurred_at), **({"draft": draft} if draft else {})}
    return _task(customer_id, replies, about, because, str(said.get("text") or ""), now)


def reopened(task: Task, now: datetime) -> OpenTask:
    """The task once more, for a text that came while it was being closed: it is the one that the task shows."""
    allowed = task.due or task.due_at - task.opened_at
    return OpenTask(
        id=task.id,
        enrollment="",
        step="",
        queue=task.opened_for,
        title=task.title,
        due_at=moved(now, allowed),
        due=allowed,
        context={**task.context, "because": WHILE_CLOSED},
        script=task.script,
        kind=task.kind,
        reason=CONVERSATION,
        time_zone=task.time_zone,
    )


def _task(  # noqa: PLR0913, PLR0917  all that is in it
    customer_id: str, replies: Replies, about: Mapping[str, Any], because: str, text: str, now: datetime
) -> OpenTask:
    return OpenTask(
        id=task_of(customer_id),
        enrollment="",
        step="",
        queue=replies.queue,
        title=TITLE,
        due_at=now + replies.due,
        due=replies.due,
        context={**about, "because": because, "text": text[:MAX_TEXT_SHOWN]},
        script=SCRIPT.format(customer=customer_id),
        kind=TaskKind.TICKET,
        reason=CONVERSATION,
    )


def _because(said: Mapping[str, Any], replies: Replies, happened: set[FactKind]) -> str:
    """Why a person has to read it; empty where it is seen to.

    A journey that began by it has read its keyword, whatever our rules make of it.
    """
    if "entered" in happened:
        return ""
    if said.get("confidence", 0.0) < replies.threshold:
        model = said.get("model")
        return f"no rule reads it, and the model {model}" if model else "no rule reads it with enough confidence"
    intent = said.get("intent")
    rule = replies.intents.get(str(intent))
    handling = Handling.JOURNEY if intent == ANSWER or rule is None else rule.handling
    if handling is Handling.NOBODY or (handling is Handling.JOURNEY and happened & HEARD):
        return ""
    return "a person sees to it" if handling is Handling.PERSON else "no journey waits for it"
