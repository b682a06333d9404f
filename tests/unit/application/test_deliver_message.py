"""Deliver a message: claimed once and so sent once; what nobody can know is settled by its purpose."""

from datetime import timedelta

import pytest

from cairn.application.deliver_message import LEASE, DeliverMessage
from cairn.domain.consent import Channel, Purpose
from cairn.domain.contact import Contact
from cairn.domain.errors import (
    ClaimedElsewhereError,
    ProviderBusyError,
    ProviderRejectedError,
    TemplateError,
)
from cairn.domain.message import Message, MessageStatus
from tests.unit.fakes import Deliveries, Provider, Renderer, Switches
from tests.unit.makers import MONDAY, granted, message

NEWS = message(id="news", purpose=Purpose.MARKETING)
TICKET = message(id="ticket")
BOTH = pytest.mark.parametrize("wanted", [NEWS, TICKET], ids=["marketing", "transactional"])

SECOND = timedelta(seconds=1)


class Desk:
    """A sender with all that it needs, for a customer who agreed to news."""

    def __init__(self) -> None:
        self.deliveries = Deliveries(Contact().after([granted(Channel.EMAIL, Purpose.MARKETING)]))
        self.renderer = Renderer()
        self.mail, self.texts = Provider(), Provider()
        self.switches = Switches()
        providers = {Channel.EMAIL: self.mail, Channel.SMS: self.texts}
        self.deliver = DeliverMessage(self.deliveries, self.renderer, providers, self.switches)

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
    desk.deliveries.claim(wanted, MONDAY)

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
    assert desk.deliveries.details[wanted.id] == {"channel": "email", "reason": "provider", "why": "MessageRejected"}


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
    assert desk.deliveries.details[wanted.id]["why"] == "template confirm.email: UndefinedError"


def test_a_message_without_consent_is_suppressed_with_its_reason(desk: Desk) -> None:
    news = message(
        channels=(Channel.SMS,), addresses={Channel.SMS: "+14155550123"}, purpose=Purpose.MARKETING, id="sms-news"
    )

    assert desk.deliver(news, MONDAY) is MessageStatus.SUPPRESSED
    assert desk.deliveries.details["sms-news"] == {"reason": "no_consent"}
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
