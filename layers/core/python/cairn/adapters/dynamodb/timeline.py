"""The timeline of a customer, from one partition."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import DeleteError, PutError, UpdateError

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.consent_records import record_from_wire
from cairn.adapters.dynamodb.customer_state import profile_in
from cairn.adapters.dynamodb.due_times import due_keys
from cairn.adapters.dynamodb.items import (
    AUDIENCE,
    CONDITION_FAILED,
    CONSENT,
    ENROLLED,
    ENROLLMENT,
    ENTRIES,
    EVENT,
    FACTS,
    IN_APP,
    MERGED,
    MESSAGE,
    OUTBOX,
    STATE,
    TASK,
    RecordItem,
    code_of,
)
from cairn.adapters.dynamodb.owner_list import unlisting
from cairn.adapters.dynamodb.table import read_all, read_partition, write_all
from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.consent.suppression import ALL
from cairn.domain.effects import CloseTask, Fact, OpenTask
from cairn.domain.message.message import MessageStatus
from cairn.domain.people.task import TaskKind
from cairn.domain.policy import EVERY_JOURNEY
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import LATEST, instant_to_wire
from cairn.settings import TIMELINE_RETENTION

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

TimelineEntry = dict[str, Any]

PREFIXES = (EVENT, CONSENT, FACTS, TASK, MESSAGE)

MOVED = (*PREFIXES, IN_APP)
"""The records that a merge moves to the survivor."""

LAST = ("goal_reached", "waiting", "ended", "stopped")
"""The state that an enrollment reached: shown after the event and the decisions of the same instant."""

KINDS = {
    MessageStatus.SUPPRESSED.value: "suppressed",
    MessageStatus.FAILED.value: "failed",
    MessageStatus.UNDECIDED.value: "undecided",
}

ABOUT = (
    "journey",
    "version",
    "enrollment",
    "step",
    "template",
    "purpose",
    "channels",
    "answers",
)
"""Fields that are the same in every decision on a message."""

WRITTEN = ("written_by", "subject", "body")
"""Of a person's answer, also in each deferral: it is written before any decision. A journey's text is rendered last."""

ENTERED, ENDED = "entered", "ended"

OPEN, DONE = "open", "done"
"""The status of a task."""


class DynamoTimeline:
    """Implements the ports Timeline and Tasks."""

    def remember(self, customer_id: str, commit: str, facts: Iterable[Fact], at: datetime, merged_id: str = "") -> None:
        """One item a commit, indexed by the enrollment that it began, so that a message leads to its customer.

        The index has one enrollment an item, so a commit that enters several journeys writes several items.
        """
        items = []
        for number, some in enumerate(_by_entry(facts)):
            entered = next((fact.enrollment for fact in some if _begins(fact)), None)
            sk = f"{FACTS}{commit}" + (f"-{number}" if number else "")
            item = RecordItem(
                customer_id,
                _key_at_survivor(sk, merged_id) if merged_id else sk,
                at=instant_to_wire(at),
                body={"facts": [codec.fact_to_wire(fact) for fact in some]},
                expires_at=_expiry(at),
                gsi1pk=ENROLLMENT + entered if entered else None,
                gsi1sk=instant_to_wire(at) if entered else None,
            )
            items.append(item)
        if len(items) == 1:
            items[0].save()
        else:
            write_all(items)

    def note_not_carried_out(  # noqa: PLR0913, PLR0917  what, of what, and why
        self, customer_id: str, commit: str, effect: str, enrollment: str, because: str, at: datetime
    ) -> None:
        """Named after the commit and the effect, so that it is written once."""
        fact = Fact("not_carried_out", enrollment, detail={"effect": effect, "because": because})
        name = short_hash(customer_id, effect, enrollment, length=8)
        RecordItem(
            customer_id,
            f"{FACTS}{commit}-{name}",
            at=instant_to_wire(at),
            body={"facts": [codec.fact_to_wire(fact)]},
            expires_at=_expiry(at),
        ).save()

    def outcome_of(self, customer_id: str, enrollment: str) -> str:
        for line in reversed(self.entries(customer_id)):
            if line["kind"] == ENDED and line.get("enrollment") == enrollment:
                return str(line.get("outcome", ""))
        return ""

    def customer_of(self, enrollment: str) -> str | None:
        """The customer of the enrollment, now or before a merge; None after an erasure."""
        return next((item.pk for item in RecordItem.by_index.query(ENROLLMENT + enrollment, limit=1)), None)

    def open(self, customer_id: str, journey: str, task: OpenTask, at: datetime) -> None:
        """A task that was done before `at` is opened again: the same request came again since."""
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
            **({} if task.kind is TaskKind.TODO else {"kind": task.kind.value}),
        }
        entry = RecordItem(
            customer_id,
            TASK + task.id,
            at=instant_to_wire(at),
            body=body,
            status=OPEN,
            gsi1pk=f"queue#{task.queue}",
            gsi1sk=f"{due_at}#{task.id}",
            expires_at=_expiry(task.due_at),
            **due_keys(customer_id, task.due_at),
        )
        is_new = RecordItem.pk.does_not_exist()
        answered_before = (RecordItem.status == DONE) & (RecordItem.at < instant_to_wire(at))
        try:
            entry.save(condition=is_new | answered_before)
        except PutError as error:
            if code_of(error) != CONDITION_FAILED:
                raise

    def close(self, customer_id: str, closed: CloseTask) -> None:
        key = (customer_id, TASK + closed.task)
        item = read_all([key]).get(key)
        if item is None or item.status != OPEN:
            return
        outcome = {"outcome": closed.outcome, "done_by": closed.by, "done_at": instant_to_wire(closed.at)}
        actions: list[Action] = [
            RecordItem.status.set(DONE),
            RecordItem.body.set({**(item.body or {}), **outcome}),
            RecordItem.gsi1pk.set(TASK + closed.task),
            RecordItem.gsi2pk.remove(),
            RecordItem.gsi2sk.remove(),
        ]
        try:
            RecordItem(*key).update(actions, (RecordItem.status == OPEN) & (RecordItem.at == item.at))
        except UpdateError as error:
            if code_of(error) != CONDITION_FAILED:  # a person has done it meanwhile
                raise
            return
        for owner, leave in unlisting(item):
            owner.update(leave)

    def entries(self, customer_id: str) -> list[TimelineEntry]:
        found = [
            (line["at"] or "", line["kind"] in LAST, PREFIXES.index(prefix), item.sk, number, line)
            for item in with_merged(read_partition(customer_id)).values()
            if (prefix := prefix_of(item.sk)) in PREFIXES
            for number, line in enumerate(_entries(prefix, item))
        ]
        return [line for *_, line in sorted(found, key=lambda one: one[:5])]

    def absorb(self, customer_id: str, merged_id: str) -> None:
        """The parts of the other state go, too: the customer has them since the merge, in its own audiences."""
        items = list(RecordItem.query(merged_id, consistent_read=True))
        write_all(deletes=(item for item in items if item.sk.startswith((ENTRIES, ENROLLED, OUTBOX, AUDIENCE))))
        for item in items:
            if prefix_of(item.sk) not in MOVED:
                continue
            while not _moved(item, customer_id, _key_at_survivor(item.sk, merged_id)):
                item.refresh(consistent_read=True)


def with_merged(items: dict[str, Any]) -> dict[str, Any]:
    """The items of a customer's partition, with the records that still lie under ids that were merged into it.

    Those move to the customer, each as a copy first; what is written late under an old id is found there.
    """
    whole = dict(items)
    for merged_id in merged_ids(items):
        for sk, item in read_partition(merged_id).items():
            if prefix_of(sk) in MOVED:
                key = _key_at_survivor(sk, merged_id)
                there = whole.setdefault(key, item)
                if (there.rank or 0) < (item.rank or 0):
                    whole[key] = item
    return whole


def merged_ids(items: Mapping[str, Any]) -> list[str]:
    """The ids that were merged into the customer with these items."""
    state = items.get(STATE)
    recent = profile_in(items).merged if state is not None and state.profile else {}
    return sorted({*recent, *(sk.removeprefix(MERGED) for sk in items if sk.startswith(MERGED))})


def prefix_of(sk: str) -> str:
    return sk.partition("#")[0] + "#"


def _key_at_survivor(sk: str, merged_id: str) -> str:
    """Facts are named after their commit's version, which both profiles count for themselves."""
    own = f"-{merged_id}"
    return sk + own if sk.startswith(FACTS) and not sk.endswith(own) else sk


