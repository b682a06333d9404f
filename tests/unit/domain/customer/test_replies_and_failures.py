"""STOP, START, answers to what we sent, and another channel where one fails."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.customer.customer import RECEIPT_WINDOW, Customer, Reaction, on_event
from cairn.domain.effects import SendMessage, effect_id
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, Deployed, customer, denied, event, granted, journey, only, send, wait, wait_for

MINUTE = timedelta(minutes=1)


def heard(kind: str, when: datetime = MONDAY, **more: Any) -> Any:
    source = more.pop("source", "feedback")
    return event(f"message.{kind}", when, source=source, properties={"channel": "sms"} | more)


def standing(somebody: Customer, purpose: Purpose) -> ConsentStatus | None:
    return somebody.contact.consent(Channel.SMS, purpose)


class TestStop:
    def test_a_stop_withdraws_every_purpose_of_the_channel(self) -> None:
        stopped = on_event(customer(), heard("stopped"), Deployed(), MONDAY).customer

        assert standing(stopped, Purpose.MARKETING) is ConsentStatus.DENIED
        assert standing(stopped, Purpose.TRANSACTIONAL) is ConsentStatus.DENIED
        assert stopped.contact.consent(Channel.EMAIL, Purpose.TRANSACTIONAL) is None

    def test_a_start_gives_back_what_the_stop_took_and_no_more(self) -> None:
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

    def test_a_second_stop_does_not_forget_what_the_first_one_took(self) -> None:
        somebody = on_event(customer(), heard("stopped"), Deployed(), MONDAY).customer
        somebody = on_event(somebody, heard("stopped", MONDAY + MINUTE), Deployed(), MONDAY + MINUTE).customer

        later = MONDAY + 2 * MINUTE
        somebody = on_event(somebody, heard("started", later), Deployed(), later).customer

        assert standing(somebody, Purpose.TRANSACTIONAL) is ConsentStatus.GRANTED

    def test_a_start_between_two_stops_changes_nothing_however_late_it_arrives(self) -> None:
        said_yes = event("trial.signup", consent=(granted(Channel.SMS, Purpose.MARKETING),))
        told = [heard("stopped", MONDAY + n * MINUTE, id_=f"stop-{n}") for n in (1, 6)]
        told.append(heard("started", MONDAY + 5 * MINUTE))
        somebody = on_event(customer(), said_yes, Deployed(), MONDAY).customer

        for one in told:
            somebody = on_event(somebody, one, Deployed(), MONDAY + 7 * MINUTE).customer

        assert standing(somebody, Purpose.MARKETING) is ConsentStatus.DENIED
        assert standing(somebody, Purpose.TRANSACTIONAL) is ConsentStatus.DENIED

    def test_a_start_does_not_lift_a_denial_on_a_form(self) -> None:
        refused = event("trial.signup", consent=(denied(Channel.SMS, Purpose.MARKETING),))
        somebody = on_event(customer(), refused, Deployed(), MONDAY).customer

        somebody = on_event(somebody, heard("started", MONDAY + MINUTE), Deployed(), MONDAY + MINUTE).customer

        assert standing(somebody, Purpose.MARKETING) is ConsentStatus.DENIED

    def test_nobody_but_a_provider_can_say_stop(self) -> None:
        somebody = on_event(customer(), heard("stopped", source="track"), Deployed(), MONDAY).customer

        assert somebody.contact.consents == {}


class TestAnswers:
    def test_an_answer_is_for_the_enrollment_that_asked(self) -> None:
        asks = journey(
            send("ask", "sms"),
            wait_for("answer", "message.replied", then=(send("thanks", "sms"),)),
            entry={"event": "booking.confirmed", "key": "event.properties.booking_id", "again": "when-ended"},
        )
        deployed = Deployed(asks)
        somebody = customer()
        for booking in ("one", "two"):
            start = event("booking.confirmed", id_=booking, properties={"booking_id": booking})
            somebody = on_event(somebody, start, deployed, MONDAY).customer
        asked = next(one for one in somebody.enrollments.values() if one.key == "two")

        later = MONDAY + MINUTE
        answered = on_event(somebody, heard("replied", later, enrollment=asked.id), deployed, later)

        assert [effect.enrollment for effect in answered.effects if isinstance(effect, SendMessage)] == [asked.id]


class TestFailures:
    PATIENT = journey(send("ticket", ["whatsapp", "sms", "email"]), wait("a-while", "2d"))

    def failed(
        self, somebody: Customer, deployed: Deployed, message: str, channel: str, when: datetime = MONDAY
    ) -> Reaction:
        told = heard("failed", when, message_id=message, channel=channel)
        return on_event(somebody, told, deployed, when)

    def start(self, deployed: Deployed) -> tuple[Customer, Enrollment]:
        somebody = on_event(customer(), event("trial.signup"), deployed, MONDAY).customer
        return somebody, only(somebody.enrollments)

    def test_a_failed_message_takes_the_next_channel(self) -> None:
        deployed = Deployed(self.PATIENT)
        somebody, enrollment = self.start(deployed)
        first = effect_id(enrollment.id, "ticket", 1)

        second = next(
            one for one in self.failed(somebody, deployed, first, "whatsapp").effects if isinstance(one, SendMessage)
        )
        third = next(
            one for one in self.failed(somebody, deployed, second.id, "sms").effects if isinstance(one, SendMessage)
        )

        assert second.channels == (Channel.SMS, Channel.EMAIL)
        assert third.channels == (Channel.EMAIL,)
        assert len({first, second.id, third.id}) == 3

    def test_however_often_a_failure_is_told_the_other_channel_is_taken_once(self) -> None:
        deployed = Deployed(self.PATIENT)
        somebody, enrollment = self.start(deployed)
        first = effect_id(enrollment.id, "ticket", 1)

        told = [self.failed(somebody, deployed, first, "whatsapp", MONDAY + n * MINUTE) for n in range(3)]

        assert len({one.id for reaction in told for one in reaction.effects if isinstance(one, SendMessage)}) == 1

    def test_behind_the_last_channel_there_is_nothing(self) -> None:
        deployed = Deployed(self.PATIENT)
        somebody, enrollment = self.start(deployed)

        told = self.failed(somebody, deployed, effect_id(enrollment.id, "ticket", 1), "email")

        assert not [one for one in told.effects if isinstance(one, SendMessage)]

    def test_what_a_customer_no_longer_wants_is_not_sent_another_way(self) -> None:
        leaves = journey(
            send("ticket", ["sms", "email"]), wait("a-while", "2d"), exit_on=[{"event": "booking.cancelled"}]
        )
        deployed = Deployed(leaves)
        somebody, enrollment = self.start(deployed)
        somebody = on_event(somebody, event("booking.cancelled", MONDAY + MINUTE), deployed, MONDAY + MINUTE).customer

        told = self.failed(somebody, deployed, effect_id(enrollment.id, "ticket", 1), "sms", MONDAY + 2 * MINUTE)

        assert not [one for one in told.effects if isinstance(one, SendMessage)]

    def test_a_receipt_that_comes_after_the_last_step_still_finds_its_journey(self) -> None:
        deployed = Deployed(journey(send("ticket", ["sms", "email"])))
        somebody, enrollment = self.start(deployed)

        told = self.failed(
            somebody, deployed, effect_id(enrollment.id, "ticket", 1), "sms", MONDAY + RECEIPT_WINDOW - MINUTE
        )

        assert [one.channels for one in told.effects if isinstance(one, SendMessage)] == [(Channel.EMAIL,)]

    @pytest.mark.parametrize("nonsense", ["", "x", "a-b-c", "unknown-ticket-1", "\N{SNOWMAN}"])
    def test_a_message_that_is_not_ours_moves_nothing(self, nonsense: str) -> None:
        deployed = Deployed(self.PATIENT)
        somebody, _ = self.start(deployed)

        told = self.failed(somebody, deployed, nonsense, "sms")

        assert not [one for one in told.effects if isinstance(one, SendMessage)]
