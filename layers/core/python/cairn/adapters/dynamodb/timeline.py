"""The timeline: everything about a customer, from one partition."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pynamodb.exceptions import PutError

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.items import CONDITION_FAILED, EVENT, FACTS, MESSAGE, TASK, Entry
from cairn.domain.effects import Fact, OpenTask
from cairn.domain.event import instant_to_wire
from cairn.domain.message import MessageStatus
from cairn.settings import TIMELINE_RETENTION

Line = dict[str, Any]

PREFIXES = (EVENT, FACTS, TASK, MESSAGE)

LAST = ("goal_reached", "waiting", "ended")
"""Where the walk came to rest; of one instant, told after the event, the decisions and what came of them."""

KINDS = {
    MessageStatus.SUPPRESSED.value: "suppressed",
    MessageStatus.FAILED.value: "failed",
    MessageStatus.UNDECIDED.value: "undecided",
}


class DynamoTimeline:
    """Implements the ports Timeline and Tasks."""

    def remember(self, customer_id: str, revision: int, facts: Iterable[Fact], at: datetime) -> None:
        Entry(
            customer_id,
            f"{FACTS}{revision:09d}",
            at=instant_to_wire(at),
            body={"facts": [codec.fact_to_wire(fact) for fact in facts]},
            expires_at=_expiry(at),
        ).save()

    def open(self, customer_id: str, journey: str, task: OpenTask, at: datetime) -> None:
        due_at = instant_to_wire(task.due_at)
        body = {
            "journey": journey,
            "enrollment": task.enrollment,
            "step": task.step,
            "queue": task.queue,
            "title": task.title,
            "due_at": due_at,
            "context": task.context,
            "script": task.script,
        }
        entry = Entry(
            customer_id,
            TASK + task.id,
            at=instant_to_wire(at),
            body=body,
            status="open",
            gsi1pk=f"queue#{task.queue}",
            gsi1sk=f"{due_at}#{task.id}",
        )
        try:
            entry.save(condition=Entry.pk.does_not_exist())
        except PutError as error:
            if error.cause_response_code != CONDITION_FAILED:
                raise

    def entries(self, customer_id: str) -> list[Line]:
        found = [
            (item.at or "", line["kind"] in LAST, PREFIXES.index(prefix), item.sk, number, line)
            for prefix, item in _recorded(customer_id)
            for number, line in enumerate(_lines(prefix, item))
        ]
        return [line for *_, line in sorted(found, key=lambda one: one[:5])]

    def absorb(self, customer_id: str, merged_id: str) -> None:
        for prefix, item in _recorded(merged_id):
            values = {name: value for name, value in item.attribute_values.items() if name not in {"pk", "sk"}}
            sk = f"{item.sk}-{merged_id}" if prefix == FACTS else item.sk
            Entry(customer_id, sk, **values).save()
            item.delete()


def _recorded(customer_id: str) -> Iterator[tuple[str, Entry]]:
    for item in Entry.query(customer_id, consistent_read=True):
        prefix = item.sk.partition("#")[0] + "#"
        if prefix in PREFIXES:
            yield prefix, item


def _lines(prefix: str, item: Entry) -> list[Line]:
    body = item.body or {}
    at = {"at": item.at}
    match prefix:
        case "event#":
            return [at | {"kind": "event"} | body]
        case "facts#":
            return [at | {name: value for name, value in _flat(fact).items() if value} for fact in body["facts"]]
        case "task#":
            return [at | {"kind": "task", "status": item.status} | body]
        case _:
            return [at | {"kind": KINDS.get(item.status or "", "message"), "status": item.status} | body]


def _flat(fact: Line) -> Line:
    detail: Line = fact.get("detail", {})
    return {name: value for name, value in fact.items() if name != "detail"} | detail


def _expiry(at: datetime) -> int:
    return int((at + TIMELINE_RETENTION).timestamp())
