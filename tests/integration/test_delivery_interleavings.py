"""A sender's calls, and whatever else may happen between any two of them, in any order, on the table.

Nothing is sent that was forbidden before the claim. While its process lives, nothing is sent twice and nothing is lost,
though calls fail and answers are lost.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.aws_calls import AwsCall, intercepted
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.application.events.process_event import ProcessEvent
from cairn.application.message.deliver_message import LEASE, DeliverMessage
from cairn.application.values.messages import DeferredMessage, DeliveryRequest
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import effect_id
from cairn.domain.event import event_from_wire
from cairn.domain.identity.identifiers import customer_id_for, identifier
from cairn.domain.message.message import Jurisdiction, Message, MessageStatus, Rendered
from cairn.domain.operations.pauses import Pause
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import UnknownCustomerError
from tests.unit.fakes import (
    KEYS,
    ChosenArms,
    DeferredMessages,
    ErasureOrders,
    RateLimiter,
    Renderer,
    Settlements,
    Switches,
    Tasks,
)
from tests.unit.makers import Deployed, journey, only, send

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
CUSTOMERS, DELIVERIES, TIMELINE = DynamoCustomers(KEYS), DynamoDeliveries(KEYS.suppressions), DynamoTimeline()
VISIT = journey(send("hello", "sms"), exit_on=[{"event": "payment.succeeded"}])
PROCESS = ProcessEvent(
    CUSTOMERS, Deployed(VISIT), lambda text, *_: text, KEYS, DELIVERIES, Switches(), ChosenArms(), ErasureOrders()
)
CONSENT = [
    {"channel": "sms", "purpose": purpose, "status": "granted", "source": "form", "method": "single_opt_in"}
    for purpose in Purpose
]
OUT_OF_ORDER = ClientError(
    {"Error": {"Code": "InternalServerError"}, "ResponseMetadata": {"HTTPStatusCode": 500}},  # type: ignore[typeddict-item]
    "Any",
)
numbers = count(1)

FORBIDDING = ("STOP", "payment", "complaint at a shared address", "erasure")
HARMLESS = ("merge", "merged timeline moves", "another event", "a second delivery")
FAULTS = ("no call", "no answer", "no calls for a while", "no answers for a while")
A_WHILE = 9
"""Calls that fail: more than the attempts to settle a message."""


@dataclass
class Scene:
    """Mia, who signed up with a number, and her message."""

    purpose: Purpose
    number: int = field(default_factory=lambda: next(numbers))
    log: list[str] = field(default_factory=list)
    settlements: Settlements = field(default_factory=Settlements)
    sender: str = ""
    """Which of the senders is at work; none while something else happens."""
    claiming: str = ""
    """The sender that is making a claim."""
    failing: tuple[str, int] = ("", 0)

    def __post_init__(self) -> None:
        self.happens("trial.signup", customer={"phone": self.phone}, consent=CONSENT)
        self.happens("app.installed", customer={"user_id": self.account})
        self.id = customer_id_for(identifier("phone", self.phone), KEYS.customer_ids)
        enrollment = only(CUSTOMERS.load(self.id).enrollments)
        self.message = Message(
            id=effect_id(enrollment.id, "hello", 1),
            customer=self.id,
            enrollment=enrollment.id,
            journey="visit",
            version="v1",
            step="hello",
            channels=(Channel.SMS,),
            template="hello",
            purpose=self.purpose,
            addresses={Channel.SMS: self.phone},
            decided_at=NOW,
        )
        self.deliver = DeliverMessage(
            deliveries=Claims(self),
            deferred=DeferredMessages(),
            tasks=Tasks(),
            renderer=Renderer(),
            providers={Channel.SMS: self},
            switches=Switches(),
            rate_limiter=RateLimiter(),
            settlements=self.settlements,
            jurisdiction_of=lambda _: Jurisdiction(("UTC",), {Channel.SMS: "US"}),
        )
        self.log.clear()

    @property
    def phone(self) -> str:
        return f"+1201555{self.number:04d}"

    name = "fake"

    @property
    def account(self) -> str:
        return f"mia-{self.number}"

    def happens(self, type_: str, source: str = "track", **event: Any) -> None:
        document = {"id": f"{type_}-{next(numbers)}", "type": type_, **event}
        PROCESS(event_from_wire(document, source=source, received_at=NOW), NOW)

    def send(self, message: Message, rendered: Rendered) -> str:
        """The provider."""
        assert rendered.address == self.phone
        self.log.append(f"sent by {self.sender}")
        return f"provider/{message.id}"

    def is_pause_of_the_message(self) -> None:
        """It waits: its journey was paused, and is resumed."""
        paused = replace(self.deliver, switches=Paused())
        assert paused(self.message, NOW, DELIVERIES.contexts([self.message])[0]) is MessageStatus.DEFERRED

    def does(self, what: str) -> None:
        sender, self.sender = self.sender, ""
        try:
            ACTIONS[what](self)
        finally:
            self.sender = sender
        if what in FORBIDDING:
            self.log.append("forbidden")

    def runs(self, name: str, request: DeliveryRequest, now: datetime) -> MessageStatus | None:
        self.sender = name
        try:
            (context,) = self.deliver.contexts([request])
            return self.deliver(request, now, context)
        finally:
            self.sender = ""

    def is_called(self, operation: str, really: Callable[[], Any]) -> Any:
        """A call of AWS, which may fail before it reaches the table, or lose its answer."""
        fault, left = self.failing
        self.failing = (fault, left - 1) if left > 1 else ("", 0)
        if fault.startswith("no call"):
            raise OUT_OF_ORDER
        answer = really()
        self.was_called(operation)
        if fault:
            raise OUT_OF_ORDER
        return answer

    def was_called(self, operation: str) -> None:
        if operation == "UpdateItem" and self.claiming == self.sender:
            self.log.append(f"claimed by {self.sender}")


class Claims(DynamoDeliveries):
    """Says when a claim is made."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(KEYS.suppressions)
        self._scene = scene

    def claim(self, *what: Any) -> None:
        before, self._scene.claiming = self._scene.claiming, self._scene.sender
        try:
            super().claim(*what)
        finally:
            self._scene.claiming = before


