"""Relay effects: each is retried until it is done; an impossible one is dead-lettered, and the rest still done."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from cairn.adapters.aws import is_transient
from cairn.application.events.relay_effects import Committed, RelayEffects, commit_of_version
from cairn.application.operations.watch_health import WatchHealth
from cairn.application.values.arms import ArmCount, CountedArm
from cairn.application.values.customers import PresentCustomer
from cairn.application.values.paused import PausedEnrollment
from cairn.application.webhooks.queue_deliveries import QueueWebhookDeliveries
from cairn.domain.customer.customer import on_event
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import (
    AbsorbHistory,
    ContinueBroadcast,
    Effect,
    EraseCustomer,
    Fact,
    JoinAudience,
    LeaveAudience,
    PauseEnrollment,
    RecordConsent,
    SendMessage,
    UpdateMessageStatus,
    WakeAt,
)
from cairn.domain.journey.enrollment import EXIT_ON, Enrollment
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.breaker import Counts
from cairn.domain.policy import Breaker
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError, UnknownEnrollmentError
from tests.unit.fakes import (
    Alert,
    ArmCounts,
    AskPeople,
    AudienceMembers,
    ConsentRecords,
    DeadLetteredEffects,
    Deliveries,
    DeliveryCounters,
    EffectsQueue,
    Erasures,
    Inbox,
    MemberNotifications,
    MessageQueue,
    PausedWorkStore,
    PresentCustomers,
    SwitchBoard,
    Tasks,
    TaskTimers,
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
        self.asked, self.task_timers, self.notified = AskPeople(self.tasks), TaskTimers(), MemberNotifications()
        self.inbox = Inbox()
        self.waiting, self.customers = EffectsQueue(), PresentCustomers()
        self.arms, self.audiences = ArmCounts(), AudienceMembers()
        self.pages: list[tuple[Any, Any]] = []
        self.relay = RelayEffects(
            timers=self.timers,
            messages=self.outbox,
            tasks=self.tasks,
            ask_people=lambda: cast("Any", self.asked),
            task_timers=self.task_timers,
            notify=self.notified,
            timeline=self.timeline,
            deliveries=self.deliveries,
            health=WatchHealth(
                self.counters, self.board, self.tasks, self.alert.send, Breaker(minimum=3), on_trip=lambda _: None
            ),
            arms=self.arms,
            paused_work=self.paused_work,
            webhooks=QueueWebhookDeliveries(self.records, self.notices, ("crm",)),
            erasures=self.erasures,
            inbox=self.inbox,
            audiences=lambda: self.audiences,
            broadcasts=lambda: cast("Any", lambda page, now: self.pages.append((page, now))),
            customers=self.customers,
            wait=self.waiting.put,
            dead_letter=self.dead_lettered,
            is_transient=is_transient,
        )

    def carry_out(self, commit: Committed, now: datetime, **more: Any) -> None:
        """As the stream brings it, to a customer who was not erased unless a test says so."""
        if commit.customer not in self.customers:
            self.knows(commit)
        self.relay(commit, self.relay.present([commit]), now, **more)

    def carry_out_blindly(self, commit: Committed, now: datetime) -> None:
        """As the stream brings it while customers cannot be read."""
        self.relay(commit, None, now)

    def carry_out_waiting(self, now: datetime) -> list[str]:
        """As the queue brings what waits."""
        waiting, self.waiting[:] = list(self.waiting), []
        return [self.relay.again(one, now) for one in waiting]

    def knows(self, commit: Committed, **enrollments: Enrollment) -> None:
        profile = signed_up().customer.profile
        self.customers[commit.customer] = PresentCustomer(profile, {**commit.enrollments, **enrollments})

    def done(self) -> tuple[int, int, int]:
        """How many messages, timers and tasks there are by now."""
        return len({one.id for one in self.outbox}), len(self.timers), len(self.tasks)


@pytest.fixture
def relay() -> Relay:
    return Relay()


def signed_up(**properties: Any) -> Reaction:
    """Ada's sign-up for a journey that writes, calls and waits."""
    who = name(email="ada@example.com", phone="+14155550123")
    deployed = Deployed(journey(send("hello", channel="sms"), CALL, wait("a-day", "1d")))
    signup = event("trial.signup", who=who, properties=properties, attributes={"time_zone": "Europe/Paris"})
    return on_event(Customer(profile(who=who)), signup, deployed, MONDAY)


