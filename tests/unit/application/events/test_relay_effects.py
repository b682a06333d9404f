"""Relay effects: each is retried until it is done; an impossible one is dead-lettered, and the rest still done."""

from datetime import timedelta
from typing import Any

import pytest

from cairn.application.events.relay_effects import Committed, RelayEffects
from cairn.application.operations.watch_health import WatchHealth
from cairn.application.ports import PausedEnrollment
from cairn.application.webhooks.queue_deliveries import QueueWebhookDeliveries
from cairn.domain.customer.customer import Customer, on_event
from cairn.domain.effects import (
    AbsorbHistory,
    Effect,
    EraseCustomer,
    PauseEnrollment,
    RecordConsent,
    UpdateMessageStatus,
    WakeAt,
)
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.breaker import Counts
from cairn.domain.policy import Breaker
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError
from tests.unit.fakes import (
    Alert,
    ConsentRecords,
    DeadLetteredEffects,
    Deliveries,
    DeliveryCounters,
    Erasures,
    MessageQueue,
    PausedWorkStore,
    SwitchBoard,
    Tasks,
    Timeline,
    Timers,
    WebhookQueue,
)
from tests.unit.makers import MONDAY, Deployed, denied, event, journey, name, profile, send, wait

HOUR = timedelta(hours=1)
CALL = {"id": "call", "task": {"queue": "sales", "title": "Call them"}}


class Relay:
    """The outside world, and the relay that does things to it."""

    def __init__(self) -> None:
        self.timers, self.outbox, self.tasks = Timers(), MessageQueue(), Tasks()
        self.timeline, self.deliveries, self.dead_lettered = Timeline(), Deliveries(), DeadLetteredEffects()
        self.records, self.notices, self.paused_work, self.erasures = (
            ConsentRecords(),
            WebhookQueue(),
            PausedWorkStore(),
            Erasures(),
        )
        self.counters, self.board, self.alert = DeliveryCounters(), SwitchBoard(), Alert()
        self.carry_out = RelayEffects(
            timers=self.timers,
            messages=self.outbox,
            tasks=self.tasks,
            timeline=self.timeline,
            deliveries=self.deliveries,
            health=WatchHealth(
                self.counters, self.board, self.tasks, self.alert.send, Breaker(minimum=3), on_trip=lambda _: None
            ),
            paused_work=self.paused_work,
            webhooks=QueueWebhookDeliveries(self.records, self.notices, ("crm",)),
            erasures=self.erasures,
            dead_letter=self.dead_lettered,
        )

    def done(self) -> tuple[int, int, int]:
        """How many messages, timers and tasks there are by now."""
        return len({one.id for one in self.outbox}), len(self.timers), len(self.tasks)


@pytest.fixture
def relay() -> Relay:
    return Relay()


def committed(*effects: Effect, **properties: Any) -> Committed:
    """Ada's sign-up for a journey that writes, calls and waits; and other effects."""
    who = name(email="ada@example.com", phone="+14155550123")
    deployed = Deployed(journey(send("hello", channel="sms"), CALL, wait("a-day", "1d")))
    signup = event("trial.signup", who=who, properties=properties, attributes={"time_zone": "Europe/Paris"})
    reaction = on_event(Customer(profile(who=who)), signup, deployed, MONDAY)
    after = reaction.customer
    return Committed(after.profile, after.enrollments, 1, MONDAY, (*effects, *reaction.effects), reaction.facts)


def test_every_effect_of_a_commit_is_carried_out(relay: Relay) -> None:
    commit = committed()

    relay.carry_out(commit, MONDAY)

    assert relay.done() == (1, 1, 1)
    assert [fact.kind for fact in relay.timeline] == ["entered", "waiting"]
    (timer,) = relay.timers.values()
    assert timer.at == MONDAY + timedelta(days=1)
    ((of_journey, task),) = relay.tasks.values()
    assert (of_journey, task.title) == ("visit", "Call them")


def test_a_message_carries_all_that_its_sender_needs(relay: Relay) -> None:
    commit = committed(plan="gold")

    relay.carry_out(commit, MONDAY)

    (hello,) = relay.outbox
    assert hello.addresses == {
        Channel.EMAIL: "ada@example.com",
        Channel.SMS: "+14155550123",
        Channel.WHATSAPP: "+14155550123",
    }
    assert (hello.channels, hello.purpose, hello.template) == ((Channel.SMS,), Purpose.TRANSACTIONAL, "hello")
    assert (hello.customer, hello.journey, hello.version, hello.step) == ("c_ada", "visit", "v1", "hello")
    assert (hello.decided_at, hello.time_zone) == (MONDAY, "Europe/Paris")
    assert hello.variables["data"] == {"plan": "gold"}
    assert hello.variables["profile"]["email"] == "ada@example.com"
    assert (hello.variables["customer"], hello.variables["journey"]) == ("c_ada", "visit")


