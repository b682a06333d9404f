"""Tasks and who has them: a task is an item of its customer, and its name is in the list of its owner.

Both change in one transaction wherever a task gets an owner. Only a task that closes leaves its owner's list in a
second write, which costs half of a transaction: where that is lost, `of_member` mends the list when it is read,
and the task's timer when it fires.

`rank` is a task's version: it is what the records of a merged customer are compared by (timeline.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition

from cairn.adapters.aws import THROTTLED_REASONS
from cairn.adapters.dynamodb.atomic_write import AtomicWrite, CancelledWriteError
from cairn.adapters.dynamodb.due_times import due_keys
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    DEAL,
    MEMBER,
    MEMBERS,
    PEOPLE,
    TASK,
    WORK,
    RecordItem,
    WorkItem,
    code_of,
)
from cairn.adapters.dynamodb.outbox import outbox_of_task
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.adapters.dynamodb.table import behind, read_all
from cairn.application.values.people import Staff, TaskPage
from cairn.domain.effects import Effect
from cairn.domain.people.members import Absence, Deal, Override, Share, Work
from cairn.domain.people.task import Entry, Priority, Task, TaskKind, TaskStatus, Wanted
from cairn.domain.shared.errors import ConflictError, InvalidRequestError, ServiceBusyError
from cairn.domain.shared.instants import LATEST, instant_from_wire, instant_to_wire
from cairn.settings import TIMELINE_RETENTION

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

    from cairn.domain.people.routing import Assignment

Wire = dict[str, Any]

QUEUE = "queue#"
"""The start of the index key of the open tasks of a queue."""

BEFORE_OTHERS = {Priority.URGENT: "!", Priority.NORMAL: "", Priority.LOW: "~"}
"""How the sort key begins: before every digit of a due time, and behind. Earlier releases wrote the due time alone."""

CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
CHANGED = "the task or its member has changed; look again"

TEXTS = (
    "journey",
    "enrollment",
    "step",
    "queue",
    "title",
    "script",
    "reason",
    "owner",
    "asked",
    "outcome",
    "done_by",
    "time_zone",
)
NUMBERS = ("sequence", "passed", "reassigned", "escalated", "tries")
INSTANTS = ("due_at", "claimed_at", "remind_at", "next_at", "done_at")
DATA = ("context", "answers")
WANTED_TEXTS = ("owner", "language", "source", "country", "region", "postal_code", "member", "at_work")


class DynamoTasks:
    """Implements the port TaskStore."""

    def staff(
        self, members: Collection[str], deals: Collection[str] = (), task: tuple[str, str] | None = None
    ) -> Staff:
        keys = [(PEOPLE, MEMBERS), *map(work_key, members), *((f"{DEAL}#{one}", DEAL) for one in deals)]
        key = (task[0], TASK + task[1]) if task else None
        found = read_all([*keys, key] if key else keys)
        said, stored = found.get((PEOPLE, MEMBERS)), found.get(key) if key else None
        work = {pk.removeprefix(MEMBER): work_from_item(item) for (pk, sk), item in found.items() if sk == WORK}
        registered = {pk: deal_from_wire(item.body) for (pk, sk), item in found.items() if sk == DEAL}
        return Staff(
            work=work,
            overrides=overrides_from_wire(said.body) if said else {},
            deals={pk.removeprefix(f"{DEAL}#"): deal for pk, deal in registered.items()},
            task=task_from_item(stored) if stored else None,
        )

    def open(self, task: Task, given: "Assignment", follows: Sequence[Effect] = ()) -> Task:
        name = f"{task.customer} {task.id}" + (f" {task.version}" if task.version else "")
        stored = replace(task, version=task.version + 1, listed_as=name)
        was_done = (
            (RecordItem.status != TaskStatus.OPEN.value)
            & (RecordItem.at < instant_to_wire(task.opened_at))
            & _is_version(RecordItem.rank, task.version)
        )
        lists = _given(stored, given) if stored.owner else []
        _write(_item(stored, follows), RecordItem.pk.does_not_exist() | was_done, lists)
        return stored

    def load(self, customer_id: str, task_id: str) -> Task | None:
        key = (customer_id, TASK + task_id)
        item = read_all([key]).get(key)
        return task_from_item(item) if item else None

    def change(
        self, before: Task, after: Task, given: "Assignment | None" = None, follows: Sequence[Effect] = ()
    ) -> Task:
        stored = replace(after, version=before.version + 1, listed_as=before.listed_as)
        unchanged = (
            (RecordItem.status == before.status.value)
            & (RecordItem.at == instant_to_wire(before.opened_at))
            & _is_version(RecordItem.rank, before.version)
        )
        lists = []
        if stored.is_open and stored.owner != before.owner:
            if before.owner:
                lists.append(ListChange(before.owner, [WorkItem.tasks.delete({stored.listed_as})]))
            if stored.owner:
                lists += _given(stored, given)
        _write(_item(stored, follows), unchanged, lists)
        if not stored.is_open:
            self.unlist(replace(stored, owner=before.owner))
        return stored

    def of_customer(self, customer_id: str) -> Sequence[Task]:
        found = RecordItem.query(customer_id, RecordItem.sk.startswith(TASK), consistent_read=True)
        return [task_from_item(item) for item in found]

    def unlist(self, task: Task) -> None:
        if task.owner:
            WorkItem(*work_key(task.owner)).update([WorkItem.tasks.delete({task.listed_as})])

    def page(self, queue: str, limit: int, after: str = "") -> TaskPage:
        start = _position_in(queue, after) if after else None
        found = RecordItem.by_index.query(QUEUE + queue, limit=limit, page_size=limit, last_evaluated_key=start)
        tasks = [task_from_item(item) for item in found]
        key = found.last_evaluated_key
        return TaskPage(tasks, f"{key['gsi1sk']['S']} {key['pk']['S']}" if key else "")

    def of_member(self, member: str) -> Sequence[Task]:
        key = work_key(member)
        work = read_all([key]).get(key)
        if work is None or not work.tasks:
            return []
        listed = _tasks_named(work.tasks)
        theirs = {name: one for name, one in listed.items() if one.is_open and one.owner == member}
        if wrong := work.tasks - theirs.keys():
            try:
                WorkItem(*key).update([WorkItem.tasks.delete(wrong)], condition=WorkItem.version == work.version)
            except UpdateError as error:
                if code_of(error) != CONDITION_FAILED:  # who was given a task meanwhile is read anew next time
                    raise
        return sorted(theirs.values(), key=_order)


def work_key(member: str) -> tuple[str, str]:
    return MEMBER + member, WORK


@dataclass(frozen=True, slots=True)
class ListChange:
    """What changes in a member's list."""

    member: str
    actions: "list[Action]"
    unchanged: Condition | None = None


