"""A whole deployment in one process, with time under control.

The handlers are the ones that Lambda runs, each under its own environment. Between them the local deployment does what
AWS does: it polls queues, follows the stream, fires schedules and delivers again after a failure.
"""

import json
import os
import random
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import time_machine

from authoring.defaults import default_file
from authoring.project import CATALOGUE
from authoring.project import PEOPLE as COMPILED_PEOPLE
from authoring.project import POLICY as COMPILED_POLICY
from authoring.sources.samples import document_of_samples
from cairn.adapters import aws
from cairn.adapters.documents.people import people_at
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import STATE
from cairn.adapters.dynamodb.redrive import RedriveFacts
from cairn.adapters.dynamodb.roster import DynamoRoster
from cairn.adapters.dynamodb.status_reports import note_complete
from cairn.adapters.dynamodb.table import is_empty
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.adapters.firehose import FactLog
from cairn.adapters.s3 import Overflow
from cairn.adapters.sources import OWN, Sources, fetching, sources
from cairn.adapters.sqs.dead_letters import (
    EFFECTS,
    MARKETING,
    MESSAGES,
    NAMES,
    STREAM,
    DeadLetterQueue,
    DeadLetters,
)
from cairn.application.values.people import Roster
from cairn.compose.dead_letters import redrive_effects, redrive_position
from cairn.domain.people.task import Task
from cairn.telemetry import logger
from infra.local import timeline
from infra.local.cloud import IDENTITY_SECRET, PUBLIC_URL, SOURCES, Cloud, arn, sandbox
from infra.local.compiled import compiled
from infra.local.environments import settings_of
from infra.local.fact_log import STREAMS
from infra.local.faults import FaultPlan
from infra.local.faults.weather import CALM, Weather
from infra.local.filling import fill_audiences
from infra.local.reports import is_logged, log_event, queue_body
from infra.local.resume_rule import ResumeRule
from infra.local.runtime import Handler, ProcessDiedError, Runtime, TimedOutError, installed
from infra.local.shapes import (
    TASKS,
    Shape,
    console_event,
    in_app_event,
    link_event,
    manage_event,
    rule_event,
    sqs_event,
    stream_event,
    webhook_event,
)
from infra.local.signing import stored
from infra.local.stream import (
    LOG_BATCH_SIZE,
    LOG_WINDOW,
    StreamMapping,
    function_arn,
    has_facts,
    has_outbox,
    is_announced,
)
from infra.local.wiring import FUNCTIONS, Function, queue_named

POLICY = default_file("policy.toml")