def committed(*effects: Effect, **properties: Any) -> Committed:
    """Her sign-up, and other effects."""
    reaction = signed_up(**properties)
    return Committed(
        customer="c_ada",
        name=commit_of_version(1),
        at=MONDAY,
        effects=(*effects, *reaction.effects),
        facts=reaction.facts,
        enrollments=reaction.customer.enrollments,
    )


def test_every_effect_of_a_commit_is_carried_out(relay: Relay) -> None:
    commit = committed()

    relay.carry_out(commit, MONDAY)

    assert relay.done() == (1, 1, 1)
    assert [fact.kind for fact in relay.timeline] == ["entered", "waiting"]
    (timer,) = relay.timers.values()
    assert timer.at == MONDAY + timedelta(days=1)
    ((of_journey, task),) = relay.tasks.values()
    assert (of_journey, task.title) == ("visit", "Call them")


def test_a_customer_in_an_arm_counts_once_however_often_the_commit_is_relayed(relay: Relay) -> None:
    entered = Fact("split", "e-1", "visit", "offer", {"arm": "gift", "version": "v1"})
    reached = Fact("goal_reached", "e-1", "visit", "", {"because": "order.placed", "arms": [["offer", "gift", "v1"]]})
    commit = replace(committed(), facts=(entered, reached, Fact("split", "e-2", "visit", "offer", {"arm": "gift"})))

    for _ in range(3):
        relay.carry_out(commit, MONDAY)

    assert relay.arms.of("visit") == {CountedArm("v1", "offer", "gift"): ArmCount(1, 1)}


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


def test_a_message_goes_to_the_customer_as_they_are_when_it_is_relayed(relay: Relay) -> None:
    commit = committed()
    ada = profile(who=name(email="ada@new.example"), email="ada@new.example", plan="gold")
    relay.customers["c_ada"] = PresentCustomer(ada, commit.enrollments)

    relay.carry_out(commit, MONDAY)

    (hello,) = relay.outbox
    assert hello.addresses == {Channel.EMAIL: "ada@new.example"}
    assert hello.variables["profile"]["plan"] == "gold"
    assert hello.decided_at == MONDAY


def test_a_message_whose_commit_comes_without_the_enrollments_data_has_it_from_the_customer(relay: Relay) -> None:
    whole = committed(plan="gold")
    ((id_, enrollment),) = whole.enrollments.items()
    bare = replace(whole, enrollments={id_: replace(enrollment, data={})}, without_data=frozenset({id_}))
    relay.knows(whole)

    relay.carry_out(bare, MONDAY)

    (hello,) = relay.outbox
    assert hello.variables["data"] == {"plan": "gold"}
    assert relay.done() == (1, 1, 1)
    ((of_journey, _),) = relay.tasks.values()
    assert of_journey == "visit"


def test_a_message_whose_enrollment_is_nowhere_any_more_is_dead_lettered_alone(relay: Relay) -> None:
    commit = replace(committed(), enrollments={})

    relay.carry_out(commit, MONDAY)

    ((customer, effect, why),) = relay.dead_lettered
    assert (customer, effect) == ("c_ada", commit.effects[0])
    assert isinstance(why, UnknownEnrollmentError)
    assert relay.done() == (0, 1, 1)


def test_a_message_of_a_commit_in_several_outboxes_has_its_number_in_the_commit(relay: Relay) -> None:
    commit = committed()
    sends = [number for number, one in enumerate(commit.effects) if isinstance(one, SendMessage)]
    apart = replace(commit, positions=tuple(number + 7 for number in range(len(commit.effects))))

    relay.carry_out(apart, MONDAY)

    assert [one.position for one in relay.outbox] == [number + 7 for number in sends]