def test_carrying_out_a_commit_twice_has_the_effect_of_once(relay: Relay) -> None:
    commit = committed()
    relay.carry_out(commit, MONDAY)

    relay.carry_out(commit, MONDAY + HOUR)

    assert relay.done() == (1, 1, 1)


def test_a_retryable_failure_is_raised_and_all_effects_are_retried(relay: Relay) -> None:
    relay.outbox.failure = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        relay.carry_out(committed(), MONDAY)
    relay.outbox.failure = None

    relay.carry_out(committed(), MONDAY)

    assert relay.done() == (1, 1, 1)
    assert relay.dead_lettered == []


def test_an_impossible_effect_is_dead_lettered_and_the_rest_is_done(relay: Relay) -> None:
    refused = ServiceRefusedError("sqs", "InvalidMessageContents")
    relay.outbox.failure = refused
    commit = committed()

    relay.carry_out(commit, MONDAY)

    assert relay.done() == (0, 1, 1)
    assert relay.dead_lettered == [("c_ada", commit.effects[0], refused)]


def test_a_providers_report_moves_the_message_forward_never_back(relay: Relay) -> None:
    bounced = UpdateMessageStatus("1", "m-1", MessageStatus.BOUNCED, MONDAY)
    delivered = UpdateMessageStatus("2", "m-1", MessageStatus.DELIVERED, MONDAY)

    relay.carry_out(committed(bounced, delivered), MONDAY)

    assert relay.deliveries["m-1"] is MessageStatus.BOUNCED


def test_a_providers_report_counts_once_however_often_it_is_relayed(relay: Relay) -> None:
    relay.deliveries.details["m-1"] = {"journey": "visit", "channel": "email"}
    commit = committed(
        UpdateMessageStatus("1", "m-1", MessageStatus.DELIVERED, MONDAY),
        UpdateMessageStatus("2", "m-1", MessageStatus.FAILED, MONDAY),
    )

    relay.carry_out(commit, MONDAY)
    relay.carry_out(commit, MONDAY)

    assert set(relay.counters.values()) == {Counts(delivered=1, failed=1)}


def test_the_history_of_a_merged_profile_is_moved(relay: Relay) -> None:
    relay.carry_out(committed(AbsorbHistory("1", "c_old")), MONDAY)

    assert relay.timeline.absorbed == [("c_ada", "c_old")]


def test_a_commit_without_facts_writes_nothing_to_the_timeline(relay: Relay) -> None:
    relay.carry_out(Committed(profile(), {}, 1, MONDAY, (WakeAt("1", "e", 1, MONDAY),), ()), MONDAY)

    assert relay.timeline == []
    assert relay.done() == (0, 1, 0)


def test_a_consent_change_is_recorded_and_delivered_with_retries(relay: Relay) -> None:
    said = RecordConsent("1", "track", (denied(Channel.EMAIL, Purpose.MARKETING),))
    relay.notices.failure = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        relay.carry_out(committed(said), MONDAY)
    relay.notices.failure = None

    relay.carry_out(committed(said), MONDAY)
    relay.carry_out(committed(said), MONDAY)

    assert len(relay.records) == 1
    assert [(one.endpoint, one.customer) for one in relay.notices] == [("crm", "c_ada")] * 2
    assert len({one.id for one in relay.notices}) == 1


def test_a_timer_of_a_paused_journey_becomes_paused_work(relay: Relay) -> None:
    ada = committed()
    ((enrollment, stands),) = ada.enrollments.items()
    commit = committed(PauseEnrollment("park", enrollment, stands.sequence, "journey:visit"))

    relay.carry_out(commit, MONDAY)
    relay.carry_out(commit, MONDAY)

    assert relay.paused_work == {
        "journey:visit": [PausedEnrollment(commit.profile.id, enrollment, stands.sequence, str(commit.version))]
    }


def test_a_redriven_dead_letter_of_an_ended_enrollment_pauses_nothing(relay: Relay) -> None:
    relay.carry_out(committed(PauseEnrollment("park", "gone", 1, "journey:visit")), MONDAY)

    assert relay.paused_work == {}
    assert relay.dead_lettered == []


def test_an_erasure_order_is_queued_once_after_all_other_effects(relay: Relay) -> None:
    order = EraseCustomer("receipt", "shopify", MONDAY)
    commit = Committed(profile(who=()), {}, 2, MONDAY, (order,), ())

    relay.carry_out(commit, MONDAY)
    relay.carry_out(commit, MONDAY + HOUR)

    assert relay.erasures == [("c_ada", order)]


def test_a_task_about_a_customer_belongs_to_no_journey(relay: Relay) -> None:
    asked = on_event(Customer(profile()), event("customer.data_requested"), Deployed(), MONDAY)

    relay.carry_out(Committed(asked.customer.profile, {}, 1, MONDAY, asked.effects, ()), MONDAY)

    ((of_journey, task),) = relay.tasks.values()
    assert (of_journey, task.queue) == ("", "privacy")
