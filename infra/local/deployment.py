"""A whole deployment in one process, with time under control.

The handlers are the ones that Lambda runs, each under its own environment; the world does what AWS does between
them: polls queues, follows the stream, fires schedules, delivers again what failed.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import time_machine

from authoring.journeys import write_catalogue
from authoring.policy import write_policy
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import MESSAGE, STATE, RecordItem
from cairn.adapters.dynamodb.redrive import dead_letters_at, relay_again
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.s3 import Overflow
from cairn.adapters.sources import Sources, sources
from cairn.domain.customer.customer import Customer
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID, identifier
from cairn.domain.shared.errors import ErasedCustomerError
from infra.local.cloud import IDENTITY_SALT, PUBLIC_URL, SOURCES, Cloud, arn, sandbox
from infra.local.cloud import POLICY as COMPILED_POLICY
from infra.local.dead_letters import MARKETING, MESSAGES, NAMES, STREAM, DeadLetterQueue, DeadLetters
from infra.local.reports import is_logged, log_event, queue_body
from infra.local.resume_rule import ResumeRule
from infra.local.shapes import Shape, http_api_event, rule_event, sqs_event, stream_event
from infra.local.wiring import FUNCTIONS, Function

LAW = Path(__file__).parents[2] / "law.toml"
POLICY = LAW.with_name("policy.toml")

STREAM_RETRY = timedelta(seconds=1)
Handler = Callable[[Shape, Any], Any]


@dataclass(slots=True)
class LocalDeployment:
    """Made by `world()`. One thread at a time is let in."""

    cloud: Cloud
    clock: time_machine.Traveller
    catalogue: Path
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    sources: Sources = field(default_factory=lambda: sources(SOURCES))
    """Those that the deployment has routes for."""
    policy: Path = POLICY
    """The business's choices; the law is the same for everybody."""
    stopped: set[str] = field(default_factory=set)
    """Functions that nothing starts for the time being."""
    _resume_rule: ResumeRule = field(default_factory=ResumeRule)
    _stream_position: str | None = None
    _stream_retry_at: datetime | None = None
    _customers: dict[str, None] = field(default_factory=dict)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def deploy(self, journeys: Path) -> None:
        """Deploy journeys over what is there; every function starts anew and remembers nothing.

        Raises InvalidJourneysError or InvalidPolicyError where there is a problem: what would not be deployed does not
        run here either.
        """
        write_catalogue(journeys, self.catalogue)
        compiled = json.loads(self.catalogue.read_bytes())
        policy = self.catalogue.with_name(COMPILED_POLICY)
        write_policy(self.policy, LAW, policy, compiled)
        _replace_webhook_endpoints(self.cloud.webhook_endpoints, policy)
        self.handlers = {function.name: _load(function, self.cloud, self.catalogue) for function in FUNCTIONS}

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes, source: str = "") -> Shape:
        """What API Gateway does with an HTTP request; gives the function's answer."""
        with self.lock:
            self.cloud.create_push_endpoints(body)
            shape = self._webhook_event(method, url, headers, body, source)
            answer: Shape = self.handlers["receive_webhook"](shape, None)
            return answer

    def visit(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Shape:
        """What API Gateway does with a request to the link of a message; gives the function's answer."""
        with self.lock:
            kind, token = (unquote(one) for one in urlsplit(url).path.strip("/").split("/", 1))
            shape = http_api_event(
                method,
                url,
                headers,
                body,
                path_parameters={"token": token},
                now=self.now(),
                route=f"/{kind}/{{token}}",
            )
            answer: Shape = self.handlers["serve_preferences"](shape, None)
            return answer

    def manage(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, actor: str) -> Shape:
        """What API Gateway does with a request to /manage that somebody signed; gives the function's answer."""
        with self.lock:
            shape = http_api_event(method, url, headers, body, path_parameters={}, now=self.now())
            query = dict(parse_qsl(urlsplit(url).query))
            shape |= {"queryStringParameters": query} if query else {}
            shape["requestContext"] |= {"authorizer": {"iam": {"userArn": actor}}}
            answer: Shape = self.handlers["manage_api"](shape, None)
            return answer

    def _webhook_event(self, method: str, url: str, headers: Mapping[str, str], body: bytes, source: str) -> Shape:
        """A source that was known at deployment has a route of its own, and so no parameter that names it."""
        if not source:
            return http_api_event(method, url, headers, body, path_parameters={}, now=self.now(), route="/events")
        own = method == "POST" and source in self.sources
        route = f"/webhooks/{source}" if own else "/webhooks/{source}"
        parameters = {} if own else {"source": source}
        return http_api_event(method, url, headers, body, path_parameters=parameters, now=self.now(), route=route)

    def feedback(self, body: str) -> None:
        """What AWS does with a provider's report: by SNS onto the feedback queue, or from a log to the function."""
        with self.lock:
            document = json.loads(body)
            if is_logged(document):
                self.handlers["record_feedback"](log_event(document, self.now()), None)
            else:
                self.cloud.send("feedback", queue_body(document, self.now()))

    def report_references(self) -> dict[str, str]:
        """Whom and what reports are about: `customer` where there is one, `message:<step>` and `provider:<step>`."""
        found = {}
        for customer in {one.id for known in self._customers if (one := _customer(known))}:
            found["customer"] = customer
            for item in RecordItem.query(customer, RecordItem.sk.startswith(MESSAGE)):
                body = item.body or {}
                found[f"message:{body.get('step')}"] = item.sk.removeprefix(MESSAGE)
                found[f"provider:{body.get('step')}"] = body.get("provider_id", "")
        return found

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

    def dead_letters(self) -> DeadLetters:
        """Where this deployment's dead letters are asked for."""
        urls = self.cloud.urls
        places = {
            name: DeadLetterQueue(
                urls[f"{name}-dead-letters"], urls.get(name, ""), urls[MARKETING] if name == MESSAGES else ""
            )
            for name in NAMES
            if name != STREAM
        }
        streams = partial(dead_letters_at, self.cloud.client("dynamodbstreams"))
        bodies = Overflow(lambda: self.cloud.client("s3"), self.cloud.bucket)
        sqs, release = self.cloud.client("sqs"), self.cloud.make_visible
        return DeadLetters(sqs, places, relay_again, streams, bodies.fetch, wait_seconds=0, make_visible=release)

    def stop(self, function: str) -> None:
        """Have nothing start a function: what it would do waits in its queues, or in the stream."""
        with self.lock:
            self.stopped.add(function)

    def start(self, function: str) -> None:
        """Have a function started again, by what waits first of all."""
        with self.lock:
            self.stopped.discard(function)

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
        customer = _customer(customer_id)
        if customer is None or customer.id != customer_id:
            return  # erased; or merged, and its lines are the survivor's
        view = customer.profile.view()
        name = view.get(USER_ID) or view.get(EMAIL) or view.get(PHONE) or customer_id
        for line in DynamoTimeline().entries(customer_id):
            first = {"at": line.pop("at"), "kind": line.pop("kind"), "customer": name}
            yield first | line | {"customer_id": customer_id}

    def _named(self, customer: str) -> list[str]:
        """The ids that a customer's name may stand for, whatever kind of name it is."""
        if customer in self._customers:
            return [one.id for one in [_customer(customer)] if one]
        system, _, external = customer.partition(":")
        kinds = [(USER_ID, customer), (EMAIL, customer), (PHONE, customer)]
        kinds += [(f"external:{system}", external)] if external else []
        found = [DynamoCustomers(IDENTITY_SALT).find([identifier(*one)]) for one in kinds]
        return list({one.id: None for each in found for one in each.customers})

    def _next_due(self) -> datetime | None:
        consumed = [queue for function in self._running() for queue in function.queues]
        waiting = [*self.cloud.schedules().values(), *self.cloud.visible_instants(consumed)]
        if self._stream_retry_at and "relay_effects" not in self.stopped:
            waiting.append(self._stream_retry_at)
        sweep = self._next_resume()
        return min([*waiting, *([sweep] if sweep else [])], default=None)

    def _next_resume(self) -> datetime | None:
        return None if "sweep" in self.stopped else self._resume_rule.due(self.now())

    def _fire_schedules(self) -> None:
        now = self.now()
        for name, due in sorted(self.cloud.schedules().items(), key=lambda one: (one[1], one[0])):
            if due <= now:
                self.cloud.fire(name)
        sweep = self._next_resume()
        if sweep is not None and sweep <= now:
            self._resume_rule.started(now)
            self.handlers["sweep"](rule_event("sweep", now), None)

    def _poll_queues(self) -> bool:
        moved = False
        for function in self._running():
            for queue in function.queues:
                moved |= self._poll(function, queue)
        return moved

    def _running(self) -> list[Function]:
        return [function for function in FUNCTIONS if function.name not in self.stopped]

    def _poll(self, function: Function, queue: str) -> bool:
        messages = self.cloud.receive(queue, function.batch_size)
        if not messages:
            return False
        answer = self.handlers[function.name](sqs_event(arn(queue), messages), None)
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        self.cloud.delete(queue, [message for message in messages if message["MessageId"] not in failed])
        return True

    def _follow_stream(self) -> bool:
        if "relay_effects" in self.stopped:
            return False
        if self._stream_retry_at and self.now() < self._stream_retry_at:
            return False
        self._stream_retry_at = None
        changes = self.cloud.changes(self._stream_position)
        if not changes:
            return False
        self._resume_rule.watch(changes)
        states = [change for change in changes if change["dynamodb"]["Keys"]["sk"]["S"] == STATE]
        for change in states:
            self._customers[change["dynamodb"]["Keys"]["pk"]["S"]] = None
        failed = self._relay(states)
        if failed is None:
            self._stream_position = changes[-1]["dynamodb"]["SequenceNumber"]
            return True
        self._stream_retry_at = self.now() + STREAM_RETRY
        before = [change for change in changes if change["dynamodb"]["SequenceNumber"] < failed]
        self._stream_position = before[-1]["dynamodb"]["SequenceNumber"] if before else self._stream_position
        return False

    def _relay(self, changes: list[Shape]) -> str | None:
        """Hand changes to the relay; gives the sequence number of the first that failed."""
        if not changes:
            return None
        answer = self.handlers["relay_effects"](stream_event(self.cloud.stream_arn, changes), None)
        return min((item["itemIdentifier"] for item in answer["batchItemFailures"]), default=None)


def _customer(customer_id: str) -> Customer | None:
    """Whoever has this id now; None where they were erased."""
    try:
        return DynamoCustomers(IDENTITY_SALT).load(customer_id)
    except ErasedCustomerError:
        return None


@contextmanager
def local_deployment(  # noqa: PLR0913  a deployment differs in so many things
    journeys: Path,
    *,
    start: datetime,
    secrets: Mapping[str, str],
    policy: Path = POLICY,
    ticking: bool = False,
    texts_by_end_user_messaging: bool = False,
    public_url: str = PUBLIC_URL,
    webhook_endpoints: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[LocalDeployment]:
    """A deployment that lives as long as the block, at `start`; with `ticking`, time also runs by itself.

    SMS goes out by SNS, unless End User Messaging is asked for; WhatsApp knows no other way. Changes of consent are
    told to `subscribers`, URLs on loopback by name.
    Raises InvalidJourneysError and InvalidPolicyError as `World.deploy` does.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cairn-")))
        clock = stack.enter_context(time_machine.travel(start, tick=ticking))
        stack.enter_context(sandbox())
        cloud = Cloud(
            texts_by_end_user_messaging=texts_by_end_user_messaging,
            public_url=public_url,
            webhook_endpoints=webhook_endpoints,
        )
        cloud.create(secrets)
        made = LocalDeployment(cloud, clock, folder / "catalogue.json", policy=policy)
        made.deploy(journeys)
        yield made


def _replace_webhook_endpoints(subscribers: Mapping[str, str], policy: Path) -> None:
    """A laptop's subscribers are those that it was given, in place of the deployment's."""
    document = json.loads(policy.read_bytes())
    document["subscribers"] = [{"name": name, "url": url, "secret": name} for name, url in subscribers.items()]
    policy.write_text(json.dumps(document), encoding="utf-8")


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
