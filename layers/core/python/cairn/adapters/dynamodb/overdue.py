"""Overdue items: found by their due time in the second sparse index, read as a whole, and put off."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from pynamodb.exceptions import PynamoDBException, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from cairn.adapters.dynamodb.contact_items import contact_from_item
from cairn.adapters.dynamodb.customer_state import enrollment_in, profile_of
from cairn.adapters.dynamodb.due_times import PARTITIONS, due_time, set_due_time
from cairn.adapters.dynamodb.effect_codec import effect_from_wire
from cairn.adapters.dynamodb.in_head import enrollments_in
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    CONTACT,
    ENROLLED,
    LAST_CHARACTER,
    MESSAGE,
    PAUSED,
    PENDING_ERASURE,
    STATE,
    TASK,
    CustomerItem,
    RecordItem,
    code_of,
)
from cairn.adapters.dynamodb.table import read_all
from cairn.application.values.waiting import (
    UnreadableItem,
    Waiting,
    WaitingEnrollments,
    WaitingErasure,
    WaitingMessages,
    WaitingPage,
    WaitingTask,
)
from cairn.domain.customer.overdue import WaitingMessage
from cairn.domain.effects import EraseCustomer
from cairn.domain.message.message import MessageStatus
from cairn.domain.people.task import TaskStatus
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.instants import instant_from_wire
from cairn.settings import ERASURE_REST

PAGE = 100
"""Keys of one read (DynamoDB quota)."""

AT_ONCE = 600
"""Items of one partition that a run takes: 9,600 in all, which a run handles in a minute or two."""

BEHIND = ("gsi2sk", "pk", "sk")
"""The parts of an index key, besides its partition, behind which a page begins."""

Key = tuple[str, str]


class DynamoDueTimes:
    """Implements the port DueTimes."""

    def past(self, before: datetime, first: int) -> Iterator[Sequence[Waiting]]:
        latest = due_time(before.replace(minute=0, second=0, microsecond=0))  # not an hour that is still to end
        for number in range(PARTITIONS):
            partition = f"due#{(first + number) % PARTITIONS}"
            keys = iter(
                ((item.pk, item.sk), item.gsi2sk or latest)
                for item in RecordItem.by_due_time.query(
                    partition, RecordItem.gsi2sk <= latest, limit=AT_ONCE, page_size=PAGE
                )
            )
            while page := list(islice(keys, PAGE)):
                yield list(_read(dict(page), latest))

    def page(self, after: str = "") -> WaitingPage:
        """Implements the port WaitingIndex: so many keys of the index, and the enrollments in their items."""
        partition, key = _position_in(after)
        listed: dict[Key, str] = {}
        while partition < PARTITIONS and (room := PAGE - len(listed)):
            found = RecordItem.by_due_time.query(f"due#{partition}", limit=room, page_size=room, last_evaluated_key=key)
            listed |= {(item.pk, item.sk): item.gsi2sk or "" for item in found}
            key = found.last_evaluated_key
            partition += key is None
        enrolled = {key: due for key, due in listed.items() if key[1] == STATE or key[1].startswith(ENROLLED)}
        read = _read(enrolled, LAST_CHARACTER) if enrolled else ()
        waiting = [one for one in read if isinstance(one, WaitingEnrollments | UnreadableItem)]
        return WaitingPage(waiting, _position_text(partition, key) if partition < PARTITIONS else None)

    def put_off(self, waiting: Waiting, until: datetime | None, ended: Sequence[str] = ()) -> None:
        actions: list[Action]
        match waiting:
            case WaitingEnrollments(customer, _, version, item):
                unchanged = CustomerItem.version == version
                _update(CustomerItem(customer, item), set_due_time(CustomerItem, customer, until), unchanged)
            case WaitingMessages(customer, _, version):
                unchanged = CustomerItem.contact_version == version
                actions = [CustomerItem.deferrals[message].remove() for message in ended]
                if ended:  # who has read the contact with these deferrals decides anew
                    actions.append(CustomerItem.contact_version.set(version + 1))
                actions += set_due_time(CustomerItem, customer, until)
                _update(CustomerItem(customer, CONTACT), actions, unchanged)
            case WaitingErasure(customer):
                actions = set_due_time(CustomerItem, customer, until)
                _update(CustomerItem(customer, PENDING_ERASURE), actions, CustomerItem.pk.exists())
            case WaitingTask(customer, id_):
                actions = set_due_time(RecordItem, customer, until)
                _update(RecordItem(customer, TASK + id_), actions, RecordItem.status == TaskStatus.OPEN.value)
            case UnreadableItem(customer, sk, due_at):
                actions = set_due_time(RecordItem, customer, until)
                _update(RecordItem(customer, sk), actions, RecordItem.gsi2sk == due_time(due_at))


def _position_in(text: str) -> tuple[int, dict[str, Any] | None]:
    """The partition, and the key behind which a page begins. Raises InvalidRequestError."""
    try:
        number, *parts = text.split() or ["0"]
        partition = range(PARTITIONS)[int(number)]
        named = zip(BEHIND, parts, strict=True) if parts else ()
        key = {name: {"S": part} for name, part in named}
    except (ValueError, IndexError):
        raise InvalidRequestError(["after: not what an earlier answer gave"]) from None
    return partition, {"gsi2pk": {"S": f"due#{partition}"}, **key} if key else None


def _position_text(partition: int, key: Mapping[str, Any] | None) -> str:
    return " ".join((str(partition), *(key[name]["S"] for name in BEHIND if key)))


def _update(item: Any, actions: list[Action], unchanged: Condition) -> None:
    try:
        item.update(actions, condition=unchanged)
    except UpdateError as error:
        if code_of(error) != CONDITION_FAILED:
            raise


def _read(listed: Mapping[Key, str], latest: str) -> Iterator[Waiting]:
    """The items as they are now: the index may be behind by a moment. One that cannot be read hides no other."""
    found, unread = _items(listed)
    for (customer, sk), error in unread.items():
        yield UnreadableItem(customer, sk, instant_from_wire(listed[customer, sk]), error)
    for (customer, sk), item in found.items():
        if not item.gsi2sk or item.gsi2sk > latest:
            continue
        try:
            yield _waiting(customer, sk, item)
        except PynamoDBException:
            raise
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, it is this item alone
            yield UnreadableItem(customer, sk, instant_from_wire(item.gsi2sk), type(error).__name__)


def _items(keys: Collection[Key]) -> tuple[dict[Key, Any], dict[Key, str]]:
    """The items, and what is wrong with those that cannot be read."""
    try:
        return read_all(keys), {}
    except PynamoDBException:
        raise
    except Exception as error:  # noqa: BLE001  one of them; which one is found by reading them one by one
        if len(keys) == 1:
            return {}, dict.fromkeys(keys, type(error).__name__)
    parts = [_items([key]) for key in keys]
    return {k: v for found, _ in parts for k, v in found.items()}, {k: v for _, bad in parts for k, v in bad.items()}


def _waiting(customer: str, sk: str, item: Any) -> Waiting:
    if sk == STATE:
        enrollments, _ = enrollments_in(item.enrollments)
        return WaitingEnrollments(customer, enrollments, int(item.version or 0), sk)
    if sk.startswith(ENROLLED):
        one = enrollment_in(item)
        return WaitingEnrollments(customer, {one.id: one}, int(item.version or 0), sk)
    if sk == CONTACT:
        contact = contact_from_item(item)
        records = _records_of(customer, contact.deferrals)
        messages = (WaitingMessage(id_, one, *_said_by(records.get(id_))) for id_, one in contact.deferrals.items())
        return WaitingMessages(customer, tuple(messages), contact.version)
    if sk == PENDING_ERASURE:
        (order,) = map(effect_from_wire, item.outbox["effects"])
        if not isinstance(order, EraseCustomer):
            raise TypeError(sk)
        return WaitingErasure(customer, instant_from_wire(item.erased) + ERASURE_REST, order)
    body = item.body
    return WaitingTask(
        customer,
        sk.removeprefix(TASK),
        instant_from_wire(body.get("next_at", body["due_at"])),
        body.get("sequence", 0),
    )


def _records_of(customer: str, messages: Collection[str]) -> dict[str, RecordItem]:
    """The records of a customer's messages; after a merge one may still be under an earlier id."""
    found = read_all((customer, MESSAGE + message) for message in messages)
    if len(found) < len(messages):
        from cairn.adapters.dynamodb.customers import merged_profiles  # noqa: PLC0415  few customers were merged

        state = read_all([(customer, STATE)]).get((customer, STATE))
        earlier = merged_profiles(profile_of(state)) if state and state.profile else {}
        found |= read_all((id_, MESSAGE + message) for id_ in earlier for message in messages)
    furthest = sorted(found.values(), key=lambda item: item.rank or 0)
    return {item.sk.removeprefix(MESSAGE): item for item in furthest}


def _said_by(record: RecordItem | None) -> tuple[MessageStatus | None, str]:
    """The message's status, and the paused target that it waits for."""
    if record is None or not record.status:
        return None, ""
    waits_for = record.gsi1pk or ""
    target = waits_for.removeprefix(PAUSED) if waits_for.startswith(PAUSED) else ""
    return MessageStatus(record.status), target