def test_the_facts_of_each_outbox_of_a_commit_are_written(relay: Relay) -> None:
    head = committed()
    of_enrollment = replace(head, name=f"{head.name}-e1-1", effects=(), facts=head.facts[:1])

    for _ in range(2):
        relay.carry_out(head, MONDAY)
        relay.carry_out(of_enrollment, MONDAY)

    assert [fact.kind for fact in relay.timeline] == ["entered", "waiting", "entered"]


def test_a_batch_reads_each_recipient_once_and_the_ids_of_all_others_in_one_read(relay: Relay) -> None:
    ada = committed()
    bob = Committed("c_bob", "000000004", MONDAY, facts=ada.facts)
    relay.knows(ada)
    relay.knows(bob)

    present = relay.relay.present([ada, bob, replace(ada, name="000000002"), replace(bob, name="000000005")])

    assert relay.customers.reads == [["c_ada"], ["c_bob"]]
    assert present.ids.keys() == {"c_ada", "c_bob"}
    assert present.recipients.keys() == {"c_ada"}


def test_carrying_out_a_commit_twice_has_the_effect_of_once(relay: Relay) -> None:
    commit = committed()
    relay.carry_out(commit, MONDAY)

    relay.carry_out(commit, MONDAY + HOUR)

    assert relay.done() == (1, 1, 1)


def test_what_fails_for_now_waits_alone_and_all_else_is_done(relay: Relay) -> None:
    relay.outbox.failure = ServiceBusyError("sqs is busy")
    commit = committed()
    relay.carry_out(commit, MONDAY)
    assert relay.done() == (0, 1, 1)
    assert [one.what for one in relay.waiting] == [commit.work()[0].what]

    relay.outbox.failure = None
    relay.knows(commit)
    relay.carry_out_waiting(MONDAY + HOUR)

    assert relay.done() == (1, 1, 1)
    assert relay.dead_lettered == []


@pytest.mark.parametrize(
    "refused",
    [ServiceRefusedError("sqs", "InvalidMessageContents"), OverflowError("date value out of range"), KeyError("step")],
    ids=lambda error: type(error).__name__,
)
def test_what_time_does_not_mend_is_dead_lettered_at_once_alone(relay: Relay, refused: Exception) -> None:
    relay.outbox.failure = refused
    commit = committed()

    relay.carry_out(commit, MONDAY)

    assert relay.done() == (0, 1, 1)
    assert relay.dead_lettered == [("c_ada", commit.work()[0].what, refused)]
    assert relay.waiting == []


def test_what_cannot_be_dead_lettered_now_waits(relay: Relay) -> None:
    relay.outbox.failure = KeyError("step")
    relay.dead_lettered.failure = ServiceBusyError("sqs is busy")
    commit = committed()

    relay.carry_out(commit, MONDAY)

    assert [one.what for one in relay.waiting] == [commit.work()[0].what]


def test_where_not_even_the_queue_takes_what_waits_the_stream_keeps_it(relay: Relay) -> None:
    relay.outbox.failure = relay.waiting.failure = ServiceBusyError("sqs is busy")

    with pytest.raises(ServiceBusyError):
        relay.carry_out(committed(), MONDAY)


def test_while_the_table_cannot_say_who_was_erased_nothing_is_written_and_all_of_it_waits(relay: Relay) -> None:
    commit = committed()
    relay.carry_out_blindly(commit, MONDAY)
    assert relay.done() == (0, 0, 0)
    assert relay.timeline == []

    relay.knows(commit)
    relay.carry_out_waiting(MONDAY + HOUR)

    assert relay.done() == (1, 1, 1)
    assert [fact.kind for fact in relay.timeline] == ["entered", "waiting"]


def test_nothing_is_written_for_a_customer_who_was_erased_but_the_order_itself(relay: Relay) -> None:
    order = EraseCustomer("receipt", "shopify", MONDAY)

    relay.customers["c_ada"] = None

    relay.carry_out(committed(order, AbsorbHistory("1", "c_old")), MONDAY)

    assert relay.done() == (0, 0, 0)
    assert (relay.timeline, relay.timeline.absorbed, relay.waiting) == ([], [], [])
    assert relay.erasures == [("c_ada", order)]


