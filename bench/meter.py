"""What a deployment uses while it works: calls, capacity units, CPU, and what its functions print.

Units are computed from the items by the rules that AWS documents (bench/units.py), so they are equal on every machine.
DynamoDB Local also says itself what a call consumed, of the table and its indexes. Its words for a transaction are up
to twice what AWS documents, so they stand beside ours and do not replace them.
"""

import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from moto.core.botocore_stubber import BotocoreStubber

import cairn.telemetry
from bench.aws_calls import AwsCall, intercepted
from bench.calls import Call, watched
from bench.units import Item, ReadUnits, WriteUnits
from infra.local.deployment import Handler, LocalDeployment
from infra.local.shapes import Shape


@dataclass(slots=True)
class Usage:
    """Of one function."""

    invocations: int = 0
    cpu_ms: float = 0.0
    """CPU of this process without the work of moto, which is AWS's work and not ours."""
    log_bytes: int = 0
    calls: list[Call] = field(default_factory=list)
    write_units: float = 0.0
    read_units: float = 0.0
    reported_writes: float = 0.0
    """Write units as DynamoDB itself reports them, where it does."""
    metrics: set[str] = field(default_factory=set)
    """The series of metrics that it has written to: name and dimensions."""

    @property
    def dynamodb_calls(self) -> list[str]:
        return [call.operation for call in self.calls if call.service == "dynamodb"]


@dataclass(slots=True)
class Meter:
    by_function: dict[str, Usage] = field(default_factory=lambda: defaultdict(Usage))

    def __getitem__(self, function: str) -> Usage:
        return self.by_function[function]

    def reset(self) -> None:
        self.by_function.clear()


@contextmanager
def metered(made: LocalDeployment, *, reports: bool) -> Iterator[Meter]:
    """Measure this deployment's functions while the block lasts. `reports`: DynamoDB says what it consumes."""
    meter = Meter()
    writes, reads = WriteUnits(reader(made)), ReadUnits(reader(made), _querying(made))
    at_moto = [0.0]
    consumed: list[float] = []

    def before(call: Call) -> None:
        with _not_ours(at_moto):
            writes.before(call)

    def after(call: Call) -> None:
        with _not_ours(at_moto):
            usage = meter[call.function]
            usage.calls.append(call)
            usage.reported_writes += sum(consumed)
            writes.after(call)
            usage.write_units += writes.of([call])
            usage.read_units += reads.of(call)
            consumed.clear()

    with ExitStack() as stack:
        if reports:
            stack.enter_context(_asking_for_units(consumed))
        stack.enter_context(_timing_moto(at_moto))
        calls = stack.enter_context(watched(made, before=before, after=after))
        handlers = made.handlers
        stack.callback(setattr, made, "handlers", handlers)
        made.handlers = {name: _running(name, handler, meter, at_moto) for name, handler in handlers.items()}
        yield meter
        del calls[:]


def _running(name: str, handler: Handler, meter: Meter, at_moto: list[float]) -> Handler:
    def run(event: Shape, context: Any) -> Any:
        printed, logged = StringIO(), cairn.telemetry.logger.registered_handler
        stream = logged.setStream(printed)  # type: ignore[attr-defined]
        moto, started = at_moto[0], time.process_time()
        try:
            with redirect_stdout(printed), patch.dict(os.environ, _lambda_environment(name)), _identified(event):
                return handler(event, context)
        finally:
            spent = time.process_time() - started - (at_moto[0] - moto)
            logged.setStream(stream)  # type: ignore[attr-defined]
            usage = meter[name]
            usage.invocations += 1
            usage.cpu_ms += spent * 1000
            usage.log_bytes += len(printed.getvalue().encode())
            usage.metrics |= set(_series(printed.getvalue()))

    return run


@contextmanager
def _identified(event: Shape) -> Iterator[None]:
    """Log lines have the ids of their request, as in Lambda (cairn/lambda_entry)."""
    cairn.telemetry.name_request(event, SimpleNamespace(aws_request_id=str(UUID(int=0))))
    try:
        yield
    finally:
        cairn.telemetry.logger.remove_keys(["function_request_id", "request_id"])


def _series(printed: str) -> Iterator[str]:
    """The series of CloudWatch's embedded metric format.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
    """
    for line in printed.splitlines():
        if '"CloudWatchMetrics"' not in line:
            continue
        document = json.loads(line)
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for dimensions in directive["Dimensions"]:
                values = ",".join(f"{name}={document.get(name)}" for name in sorted(dimensions))
                for metric in directive["Metrics"]:
                    yield f"{directive['Namespace']}/{metric['Name']}{{{values}}}"


@contextmanager
def _asking_for_units(consumed: list[float]) -> Iterator[None]:
    """Ask DynamoDB in each call what it consumes. `watched` stands around this."""

    def ask(call: AwsCall) -> Any:
        if call.service != "dynamodb" or call.operation not in WRITES:
            return call.answer()
        answer = call.answer(ReturnConsumedCapacity="INDEXES")
        found = answer.get("ConsumedCapacity") or []
        tables = found if isinstance(found, list) else [found]
        consumed[:] = [float(one["CapacityUnits"]) for one in tables]
        return answer

    with intercepted(ask):
        yield


WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


@contextmanager
def _not_ours(at_moto: list[float]) -> Iterator[None]:
    """Count the CPU of the block as moto's, once."""
    before, started = at_moto[0], time.process_time()
    try:
        yield
    finally:
        at_moto[0] = before + time.process_time() - started


@contextmanager
def _timing_moto(at_moto: list[float]) -> Iterator[None]:
    really_answer = BotocoreStubber.__call__

    def answer(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
        with _not_ours(at_moto):
            return really_answer(stubber, event_name, request, **more)

    with patch.object(BotocoreStubber, "__call__", answer):
        yield


def _lambda_environment(name: str) -> dict[str, str]:
    """Functions print their metrics, under their own name, as they do in Lambda."""
    return {"POWERTOOLS_METRICS_DISABLED": "false", "POWERTOOLS_SERVICE_NAME": name}


def reader(made: LocalDeployment) -> Callable[[str, Item], Item]:
    """Reads an item of the table as it is now, or an empty one."""

    def read(table: str, key: Item) -> Item:
        found: Item = (
            made.cloud.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        )
        return found

    return read


def _querying(made: LocalDeployment) -> Any:
    def query(arguments: Mapping[str, Any]) -> list[Item]:
        shape = ("ProjectionExpression", "FilterExpression", "Select", "ReturnConsumedCapacity")
        asked = {name: value for name, value in arguments.items() if name not in shape}
        condition = str(arguments.get("KeyConditionExpression"))
        for field_ in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            if field_ in asked:
                asked[field_] = {name: value for name, value in asked[field_].items() if _uses(condition, name)}
        found: list[Item] = made.cloud.client("dynamodb").query(**asked)["Items"]
        return found

    return query


def _uses(expression: str, name: str) -> bool:
    return re.search(rf"{re.escape(name)}(?![\w])", expression) is not None