ASYNC_RETRIES = (timedelta(minutes=1), timedelta(minutes=2))
"""After which times Lambda tries an asynchronous invocation again.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

NO_ANSWER = {"statusCode": 500, "body": '{"message":"Internal Server Error"}', "headers": {}}
TOO_LATE = {"statusCode": 503, "body": '{"message":"Service Unavailable"}', "headers": {}}
"""What an HTTP API answers when its function fails, or does not answer in time."""


LOG_FACTS = "log_facts"


@dataclass(slots=True)
class LocalDeployment:
    """Made by `local_deployment()`. One thread at a time may enter."""

    cloud: Cloud
    clock: time_machine.Traveller
    catalogue: Path
    runtime: Runtime
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    sources: Sources = field(default_factory=lambda: sources(SOURCES))
    """The sources that have a route of their own."""
    policy: Path = POLICY
    """The policy file of the business; the law is the same for every business."""
    moved: Callable[[datetime], None] = lambda _: None
    """Hears of each instant to which the clock moves."""
    heard: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
    """Hears of what comes from outside and may change something, before it is done: the method here, its arguments."""
    answered: Callable[[int], None] = lambda _: None
    """Hears of the status of each answer over HTTP."""
    stopped: set[str] = field(default_factory=set)
    """Functions that nothing starts at present."""
    _resume_rule: ResumeRule = field(default_factory=ResumeRule)
    _stream: StreamMapping = field(init=False)
    _log: StreamMapping = field(init=False)
    _stream_position: str | None = None
    """The last change that was read. Changes that were read wait in their shard until they are done."""
    _again: list[tuple[datetime, str, Shape, tuple[timedelta, ...]]] = field(default_factory=list)
    """Asynchronous invocations that failed: when, which, with what, and the pauses that are left."""
    _polls: Iterator[int] = field(default_factory=count)
    _announces: bool = False
    """Whether a webhook endpoint hears of tasks or orders."""
    _customers: dict[str, str] = field(default_factory=dict)
    """The customers' ids; of an id that only leads to another customer, that one's."""

    def __post_init__(self) -> None:
        give_up = partial(self.cloud.send, f"{STREAM}-dead-letters")
        self._stream = StreamMapping(self.cloud.stream_arn, self.cloud.stream_shard_id, give_up, lambda: self._weather)
        self._log = StreamMapping(
            self.cloud.stream_arn,
            self.cloud.stream_shard_id,
            give_up,
            lambda: self._weather,
            LOG_FACTS,
            LOG_BATCH_SIZE,
            LOG_WINDOW,
        )
        self.runtime.interloper = self._interfere

    @property
    def faults(self) -> FaultPlan | None:
        """The fault plan; another one may take its own at any time."""
        return self.runtime.plan

    @faults.setter
    def faults(self, plan: FaultPlan | None) -> None:
        with self.lock:
            if plan is not None:
                plan.begin(self.now())
                random.seed(plan.seed or 0)  # the jitter of pauses too is the same for the same plan
            self.runtime.plan = plan

    @property
    def _weather(self) -> Weather:
        return CALM if self.runtime.plan is None else self.runtime.plan.weather_at(self.now())

    def now(self) -> datetime:
        return datetime.now(UTC)

    def deploy(self, journeys: Path) -> None:
        """Deploy journeys over the present ones; every function starts cold.

        Raises InvalidJourneysError, InvalidPolicyError, InvalidPeopleError, InvalidLeadsError or InvalidRepliesError,
        as a real deployment would be refused.
        """
        files = compiled(journeys, self.policy)
        for file in self.catalogue.parent.iterdir():
            file.unlink()
        for name, content in files.items():
            self.catalogue.with_name(name).write_bytes(content)
        policy = self.catalogue.with_name(COMPILED_POLICY)
        _replace_webhook_endpoints(self.cloud.webhook_endpoints, policy)
        self._announces = bool(policy_at(policy).announced_to)
        self.handlers = {function.name: load_handler(function, self.cloud, self.catalogue) for function in FUNCTIONS}
        if is_empty():  # as check_identity_key notes at the first deployment
            note_complete(self.now())
        self._note_members(people_at(self.catalogue.with_name(COMPILED_PEOPLE)).members.keys())

    def _note_members(self, members: Collection[str]) -> None:
        """Note who is a member, as the first run of `sweep` does; let it run where one is none any more."""
        roster = DynamoRoster()
        if (before := roster.read()) is None:
            roster.put(Roster(frozenset(members)))
        elif before.members - set(members):
            self._resume_rule.asked()

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes, source: str = "") -> Shape:
        """Receive a webhook as API Gateway does; returns the function's answer."""
        with self.lock:
            self._hear("request", method, url, headers, body, source=source)
            self.cloud.create_push_endpoints(body)
            shape = webhook_event(method, url, headers, body, source, self.sources, self.now())
            return self._answer("receive_webhook", shape)

    def visit(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Shape:
        """Open the link of a message as API Gateway does; returns the function's answer."""
        with self.lock:
            self._hear("visit", method, url, headers, body)
            shape = link_event(method, url, headers, body, self.now())
            function = "serve_tasks" if shape["routeKey"].endswith(TASKS) else "serve_preferences"
            return self._answer(function, shape)

    def in_app(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Shape:
        """Call the in-app inbox as API Gateway does; returns the function's answer."""
        with self.lock:
            self._hear("in_app", method, url, headers, body)
            return self._answer("serve_in_app", in_app_event(method, url, headers, self.now()))

    def manage(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, actor: str) -> Shape:
        """Call /manage as the authorised `actor`, as API Gateway does; returns the function's answer."""
        with self.lock:
            self._hear("manage", method, url, headers, body, actor=actor)
            shape = manage_event(method, url, headers, body, actor, self.now())
            return self._answer("manage_api", shape)

    def members(self) -> dict[str, str]:
        """The name of each member of people.toml, by id."""
        return {one.id: one.name for one in people_at(self.catalogue.with_name(COMPILED_PEOPLE)).members.values()}

    def open_console(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Shape:
        """Ask for a page of the console as API Gateway does; returns the function's answer."""
        with self.lock:
            self._hear("open_console", method, url, headers, body)
            return self._answer("serve_console", console_event(method, url, headers, body, self.now()))

    def _hear(self, call: str, method: str, url: str, headers: Mapping[str, str], body: bytes, **more: str) -> None:
        if method != "GET":
            self.heard(call, {"method": method, "url": url, "headers": dict(headers), "body": body, **more})

    def import_rows(self, batch: Shape) -> Shape | None:
        """Have a batch of rows imported, as a Distributed Map does; None where the function gave no answer."""
        with self.lock:
            answer = self._invoke("import_rows", batch)
            return None if isinstance(answer, Failure) else dict(answer)

    def feedback(self, body: str) -> None:
        """Deliver a provider's report as AWS does: by SNS to the feedback queue, or from a log to the function."""
        with self.lock:
            self.heard("feedback", {"body": body})
            document = json.loads(body)
            if is_logged(document):
                self._start("record_feedback", log_event(document, self.now()))
            else:
                self.cloud.send("feedback", queue_body(document, self.now()))

    def report_references(self, customer: str = "") -> dict[str, str]:
        """The ids that a provider's report about this customer, or about the only one, may refer to."""
        ids = self.customer_ids(customer) if customer else self._survivors()
        return timeline.report_references(self._customers_table(), ids)

    def advance_to(self, instant: datetime) -> None:
        """Move the clock; everything that comes due on the way happens at its instant, in order."""
        with self.lock:
            self.settle()
            while (due := self.next_due()) is not None and due <= instant:
                if due > self.now():
                    self.clock.move_to(due)
                    self.moved(due)
                self._fire_schedules()
                self.settle()
            if instant > self.now():
                self.clock.move_to(instant)

    def settle(self) -> None:
        """Do everything that is due now."""
        with self.lock:
            while self._poll_queues() or self._follow_stream():
                pass

    def dead_letters(self) -> DeadLetters:
        """Access to this deployment's dead letters."""
        urls = self.cloud.urls
        queues = {
            name: DeadLetterQueue(
                urls[f"{name}-dead-letters"], urls.get(name, ""), urls[MARKETING] if name == MESSAGES else ""
            )
            for name in NAMES
        }
        bodies = Overflow(lambda: self.cloud.client("s3"), self.cloud.bucket)
        sqs = self.cloud.client("sqs")
        effects = redrive_effects(sqs, urls[EFFECTS])
        facts = RedriveFacts(FactLog(self.cloud.client("firehose"), STREAMS), function_arn(LOG_FACTS))
        position = redrive_position(effects, facts, self.cloud.client("dynamodbstreams"))
        return DeadLetters(sqs, queues, effects, position, wait_seconds=0, fetch=bodies.fetch)

    def facts(self) -> list[dict[str, Any]]:
        """The log of facts up to now, each fact once, without a wait for the window in which Lambda gathers changes."""
        with self.lock:
            self.settle()
            while LOG_FACTS not in self.stopped and self._log.run(self._log_changes, early=True):
                pass
        return self.cloud.fact_log.facts()

    def stop(self, function: str) -> None:
        """Stop a function: its work waits in its queues or in the stream."""
        with self.lock:
            self.stopped.add(function)

    def start(self, function: str) -> None:
        """Start a stopped function again, with the oldest work first."""
        with self.lock:
            self.stopped.discard(function)

    @property
    def position(self) -> str:
        """Another one after each change of a customer, a message or a task."""
        return self._stream_position or ""

    def catch_up(self) -> None:
        """Do everything that has become due in real time since the last call."""
        self.advance_to(self.now())

    def fill_audiences(self) -> dict[str, int]:
        """Fill the audiences that are not filled: pages of the table stand in for an export. Members by audience."""
        with self.lock:
            self.heard("fill_audiences", {})
            return fill_audiences(self.cloud, self.catalogue, self.now())

    def timeline(self, customer: str | None = None) -> list[dict[str, Any]]:
        """Everything that happened to all customers or to one, as `replay --json` prints it.

        `customer` is a canonical id, user id, e-mail address, phone number or `<system>:<external id>`.
        """
        with self.lock:
            ids = self._survivors() if customer is None else self.customer_ids(customer)
            found = [entry for customer_id in ids for entry in timeline.entries(self._customers_table(), customer_id)]
            return sorted(found, key=lambda entry: entry["at"])

    def open_tasks(self, customer: str = "") -> list[Task]:
        """The open tasks of a customer, or of all; `customer` as for `timeline`."""
        with self.lock:
            ids = self.customer_ids(customer) if customer else self._survivors()
            return [one for customer_id in ids for one in DynamoTasks().of_customer(customer_id) if one.is_open]

    def customer_ids(self, customer: str) -> list[str]:
        """The canonical ids that a customer's name, of any kind, may stand for."""
        return timeline.customer_ids(self._customers_table(), customer, self._customers)

    def _survivors(self) -> list[str]:
        return [customer for customer, alias_of in self._customers.items() if not alias_of]

    def _customers_table(self) -> DynamoCustomers:
        return DynamoCustomers(self.cloud.identity_keys)

    def next_due(self) -> datetime | None:
        """When something happens by itself next, which may have become due already; None where nothing waits."""
        consumed = [queue for function in self._running() for queue in function.queues]
        waiting = [*self._schedules().values(), *self.cloud.visible_instants(consumed)]
        waiting += [at for at, name, *_ in self._again if name not in self.stopped]
        if "relay_effects" not in self.stopped and (stream := self._stream.due()) is not None:
            waiting.append(stream)
        if LOG_FACTS not in self.stopped and (again := self._log.retry()) is not None:
            waiting.append(again)  # a batch that has not failed waits for its window without moving the clock
        resume = self._next_resume()
        return min([*waiting, *([resume] if resume else [])], default=None)

    def _schedules(self) -> dict[str, datetime]:
        """When each schedule starts; in a plan's weather within the minute, not at once."""
        found, weather = self.cloud.schedules(), self._weather
        if not weather.schedules_late:
            return found
        return {name: due + weather.schedule_lateness(name) for name, due in found.items()}

    def _next_resume(self) -> datetime | None:
        return None if "sweep" in self.stopped else self._resume_rule.due(self.now())

    def _fire_schedules(self) -> None:
        now = self.now()
        for name, due in sorted(self._schedules().items(), key=lambda one: (one[1], one[0])):
            if due <= now:
                self.cloud.fire(name, twice=self._weather.fires_twice(name))
        resume = self._next_resume()
        if resume is not None and resume <= now:
            self._resume_rule.started(now)
            self._start("sweep", rule_event("sweep", now))
        for waiting in [one for one in self._again if one[0] <= now and one[1] not in self.stopped]:
            self._again.remove(waiting)
            self._start(*waiting[1:])

    def _poll_queues(self) -> bool:
        moved = False
        for function in self._running():
            for queue in function.queues:
                moved |= self._poll(function, queue)
        return moved

    def _running(self) -> list[Function]:
        return [function for function in FUNCTIONS if function.name not in self.stopped]

    def _poll(self, function: Function, queue: str) -> bool:
        weather, most = self._weather, function.batch_size
        poll = f"{queue}/{next(self._polls)}"
        if (order := weather.order(poll)) is not None and not queue_named(queue).fifo:
            self.cloud.shuffle(queue, order)
            most = order.randint(1, most)
        messages = self.cloud.receive(queue, most)
        if not messages:
            return False
        if weather.loses_receive(poll):
            return True  # nobody gets them before they are visible again
        answer = self._invoke(function.name, sqs_event(arn(queue), messages))
        if isinstance(answer, Failure):
            return True  # the messages become visible again
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] in failed:
                continue
            again = weather.redelivery(message["MessageId"], int(message["Attributes"]["ApproximateReceiveCount"]))
            if again is None:
                self.cloud.delete(queue, [message])
            else:
                self.cloud.deliver_again(queue, message, again)
        return True

    def _follow_stream(self) -> bool:
        self._read_stream()
        if LOG_FACTS not in self.stopped:
            self._log.run(self._log_changes)
        return "relay_effects" not in self.stopped and self._stream.run(self._relay)

    def _read_stream(self) -> None:
        """Not while the relay is stopped: both functions then begin where it was."""
        if "relay_effects" in self.stopped:
            return
        changes = self.cloud.changes(self._stream_position)
        if changes:
            self._resume_rule.watch(changes)
            for change in changes:
                keys = change["dynamodb"]["Keys"]
                if keys["sk"]["S"] == STATE:
                    state = change["dynamodb"].get("NewImage", {})
                    self._customers[keys["pk"]["S"]] = state.get("alias_of", {}).get("S", "")
            self._stream_position = changes[-1]["dynamodb"]["SequenceNumber"]
            self._stream.add(filter(self._starts_the_relay, changes))
            self._log.add(filter(has_facts, changes))
            self.cloud.forget_changes(self._stream_position)

    def _starts_the_relay(self, change: Shape) -> bool:
        return has_outbox(change) or (self._announces and is_announced(change))

    def _relay(self, changes: list[Shape]) -> list[str] | None:
        """Hand changes to the relay; returns the sequence numbers that failed, or None where it gave no answer."""
        answer = self._invoke("relay_effects", stream_event(self.cloud.stream_arn, changes))
        return None if isinstance(answer, Failure) else [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def _log_changes(self, changes: list[Shape]) -> list[str] | None:
        """The same of the log: all of a batch, or nothing."""
        answer = self._invoke(LOG_FACTS, stream_event(self.cloud.stream_arn, changes))
        return None if isinstance(answer, Failure) else []

    def _invoke(self, name: str, event: Shape) -> Any:
        """The function's answer, or Failure. Without a fault plan, an error of the handler is raised, to be seen."""
        try:
            return self.runtime.invoke(name, self.handlers[name], event)
        except ProcessDiedError as death:
            load_handler(function_named(name), self.cloud, self.catalogue)  # the next one starts cold
            return Failure(timed_out=isinstance(death, TimedOutError))
        except Exception as error:
            if self.runtime.plan is None:
                raise
            logger.error("function failed", function=name, error=type(error).__name__)
            return Failure()

    def _answer(self, name: str, event: Shape) -> Shape:
        """What an HTTP caller gets."""
        answer = self._invoke(name, event)
        if isinstance(answer, Failure):
            answer = dict(TOO_LATE if answer.timed_out else NO_ANSWER)
        found: Shape = answer
        self.answered(found["statusCode"])
        return found

    def _start(self, name: str, event: Shape, pauses: tuple[timedelta, ...] = ASYNC_RETRIES) -> None:
        """Invoke asynchronously: Lambda tries twice more."""
        if isinstance(self._invoke(name, event), Failure) and pauses:
            self._again.append((self.now() + pauses[0], name, event, pauses[1:]))

    def _interfere(self) -> bool:
        """Run what is due beside an invocation, by another function; whether anything ran."""
        at_work = {one.function for one in self.runtime.running}
        others = [one for one in self._running() if one.name not in at_work]
        moved = sum(self._poll(function, queue) for function in others for queue in function.queues) > 0
        return moved or ("relay_effects" not in at_work and self._follow_stream())


@dataclass(frozen=True, slots=True)
class Failure:
    """A function gave no answer."""

    timed_out: bool = False


def function_named(name: str) -> Function:
    return next(one for one in FUNCTIONS if one.name == name)


@contextmanager
def local_deployment(  # noqa: PLR0913  one argument for each choice
    journeys: Path,
    *,
    start: datetime,
    secrets: Mapping[str, str],
    policy: Path = POLICY,
    configuration: Path = SOURCES,
    ticking: bool = False,
    texts_by_end_user_messaging: bool = False,
    bedrock_model: str = "",
    public_url: str = PUBLIC_URL,
    webhook_endpoints: Mapping[str, str] = MappingProxyType({}),
    identity: Mapping[str, str] = IDENTITY_SECRET,
    faults: FaultPlan | None = None,
    same_ids: bool = False,
) -> Iterator[LocalDeployment]:
    """A deployment that lives as long as the block, at `start`; with `ticking`, time also runs by itself.

    SMS goes out by SNS or by End User Messaging; WhatsApp always by the latter. `webhook_endpoints` are URLs on
    loopback, by name, that get changes of consent. `configuration` is a sources.toml. `faults` says what goes wrong
    (docs/faults.md). What a webhook points to comes from the vendor's samples. A `bedrock_model` is asked at
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME. With `same_ids`, or `faults`, whatever AWS makes has the same id each time.
    Raises InvalidJourneysError and InvalidPolicyError as `LocalDeployment.deploy` does.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cairn-")))
        clock = stack.enter_context(time_machine.travel(start, tick=ticking))
        stack.enter_context(sandbox(same_ids=same_ids or faults is not None))
        cloud = Cloud(
            texts_by_end_user_messaging=texts_by_end_user_messaging,
            bedrock_model=bedrock_model,
            public_url=public_url,
            webhook_endpoints=webhook_endpoints,
            identity=identity,
            configuration=configuration,
        )
        own = configuration.parent / OWN
        stack.enter_context(patch.object(fetching, "document_at", lambda url, _: document_of_samples(url, own)))
        known = sources(configuration)
        runtime = Runtime(clock, ticking=ticking)
        stack.enter_context(installed(runtime))
        aws.session().register("before-call", runtime.note_timeout)
        cloud.create(stored(secrets, known), runtime.around)
        made = LocalDeployment(cloud, clock, folder / CATALOGUE, runtime, sources=known, policy=policy)
        made.deploy(journeys)
        made.faults = faults
        yield made


def _replace_webhook_endpoints(endpoints: Mapping[str, str], policy: Path) -> None:
    """Use the laptop's webhook endpoints instead of those in policy.toml, which may say what they get."""
    document = json.loads(policy.read_bytes())
    own = {row["name"]: row for row in document.get("subscribers", ())}
    document["subscribers"] = [
        {**own.get(name, {}), "name": name, "url": url, "secret": name} for name, url in endpoints.items()
    ]
    policy.write_text(json.dumps(document), encoding="utf-8")


def load_handler(function: Function, cloud: Cloud, catalogue: Path) -> Handler:
    """The function's handler, warmed under the environment that it has in Lambda."""
    module = import_module(f"functions.{function.name}.handler")
    for cached in vars(module).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    environment = settings_of(function, cloud, catalogue).environment()
    os.environ.update(environment)
    try:
        module.warm()
    finally:
        for name in environment:
            del os.environ[name]
    handler: Handler = module.handler
    return handler
