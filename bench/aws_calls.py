"""Calls to AWS. All of them pass one place in botocore, PynamoDB's too: there they are watched, or made to fail."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient


@dataclass(frozen=True, slots=True)
class AwsCall:
    client: BaseClient
    operation: str
    arguments: Mapping[str, Any]
    make: Callable[[BaseClient, str, Mapping[str, Any]], Any]

    @property
    def service(self) -> str:
        return str(self.client.meta.service_model.service_name)

    def answer(self, **more: Any) -> Any:
        """Make the call, with these arguments besides; raises what botocore raises."""
        return self.make(self.client, self.operation, {**self.arguments, **more} if more else self.arguments)


@contextmanager
def intercepted(answer: Callable[[AwsCall], Any]) -> Iterator[None]:
    """While the block lasts, `answer` answers each call: it returns, raises, or makes the call."""
    make = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001  no other place can make it fail

    def intercept(client: BaseClient, operation: str, arguments: Mapping[str, Any]) -> Any:
        return answer(AwsCall(client, operation, arguments, make))

    with patch.object(BaseClient, "_make_api_call", intercept):
        yield


@contextmanager
def noted() -> Iterator[list[AwsCall]]:
    """The calls that are made while the block lasts."""
    calls: list[AwsCall] = []

    def note(call: AwsCall) -> Any:
        calls.append(call)
        return call.answer()

    with intercepted(note):
        yield calls