def _moved(item: RecordItem, customer_id: str, sk: str) -> bool:
    """Copy an item and delete it; False after a concurrent write: copy it once more."""
    values = {name: value for name, value in item.attribute_values.items() if name not in {"pk", "sk", "outbox"}}
    _save_unless_further(RecordItem(customer_id, sk, **values))
    as_copied = RecordItem.rank == item.rank if item.rank is not None else None
    try:
        item.delete(condition=as_copied)
    except DeleteError as error:
        if code_of(error) != CONDITION_FAILED:
            raise
        return False
    return True


def _save_unless_further(item: RecordItem) -> None:
    """A record that the new id already has is not replaced by an earlier status."""
    no_further = RecordItem.rank.does_not_exist() | (RecordItem.rank <= item.rank) if item.rank is not None else None
    try:
        item.save(condition=no_further)
    except PutError as error:
        if code_of(error) != CONDITION_FAILED:
            raise


def _entries(prefix: str, item: RecordItem) -> list[TimelineEntry]:
    body = item.body or {}
    at = {"at": item.at}
    match prefix:
        case "event#":
            return [at | {"kind": "event"} | body]
        case "consent#":
            return [at | {"kind": "consent"} | _consent_entry(record_from_wire(body))]
        case "facts#":
            return [at | {name: value for name, value in _flat(fact).items() if value} for fact in body["facts"]]
        case "task#":
            return [at | {"kind": "task", "status": item.status} | _task_entry(body)]
        case _:
            return list(_decisions(item, body))