def _given(task: Task, given: "Assignment | None") -> list[ListChange]:
    """The task in its owner's list. By the rules, only where its owner was given no other one since they were read."""
    actions: list[Action] = [WorkItem.tasks.add({task.listed_as})]
    if given is None or given.work is None:
        return [ListChange(task.owner, [*actions, WorkItem.version.add(1)])]
    version = given.work.version
    actions += [
        WorkItem.shares.set(_shares_to_wire({**given.work.shares, given.queue: given.share})),
        WorkItem.version.set(version + 1),
    ]
    return [ListChange(task.owner, actions, _is_version(WorkItem.version, version))]


def _write(item: RecordItem, condition: Condition, lists: Iterable[ListChange]) -> None:
    """One write where no list changes: a transaction costs double. Raises ConflictError."""
    write = AtomicWrite()
    for one in lists:
        write.update(WorkItem(*work_key(one.member)), one.actions, one.unchanged)
    try:
        if len(write):
            write.put(item, condition)
            write.commit()
        else:
            item.save(condition)
    except CancelledWriteError as error:
        codes = set(error.reasons.values())
        if codes & THROTTLED_REASONS:
            raise ServiceBusyError("dynamodb is busy: it is throttled") from error
        if codes <= CONFLICTS:
            raise ConflictError(CHANGED) from error
        raise
    except PutError as error:
        if code_of(error) != CONDITION_FAILED:
            raise
        raise ConflictError(CHANGED) from error


