"""What a change of the table announces to other systems: a task that was opened, and two kinds of orders in the audit.

It is read from what is stored anyway, so no crash can come between the two.
"""

import json
from collections.abc import Mapping
from typing import Any

from cairn.adapters.dynamodb.items import AUDIT, TASK
from cairn.domain.effects import Announce
from cairn.domain.journey.arms import RULE
from cairn.domain.operations.breaker import BREAKER
from cairn.domain.people.task import Priority, TaskKind, TaskStatus
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.instants import instant_from_wire
from cairn.domain.webhook_delivery import webhook_id

Image = Mapping[str, Mapping[str, Any]]
Wire = Mapping[str, Any]

OF_A_TASK = ("queue", "journey", "enrollment", "step", "due_at")
"""Its title and context stay here: they may name the customer."""


def announced_in(record: Mapping[str, Any]) -> Announce | None:
    """The announcement that a stream record (NEW_AND_OLD_IMAGES) shows; the same record gives the same id each time."""
    change = record["dynamodb"]
    new, old = change.get("NewImage", {}), change.get("OldImage", {})
    pk, sk = change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]
    if sk.startswith(TASK):
        return _of_task(pk, sk.removeprefix(TASK), new) if _is_open(new) and not _is_open(old) else None
    return _of_order(sk, new) if pk == AUDIT and new and not old else None


def _of_task(customer: str, task: str, new: Image) -> Announce:
    body, at = json.loads(new["body"]["S"]), new["at"]["S"]
    data = {
        "task": task,
        "customer": customer,
        **{name: body.get(name) or None for name in OF_A_TASK},
        "kind": body.get("kind", TaskKind.TODO.value),
        "priority": body.get("priority", Priority.NORMAL.value),
    }
    return _announce(AnnouncedType.TASK_OPENED, at, data, f"{customer}#{task}")


def _of_order(sk: str, new: Image) -> Announce | None:
    body, at = json.loads(new["body"]["S"]), new["at"]["S"]
    who, what, target, why = (body.get(name, "") for name in ("who", "what", "target", "why"))
    if what == "pause" and who == BREAKER:
        return _announce(AnnouncedType.BREAKER_TRIPPED, at, {"target": target, "why": why}, sk)
    if what != "choose":
        return None
    is_rule = who == RULE  # a person's name and words stay in the audit
    about = {"journey": target.removeprefix("journey:"), "step": body.get("step"), "arm": body.get("arm")}
    data = {**about, "by": RULE if is_rule else "person", "why": why if is_rule else None}
    return _announce(AnnouncedType.EXPERIMENT_DECIDED, at, data, sk)


def _announce(type_: AnnouncedType, at: str, data: Wire, what: str) -> Announce:
    return Announce(webhook_id(type_, what, at), type_, instant_from_wire(at), {**data, "at": at})


def _is_open(image: Image) -> bool:
    return bool(image.get("status", {}).get("S") == TaskStatus.OPEN)