OF_THE_STORE = frozenset(
    {"kind", "due", "listed_as", "sequence", "remind_at", "next_at", "passed", "wanted", "time_zone"}
)
"""Fields of a task's body that say nothing to people."""

OF_HISTORY = ("at", "by", "what", "owner", "why")


def _task_entry(body: TimelineEntry) -> TimelineEntry:
    always = {"journey": "", "enrollment": "", "step": "", "context": {}, "script": ""}
    shown = always | {name: value for name, value in body.items() if name not in OF_THE_STORE}
    shown |= {"task_kind": body["kind"]} if "kind" in body else {}
    shown |= {"source": source} if (source := body.get("wanted", {}).get("source")) else {}
    if "asked" in body:
        shown |= {"queue": shown.pop("asked"), "now_in": body["queue"]}
    for name in ("history", "notes"):
        if name in body:
            lines = (zip(OF_HISTORY, one, strict=True) for one in body[name])
            shown[name] = [{key: text for key, text in line if text} for line in lines]
    return shown


def _consent_entry(record: ConsentRecord) -> TimelineEntry:
    """The consent statement with its proof."""
    said = record.change
    about: TimelineEntry = {"channel": said.channel.value, "told_by": record.reported_by}
    if isinstance(said, ConsentChange):
        about |= {"purpose": said.purpose.value, "status": said.status.value, "source": said.source}
        return about | ({"evidence": dict(said.evidence)} if said.evidence else {})
    about |= {"purpose": said.mark.purpose.value if said.mark.purpose else ALL, "cause": said.mark.cause.value}
    about["status"] = "released" if said.mark.lifted else "suppressed"
    return about | ({"address": said.address} if said.address else {})


def _decisions(item: RecordItem, body: TimelineEntry) -> Iterator[TimelineEntry]:
    """Each deferral of a message, then its outcome; a deferred message has none yet."""
    message_id = item.sk.removeprefix(MESSAGE)
    shown = ABOUT + WRITTEN if "written_by" in body else ABOUT
    about = {name: body[name] for name in shown if name in body}
    number = 0
    for number, one in enumerate(item.decisions or (), 1):
        line = {"at": one["at"], "kind": "deferred", **_named(message_id, number), **about}
        details = {name: one[name] for name in ("reason", "until", "why")} | {"channel": one["why"].get("channel")}
        yield line | {name: value for name, value in details.items() if value}
    if item.status != MessageStatus.DEFERRED:
        kind = KINDS.get(item.status or "", "message")
        delivered = {"delivered_at": item.delivered_at} if item.delivered_at else {}
        yield {
            "at": item.at,
            "kind": kind,
            "status": item.status,
            **_named(message_id, number + 1),
            **body,
            **delivered,
        }


def _named(message_id: str, number: int) -> TimelineEntry:
    return {"message_id": message_id, "audit_id": f"{message_id}.{number}"}


def _by_entry(facts: Iterable[Fact]) -> list[list[Fact]]:
    """The facts in order, in at least one part, with at most one new enrollment in each."""
    parts: list[list[Fact]] = [[]]
    for fact in facts:
        if _begins(fact) and any(map(_begins, parts[-1])):
            parts.append([])
        parts[-1].append(fact)
    return parts


def _begins(fact: Fact) -> bool:
    return fact.kind == ENTERED and fact.journey != EVERY_JOURNEY


def _flat(fact: TimelineEntry) -> TimelineEntry:
    detail: TimelineEntry = fact.get("detail", {})
    return {name: value for name, value in fact.items() if name != "detail"} | detail


def _expiry(at: datetime) -> int:
    return int((min(at, LATEST - TIMELINE_RETENTION) + TIMELINE_RETENTION).timestamp())