def test_nothing_that_waits_is_written_for_a_customer_who_was_erased_meanwhile(relay: Relay) -> None:
    relay.carry_out_blindly(committed(), MONDAY)
    relay.customers["c_ada"] = None

    outcomes = relay.carry_out_waiting(MONDAY + HOUR)

    assert set(outcomes) == {"the customer was erased"}
    assert relay.done() == (0, 0, 0)
    assert (relay.timeline, relay.timeline.not_carried_out) == ([], [])


def test_what_concerns_a_customer_who_was_merged_goes_to_the_survivor_with_the_rest_of_the_history(
    relay: Relay,
) -> None:
    relay.customers["c_ada"] = PresentCustomer(profile("c_survivor"))

    relay.carry_out(committed(), MONDAY)

    assert relay.timeline.absorbed == [("c_survivor", "c_ada")]
    assert [one.customer for one in relay.outbox] == ["c_survivor"]
    assert [fact.kind for fact in relay.timeline] == ["entered", "waiting"]


def test_a_message_and_a_task_that_waited_are_carried_out_though_their_journey_has_ended(relay: Relay) -> None:
    commit = committed()
    relay.carry_out_blindly(commit, MONDAY)
    relay.customers["c_ada"] = PresentCustomer(
        signed_up().customer.profile, {}
    )  # its enrollment is over, and was forgotten

    assert set(relay.carry_out_waiting(MONDAY + HOUR)) == {""}

    assert relay.done() == (1, 1, 1)


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_message_and_a_task_that_an_exit_on_event_made_pointless_are_not_carried_out_and_the_timeline_says_so(
    relay: Relay, *, forgotten: bool
) -> None:
    commit = committed()
    ((id_, enrollment),) = commit.enrollments.items()
    relay.carry_out_blindly(commit, MONDAY)
    relay.timeline.outcomes[id_] = EXIT_ON
    enrollments = {} if forgotten else {id_: enrollment.ending(EXIT_ON, MONDAY)}
    relay.customers["c_ada"] = PresentCustomer(signed_up().customer.profile, enrollments)

    relay.carry_out_waiting(MONDAY + HOUR)

    assert (len(relay.outbox), len(relay.tasks)) == (0, 0)
    assert sorted(relay.timeline.not_carried_out) == [
        ("c_ada", "OpenTask", EXIT_ON),
        ("c_ada", "SendMessage", EXIT_ON),
    ]


def test_what_there_is_no_time_for_waits(relay: Relay) -> None:
    commit = committed()

    relay.carry_out(commit, MONDAY, has_time=lambda: False)

    assert relay.done() == (0, 0, 0)
    assert len(relay.waiting) == len(commit.work())
    assert relay.dead_lettered == []


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


def test_a_report_of_a_message_that_the_provider_did_not_try_moves_it_and_is_not_counted(relay: Relay) -> None:
    relay.deliveries.details["m-1"] = {"journey": "visit", "channel": "email"}

    relay.carry_out(committed(UpdateMessageStatus("1", "m-1", MessageStatus.BOUNCED, MONDAY, counts=False)), MONDAY)

    assert relay.deliveries["m-1"] is MessageStatus.BOUNCED
    assert not relay.counters


def test_the_history_of_a_merged_profile_is_moved(relay: Relay) -> None:
    relay.carry_out(committed(AbsorbHistory("1", "c_old")), MONDAY)

    assert relay.timeline.absorbed == [("c_ada", "c_old")]


def test_a_commit_without_facts_writes_nothing_to_the_timeline(relay: Relay) -> None:
    relay.carry_out(Committed("c_ada", "000000001", MONDAY, (WakeAt("1", "e", 1, MONDAY),)), MONDAY)

    assert relay.timeline == []
    assert relay.done() == (0, 1, 0)


