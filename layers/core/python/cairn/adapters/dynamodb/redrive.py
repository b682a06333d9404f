"""Redrive of effects: a dead letter returns to its customer's outbox, and the stream delivers it again."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.exceptions import DoesNotExist, UpdateError

from cairn.adapters.aws import code_of
from cairn.adapters.dynamodb import codec, effect_codec
from cairn.adapters.dynamodb.items import CONDITION_FAILED, MAX_MERGES, STATE, CustomerItem
from cairn.domain.effects import (
    AbsorbHistory,
    AnswerKeyword,
    Effect,
    EraseCustomer,
    EraseRecord,
    OpenTask,
    PauseEnrollment,
    RecordConsent,
    SendMessage,
    UpdateMessageStatus,
    WakeAt,
)
from cairn.domain.journey.enrollment import COMPLETED, Enrollment
from cairn.domain.shared.errors import CairnError, ConflictError, ErasedCustomerError, UnknownCustomerError
from cairn.domain.shared.instants import instant_to_wire

ATTEMPTS = 4
"""Attempts, each after a concurrent commit."""

Wire = dict[str, Any]


class NotRedrivableError(CairnError):
    """A dead-lettered effect has nothing left to act on, or cannot be read; another redrive changes nothing."""


def relay_again(dead_letter: Mapping[str, Any], now: datetime) -> int:
    """Relay a dead-lettered effect, or all effects of a dead-lettered change, again; returns their number.

    Raises NotRedrivableError, UnknownCustomerError, or ConflictError where each attempt met a concurrent commit.
    """
    for _ in range(ATTEMPTS):
        outbox = _outbox(dead_letter, now)
        read = _tombstone_of if any(_erases(one) for one in outbox["effects"]) else _live_state
        state = read(str(dead_letter["customer"]))
        outbox["effects"] = _still_wanted(outbox["effects"], state)
        if not outbox["effects"] and not outbox["facts"]:
            raise NotRedrivableError("the enrollment is over; its effects are no longer needed; delete the dead letter")
        version = int(state.version or 0)
        try:
            state.update(
                actions=[CustomerItem.version.set(version + 1), CustomerItem.outbox.set(outbox)],
                # No concurrent commit; the tombstone of a reused identifier has no version.
                condition=CustomerItem.version == version if version else CustomerItem.version.does_not_exist(),
            )
        except UpdateError as error:
            if error.cause_response_code != CONDITION_FAILED:
                raise
            continue
        return len(outbox["effects"])
    raise ConflictError("the customer keeps changing; redrive once more")


def dead_letters_at(streams: Any, position: Mapping[str, Any]) -> Iterator[Wire]:
    """Dead letters from a position of the stream that Lambda gave up on (`DDBStreamBatchInfo`).

    Raises NotRedrivableError where the stream, which stores records for a day, has lost them.
    """
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=position["streamArn"],
            ShardId=position["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=position["startSequenceNumber"],
        )["ShardIterator"]
        records = streams.get_records(ShardIterator=iterator, Limit=int(position["batchSize"]))["Records"]
    except ClientError as error:
        raise NotRedrivableError(f"the stream does not have these records any more: {code_of(error)}") from None
    last = int(position["endSequenceNumber"])
    for change in (record["dynamodb"] for record in records):
        if int(change["SequenceNumber"]) <= last and "outbox" in change.get("NewImage", {}):
            yield {"customer": change["Keys"]["pk"]["S"], "change": change}


def _tombstone_of(customer_id: str) -> CustomerItem:
    """The item of an erased customer, which still has the effect EraseCustomer."""
    try:
        return CustomerItem.get(customer_id, STATE, consistent_read=True)
    except DoesNotExist:
        raise UnknownCustomerError("no such customer; it was erased long ago") from None


def _live_state(customer_id: str) -> CustomerItem:
    """The state of the customer, following merges."""
    for _ in range(MAX_MERGES):
        try:
            state = CustomerItem.get(customer_id, STATE, consistent_read=True)
        except DoesNotExist:
            raise UnknownCustomerError("no such customer; it was erased, or belongs to another deployment") from None
        except (ValueError, TypeError):
            raise NotRedrivableError("the customer's item itself cannot be read; mend it by hand first") from None
        if state.erased:
            raise ErasedCustomerError(
                "the customer was erased; its effects are no longer needed; delete the dead letter"
            )
        if not state.alias_of:
            return state
        customer_id = state.alias_of
    raise UnknownCustomerError(f"more than {MAX_MERGES} merges in a row; the table has a loop")


def _outbox(dead_letter: Mapping[str, Any], now: datetime) -> Wire:
    """The effects to relay: the effect alone, or all of a commit whose change could not be read."""
    if "effect" in dead_letter:
        return {"at": instant_to_wire(now), "effects": [dead_letter["effect"]], "facts": []}
    try:
        outbox: Wire = json.loads(dead_letter["change"]["NewImage"]["outbox"]["S"])
        return {"at": outbox["at"], "effects": list(outbox["effects"]), "facts": list(outbox["facts"])}
    except (KeyError, TypeError, ValueError):
        raise NotRedrivableError(
            "the change carries no outbox that can be read; nothing of it can be relayed"
        ) from None


def _still_wanted(effects: list[Wire], state: CustomerItem) -> list[Wire]:
    """Without the messages and tasks of an enrollment that is gone or has ended early."""
    try:
        enrollments = codec.enrollments_from_wire(state.enrollments or {})
        read = [(effect_codec.effect_from_wire(effect), effect) for effect in effects]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NotRedrivableError(f"it cannot be read by this version: {type(error).__name__}") from None
    return [wire for effect, wire in read if _is_wanted(effect, enrollments)]


def _is_wanted(effect: Effect, enrollments: Mapping[str, Enrollment]) -> bool:
    match effect:
        case SendMessage() | OpenTask():
            enrollment = enrollments.get(effect.enrollment)
            if isinstance(effect, OpenTask) and not effect.enrollment:
                return True  # it is about the customer, such as a request about their data
            return enrollment is not None and (enrollment.open or enrollment.outcome == COMPLETED)
        case (
            WakeAt()
            | PauseEnrollment()
            | UpdateMessageStatus()
            | AbsorbHistory()
            | AnswerKeyword()
            | RecordConsent()
            | EraseCustomer()
            | EraseRecord()
        ):
            return True


def _erases(effect: Any) -> bool:
    return isinstance(effect, dict) and effect.get("do") == EraseCustomer.KIND