class Paused(Switches):
    pauses = (Pause("journey:visit", NOW),)


def stop(scene: Scene) -> None:
    said = {"text": "STOP", "channel": "sms", "address": scene.phone}
    scene.happens("message.replied", "twilio", customer={"phone": scene.phone}, properties=said)


def erase(scene: Scene) -> None:
    scene.happens("customer.erasure_requested", "operators", customer={"cairn_id": scene.id})


def move_timeline(scene: Scene) -> None:
    survivor = CUSTOMERS.load(scene.id).id
    if survivor != scene.id:
        TIMELINE.absorb(survivor, scene.id)


ACTIONS: Mapping[str, Callable[[Scene], None]] = {
    "STOP": stop,
    "payment": lambda scene: scene.happens("payment.succeeded", customer={"phone": scene.phone}),
    "complaint at a shared address": lambda scene: CUSTOMERS.record_suppressions(
        [SuppressionChange(Channel.SMS, Mark(Cause.COMPLAINT, NOW), scene.phone)]
    ),
    "erasure": erase,
    "merge": lambda scene: scene.happens("form.sent", customer={"user_id": scene.account, "phone": scene.phone}),
    "merged timeline moves": move_timeline,
    "another event": lambda scene: scene.happens("page.seen", customer={"phone": scene.phone}),
    "a second delivery": lambda scene: _or_waits(lambda: scene.runs("the second", scene.message, NOW)),
}


def _or_waits(deliver: Callable[[], Any]) -> None:
    with suppress(Exception):  # the queue brings it again
        deliver()


@contextmanager
def between_the_calls(scene: Scene, plan: Mapping[int, list[str]]) -> Iterator[None]:
    """Before each numbered call of the first sender, what the plan says happens."""
    made = count()

    def make(call: AwsCall) -> Any:
        if scene.sender != "the first":
            answer = call.answer()
            if scene.sender:
                scene.was_called(call.operation)
            return answer
        for what in plan.get(next(made), ()):
            if what in FAULTS:
                scene.failing = (what, A_WHILE if "while" in what else 1)
            else:
                _unless_erased(lambda what=what: scene.does(what))  # type: ignore[misc]
        return scene.is_called(call.operation, call.answer)

    with intercepted(make):
        yield


def _unless_erased(do: Callable[[], Any]) -> None:
    """After an erasure, events start a new customer; that is another story."""
    with suppress(UnknownCustomerError):
        do()


plans = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(FORBIDDING + HARMLESS + FAULTS)), max_size=4)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(Purpose), st.booleans(), plans)
@example(Purpose.MARKETING, False, [(1, "no answer")])  # noqa: FBT003
@example(Purpose.MARKETING, False, [(1, "no answers for a while")])  # noqa: FBT003
@example(Purpose.TRANSACTIONAL, False, [(3, "no calls for a while")])  # noqa: FBT003
@example(Purpose.MARKETING, False, [(1, "complaint at a shared address")])  # noqa: FBT003
@example(Purpose.MARKETING, False, [(1, "payment")])  # noqa: FBT003
@example(Purpose.MARKETING, True, [(3, "merge"), (3, "merged timeline moves")])  # noqa: FBT003
def test_what_was_forbidden_before_the_claim_is_not_sent_and_all_else_once(
    purpose: Purpose,
    deferred: bool,  # noqa: FBT001
    happens: list[tuple[int, str]],
) -> None:
    scene = Scene(purpose)
    if deferred:
        scene.is_pause_of_the_message()
    plan: dict[int, list[str]] = {}
    for number, what in happens:
        plan.setdefault(number, []).append(what)
    queue: list[DeliveryRequest] = [DeferredMessage(scene.id, scene.message.id) if deferred else scene.message]

    now, last = NOW, None
    with between_the_calls(scene, plan):
        for _ in range(50):
            if not queue:
                break
            request = queue.pop(0)
            try:
                last = scene.runs("the first", request, now)
            except Exception:  # noqa: BLE001  the queue brings it again
                queue.append(request)
                now += LEASE
            queue += scene.settlements
            scene.settlements.clear()
    assert not queue, "settled"

    story = scene.log
    sends = [number for number, line in enumerate(story) if line.startswith("sent")]
    assert len(sends) <= 1, story
    if "forbidden" not in story:
        assert sends, (last, story)
    for sent in sends:
        by = story[sent].removeprefix("sent")
        claim = max(number for number in range(sent) if story[number] == f"claimed{by}")
        assert "forbidden" not in story[:claim], story
    if sends and "erasure" not in {what for _, what in happens}:
        (context,) = DELIVERIES.contexts([scene.message])
        assert context is not None
        assert context.status is MessageStatus.SENT, story