def _is_version(attribute: Any, version: int) -> Condition:
    condition: Condition = attribute == version if version else attribute.does_not_exist()
    return condition


def _tasks_named(names: Iterable[str]) -> dict[str, Task]:
    """Tasks by their names in a list. Of a customer who was merged since, they are with the other one."""
    keys = {name: _key_in(name) for name in names}
    found = read_all(keys.values())
    if missing := {key for key in keys.values() if key not in found}:
        present = DynamoPresentCustomers().present_ids({customer for customer, _ in missing})
        moved = {(customer, sk): (present[customer], sk) for customer, sk in missing if customer in present}
        later = read_all(moved.values()) if moved else {}
        found |= {old: later[new] for old, new in moved.items() if new in later}
    tasks = {name: task_from_item(found[key]) for name, key in keys.items() if key in found}
    return {name: task for name, task in tasks.items() if task.listed_as == name}


def _key_in(name: str) -> tuple[str, str]:
    customer, _, rest = name.partition(" ")
    return customer, TASK + rest.partition(" ")[0]


def _position_in(queue: str, after: str) -> dict[str, dict[str, Any]]:
    """The key behind which a page begins. Raises InvalidRequestError."""
    order, blank, customer = after.partition(" ")
    id_ = order.rpartition("#")[2]
    if not (blank and id_ and customer):
        raise InvalidRequestError(["after: not what an earlier answer gave"])
    return behind(QUEUE + queue, order, customer, TASK + id_)


def _order(task: Task) -> str:
    return f"{BEFORE_OTHERS[task.priority]}{instant_to_wire(task.due_at)}#{task.id}"


def _item(task: Task, follows: Sequence[Effect]) -> RecordItem:
    """With its outbox: what follows from this change (outbox.py)."""
    item = RecordItem(
        task.customer,
        TASK + task.id,
        at=instant_to_wire(task.opened_at),
        body=_body(task),
        status=task.status.value,
        rank=task.version,
        outbox=outbox_of_task(task, follows),
        expires_at=int((min(task.due_at, LATEST - TIMELINE_RETENTION) + TIMELINE_RETENTION).timestamp()),
    )
    if task.is_open:
        item.gsi1pk, item.gsi1sk = QUEUE + task.queue, _order(task)
        due = due_keys(task.customer, task.next_at or task.due_at)
        item.gsi2pk, item.gsi2sk = due["gsi2pk"], due["gsi2sk"]
    return item


def _body(task: Task) -> Wire:
    """Without what is empty or usual: every kilobyte costs a write unit."""
    body: Wire = {name: getattr(task, name) for name in (*TEXTS, *NUMBERS) if getattr(task, name)}
    body |= {name: instant_to_wire(at) for name in INSTANTS if (at := getattr(task, name))}
    body |= {name: dict(getattr(task, name)) for name in DATA if getattr(task, name)}
    if task.kind is not TaskKind.TODO:
        body["kind"] = task.kind.value
    if task.priority is not Priority.NORMAL:
        body["priority"] = task.priority.value
    if task.enrollments:
        body["enrollments"] = list(task.enrollments)
    if task.due is not None:
        body["due"] = task.due.total_seconds()
    if wanted := _wanted_to_wire(task.wanted):
        body["wanted"] = wanted
    for name in ("notes", "history"):
        if entries := getattr(task, name):
            body[name] = [_entry_to_wire(one) for one in entries]
    return body | {"listed_as": task.listed_as}


