"""Lambda's part: an invocation has a number, a context, a deadline; a process that dies gives no answer.

Between the SDK and moto, each call of an invocation is struck by what the fault plan has for it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import current_thread, main_thread
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID

import time_machine
from botocore.awsrequest import AWSPreparedRequest
from botocore.endpoint import Endpoint

from cairn.settings import ERASURE_TIMEOUT, FUNCTION_TIMEOUT, IMPORT_TIMEOUT, RESUME_TIMEOUT
from infra.local.answered_here import ANSWERED_HERE
from infra.local.direct_calls import call_directly, is_direct
from infra.local.faults.call import Call, target_of
from infra.local.faults.injection import Answer, Interloper, Tries, inject
from infra.local.faults.plan import FaultPlan
from infra.local.shapes import ACCOUNT, REGION, Shape

TIMEOUTS = {"erase_customer": ERASURE_TIMEOUT, "import_rows": IMPORT_TIMEOUT, "sweep": RESUME_TIMEOUT}
"""The functions that have another timeout than all others, as the CDK gives it; a test compares them."""

MEMORY_MB = "512"

BOTO_NAMES = {"secrets-manager": "secretsmanager", "dynamodb-streams": "dynamodbstreams"}
"""The services whose name in botocore's events is another one than the client's."""

Handler = Callable[[Shape, Any], Any]


class ProcessDiedError(BaseException):
    """The process of a function dies: no `except Exception` of the function catches this."""


class TimedOutError(ProcessDiedError):
    """Lambda ends the process at the function's timeout."""


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's information for a function about itself and its time."""

    function_name: str
    aws_request_id: str
    deadline: datetime
    memory_limit_in_mb: str = MEMORY_MB
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, (self.deadline - datetime.now(UTC)) // timedelta(milliseconds=1))


@dataclass(slots=True)
class Invocation:
    function: str
    number: int
    deadline: datetime
    tries: dict[str, Tries] = field(default_factory=dict)
    """The calls, by the SDK's own id."""
    death: ProcessDiedError | None = None


def _nothing_else() -> bool:
    return False


@dataclass(slots=True)
class Runtime:
    """Runs handlers, and stands between their calls and moto."""

    clock: time_machine.Traveller
    ticking: bool = False
    plan: FaultPlan | None = None
    interloper: Interloper = _nothing_else
    """Runs what else is due, for a plan that lets another function interfere."""
    read_timeout: float = 60
    """Seconds that the SDK waits for the answer of its present call."""
    running: list[Invocation] = field(default_factory=list)
    _invocations: Iterator[int] = field(default_factory=lambda: count(1))

    def invoke(self, function: str, handler: Handler, event: Shape) -> Any:
        """Raises ProcessDiedError, or whatever the handler raises."""
        number = next(self._invocations)
        deadline = datetime.now(UTC) + TIMEOUTS.get(function, FUNCTION_TIMEOUT)
        invocation = Invocation(function, number, deadline)
        self.running.append(invocation)
        try:
            answer = handler(event, Context(function, str(UUID(int=number)), deadline))
            if invocation.death is not None:  # whatever caught it: the process was dead by then
                raise invocation.death
            return answer
        finally:
            self.running.pop()

    def die(self, death: ProcessDiedError | None = None) -> None:
        invocation = self.running[-1]
        invocation.death = invocation.death or death or ProcessDiedError(invocation.function)
        raise invocation.death

    def check_alive(self) -> None:
        """Raise the death of the invocation, whatever caught it before: a dead process calls nothing."""
        if self.running and (death := self.running[-1].death) is not None:
            raise death

    def spend(self, length: timedelta) -> None:
        """Let time pass within an invocation. At its timeout it ends."""
        left = self.running[-1].deadline - datetime.now(UTC)
        self.clock.shift(max(min(length, left), timedelta()))
        if length >= left:
            self.die(TimedOutError(self.running[-1].function))

    def spend_all(self) -> None:
        """Let all the time pass that the invocation has left."""
        self.spend(self.running[-1].deadline - datetime.now(UTC))

    def around(self, service_id: str, operation: str, request: AWSPreparedRequest, act: Callable[[], Answer]) -> Answer:
        """Answer a request of the SDK, by `act` or as the plan says."""
        self.check_alive()
        if not self.running or self.plan is None:
            return act()
        invocation = self.running[-1]
        service = BOTO_NAMES.get(service_id, service_id)
        tries = self._tries(self.plan, invocation, service, operation, request)
        return inject(self, self.plan, tries, request, act)

    @staticmethod
    def _tries(
        plan: FaultPlan, invocation: Invocation, service: str, operation: str, request: AWSPreparedRequest
    ) -> Tries:
        id_ = str(request.headers.get("amz-sdk-invocation-id", len(invocation.tries)))
        if id_ not in invocation.tries:
            call = Call(
                number=len(plan.calls),
                function=invocation.function,
                invocation=invocation.number,
                service=service,
                operation=operation,
                target=target_of(service, operation, request.url, body_of(request)),
            )
            plan.calls.append(call)
            invocation.tries[id_] = Tries(call)
        return invocation.tries[id_]

    def note_timeout(self, **call: Any) -> None:
        """Notes the SDK's read timeout before each call."""
        self.read_timeout = call["context"]["client_config"].read_timeout

    def sleep(self, seconds: float) -> None:
        """time.sleep: with the clock stopped, a function's pause moves it."""
        if self.ticking or not self.running or current_thread() is not main_thread():
            really_sleep(seconds)
            return
        self.check_alive()
        self.spend(timedelta(seconds=seconds))


really_sleep = time.sleep


def body_of(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    return body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""


@contextmanager
def installed(runtime: Runtime) -> Iterator[None]:
    """Put the runtime between botocore and moto within the block.

    Without a fault plan, and where nothing else stands there too, most calls take the shorter way.
    """
    from moto.core.botocore_stubber import BotocoreStubber  # noqa: PLC0415  slow to import

    really = BotocoreStubber.__call__

    def call(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **rest: Any) -> Any:
        _, service, operation = event_name.split(".")
        if f"{service}.{operation}" in ANSWERED_HERE:
            return None
        return runtime.around(service, operation, request, lambda: really(stubber, event_name, request, **rest))

    make_request, ours = Endpoint.make_request, cast("Any", call)

    def make(endpoint: Endpoint, operation: Any, request: dict[str, Any]) -> Any:
        if runtime.plan is not None or BotocoreStubber.__call__ is not ours or not is_direct(request):
            return make_request(endpoint, operation, request)
        runtime.check_alive()
        return call_directly(endpoint, operation, request)

    with (
        patch.object(BotocoreStubber, "__call__", call),
        patch.object(Endpoint, "make_request", make),
        patch("time.sleep", runtime.sleep),
    ):
        yield
