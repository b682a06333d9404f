"""STOP, START, replies to messages, and the next channel after a failure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.contact import RECEIPT_WINDOW, Claim, Deferral
from cairn.domain.customer.customer import may_concern, on_event
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import SendMessage, UpdateMessageStatus, effect_id
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, Deployed, customer, denied, event, granted, journey, only, send, wait, wait_for

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def heard(kind: str, when: datetime = MONDAY, **more: Any) -> Any:
    source = more.pop("source", "feedback")
    return event(f"message.{kind}", when, source=source, properties={"channel": "sms"} | more)


def standing(someone: Customer, purpose: Purpose) -> ConsentStatus | None:
    return someone.contact.consent(Channel.SMS, purpose)


class TestStop:
    def test_a_stop_denies_every_purpose_of_the_channel(self) -> None:
        stopped = on_event(customer(), heard("stopped"), Deployed(), MONDAY).customer

        assert standing(stopped, Purpose.MARKETING) is ConsentStatus.DENIED
        assert standing(stopped, Purpose.TRANSACTIONAL) is ConsentStatus.DENIED
        assert stopped.contact.consent(Channel.EMAIL, Purpose.TRANSACTIONAL) is None

    def test_a_start_restores_what_the_stop_denied_and_no_more(self) -> None:
        never_asked = on_event(customer(), heard("stopped"), Deployed(), MONDAY).customer
        said_yes = on_event(
            customer(), event("trial.signup", consent=(granted(Channel.SMS, Purpose.MARKETING),)), Deployed(), MONDAY
        ).customer
        said_yes = on_event(said_yes, heard("stopped", MONDAY + MINUTE), Deployed(), MONDAY + MINUTE).customer

        later = MONDAY + 2 * MINUTE
        never_asked = on_event(never_asked, heard("started", later), Deployed(), later).customer
        said_yes = on_event(said_yes, heard("started", later), Deployed(), later).customer

        assert standing(never_asked, Purpose.TRANSACTIONAL) is ConsentStatus.GRANTED
        assert standing(never_asked, Purpose.MARKETING) is ConsentStatus.DENIED
        assert standing(said_yes, Purpose.MARKETING) is ConsentStatus.GRANTED

    def test_a_second_stop_keeps_the_status_before_the_first(self) -> None:
        someone = on_event(customer(), heard("stopped"), Deployed(), MONDAY).customer
        someone = on_event(someone, heard("stopped", MONDAY + MINUTE), Deployed(), MONDAY + MINUTE).customer

        later = MONDAY + 2 * MINUTE
        someone = on_event(someone, heard("started", later), Deployed(), later).customer

        assert standing(someone, Purpose.TRANSACTIONAL) is ConsentStatus.GRANTED

    def test_a_start_between_two_stops_changes_nothing_when_it_arrives_late(self) -> None:
        said_yes = event("trial.signup", consent=(granted(Channel.SMS, Purpose.MARKETING),))
        events = [heard("stopped", MONDAY + n * MINUTE, id_=f"stop-{n}") for n in (1, 6)]
        events.append(heard("started", MONDAY + 5 * MINUTE))
        someone = on_event(customer(), said_yes, Deployed(), MONDAY).customer

        for one in events:
            someone = on_event(someone, one, Deployed(), MONDAY + 7 * MINUTE).customer

        assert standing(someone, Purpose.MARKETING) is ConsentStatus.DENIED
        assert standing(someone, Purpose.TRANSACTIONAL) is ConsentStatus.DENIED

    def test_a_start_does_not_reverse_a_denial_on_a_form(self) -> None:
        refused = event("trial.signup", consent=(denied(Channel.SMS, Purpose.MARKETING),))
        someone = on_event(customer(), refused, Deployed(), MONDAY).customer

        someone = on_event(someone, heard("started", MONDAY + MINUTE), Deployed(), MONDAY + MINUTE).customer

        assert standing(someone, Purpose.MARKETING) is ConsentStatus.DENIED

    def test_only_a_provider_can_report_a_stop(self) -> None:
        someone = on_event(customer(), heard("stopped", source="track"), Deployed(), MONDAY).customer

        assert someone.contact.consents == {}


class TestAnswers:
    def test_a_reply_goes_to_the_enrollment_that_asked(self) -> None:
        asks = journey(
            send("ask", "sms"),
            wait_for("answer", "message.replied", then=(send("thanks", "sms"),)),
            entry={"event": "booking.confirmed", "key": "event.properties.booking_id", "again": "when-ended"},
        )
        deployed = Deployed(asks)
        someone = customer()
        for booking in ("one", "two"):
            start = event("booking.confirmed", id_=booking, properties={"booking_id": booking})
            someone = on_event(someone, start, deployed, MONDAY).customer
        asked = next(one for one in someone.enrollments.values() if one.key == "two")

        later = MONDAY + MINUTE
        answered = on_event(someone, heard("replied", later, enrollment=asked.id), deployed, later)

        assert [effect.enrollment for effect in answered.effects if isinstance(effect, SendMessage)] == [asked.id]


class TestFailures:
    PATIENT = journey(send("ticket", ["whatsapp", "sms", "email"]), wait("a-while", "2d"))

    def failed(
        self, someone: Customer, deployed: Deployed, message: str, channel: str, when: datetime = MONDAY
    ) -> Reaction:
        report = heard("failed", when, message_id=message, channel=channel)
        return on_event(someone, report, deployed, when)

    def start(self, deployed: Deployed) -> tuple[Customer, Enrollment]:
        someone = on_event(customer(), event("trial.signup"), deployed, MONDAY).customer
        return someone, only(someone.enrollments)

    def test_a_failed_message_is_sent_on_the_next_channel(self) -> None:
        deployed = Deployed(self.PATIENT)
        someone, enrollment = self.start(deployed)
        first = effect_id(enrollment.id, "ticket", 1)

        second = next(
            one for one in self.failed(someone, deployed, first, "whatsapp").effects if isinstance(one, SendMessage)
        )
        third = next(
            one for one in self.failed(someone, deployed, second.id, "sms").effects if isinstance(one, SendMessage)
        )

        assert second.channels == (Channel.SMS, Channel.EMAIL)
        assert third.channels == (Channel.EMAIL,)
        assert len({first, second.id, third.id}) == 3

    def test_a_failure_that_is_reported_again_sends_on_the_next_channel_once(self) -> None:
        deployed = Deployed(self.PATIENT)
        someone, enrollment = self.start(deployed)
        first = effect_id(enrollment.id, "ticket", 1)

        reactions = [self.failed(someone, deployed, first, "whatsapp", MONDAY + n * MINUTE) for n in range(3)]

        assert len({one.id for reaction in reactions for one in reaction.effects if isinstance(one, SendMessage)}) == 1

    @pytest.mark.parametrize("account", [True, False])
    def test_a_failure_of_the_account_is_noted_and_tries_no_other_channel(self, *, account: bool) -> None:
        """All messages of the account fail, and its next channel may cost money for each."""
        deployed = Deployed(self.PATIENT)
        someone, enrollment = self.start(deployed)
        first = effect_id(enrollment.id, "ticket", 1)
        report = heard("failed", message_id=first, channel="whatsapp", account_failure=account)

        reaction = on_event(someone, report, deployed, MONDAY)

        (noted,) = [one for one in reaction.effects if isinstance(one, UpdateMessageStatus)]
        assert (noted.message, noted.status) == (first, "failed")
        assert bool([one for one in reaction.effects if isinstance(one, SendMessage)]) is not account
        these = [(self.PATIENT.name, self.PATIENT.version)]
        assert list(may_concern(report, deployed)(these)) == ([] if account else these)

    @pytest.mark.parametrize("not_tried", [True, False])
    def test_a_message_that_the_provider_did_not_try_goes_out_elsewhere_and_is_not_counted(
        self, *, not_tried: bool
    ) -> None:
        deployed = Deployed(self.PATIENT)
        someone, enrollment = self.start(deployed)
        first = effect_id(enrollment.id, "ticket", 1)
        report = heard("bounced", message_id=first, channel="whatsapp", not_tried=not_tried)

        reaction = on_event(someone, report, deployed, MONDAY)

        (noted,) = [one for one in reaction.effects if isinstance(one, UpdateMessageStatus)]
        assert noted.counts is not not_tried
        assert [one for one in reaction.effects if isinstance(one, SendMessage)]

    @pytest.mark.parametrize("kind", ["auto_replied", "reported"])
    def test_a_report_that_says_nothing_about_the_delivery_moves_nothing(self, kind: str) -> None:
        deployed = Deployed(self.PATIENT)
        someone, enrollment = self.start(deployed)
        first = effect_id(enrollment.id, "ticket", 1)

        reaction = on_event(someone, heard(kind, message_id=first, channel="whatsapp"), deployed, MONDAY)

        assert reaction.effects == ()
        assert reaction.suppression_changes == ()

    def test_a_failure_on_the_last_channel_sends_nothing(self) -> None:
        deployed = Deployed(self.PATIENT)
        someone, enrollment = self.start(deployed)

        reaction = self.failed(someone, deployed, effect_id(enrollment.id, "ticket", 1), "email")

        assert not [one for one in reaction.effects if isinstance(one, SendMessage)]

    def test_a_failed_message_of_an_early_exit_is_not_sent_on_another_channel(self) -> None:
        leaves = journey(
            send("ticket", ["sms", "email"]), wait("a-while", "2d"), exit_on=[{"event": "booking.cancelled"}]
        )
        deployed = Deployed(leaves)
        someone, enrollment = self.start(deployed)
        someone = on_event(someone, event("booking.cancelled", MONDAY + MINUTE), deployed, MONDAY + MINUTE).customer

        reaction = self.failed(someone, deployed, effect_id(enrollment.id, "ticket", 1), "sms", MONDAY + 2 * MINUTE)

        assert not [one for one in reaction.effects if isinstance(one, SendMessage)]

    def test_a_receipt_after_the_last_step_still_finds_its_journey(self) -> None:
        deployed = Deployed(journey(send("ticket", ["sms", "email"])))
        someone, enrollment = self.start(deployed)

        reaction = self.failed(
            someone, deployed, effect_id(enrollment.id, "ticket", 1), "sms", MONDAY + RECEIPT_WINDOW - MINUTE
        )

        assert [one.channels for one in reaction.effects if isinstance(one, SendMessage)] == [(Channel.EMAIL,)]

    def test_a_message_that_waited_for_days_and_then_failed_is_sent_on_the_next_channel(self) -> None:
        """Its enrollment had ended, and other events came in between."""
        deployed = Deployed(journey(send("ticket", ["sms", "email"])))
        someone, enrollment = self.start(deployed)
        first, sent_at = effect_id(enrollment.id, "ticket", 1), MONDAY + 10 * DAY
        waits = Deferral(sent_at, "quiet_hours", enrollment.id, MONDAY, 0)
        claim = Claim(sent_at, Purpose.TRANSACTIONAL, Channel.SMS, "visit")

        someone = replace(someone, contact=replace(someone.contact, deferrals={first: waits}))
        someone = on_event(someone, event("page.seen", sent_at - DAY), deployed, sent_at - DAY).customer
        someone = replace(someone, contact=replace(someone.contact, deferrals={}, claims={first: claim}))
        someone = on_event(someone, event("page.seen", sent_at + MINUTE), deployed, sent_at + MINUTE).customer
        reported = sent_at + RECEIPT_WINDOW - MINUTE
        reaction = self.failed(someone, deployed, first, "sms", reported)

        assert [one.channels for one in reaction.effects if isinstance(one, SendMessage)] == [(Channel.EMAIL,)]
        later = sent_at + RECEIPT_WINDOW
        assert on_event(someone, event("page.seen", later), deployed, later).customer.enrollments == {}

    def test_a_failed_message_of_an_enrollment_that_took_an_exit_step_is_sent_on_the_next_channel(self) -> None:
        deployed = Deployed(journey(send("ticket", ["sms", "email"]), {"id": "done", "exit": "won"}))
        someone, enrollment = self.start(deployed)
        assert enrollment.outcome == "won"

        reaction = self.failed(someone, deployed, effect_id(enrollment.id, "ticket", 1), "sms")

        assert [one.channels for one in reaction.effects if isinstance(one, SendMessage)] == [(Channel.EMAIL,)]

    @pytest.mark.parametrize("nonsense", ["", "x", "a-b-c", "unknown-ticket-1", "\N{SNOWMAN}"])
    def test_an_unknown_message_id_changes_nothing(self, nonsense: str) -> None:
        deployed = Deployed(self.PATIENT)
        someone, _ = self.start(deployed)

        reaction = self.failed(someone, deployed, nonsense, "sms")

        assert not [one for one in reaction.effects if isinstance(one, SendMessage)]
