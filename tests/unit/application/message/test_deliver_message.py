"""Deliver a message: claimed once and so sent once; what nobody can know is settled by its purpose."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.application.message.deliver_message import ATTEMPTS, LEASE, QUEUE_SHARE, DeliverMessage
from cairn.application.ports import DeferredMessage, DeliveryRequest
from cairn.domain.consent.contact import Claim, Contact
from cairn.domain.message.message import Approval, Jurisdiction, Message, MessageStatus, Review, Terms
from cairn.domain.message.rate_limit import RESERVATION_TTL
from cairn.domain.operations.pauses import Pause
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import (
    ClaimedElsewhereError,
    ConflictError,
    ProviderBusyError,
    ProviderRejectedError,
    TemplateError,
)
from tests.unit.fakes import DeferredMessages, Deliveries, Provider, RateLimiter, Renderer, Switches, Tasks
from tests.unit.makers import MONDAY, denied, granted, message

NEWS = message(id="news", purpose=Purpose.MARKETING)
TICKET = message(id="ticket")
BOTH = pytest.mark.parametrize("wanted", [NEWS, TICKET], ids=["marketing", "transactional"])

WHY: dict[Purpose, dict[str, Any]] = {
    Purpose.MARKETING: {
        "reason": "granted",
        "why": {"source": "form", "at": "2026-03-02T10:00:00Z"},
    },
    Purpose.TRANSACTIONAL: {"reason": "implied"},
}

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class Desk:
    """A sender with all that it needs, for a customer who agreed to news."""

    def __init__(self) -> None:
        self.deliveries = Deliveries(Contact().after([granted(Channel.EMAIL, Purpose.MARKETING)]))
        self.renderer = Renderer()
        self.mail, self.texts = Provider(), Provider()
        self.switches = Switches()
        self.held, self.tasks, self.pace = DeferredMessages(), Tasks(), RateLimiter()
        self._deliver = DeliverMessage(
            deliveries=self.deliveries,
            deferred=self.held,
            tasks=self.tasks,
            renderer=self.renderer,
            providers={Channel.EMAIL: self.mail, Channel.SMS: self.texts},
            switches=self.switches,
            rate_limiter=self.pace,
            jurisdiction_of=lambda _: Jurisdiction(("UTC",), {Channel.SMS: "US"}),
        )

    def deliver(self, asked: DeliveryRequest, now: datetime) -> MessageStatus | None:
        (brief,) = self._deliver.contexts([asked])
        return self._deliver(asked, now, brief)

    def crashes_after_sending(self, wanted: Message) -> None:
        self.deliveries.crash_before_record = True
        with pytest.raises(MemoryError):
            self.deliver(wanted, MONDAY)
        self.deliveries.crash_before_record = False


@pytest.fixture
def desk() -> Desk:
    return Desk()


@BOTH
def test_a_message_goes_out_and_what_it_said_is_recorded(desk: Desk, wanted: Message) -> None:
    assert desk.deliver(wanted, MONDAY) is MessageStatus.SENT

    (mail,) = desk.mail
    assert (mail.address, mail.text) == ("ada@example.com", "Dear ada@example.com")
    assert desk.deliveries[wanted.id] is MessageStatus.SENT
    assert desk.deliveries.details[wanted.id] == {
        "channel": "email",
        "subject": "confirm",
        "body": "Dear ada@example.com",
        "provider_id": f"provider/{wanted.id}",
        **WHY[wanted.purpose],
    }


@BOTH
def test_a_message_that_comes_twice_goes_out_once(desk: Desk, wanted: Message) -> None:
    desk.deliver(wanted, MONDAY)

    assert desk.deliver(wanted, MONDAY + SECOND) is MessageStatus.SENT
    assert len(desk.mail) == 1


@BOTH
def test_what_the_provider_told_meanwhile_is_what_became_of_it(desk: Desk, wanted: Message) -> None:
    desk.deliver(wanted, MONDAY)
    desk.deliveries.move("c_ada", wanted.id, MessageStatus.BOUNCED, MONDAY)

    assert desk.deliver(wanted, MONDAY + SECOND) is MessageStatus.BOUNCED


@BOTH
def test_a_message_that_somebody_is_sending_is_left_to_them_for_a_while(desk: Desk, wanted: Message) -> None:
    claim = Claim(MONDAY, wanted.purpose, Channel.EMAIL, wanted.journey)
    desk.deliveries.claim(wanted, desk.deliveries.contact, claim)

    with pytest.raises(ClaimedElsewhereError) as elsewhere:
        desk.deliver(wanted, MONDAY + LEASE - SECOND)

    assert elsewhere.value.retryable
    assert desk.mail == []


def test_after_a_crash_around_the_provider_marketing_is_not_sent_again(desk: Desk) -> None:
    desk.crashes_after_sending(NEWS)

    assert desk.deliver(NEWS, MONDAY + LEASE) is MessageStatus.UNDECIDED
    assert len(desk.mail) == 1
    assert desk.deliveries.details["news"] == {"reason": "crash_around_provider"}


def test_after_a_crash_around_the_provider_a_ticket_is_sent_again(desk: Desk) -> None:
    desk.crashes_after_sending(TICKET)

    assert desk.deliver(TICKET, MONDAY + LEASE) is MessageStatus.SENT
    assert len(desk.mail) == 2


def test_of_two_deliveries_of_a_message_whose_lease_is_over_one_sends(desk: Desk) -> None:
    desk.crashes_after_sending(TICKET)

    def somebody_takes_it_over() -> None:
        taken = Claim(MONDAY + LEASE, Purpose.TRANSACTIONAL, Channel.EMAIL, "visit")
        desk.deliveries.changes(replace(desk.deliveries.contact, claims={"ticket": taken}))

    desk.deliveries.meanwhile = somebody_takes_it_over

    with pytest.raises(ClaimedElsewhereError):
        desk.deliver(TICKET, MONDAY + LEASE)
    assert len(desk.mail) == 1


@BOTH
def test_a_busy_provider_has_sent_nothing_so_the_message_is_free_again(desk: Desk, wanted: Message) -> None:
    desk.mail.answer = ProviderBusyError("throttled")
    with pytest.raises(ProviderBusyError):
        desk.deliver(wanted, MONDAY)
    assert not desk.deliveries.is_claimed(wanted)
    desk.mail.answer = None

    assert desk.deliver(wanted, MONDAY + SECOND) is MessageStatus.SENT
    assert len(desk.mail) == 1


@BOTH
def test_what_a_provider_will_never_accept_has_failed(desk: Desk, wanted: Message) -> None:
    desk.mail.answer = ProviderRejectedError("MessageRejected")

    assert desk.deliver(wanted, MONDAY) is MessageStatus.FAILED
    assert desk.deliver(wanted, MONDAY + LEASE) is MessageStatus.FAILED
    assert desk.deliveries.details[wanted.id] == {
        **WHY[wanted.purpose],
        "channel": "email",
        "reason": "provider",
        "error": "MessageRejected",
    }


def test_a_mail_that_is_never_accepted_goes_as_a_text(desk: Desk) -> None:
    desk.mail.answer = ProviderRejectedError("MessageRejected")
    addresses = {Channel.EMAIL: "ada@example.com", Channel.SMS: "+14155550123"}
    ticket = message(channels=(Channel.EMAIL, Channel.SMS), addresses=addresses)

    assert desk.deliver(ticket, MONDAY) is MessageStatus.SENT
    assert [one.address for one in desk.texts] == ["+14155550123"]
    assert desk.deliveries.details[ticket.id]["channel"] == "sms"


def test_a_mail_that_is_never_accepted_does_not_go_as_a_text_without_consent(desk: Desk) -> None:
    desk.mail.answer = ProviderRejectedError("MessageRejected")
    addresses = {Channel.EMAIL: "ada@example.com", Channel.SMS: "+14155550123"}
    news = message(channels=(Channel.EMAIL, Channel.SMS), addresses=addresses, purpose=Purpose.MARKETING)

    desk.deliver(news, MONDAY)

    assert desk.texts == []


@BOTH
def test_a_template_with_a_gap_is_never_sent(desk: Desk, wanted: Message) -> None:
    desk.renderer.failure = TemplateError("template confirm.email: UndefinedError")

    assert desk.deliver(wanted, MONDAY) is MessageStatus.FAILED
    assert desk.mail == []
    assert desk.deliveries.details[wanted.id]["error"] == "template confirm.email: UndefinedError"


def test_a_message_without_consent_is_suppressed_with_its_reason(desk: Desk) -> None:
    news = message(
        channels=(Channel.SMS,), addresses={Channel.SMS: "+14155550123"}, purpose=Purpose.MARKETING, id="sms-news"
    )

    assert desk.deliver(news, MONDAY) is MessageStatus.SUPPRESSED
    assert desk.deliveries.details["sms-news"] == {
        "reason": "no_consent",
        "why": {"channel": "sms", "purpose": "marketing"},
    }
    assert desk.texts == []


@BOTH
def test_what_is_switched_off_stays_here(desk: Desk, wanted: Message) -> None:
    desk.switches.add("all")

    assert desk.deliver(wanted, MONDAY) is MessageStatus.SUPPRESSED
    assert desk.mail == []


def test_a_switch_thrown_after_a_crash_stops_the_second_try(desk: Desk) -> None:
    desk.crashes_after_sending(TICKET)
    desk.switches.add("all")

    assert desk.deliver(TICKET, MONDAY + LEASE) is MessageStatus.SUPPRESSED
    assert len(desk.mail) == 1


def test_a_message_whose_customer_was_merged_is_recorded_where_the_customer_is_now(desk: Desk) -> None:
    desk.deliveries.moved["c_ada"] = "c_ada_account"

    desk.deliver(TICKET, MONDAY)

    assert desk.deliveries.recorded_for["ticket"] == "c_ada_account"


HELD = DeferredMessage("c_ada", "ticket")


def test_a_stop_between_the_decision_and_the_claim_is_heard(desk: Desk) -> None:
    stopped = Contact().after(Contact().stop_changes(Channel.EMAIL, MONDAY, "twilio"))
    desk.deliveries.meanwhile = lambda: desk.deliveries.changes(stopped)

    assert desk.deliver(NEWS, MONDAY) is MessageStatus.SUPPRESSED
    assert desk.mail == []


def test_a_customer_who_keeps_changing_is_tried_again_later(desk: Desk) -> None:
    def changes() -> None:
        desk.deliveries.changes(desk.deliveries.contact)
        desk.deliveries.meanwhile = changes

    desk.deliveries.meanwhile = changes

    with pytest.raises(ConflictError) as conflict:
        desk.deliver(TICKET, MONDAY)

    assert conflict.value.retryable
    assert desk.deliveries.contact.version >= ATTEMPTS
    assert desk.mail == []


def test_what_is_not_sent_is_claimed_by_nobody(desk: Desk) -> None:
    desk.switches.add("all")
    desk.deliver(NEWS, MONDAY)

    assert desk.deliveries.contact.claims == {}


def test_a_message_of_a_paused_journey_waits_until_somebody_resumes_it(desk: Desk) -> None:
    desk.switches.pauses = (Pause("journey:visit", MONDAY),)

    assert desk.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    assert desk.deliveries.parked == {"ticket": "journey:visit"}
    assert desk.held == {}, "no timer: nobody knows when"

    desk.switches.pauses = (Pause("journey:visit", MONDAY, MONDAY + HOUR),)

    assert desk.deliver(HELD, MONDAY + HOUR) is MessageStatus.SENT
    assert desk.deliveries.contact.deferrals == {}


def test_a_message_that_the_provider_has_no_room_for_comes_back_at_its_slot_and_asks_for_no_other(desk: Desk) -> None:
    desk.pace.free_from = MONDAY + HOUR

    assert desk.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    assert desk.mail == []

    desk.pace.free_from = MONDAY + 2 * HOUR
    assert desk.deliver(HELD, MONDAY + HOUR + RESERVATION_TTL) is MessageStatus.SENT
    assert desk.pace.asked == [(Channel.EMAIL, "", Purpose.TRANSACTIONAL)]


def test_a_place_that_nobody_came_for_is_gone(desk: Desk) -> None:
    desk.pace.free_from = MONDAY + HOUR
    desk.deliver(TICKET, MONDAY)

    desk.pace.free_from = MONDAY + 2 * HOUR
    assert desk.deliver(HELD, MONDAY + HOUR + RESERVATION_TTL + SECOND) is MessageStatus.DEFERRED
    assert desk.mail == [], "after a standstill, all who had places would come at once"


def test_a_long_wait_ends_to_the_second_in_the_queue_and_not_to_the_minute_of_a_schedule(desk: Desk) -> None:
    desk.pace.free_from = MONDAY + HOUR
    desk.deliver(TICKET, MONDAY)
    assert desk.held == {"ticket": MONDAY + HOUR - QUEUE_SHARE}

    assert desk.deliver(HELD, MONDAY + HOUR - QUEUE_SHARE) is MessageStatus.DEFERRED
    assert desk.held == {"ticket": MONDAY + HOUR}
    assert len(desk.pace.asked) == 1


def test_a_message_that_got_no_place_is_not_sent_before_it_has_one(desk: Desk) -> None:
    desk.pace.free_from, desk.pace.is_full = MONDAY + 12 * HOUR, True
    assert desk.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    again = desk.held["ticket"]
    assert MONDAY + 6 * HOUR < again <= MONDAY + 12 * HOUR

    desk.pace.free_from, desk.pace.is_full = again + HOUR, False
    assert desk.deliver(HELD, again) is MessageStatus.DEFERRED
    assert len(desk.pace.asked) == 2
    assert desk.mail == []

    assert desk.deliver(HELD, again + HOUR) is MessageStatus.SENT
    assert len(desk.pace.asked) == 2


def test_a_place_on_one_channel_is_none_on_another(desk: Desk) -> None:
    desk.pace.free_from = MONDAY + HOUR
    ticket = replace(TICKET, channels=(Channel.EMAIL, Channel.SMS), addresses={**TICKET.addresses, Channel.SMS: "+1"})
    desk.deliver(ticket, MONDAY)
    desk.deliveries.changes(desk.deliveries.contact.after([denied(Channel.EMAIL, Purpose.TRANSACTIONAL)]))

    desk.deliver(HELD, MONDAY + HOUR - QUEUE_SHARE)

    assert [channel for channel, *_ in desk.pace.asked] == [Channel.EMAIL, Channel.SMS]


def test_what_may_not_go_out_takes_no_place(desk: Desk) -> None:
    desk.switches.add("all")

    desk.deliver(TICKET, MONDAY)

    assert desk.pace.asked == []


def test_a_message_that_needs_a_persons_word_is_shown_to_them_as_it_will_go_out(desk: Desk) -> None:
    desk.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))

    assert desk.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED

    ((journey, task),) = desk.tasks.values()
    assert (journey, task.queue, task.due_at) == ("visit", "compliance", MONDAY + 24 * HOUR)
    assert (task.context["subject"], task.context["text"]) == ("confirm", "Dear ada@example.com")
    assert desk.held == {"ticket": MONDAY + 24 * HOUR}


@pytest.mark.parametrize(("granted", "wanted"), [(True, MessageStatus.SENT), (False, MessageStatus.SUPPRESSED)])
def test_the_persons_word_counts(desk: Desk, granted: bool, wanted: MessageStatus) -> None:  # noqa: FBT001
    desk.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))
    desk.deliver(TICKET, MONDAY)

    desk.deliveries.approvals["ticket"] = Approval(granted, "ann", MONDAY + HOUR)

    assert desk.deliver(HELD, MONDAY + HOUR) is wanted
    assert desk.deliver(HELD, MONDAY + 24 * HOUR) is None, "its timer comes too late to find anything"


def test_nobodys_word_in_time_is_the_steps_word(desk: Desk) -> None:
    desk.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))
    desk.deliver(TICKET, MONDAY)

    assert desk.deliver(HELD, MONDAY + 24 * HOUR) is MessageStatus.SUPPRESSED
    assert desk.deliveries.details["ticket"]["reason"] == "unreviewed"


def test_a_template_with_a_gap_is_shown_to_nobody(desk: Desk) -> None:
    desk.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))
    desk.renderer.failure = TemplateError("template confirm.email: UndefinedError")

    assert desk.deliver(TICKET, MONDAY) is MessageStatus.FAILED
    assert desk.tasks == {}


def test_who_has_paid_meanwhile_is_not_reminded(desk: Desk) -> None:
    desk.switches.pauses = (Pause("all", MONDAY, MONDAY + HOUR),)
    desk.deliver(NEWS, MONDAY)
    desk.deliveries.unwanted.add(NEWS.enrollment)

    assert desk.deliver(DeferredMessage("c_ada", "news"), MONDAY + HOUR) is MessageStatus.SUPPRESSED
    assert desk.deliveries.details["news"]["reason"] == "ended"


def test_holding_a_message_twice_is_holding_it_once(desk: Desk) -> None:
    desk.switches.pauses = (Pause("journey:visit", MONDAY),)

    assert desk.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    assert desk.deliver(TICKET, MONDAY + SECOND) is MessageStatus.DEFERRED
    assert len(desk.deliveries.contact.deferrals) == 1


def test_a_message_of_somebody_who_was_erased_is_nobodys(desk: Desk) -> None:
    desk.deliveries.erased.add("c_ada")

    assert desk.deliver(TICKET, MONDAY) is None
    assert desk.mail == []
    assert "ticket" not in desk.deliveries