def test_a_consent_change_is_recorded_and_delivered_with_retries(relay: Relay) -> None:
    said = RecordConsent("1", "track", (denied(Channel.EMAIL, Purpose.MARKETING),))
    relay.notices.failure = ServiceBusyError("sqs is busy")
    relay.knows(committed(said))
    relay.carry_out(committed(said), MONDAY)
    relay.notices.failure = None

    relay.carry_out_waiting(MONDAY)
    relay.carry_out(committed(said), MONDAY)

    assert len(relay.records) == 1
    assert [(one.endpoint, one.customer) for one in relay.notices] == [("crm", "c_ada")] * 2
    assert len({one.id for one in relay.notices}) == 1


def test_a_customer_joins_an_audience_by_the_version_of_the_commit(relay: Relay) -> None:
    relay.carry_out(Committed("c_ada", "000000012", MONDAY, (JoinAudience("j", "investors", "v1"),)), MONDAY)

    assert relay.audiences == [("c_ada", JoinAudience("j", "investors", "v1"), 12)]


def test_a_customer_who_was_merged_since_joins_nothing(relay: Relay) -> None:
    """The commit of the merge has said where the survivor is a member."""
    commit = Committed("c_old", "000000012", MONDAY, (LeaveAudience("l", "investors", "v1"),))
    relay.knows(committed())
    relay.customers["c_old"] = relay.customers["c_ada"]

    relay.carry_out(commit, MONDAY)

    assert relay.audiences == []


def test_a_page_of_a_broadcast_waits_in_the_queue_until_it_is_due(relay: Relay) -> None:
    """It is about nobody: no customer is read, and none that is erased stops it."""
    page = ContinueBroadcast("b-page-1", "b", 1, MONDAY + HOUR)
    commit = Committed("broadcasts", "000000001", MONDAY, (page,))

    relay.relay(commit, relay.relay.present([commit]), MONDAY)
    assert relay.waiting.delays == [900]
    assert relay.carry_out_waiting(MONDAY + 0.9 * HOUR) == [""]
    assert (relay.waiting.delays[-1], relay.pages) == (360, [])
    relay.carry_out_waiting(MONDAY + HOUR)

    assert relay.pages == [(page, MONDAY + HOUR)]
    assert not relay.waiting


def test_a_timer_of_a_paused_journey_becomes_paused_work(relay: Relay) -> None:
    ada = committed()
    ((enrollment, stands),) = ada.enrollments.items()
    commit = committed(PauseEnrollment("park", enrollment, stands.sequence, "journey:visit"))

    relay.carry_out(commit, MONDAY)
    relay.carry_out(commit, MONDAY)

    paused = PausedEnrollment("c_ada", enrollment, stands.sequence, "000000001")
    assert relay.paused_work == {"journey:visit": [paused]}
    assert relay.paused_work.due == {enrollment: stands.due_at}


def test_paused_work_is_due_when_its_timer_was_though_the_commit_left_the_enrollment_as_it_was(relay: Relay) -> None:
    ada = committed()
    ((id_, stands),) = ada.enrollments.items()
    pause = PauseEnrollment("park", id_, stands.sequence, "journey:visit")
    relay.knows(ada)

    relay.carry_out(Committed("c_ada", "000000002", MONDAY + 30 * HOUR, (pause,)), MONDAY + 30 * HOUR)

    assert relay.paused_work.due == {id_: stands.due_at}


def test_an_erasure_order_is_queued_once_after_all_other_effects(relay: Relay) -> None:
    order = EraseCustomer("receipt", "shopify", MONDAY)
    commit = Committed("c_ada", "000000002", MONDAY, (order,))

    relay.carry_out(commit, MONDAY)
    relay.carry_out(commit, MONDAY + HOUR)

    assert relay.erasures == [("c_ada", order)]


def test_a_task_about_a_customer_belongs_to_no_journey(relay: Relay) -> None:
    asked = on_event(Customer(profile()), event("customer.data_requested"), Deployed(), MONDAY)

    relay.carry_out(Committed("c_ada", "000000001", MONDAY, asked.effects), MONDAY)

    ((of_journey, task),) = relay.tasks.values()
    assert (of_journey, task.queue) == ("", "privacy")
