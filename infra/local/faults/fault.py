"""The faults that may strike a call, and which of them make sense for it."""

from enum import StrEnum

from infra.local.faults.call import EVENTUAL, READS, Call

BATCHES = frozenset(
    {
        "SendMessageBatch",
        "DeleteMessageBatch",
        "ChangeMessageVisibilityBatch",
        "BatchGetItem",
        "BatchWriteItem",
    }
)
"""Operations that may succeed for some of their entries only."""

ITEM_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})
"""Writes that a concurrent transaction on the same item cancels."""

READ_PREFIXES = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "Head", "TransactGet")

QUOTAS = frozenset(
    {
        ("scheduler", "CreateSchedule"),
        ("pinpoint-sms-voice-v2", "SendTextMessage"),
        ("socialmessaging", "SendWhatsAppMessage"),
        ("sesv2", "SendEmail"),
    }
)
"""Operations for which AWS documents an error of an account's quota."""


class Fault(StrEnum):
    """A fault of one call. docs/faults.md has the source of each in AWS's documentation."""

    DIES_BEFORE = "dies before"
    """The process dies before AWS gets the call."""
    DIES_AFTER = "dies after"
    """The process dies after AWS has acted and before it reads the answer."""
    TIME_LIMIT = "time limit"
    """AWS acts, and the function reaches its timeout while it waits for the answer."""
    ANSWER_LOST = "answer lost"
    """AWS acts, the connection breaks, and the SDK's own retry meets what the first try wrote."""
    ALL_ANSWERS_LOST = "all answers lost"
    """The same for each retry of the SDK too: the function gets an error of a call that AWS carried out."""
    CONNECTION_FAILS = "connection fails"
    """The first try does not reach AWS."""
    THROTTLED = "throttled"
    """The first try is throttled."""
    SERVER_ERROR = "server error"
    """The first try gets an error 5xx. AWS has not acted."""
    BUSY = "busy"
    """Each try of the SDK is throttled: the function gets the error."""
    CONFLICT = "conflict"
    """Another transaction is writing one of the items."""
    QUOTA = "quota"
    """A quota of the account is used up."""
    REFUSES_BATCH_ENTRY = "refuses batch entry"
    """The call succeeds for a part of the batch only."""
    SHORT_PAGE = "short page"
    """A Query gives one item and the position of the rest, as it may at any time."""
    READS_OLD = "reads old"
    """An eventually consistent read does not see the newest commit yet."""
    INTERLEAVED = "interleaved"
    """Another function runs what is due while this call is on its way; a read of several items sees a part of it."""


def is_read(operation: str) -> bool:
    return operation.startswith(READ_PREFIXES)


def faults_for(call: Call) -> tuple[Fault, ...]:
    """The faults that can make a difference for this call.

    A read whose answer is lost is a read that never happened, so a read has fewer.
    """
    found = [Fault.DIES_BEFORE]
    if not is_read(call.operation):
        found += [Fault.DIES_AFTER, Fault.ANSWER_LOST, Fault.ALL_ANSWERS_LOST]
    found += [Fault.TIME_LIMIT, Fault.CONNECTION_FAILS, Fault.THROTTLED, Fault.SERVER_ERROR, Fault.BUSY]
    if call.operation in BATCHES:
        found.append(Fault.REFUSES_BATCH_ENTRY)
    if (call.service, call.operation) in QUOTAS:
        found.append(Fault.QUOTA)
    if call.service == "dynamodb":
        found.append(Fault.INTERLEAVED)
        if call.operation in ITEM_WRITES:
            found.append(Fault.CONFLICT)
        if call.operation == "Query":
            found.append(Fault.SHORT_PAGE)
        if call.operation in READS and call.target.endswith(EVENTUAL):
            found.append(Fault.READS_OLD)
    return tuple(found)