def task_from_item(item: Any) -> Task:
    body: Wire = item.body or {}
    due_at = instant_from_wire(body["due_at"])
    fields: Wire = {name: str(body.get(name) or "") for name in TEXTS}
    fields |= {name: int(body.get(name, 0)) for name in NUMBERS}
    fields |= {name: instant_from_wire(body[name]) for name in INSTANTS[1:] if name in body}
    fields |= {name: body.get(name) or {} for name in DATA}
    return Task(
        id=item.sk.removeprefix(TASK),
        customer=item.pk,
        opened_at=instant_from_wire(item.at) if item.at else due_at,
        due_at=due_at,
        kind=TaskKind(body.get("kind", TaskKind.TODO)),
        priority=Priority(body.get("priority", Priority.NORMAL)),
        status=TaskStatus(item.status),
        due=timedelta(seconds=body["due"]) if "due" in body else None,
        wanted=_wanted_from_wire(body.get("wanted", {})),
        enrollments=tuple(body.get("enrollments", ())),
        notes=tuple(_entry_from_wire(one) for one in body.get("notes", ())),
        history=tuple(_entry_from_wire(one) for one in body.get("history", ())),
        version=int(item.rank or 0),
        listed_as=body.get("listed_as", ""),
        **fields,
    )


def _entry_to_wire(entry: Entry) -> list[str]:
    return [instant_to_wire(entry.at), entry.by, entry.what, entry.owner, entry.why]


def _entry_from_wire(wire: Sequence[str]) -> Entry:
    at, by, what, owner, why = wire
    return Entry(instant_from_wire(at), by, what, owner, why)


def _wanted_to_wire(wanted: Wanted) -> Wire:
    wire: Wire = {name: getattr(wanted, name) for name in WANTED_TEXTS if getattr(wanted, name)}
    if wanted.skills:
        wire["skills"] = sorted(wanted.skills)
    if wanted.deals:
        wire["deals"] = list(wanted.deals)
    if wanted.latitude is not None and wanted.longitude is not None:
        wire["at"] = [wanted.latitude, wanted.longitude]
    return wire


def _wanted_from_wire(wire: Mapping[str, Any]) -> Wanted:
    latitude, longitude = wire.get("at", (None, None))
    return Wanted(
        skills=frozenset(wire.get("skills", ())),
        deals=tuple(wire.get("deals", ())),
        latitude=latitude,
        longitude=longitude,
        **{name: wire.get(name, "") for name in WANTED_TEXTS},
    )


def work_from_item(item: Any) -> Work:
    shares = {queue: Share(*one) for queue, one in (item.shares or {}).items()}
    return Work(frozenset(item.tasks or ()), shares, int(item.version or 0))


def _shares_to_wire(shares: Mapping[str, Share]) -> Wire:
    return {queue: [one.position, one.number, one.start] for queue, one in shares.items()}


def overrides_from_wire(wire: Mapping[str, Any]) -> dict[str, Override]:
    return {member: _override_from_wire(one) for member, one in wire.items()}


def override_to_wire(one: Override) -> Wire:
    wire: Wire = {"absences": [[instant_to_wire(away.start), instant_to_wire(away.end)] for away in one.absences]}
    if one.capacity is not None:
        wire["capacity"] = one.capacity
    wire |= {name: instant_to_wire(at) for name in ("back", "left") if (at := getattr(one, name))}
    return wire


def _override_from_wire(wire: Mapping[str, Any]) -> Override:
    absences = tuple(Absence(*map(instant_from_wire, one)) for one in wire.get("absences", ()))
    instants = {name: instant_from_wire(wire[name]) for name in ("back", "left") if name in wire}
    return Override(absences, wire.get("capacity"), **instants)


def deal_from_wire(wire: Mapping[str, Any]) -> Deal:
    return Deal(wire["partner"], instant_from_wire(wire["until"]))
