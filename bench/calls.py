"""Records each call that botocore makes to AWS while a handler runs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.aws_calls import AwsCall, intercepted
from infra.local.deployment import Handler, LocalDeployment
from infra.local.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    function: str
    invocation: int
    """The number of the invocation, counted over all functions."""
    service: str
    operation: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.function}: {self.service}.{self.operation}"


def _nothing(_: Call) -> None:
    return None


@contextmanager
def watched(
    deployment: LocalDeployment,
    *,
    before: Callable[[Call], None] = _nothing,
    after: Callable[[Call], None] = _nothing,
) -> Iterator[list[Call]]:
    """Record the calls of this deployment's functions while the block lasts, but not the deployment's own polling.

    `before` runs before AWS gets a call, `after` runs when AWS has answered and before the caller gets the answer.
    """
    calls: list[Call] = []
    at_work: list[tuple[str, int]] = []
    started = count(1)

    def make(made: AwsCall) -> Any:
        if not at_work:
            return made.answer()
        function, invocation = at_work.pop()  # calls of the watchers are not the function's
        call = Call(
            function=function,
            invocation=invocation,
            service=made.service,
            operation=made.operation,
            arguments=made.arguments,
        )
        try:
            calls.append(call)
            before(call)
            answer = made.answer()
            after(call)
        finally:
            at_work.append((function, invocation))
        return answer

    def running(name: str, handler: Handler) -> Handler:
        def run(event: Shape, context: Any) -> Any:
            at_work.append((name, next(started)))
            try:
                return handler(event, context)
            finally:
                at_work.pop()

        return run

    handlers = deployment.handlers
    deployment.handlers = {name: running(name, handler) for name, handler in handlers.items()}
    try:
        with intercepted(make):
            yield calls
    finally:
        deployment.handlers = handlers
