"""A whole deployment in one process, with time under control.

The handlers are the ones that Lambda runs, each under its own environment; the world does what AWS does between
them: polls queues, follows the stream, fires schedules, delivers again what failed.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any

import time_machine

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import STATE
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.journey_yaml import write_catalogue
from cairn.domain.identity import EMAIL, PHONE, USER_ID, home_of, identifier
from infra.local.cloud import IDENTITY_SALT, Cloud, arn, sandbox
from infra.local.shapes import Shape, http_api_event, sqs_event, stream_event
from infra.local.wiring import FUNCTIONS, Function

STREAM_RETRY = timedelta(seconds=1)
Handler = Callable[[Shape, Any], Any]


@dataclass(slots=True)
class World:
    """Made by `world()`. One thread at a time is let in."""

    cloud: Cloud
    clock: time_machine.Traveller
    catalogue: Path
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    _followed: str | None = None
    _stream_waits_until: datetime | None = None
    _customers: dict[str, None] = field(default_factory=dict)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def deploy(self, journeys: Path) -> None:
        """Deploy journeys over what is there; every function starts anew and remembers nothing.

        Raises InvalidJourneysError where a journey has a problem: what would not be deployed does not run here either.
        """
        write_catalogue(journeys, self.catalogue)
        self.handlers = {function.name: _load(function, self.cloud, self.catalogue) for function in FUNCTIONS}

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes, source: str = "") -> Shape:
        """What API Gateway does with an HTTP request; gives the function's answer."""
        with self.lock:
            self.cloud.have_push_endpoints(body)
            parameters = {"source": source} if source else {}
            shape = http_api_event(method, url, headers, body, path_parameters=parameters, now=self.now())
            answer: Shape = self.handlers["receive_webhook"](shape, None)
            return answer

    def advance_to(self, instant: datetime) -> None:
        """Let time pass: all that comes due on the way happens at its instant, in order."""
        with self.lock:
            self.settle()
            while (due := self._next_due()) is not None and due <= instant:
                if due > self.now():
                    self.clock.move_to(due)
                self._fire_schedules()
                self.settle()
            if instant > self.now():
                self.clock.move_to(instant)

    def settle(self) -> None:
        """Do all that is due now, until nothing moves any more."""
        with self.lock:
            while self._poll_queues() or self._follow_stream():
                pass

    def catch_up(self) -> None:
        """Do what real time has made due since the last call."""
        self.advance_to(self.now())

    def timeline(self, customer: str | None = None) -> list[dict[str, Any]]:
        """Everything that happened, as lines of `replay --json`, of all customers or of one.

        `customer` is a canonical id, user id, e-mail address, phone number or `<system>:<external id>`.
        """
        with self.lock:
            ids = list(self._customers) if customer is None else self._named(customer)
            lines = [line for customer_id in ids for line in self._lines(customer_id)]
            return sorted(lines, key=lambda line: line["at"])

    def _lines(self, customer_id: str) -> Iterator[dict[str, Any]]:
        customer = DynamoCustomers(IDENTITY_SALT).load(customer_id)
        if customer.id != customer_id:
            return  # merged; its lines are the survivor's
        view = customer.profile.view()
        name = view.get("user_id") or view.get("email") or view.get("phone") or customer_id
        for line in DynamoTimeline().entries(customer_id):
            first = {"at": line.pop("at"), "kind": line.pop("kind"), "customer": name}
            yield first | line | {"customer_id": customer_id}

    def _named(self, customer: str) -> list[str]:
        """The ids that a customer's name may stand for, whatever kind of name it is."""
        if customer in self._customers:
            return [customer]
        system, _, external = customer.partition(":")
        kinds = [(USER_ID, customer), (EMAIL, customer), (PHONE, customer)]
        kinds += [(f"external:{system}", external)] if external else []
        found = DynamoCustomers(IDENTITY_SALT)
        homes = [home_of(identifier(kind, value), IDENTITY_SALT) for kind, value in kinds]
        return list({found.load(home).id: None for home in homes if home in self._customers})

    def _next_due(self) -> datetime | None:
        waiting = [*self.cloud.schedules().values(), *self.cloud.stirs()]
        if self._stream_waits_until:
            waiting.append(self._stream_waits_until)
        return min(waiting, default=None)

    def _fire_schedules(self) -> None:
        now = self.now()
        for name, due in sorted(self.cloud.schedules().items(), key=lambda one: (one[1], one[0])):
            if due <= now:
                self.cloud.fire(name)

    def _poll_queues(self) -> bool:
        moved = False
        for function in FUNCTIONS:
            for queue in function.queues:
                moved |= self._poll(function, queue)
        return moved

    def _poll(self, function: Function, queue: str) -> bool:
        messages = self.cloud.receive(queue, function.batch_size)
        if not messages:
            return False
        answer = self.handlers[function.name](sqs_event(arn(queue), messages), None)
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        self.cloud.delete(queue, [message for message in messages if message["MessageId"] not in failed])
        return True

    def _follow_stream(self) -> bool:
        if self._stream_waits_until and self.now() < self._stream_waits_until:
            return False
        self._stream_waits_until = None
        changes = self.cloud.changes(self._followed)
        if not changes:
            return False
        states = [change for change in changes if change["dynamodb"]["Keys"]["sk"]["S"] == STATE]
        for change in states:
            self._customers[change["dynamodb"]["Keys"]["pk"]["S"]] = None
        failed = self._relay(states)
        if failed is None:
            self._followed = changes[-1]["dynamodb"]["SequenceNumber"]
            return True
        self._stream_waits_until = self.now() + STREAM_RETRY
        before = [change for change in changes if change["dynamodb"]["SequenceNumber"] < failed]
        self._followed = before[-1]["dynamodb"]["SequenceNumber"] if before else self._followed
        return False

    def _relay(self, changes: list[Shape]) -> str | None:
        """Hand changes to the relay; gives the sequence number of the first that failed."""
        if not changes:
            return None
        answer = self.handlers["relay_effects"](stream_event(self.cloud.stream_arn, changes), None)
        return min((item["itemIdentifier"] for item in answer["batchItemFailures"]), default=None)


@contextmanager
def world(journeys: Path, *, start: datetime, secrets: Mapping[str, str], ticking: bool = False) -> Iterator[World]:
    """A deployment that lives as long as the block, at `start`; with `ticking`, time also runs by itself.

    Raises InvalidJourneysError as `World.deploy` does.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cairn-")))
        clock = stack.enter_context(time_machine.travel(start, tick=ticking))
        stack.enter_context(sandbox())
        cloud = Cloud()
        cloud.create(secrets)
        made = World(cloud, clock, folder / "catalogue.json")
        made.deploy(journeys)
        yield made


def _load(function: Function, cloud: Cloud, catalogue: Path) -> Handler:
    """The function's handler, warmed under exactly the environment that it will have in Lambda."""
    module = import_module(f"functions.{function.name}.handler")
    for cached in vars(module).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    environment = cloud.settings(function, catalogue).environment()
    os.environ.update(environment)
    try:
        module.warm()
    finally:
        for name in environment:
            del os.environ[name]
    handler: Handler = module.handler
    return handler
