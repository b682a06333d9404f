"""Deliver a message: claimed once and so sent once; after a crash around the provider, the purpose decides."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.application.message.deliver_message import ATTEMPTS, LEASE, QUEUE_SHARE, DeliverMessage
from cairn.application.values.messages import DeferredMessage, DeliveryRequest
from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.message.message import Approval, Jurisdiction, Message, MessageStatus, Review, Terms
from cairn.domain.message.rate_limit import RESERVATION_TTL
from cairn.domain.operations.pauses import Pause, PausePolicy
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import (
    ClaimedElsewhereError,
    ConflictError,
    NotHandedOverError,
    ProviderBusyError,
    ProviderRejectedError,
    ServiceBusyError,
    TemplateError,
)
from tests.unit.fakes import (
    Crash,
    DeferredMessages,
    Deliveries,
    Provider,
    RateLimiter,
    Renderer,
    Settlements,
    Switches,
    Tasks,
)
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


class Sender:
    """A sender with its fakes, for a customer with marketing consent."""

    def __init__(self, **more: Any) -> None:
        self.deliveries = Deliveries(Contact().after([granted(Channel.EMAIL, Purpose.MARKETING)]))
        self.renderer = Renderer()
        self.mail, self.texts = Provider(), Provider()
        self.switches = Switches()
        self.deferred, self.tasks, self.rate_limiter = DeferredMessages(), Tasks(), RateLimiter()
        self.settlements = Settlements()
        self._deliver = DeliverMessage(
            deliveries=self.deliveries,
            deferred=self.deferred,
            tasks=self.tasks,
            renderer=self.renderer,
            providers={Channel.EMAIL: self.mail, Channel.SMS: self.texts},
            switches=self.switches,
            rate_limiter=self.rate_limiter,
            settlements=self.settlements,
            jurisdiction_of=lambda _: Jurisdiction(("UTC",), {Channel.SMS: "US"}),
            **more,
        )

    def deliver(self, asked: DeliveryRequest, now: datetime) -> MessageStatus | None:
        (context,) = self._deliver.contexts([asked])
        return self._deliver(asked, now, context)

    def crashes_after_sending(self, wanted: Message) -> None:
        self.deliveries.crash_before_record = True
        with pytest.raises(Crash):
            self.deliver(wanted, MONDAY)
        self.deliveries.crash_before_record = False


@pytest.fixture
def sender() -> Sender:
    return Sender()


@BOTH
def test_a_message_is_sent_and_its_text_is_recorded(sender: Sender, wanted: Message) -> None:
    assert sender.deliver(wanted, MONDAY) is MessageStatus.SENT

    (mail,) = sender.mail
    assert (mail.address, mail.text) == ("ada@example.com", "Dear ada@example.com")
    assert sender.deliveries[wanted.id] is MessageStatus.SENT
    assert sender.deliveries.details[wanted.id] == {
        "channel": "email",
        "subject": "confirm",
        "body": "Dear ada@example.com",
        "provider": "fake",
        "provider_id": f"provider/{wanted.id}",
        **WHY[wanted.purpose],
    }


@BOTH
def test_a_message_delivered_twice_is_sent_once(sender: Sender, wanted: Message) -> None:
    sender.deliver(wanted, MONDAY)

    assert sender.deliver(wanted, MONDAY + SECOND) is MessageStatus.SENT
    assert len(sender.mail) == 1


def a_moment_ago(sender: Sender, wanted: Message, **more: Any) -> None:
    """The first look at the message sees what is now, with some fields of then."""
    (now,) = sender.deliveries.contexts([wanted])
    assert now is not None
    sender.deliveries.lagging = replace(now, **more)


@BOTH
@pytest.mark.parametrize("seen", ["no consent", "a claim that was given back", "an older contact", "another address"])
def test_a_message_is_decided_by_what_is_now_and_not_by_a_moment_ago(
    sender: Sender, wanted: Message, seen: str
) -> None:
    now = sender.deliveries.contact
    claims = {wanted.id: Claim(MONDAY, wanted.purpose, Channel.EMAIL, wanted.journey)}
    addresses = replace(wanted, addresses={})
    then = {
        "no consent": {"contact": Contact(version=now.version), "message": addresses},
        "a claim that was given back": {"contact": replace(now, claims=claims)},
        "an older contact": {"contact": replace(now, version=now.version - 1)},
        "another address": {"message": replace(wanted, addresses={Channel.EMAIL: "old@example.com"})},
    }
    a_moment_ago(sender, wanted, **then[seen])
    sender.deliveries.addresses = {Channel.EMAIL: "ada@example.com"}

    assert sender.deliver(wanted, MONDAY) is MessageStatus.SENT
    assert [mail.address for mail in sender.mail] == ["ada@example.com"]


def test_a_reservation_of_the_first_look_is_not_made_again(sender: Sender) -> None:
    sender.rate_limiter.free_from = MONDAY + HOUR

    assert sender.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    assert len(sender.rate_limiter.asked) == 1


@BOTH
def test_a_message_that_was_sent_a_moment_ago_is_not_sent_again(sender: Sender, wanted: Message) -> None:
    a_moment_ago(sender, wanted)
    sender.deliver(wanted, MONDAY)

    assert sender.deliver(wanted, MONDAY + SECOND) is MessageStatus.SENT
    assert len(sender.mail) == 1


@BOTH
def test_a_stop_of_a_moment_ago_counts(sender: Sender, wanted: Message) -> None:
    a_moment_ago(sender, wanted)
    stop = Suppression(Cause.STOP, MONDAY)
    sender.deliveries.suppressed[Channel.EMAIL] = (stop,)

    assert sender.deliver(wanted, MONDAY) is MessageStatus.SUPPRESSED
    assert sender.mail == []


@BOTH
def test_a_status_that_the_provider_reported_meanwhile_stands(sender: Sender, wanted: Message) -> None:
    sender.deliver(wanted, MONDAY)
    sender.deliveries.move("c_ada", wanted.id, MessageStatus.BOUNCED, MONDAY)

    assert sender.deliver(wanted, MONDAY + SECOND) is MessageStatus.BOUNCED


@BOTH
def test_a_claimed_message_is_left_alone_until_its_lease_ends(sender: Sender, wanted: Message) -> None:
    claim = Claim(MONDAY, wanted.purpose, Channel.EMAIL, wanted.journey)
    sender.deliveries.claim(wanted, sender.deliveries.contact, claim)

    with pytest.raises(ClaimedElsewhereError) as elsewhere:
        sender.deliver(wanted, MONDAY + LEASE - SECOND)

    assert elsewhere.value.retryable
    assert sender.mail == []


def test_after_a_crash_around_the_provider_marketing_is_not_sent_again(sender: Sender) -> None:
    sender.crashes_after_sending(NEWS)

    assert sender.deliver(NEWS, MONDAY + LEASE) is MessageStatus.UNDECIDED
    assert len(sender.mail) == 1
    assert sender.deliveries.details["news"] == {"reason": "crash_around_provider", "channel": "email"}


def test_after_a_crash_around_the_provider_a_ticket_is_sent_again(sender: Sender) -> None:
    sender.crashes_after_sending(TICKET)

    assert sender.deliver(TICKET, MONDAY + LEASE) is MessageStatus.SENT
    assert len(sender.mail) == 2


def test_after_a_lease_ends_one_of_two_deliveries_sends(sender: Sender) -> None:
    sender.crashes_after_sending(TICKET)

    def somebody_takes_it_over() -> None:
        taken = Claim(MONDAY + LEASE, Purpose.TRANSACTIONAL, Channel.EMAIL, "visit")
        sender.deliveries.changes(replace(sender.deliveries.contact, claims={"ticket": taken}))

    sender.deliveries.meanwhile = somebody_takes_it_over

    with pytest.raises(ClaimedElsewhereError):
        sender.deliver(TICKET, MONDAY + LEASE)
    assert len(sender.mail) == 1


NO_ANSWER = ConnectionError("the answer was lost")
TABLE_IS_DOWN = ServiceBusyError("the table is out of order")


def raising(error: BaseException) -> Callable[[], Any]:
    def fail() -> None:
        raise error

    return fail


@BOTH
@pytest.mark.parametrize(
    "answer", [NO_ANSWER, ConflictError("the SDK's own retry met its claim")], ids=["lost", "twice"]
)
def test_a_claim_without_an_answer_is_known_again(sender: Sender, wanted: Message, answer: Exception) -> None:
    sender.deliveries.after_claim = raising(answer)

    assert sender.deliver(wanted, MONDAY) is MessageStatus.SENT
    assert len(sender.mail) == 1


@BOTH
def test_a_claim_of_which_nothing_can_be_read_is_given_back(sender: Sender, wanted: Message) -> None:
    def table_loses_its_answers() -> None:
        sender.deliveries.read_fails = TABLE_IS_DOWN
        raise NO_ANSWER

    sender.deliveries.after_claim = table_loses_its_answers
    with pytest.raises(ServiceBusyError):
        sender.deliver(wanted, MONDAY)
    assert not sender.deliveries.is_claimed(wanted)

    sender.deliveries.read_fails = None
    assert sender.deliver(wanted, MONDAY + SECOND) is MessageStatus.SENT
    assert len(sender.mail) == 1


@BOTH
def test_a_claim_that_cannot_be_given_back_is_queued_and_the_message_with_it(sender: Sender, wanted: Message) -> None:
    sender.mail.answer = ProviderBusyError("throttled")
    sender.deliveries.write_fails = TABLE_IS_DOWN

    assert sender.deliver(wanted, MONDAY) is MessageStatus.CLAIMED
    (queued,) = sender.settlements

    sender.mail.answer = sender.deliveries.write_fails = None
    assert sender.deliver(queued, MONDAY + SECOND) is MessageStatus.SENT
    assert sender.deliver(queued, MONDAY + HOUR) is MessageStatus.SENT
    assert len(sender.mail) == 1


@BOTH
def test_a_message_that_was_sent_and_could_not_be_recorded_is_recorded_later(sender: Sender, wanted: Message) -> None:
    sender.deliveries.write_fails = TABLE_IS_DOWN

    assert sender.deliver(wanted, MONDAY) is MessageStatus.SENT
    (queued,) = sender.settlements
    with pytest.raises(ServiceBusyError):
        sender.deliver(queued, MONDAY + HOUR)

    sender.deliveries.write_fails = None
    assert sender.deliver(queued, MONDAY + 2 * HOUR) is MessageStatus.SENT
    assert sender.deliveries.details[wanted.id]["provider_id"] == f"provider/{wanted.id}"
    assert len(sender.mail) == 1


@pytest.mark.parametrize(
    ("wanted", "end", "mails"), [(NEWS, MessageStatus.UNDECIDED, 1), (TICKET, MessageStatus.SENT, 2)]
)
def test_where_neither_table_nor_queue_takes_what_was_sent_the_purpose_decides_after_the_lease(
    sender: Sender, wanted: Message, end: MessageStatus, mails: int
) -> None:
    sender.deliveries.write_fails = sender.settlements.failure = TABLE_IS_DOWN
    with pytest.raises(ServiceBusyError):
        sender.deliver(wanted, MONDAY)
    sender.deliveries.write_fails = sender.settlements.failure = None

    with pytest.raises(ClaimedElsewhereError):
        sender.deliver(wanted, MONDAY + SECOND)
    assert sender.deliver(wanted, MONDAY + LEASE) is end
    assert len(sender.mail) == mails


def test_after_a_lost_answer_of_the_provider_marketing_is_undecided_at_once(sender: Sender) -> None:
    sender.mail.answer = NO_ANSWER

    assert sender.deliver(NEWS, MONDAY) is MessageStatus.UNDECIDED
    assert sender.deliver(NEWS, MONDAY + LEASE) is MessageStatus.UNDECIDED
    perhaps_sent = {"reason": "crash_around_provider", "channel": "email", "error": "ConnectionError"}
    assert perhaps_sent.items() <= sender.deliveries.details["news"].items()


def test_after_a_lost_answer_of_the_provider_a_ticket_is_sent_again_after_the_lease(sender: Sender) -> None:
    sender.mail.answer = NO_ANSWER
    with pytest.raises(ConnectionError):
        sender.deliver(TICKET, MONDAY)
    sender.mail.answer = None

    with pytest.raises(ClaimedElsewhereError):
        sender.deliver(TICKET, MONDAY + SECOND)
    assert sender.deliver(TICKET, MONDAY + LEASE) is MessageStatus.SENT


DEFECT = NotHandedOverError("UnicodeEncodeError")


@BOTH
def test_what_cannot_be_handed_over_is_undecided_with_its_reason_and_a_redrive_sends_it(
    sender: Sender, wanted: Message
) -> None:
    sender.mail.answer = DEFECT

    with pytest.raises(NotHandedOverError):  # so it becomes a dead letter
        sender.deliver(wanted, MONDAY)

    undecided = {"reason": "not_handed_over", "error": "UnicodeEncodeError", "channel": "email"}
    assert sender.deliveries[wanted.id] is MessageStatus.UNDECIDED
    assert undecided.items() <= sender.deliveries.details[wanted.id].items()
    assert not sender.deliveries.is_claimed(wanted)

    sender.mail.answer = None  # mended; an operator redrives the dead letter
    assert sender.deliver(wanted, MONDAY + SECOND) is MessageStatus.SENT
    assert sender.deliver(wanted, MONDAY + HOUR) is MessageStatus.SENT
    assert len(sender.mail) == 1


def test_what_cannot_be_handed_over_goes_out_on_the_next_channel(sender: Sender) -> None:
    sender.mail.answer = DEFECT
    wanted = message(channels=(Channel.EMAIL, Channel.SMS), addresses={**TICKET.addresses, Channel.SMS: "+12015550123"})

    assert sender.deliver(wanted, MONDAY) is MessageStatus.SENT

    assert (len(sender.mail), len(sender.texts)) == (0, 1)
    assert sender.deliveries.details[wanted.id]["rejected_email"] == "UnicodeEncodeError"


def test_a_deferred_message_that_cannot_be_handed_over_can_be_redriven(sender: Sender) -> None:
    sender.switches.pauses = (Pause("journey:visit", MONDAY),)
    assert sender.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    sender.switches.pauses = ()
    sender.mail.answer = DEFECT

    with pytest.raises(NotHandedOverError):
        sender.deliver(TICKET, MONDAY + HOUR)
    sender.mail.answer = None

    assert sender.deliver(TICKET, MONDAY + 2 * HOUR) is MessageStatus.SENT
    assert sender.deliveries.contact.deferrals == {}


def test_an_answer_that_cannot_be_read_leaves_a_ticket_undecided_and_a_redrive_sends_it_again() -> None:
    sender = Sender(time_may_mend=lambda _: False)
    sender.mail.answer = KeyError("an answer of another shape")

    with pytest.raises(KeyError):
        sender.deliver(TICKET, MONDAY)
    sender.mail.answer = None

    assert sender.deliveries[TICKET.id] is MessageStatus.UNDECIDED
    with pytest.raises(ClaimedElsewhereError):
        sender.deliver(TICKET, MONDAY + SECOND)
    assert sender.deliver(TICKET, MONDAY + LEASE) is MessageStatus.SENT


def ends_its_journey(sender: Sender) -> None:
    sender.deliveries.unwanted.add("enr")


def complains_at_the_address(sender: Sender) -> None:
    """Another customer who has it does: nothing of this customer is written."""
    sender.deliveries.suppressed[Channel.EMAIL] = (Suppression(Cause.COMPLAINT, MONDAY),)


def rejects_it(sender: Sender) -> None:
    sender.deliveries.approvals |= {id_: Approval(False, "ann", MONDAY) for id_ in ("news", "ticket")}  # noqa: FBT003


FORBIDDING = (
    (ends_its_journey, "ended"),
    (complains_at_the_address, "suppressed_address"),
    (rejects_it, "rejected"),
)


@BOTH
@pytest.mark.parametrize(("meanwhile", "reason"), FORBIDDING)
def test_a_commit_before_the_claim_counts(
    sender: Sender, wanted: Message, meanwhile: Callable[[Sender], None], reason: str
) -> None:
    sender.deliveries.meanwhile = lambda: meanwhile(sender)

    assert sender.deliver(wanted, MONDAY) is MessageStatus.SUPPRESSED
    assert sender.deliveries.details[wanted.id]["reason"] == reason
    assert sender.mail == []
    assert not sender.deliveries.is_claimed(wanted), "a message that is not sent counts for no cap"


def test_an_erasure_before_the_claim_counts(sender: Sender) -> None:
    sender.deliveries.meanwhile = lambda: sender.deliveries.erased.add("c_ada")

    assert sender.deliver(TICKET, MONDAY) is None
    assert sender.mail == []


def test_a_message_whose_address_changes_before_the_claim_goes_to_the_new_one(sender: Sender) -> None:
    sender.deliveries.meanwhile = lambda: sender.deliveries.addresses.update({Channel.EMAIL: "new@example.com"})

    assert sender.deliver(TICKET, MONDAY) is MessageStatus.SENT
    assert [mail.address for mail in sender.mail] == ["new@example.com"]


def test_a_deferred_message_whose_claim_is_given_back_is_deferred_again(sender: Sender) -> None:
    sender.switches.pauses = (Pause("journey:visit", MONDAY),)
    sender.deliver(TICKET, MONDAY)
    sender.switches.pauses = ()
    sender.mail.answer = ProviderBusyError("throttled")

    with pytest.raises(ProviderBusyError):
        sender.deliver(DEFERRED, MONDAY + HOUR)

    deferrals = sender.deliveries.contact.deferrals
    assert list(deferrals) == ["ticket"], "later messages of its enrollment wait behind it"
    assert deferrals["ticket"].tried_at == MONDAY + HOUR, "the queue has it: it is not stuck"


def test_the_second_look_counts_a_pause_from_the_message_s_own_deferral(sender: Sender) -> None:
    sender.switches.pauses = (Pause("journey:visit", MONDAY, MONDAY + HOUR, PausePolicy.SKIP_IF_LATE),)
    due = Deferral(MONDAY + 2 * HOUR, "quiet_hours", "enr", MONDAY, 0)
    sender.deliveries.changes(replace(sender.deliveries.contact, deferrals={"ticket": due}))

    assert sender.deliver(TICKET, MONDAY + 2 * HOUR) is MessageStatus.SENT


def test_a_sent_message_costs_one_read_besides_the_batch_s(sender: Sender) -> None:
    sender.deliver(TICKET, MONDAY)

    assert sender.deliveries.reads == 2


@BOTH
def test_a_busy_provider_has_sent_nothing_so_the_claim_is_released(sender: Sender, wanted: Message) -> None:
    sender.mail.answer = ProviderBusyError("throttled")
    with pytest.raises(ProviderBusyError):
        sender.deliver(wanted, MONDAY)
    assert not sender.deliveries.is_claimed(wanted)
    sender.mail.answer = None

    assert sender.deliver(wanted, MONDAY + SECOND) is MessageStatus.SENT
    assert len(sender.mail) == 1


@BOTH
def test_a_message_that_a_provider_rejects_has_failed(sender: Sender, wanted: Message) -> None:
    sender.mail.answer = ProviderRejectedError("MessageRejected")

    assert sender.deliver(wanted, MONDAY) is MessageStatus.FAILED
    assert sender.deliver(wanted, MONDAY + LEASE) is MessageStatus.FAILED
    assert sender.deliveries.details[wanted.id] == {
        **WHY[wanted.purpose],
        "channel": "email",
        "provider": "fake",
        "reason": "provider",
        "error": "MessageRejected",
    }


def test_a_rejected_mail_is_sent_as_a_text(sender: Sender) -> None:
    sender.mail.answer = ProviderRejectedError("MessageRejected")
    addresses = {Channel.EMAIL: "ada@example.com", Channel.SMS: "+14155550123"}
    ticket = message(channels=(Channel.EMAIL, Channel.SMS), addresses=addresses)

    assert sender.deliver(ticket, MONDAY) is MessageStatus.SENT
    assert [one.address for one in sender.texts] == ["+14155550123"]
    assert sender.deliveries.details[ticket.id]["channel"] == "sms"


def test_a_rejected_mail_is_not_sent_as_a_text_without_consent(sender: Sender) -> None:
    sender.mail.answer = ProviderRejectedError("MessageRejected")
    addresses = {Channel.EMAIL: "ada@example.com", Channel.SMS: "+14155550123"}
    news = message(channels=(Channel.EMAIL, Channel.SMS), addresses=addresses, purpose=Purpose.MARKETING)

    sender.deliver(news, MONDAY)

    assert sender.texts == []


@BOTH
def test_a_template_with_a_missing_value_is_never_sent(sender: Sender, wanted: Message) -> None:
    sender.renderer.failure = TemplateError("template confirm.email: UndefinedError")

    assert sender.deliver(wanted, MONDAY) is MessageStatus.FAILED
    assert sender.mail == []
    assert sender.deliveries.details[wanted.id]["error"] == "template confirm.email: UndefinedError"


def test_a_message_without_consent_is_suppressed_with_its_reason(sender: Sender) -> None:
    news = message(
        channels=(Channel.SMS,), addresses={Channel.SMS: "+14155550123"}, purpose=Purpose.MARKETING, id="sms-news"
    )

    assert sender.deliver(news, MONDAY) is MessageStatus.SUPPRESSED
    assert sender.deliveries.details["sms-news"] == {
        "reason": "no_consent",
        "why": {"channel": "sms", "purpose": "marketing"},
    }
    assert sender.texts == []


@BOTH
def test_a_stopped_target_sends_nothing(sender: Sender, wanted: Message) -> None:
    sender.switches.add("all")

    assert sender.deliver(wanted, MONDAY) is MessageStatus.SUPPRESSED
    assert sender.mail == []


def test_a_stop_after_a_crash_prevents_the_second_attempt(sender: Sender) -> None:
    sender.crashes_after_sending(TICKET)
    sender.switches.add("all")

    assert sender.deliver(TICKET, MONDAY + LEASE) is MessageStatus.SUPPRESSED
    assert len(sender.mail) == 1


def test_a_message_of_a_merged_customer_is_recorded_under_the_current_id(sender: Sender) -> None:
    sender.deliveries.moved["c_ada"] = "c_ada_account"

    sender.deliver(TICKET, MONDAY)

    assert sender.deliveries.recorded_for["ticket"] == "c_ada_account"


DEFERRED = DeferredMessage("c_ada", "ticket")


def test_a_stop_between_the_decision_and_the_claim_prevents_the_send(sender: Sender) -> None:
    stopped = Contact().after(Contact().stop_changes(Channel.EMAIL, MONDAY, "twilio"))
    sender.deliveries.meanwhile = lambda: sender.deliveries.changes(stopped)

    assert sender.deliver(NEWS, MONDAY) is MessageStatus.SUPPRESSED
    assert sender.mail == []


def test_a_customer_who_keeps_changing_is_tried_again_later(sender: Sender) -> None:
    def changes() -> None:
        sender.deliveries.changes(sender.deliveries.contact)
        sender.deliveries.meanwhile = changes

    sender.deliveries.meanwhile = changes

    with pytest.raises(ConflictError) as conflict:
        sender.deliver(TICKET, MONDAY)

    assert conflict.value.retryable
    assert sender.deliveries.contact.version >= ATTEMPTS
    assert sender.mail == []


def test_only_a_message_that_is_sent_is_claimed(sender: Sender) -> None:
    sender.switches.add("all")
    sender.deliver(NEWS, MONDAY)

    assert sender.deliveries.contact.claims == {}


def test_a_message_of_a_paused_journey_waits_for_the_resume(sender: Sender) -> None:
    sender.switches.pauses = (Pause("journey:visit", MONDAY),)

    assert sender.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    assert sender.deliveries.paused == {"ticket": "journey:visit"}
    assert sender.deferred == {}, "no timer: nobody knows when"

    sender.switches.pauses = (Pause("journey:visit", MONDAY, MONDAY + HOUR),)

    assert sender.deliver(DEFERRED, MONDAY + HOUR) is MessageStatus.SENT
    assert sender.deliveries.contact.deferrals == {}


def test_a_message_over_the_rate_limit_comes_back_at_its_reservation(sender: Sender) -> None:
    sender.rate_limiter.free_from = MONDAY + HOUR

    assert sender.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    assert sender.mail == []

    sender.rate_limiter.free_from = MONDAY + 2 * HOUR
    assert sender.deliver(DEFERRED, MONDAY + HOUR + RESERVATION_TTL) is MessageStatus.SENT
    assert sender.rate_limiter.asked == [(Channel.EMAIL, "", Purpose.TRANSACTIONAL)]


def test_an_unused_reservation_expires(sender: Sender) -> None:
    sender.rate_limiter.free_from = MONDAY + HOUR
    sender.deliver(TICKET, MONDAY)

    sender.rate_limiter.free_from = MONDAY + 2 * HOUR
    assert sender.deliver(DEFERRED, MONDAY + HOUR + RESERVATION_TTL + SECOND) is MessageStatus.DEFERRED
    assert sender.mail == [], "after a standstill, all who had places would come at once"


def test_a_long_wait_for_a_reservation_ends_to_the_second_in_the_queue(sender: Sender) -> None:
    sender.rate_limiter.free_from = MONDAY + HOUR
    sender.deliver(TICKET, MONDAY)
    assert sender.deferred == {"ticket": MONDAY + HOUR - QUEUE_SHARE}

    assert sender.deliver(DEFERRED, MONDAY + HOUR - QUEUE_SHARE) is MessageStatus.DEFERRED
    assert sender.deferred == {"ticket": MONDAY + HOUR}
    assert len(sender.rate_limiter.asked) == 1


def test_a_message_without_a_reservation_is_not_sent(sender: Sender) -> None:
    sender.rate_limiter.free_from, sender.rate_limiter.is_full = MONDAY + 12 * HOUR, True
    assert sender.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    again = sender.deferred["ticket"]
    assert MONDAY + 6 * HOUR < again <= MONDAY + 12 * HOUR

    sender.rate_limiter.free_from, sender.rate_limiter.is_full = again + HOUR, False
    assert sender.deliver(DEFERRED, again) is MessageStatus.DEFERRED
    assert len(sender.rate_limiter.asked) == 2
    assert sender.mail == []

    assert sender.deliver(DEFERRED, again + HOUR) is MessageStatus.SENT
    assert len(sender.rate_limiter.asked) == 2


def test_a_reservation_on_one_channel_is_none_on_another(sender: Sender) -> None:
    sender.rate_limiter.free_from = MONDAY + HOUR
    ticket = replace(TICKET, channels=(Channel.EMAIL, Channel.SMS), addresses={**TICKET.addresses, Channel.SMS: "+1"})
    sender.deliver(ticket, MONDAY)
    sender.deliveries.changes(sender.deliveries.contact.after([denied(Channel.EMAIL, Purpose.TRANSACTIONAL)]))

    sender.deliver(DEFERRED, MONDAY + HOUR - QUEUE_SHARE)

    assert [channel for channel, *_ in sender.rate_limiter.asked] == [Channel.EMAIL, Channel.SMS]


def test_a_suppressed_message_makes_no_reservation(sender: Sender) -> None:
    sender.switches.add("all")

    sender.deliver(TICKET, MONDAY)

    assert sender.rate_limiter.asked == []


def test_a_message_under_review_is_shown_as_it_will_be_sent(sender: Sender) -> None:
    sender.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))

    assert sender.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED

    ((journey, task),) = sender.tasks.values()
    assert (journey, task.queue, task.due_at) == ("visit", "compliance", MONDAY + 24 * HOUR)
    assert (task.context["subject"], task.context["text"]) == ("confirm", "Dear ada@example.com")
    assert sender.deferred == {"ticket": MONDAY + 24 * HOUR}


@pytest.mark.parametrize(("granted", "wanted"), [(True, MessageStatus.SENT), (False, MessageStatus.SUPPRESSED)])
def test_the_reviewers_decision_counts(sender: Sender, granted: bool, wanted: MessageStatus) -> None:  # noqa: FBT001
    sender.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))
    sender.deliver(TICKET, MONDAY)

    sender.deliveries.approvals["ticket"] = Approval(granted, "ann", MONDAY + HOUR)

    assert sender.deliver(DEFERRED, MONDAY + HOUR) is wanted
    assert sender.deliver(DEFERRED, MONDAY + 24 * HOUR) is None, "its timer comes too late to find anything"


def test_without_a_decision_in_time_the_step_decides(sender: Sender) -> None:
    sender.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))
    sender.deliver(TICKET, MONDAY)

    assert sender.deliver(DEFERRED, MONDAY + 24 * HOUR) is MessageStatus.SUPPRESSED
    assert sender.deliveries.details["ticket"]["reason"] == "unreviewed"


def test_a_template_with_a_missing_value_is_not_put_under_review(sender: Sender) -> None:
    sender.renderer.says = Terms(review=Review("compliance", 24 * HOUR, "drop"))
    sender.renderer.failure = TemplateError("template confirm.email: UndefinedError")

    assert sender.deliver(TICKET, MONDAY) is MessageStatus.FAILED
    assert sender.tasks == {}


def test_a_customer_who_has_paid_meanwhile_is_not_reminded(sender: Sender) -> None:
    sender.switches.pauses = (Pause("all", MONDAY, MONDAY + HOUR),)
    sender.deliver(NEWS, MONDAY)
    sender.deliveries.unwanted.add(NEWS.enrollment)

    assert sender.deliver(DeferredMessage("c_ada", "news"), MONDAY + HOUR) is MessageStatus.SUPPRESSED
    assert sender.deliveries.details["news"]["reason"] == "ended"


def test_deferring_a_message_twice_has_the_effect_of_once(sender: Sender) -> None:
    sender.switches.pauses = (Pause("journey:visit", MONDAY),)

    assert sender.deliver(TICKET, MONDAY) is MessageStatus.DEFERRED
    assert sender.deliver(TICKET, MONDAY + SECOND) is MessageStatus.DEFERRED
    assert len(sender.deliveries.contact.deferrals) == 1


def test_a_message_of_an_erased_customer_is_dropped(sender: Sender) -> None:
    sender.deliveries.erased.add("c_ada")

    assert sender.deliver(TICKET, MONDAY) is None
    assert sender.mail == []
    assert "ticket" not in sender.deliveries
