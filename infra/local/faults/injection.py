"""Carries out a fault at one request of the SDK: below its retries, above the service."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from infra.local.faults.call import READS, Call, is_consistent
from infra.local.faults.errors import UNREACHABLE, Refusal, answer, error_answer
from infra.local.faults.fault import Fault
from infra.local.faults.plan import FaultPlan
from infra.local.faults.reads import as_it_was, torn

Answer = AWSResponse | None
Interloper = Callable[[], bool]
Act = Callable[[], Answer]

LAG = timedelta(seconds=1)
"""How old an eventually consistent read is at least, when a fault makes it old."""

ENTRY_REFUSED = {"SenderFault": False, "Code": "InternalError", "Message": "injected by the fault plan"}


class Process(Protocol):
    """What a fault does to the process and its clock."""

    @property
    def interloper(self) -> Interloper: ...

    @property
    def read_timeout(self) -> float: ...

    def die(self) -> None: ...

    def spend(self, length: timedelta) -> None: ...

    def spend_all(self) -> None: ...


@dataclass(slots=True)
class Tries:
    """A call, and how often the SDK has tried it."""

    call: Call
    count: int = 0


def inject(process: Process, plan: FaultPlan, tries: Tries, request: AWSPreparedRequest, act: Act) -> Answer:
    call, attempt = tries.call, tries.count
    tries.count += 1
    strike = plan.strike(call, attempt, datetime.now(UTC))
    acting = _lagging(plan, call, request, act)
    if strike is None:
        given = acting()
    elif strike.refusal is not None:
        given = _refused(call, strike.refusal, request)
    else:
        given = _struck(process, strike.fault, call, request, acting)
    _wait(process, plan.weather_at(datetime.now(UTC)).duration_of(call.service, call.operation), request)
    return given


def _struck(process: Process, fault: Fault | None, call: Call, request: AWSPreparedRequest, act: Act) -> Answer:
    match fault:
        case Fault.DIES_BEFORE:
            process.die()
        case Fault.CONNECTION_FAILS:
            raise EndpointConnectionError(endpoint_url=request.url)
        case Fault.DIES_AFTER | Fault.TIME_LIMIT | Fault.ANSWER_LOST | Fault.ALL_ANSWERS_LOST:
            act()
            _lose(process, fault, request)
        case Fault.REFUSES_BATCH_ENTRY:
            return _in_part(call.operation, request, act)
        case Fault.SHORT_PAGE:
            _change(request, _document(request) | {"Limit": 1})
        case Fault.READS_OLD:
            with as_it_was(_document(request), datetime.now(UTC) - LAG, at_least_one=True):
                return act()
        case Fault.INTERLEAVED:
            return _interleaved(process, call, act)
        case _:
            pass  # a refusal, which the plan has turned into an answer
    return act()


def _lose(process: Process, fault: Fault, request: AWSPreparedRequest) -> None:
    """AWS has acted, and nobody reads the answer."""
    if fault is Fault.DIES_AFTER:
        process.die()
    if fault is Fault.TIME_LIMIT:
        process.spend_all()
    raise ConnectionClosedError(endpoint_url=request.url)


def _interleaved(process: Process, call: Call, act: Act) -> Answer:
    if call.operation not in READS:
        process.interloper()
        return act()
    before = act()
    return torn(call.operation, before, act()) if process.interloper() else before


def _refused(call: Call, refusal: Refusal, request: AWSPreparedRequest) -> Answer:
    if refusal.code == UNREACHABLE:
        raise EndpointConnectionError(endpoint_url=request.url)
    body: Any = request.body
    return error_answer(call.service, request.url, refusal, body if isinstance(body, bytes) else b"")


def _wait(process: Process, length: timedelta, request: AWSPreparedRequest) -> None:
    """Let the time of a call pass; the SDK waits no longer than its read timeout."""
    if not length:
        return
    most = timedelta(seconds=process.read_timeout)
    process.spend(min(length, most))
    if length > most:
        raise ReadTimeoutError(endpoint_url=request.url)


def _lagging(plan: FaultPlan, call: Call, request: AWSPreparedRequest, act: Act) -> Act:
    """With a lag, an eventually consistent read sees the table of a moment ago."""
    lag = plan.weather_at(datetime.now(UTC)).read_lag
    if not lag or call.service != "dynamodb" or call.operation not in READS:
        return act
    document = _document(request)
    if is_consistent(document):
        return act

    def read() -> Answer:
        with as_it_was(document, datetime.now(UTC) - lag):
            return act()

    return read


def _in_part(operation: str, request: AWSPreparedRequest, act: Act) -> Answer:
    """Carry out a batch without its last entry, or half of it."""
    document = _document(request)
    if "Entries" in document:
        *done, refused = document["Entries"]
        failed = [{"Id": refused["Id"], **ENTRY_REFUSED}]
        found = _sent(request, document | {"Entries": done}, act) if done else {"Successful": []}
        return _answer(request, {**found, "Failed": [*found.get("Failed", ()), *failed]})
    wanted: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for table, asked in document["RequestItems"].items():
        several = asked["Keys"] if isinstance(asked, Mapping) else asked
        half = len(several) // 2
        for part, where in ((several[:half], wanted), (several[half:], left)):
            if part:
                where[table] = {**asked, "Keys": part} if isinstance(asked, Mapping) else part
    empty: dict[str, Any]
    name, empty = ("UnprocessedKeys", {"Responses": {}}) if operation == "BatchGetItem" else ("UnprocessedItems", {})
    found = _sent(request, document | {"RequestItems": wanted}, act) if wanted else empty
    return _answer(request, {**found, name: left})


def _sent(request: AWSPreparedRequest, document: Mapping[str, Any], act: Act) -> dict[str, Any]:
    _change(request, document)
    given = act()
    found: dict[str, Any] = json.loads(given.content) if given is not None else {}
    return found


def _document(request: AWSPreparedRequest) -> dict[str, Any]:
    body: Any = request.body
    found: dict[str, Any] = json.loads(body)
    return found


def _change(request: AWSPreparedRequest, document: Mapping[str, Any]) -> None:
    body: Any = json.dumps(document).encode()
    request.body = body
    del request.headers["Content-Length"]
    request.headers["Content-Length"] = str(len(body))


def _answer(request: AWSPreparedRequest, document: Mapping[str, Any]) -> AWSResponse:
    """Without a checksum, which would be that of another body."""
    return answer(request.url, 200, json.dumps(document).encode(), {"Content-Type": "application/x-amz-json-1.0"})
