"""Whether a customer may be written to: the last word counts, a STOP remembers what it took, a question is no yes."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method, latest
from cairn.domain.consent.contact import HISTORY_LENGTH, HISTORY_WINDOW, Claim, Contact, Deferral
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, denied, granted
from tests.unit.strategies import consent_changes, few_instants

HOUR = timedelta(hours=1)
SMS, EMAIL = Channel.SMS, Channel.EMAIL
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL
NEWS = (EMAIL, MARKETING)

some_changes = st.lists(consent_changes, max_size=6)
heard = st.dictionaries(st.sampled_from(Channel), few_instants)
contacts = st.builds(lambda said, heard: Contact(last_inbound=heard).after(said), some_changes, heard)


def asked(channel: Channel, purpose: Purpose, when: datetime = MONDAY) -> ConsentChange:
    evidence = {"method": Method.DOUBLE_OPT_IN.value, "wording": "Yes to news?"}
    return ConsentChange(channel, purpose, ConsentStatus.PENDING, when, "form", evidence)


def hold(enrollment: str = "enr") -> Deferral:
    return Deferral(MONDAY, "quiet_hours", enrollment, MONDAY, 0)


@given(some_changes, st.randoms(use_true_random=False))
def test_words_on_consent_may_arrive_in_any_order(said: list[ConsentChange], luck: Any) -> None:
    shuffled = list(said)
    luck.shuffle(shuffled)

    assert Contact().after(said) == Contact().after(shuffled)


@given(some_changes, st.data())
def test_a_word_that_arrives_twice_is_one_word(said: list[ConsentChange], data: st.DataObject) -> None:
    again = [*said, *data.draw(st.lists(st.sampled_from(said), max_size=3) if said else st.just([]))]

    assert Contact().after(again) == Contact().after(said)


@given(contacts, contacts, contacts)
def test_contacts_that_are_one_are_the_same_in_whichever_order_they_meet(
    one: Contact, two: Contact, three: Contact
) -> None:
    assert one.absorbing(two) == two.absorbing(one)
    assert one.absorbing(two).absorbing(three) == one.absorbing(two.absorbing(three))
    assert one.absorbing(one) == one


@given(contacts, contacts)
def test_no_denial_is_lost_by_a_merge(one: Contact, two: Contact) -> None:
    both = one.absorbing(two)

    for channel, purpose in ((channel, purpose) for channel in Channel for purpose in Purpose):
        told = [found for each in (one, two) if (found := each.consents.get(f"{channel}:{purpose}"))]
        if told:
            at = max(change.at for change in told)
            refused = any(change.at == at and change.status is ConsentStatus.DENIED for change in told)
            assert (both.consents[f"{channel}:{purpose}"].status is ConsentStatus.DENIED) == refused


def test_a_merge_keeps_what_senders_do_for_both() -> None:
    one = Contact(claims={"a": Claim(MONDAY, MARKETING, EMAIL, "visit")}, deferrals={"b": hold()})
    two = Contact(claims={"c": Claim(MONDAY, MARKETING, EMAIL, "visit")}, deferrals={"d": hold()})

    both = one.absorbing(two)

    assert (set(both.claims), set(both.deferrals)) == ({"a", "c"}, {"b", "d"})


def test_the_later_word_counts() -> None:
    contact = Contact().after([denied(*NEWS, MONDAY + HOUR), granted(*NEWS, MONDAY)])

    assert contact.consent(*NEWS) is ConsentStatus.DENIED
    assert contact.after([granted(*NEWS, MONDAY + 2 * HOUR)]).consent(*NEWS) is ConsentStatus.GRANTED


def test_of_two_words_at_the_same_instant_the_denial_counts() -> None:
    yes, no = granted(*NEWS), denied(*NEWS)

    assert latest(yes, no) == latest(no, yes) == no


def test_one_channel_says_nothing_of_another() -> None:
    contact = Contact().after([granted(*NEWS)])

    assert contact.consent(SMS, MARKETING) is None
    assert contact.consent(EMAIL, TRANSACTIONAL) is None


class TestQuestions:
    """Double opt-in: what was asked is no consent until it is answered."""

    def test_a_question_is_pending_until_it_is_answered(self) -> None:
        contact = Contact().after([asked(*NEWS)])

        assert contact.consent(*NEWS) is ConsentStatus.PENDING
        assert contact.after([granted(*NEWS, MONDAY + HOUR)]).consent(*NEWS) is ConsentStatus.GRANTED
        assert contact.after([denied(*NEWS, MONDAY + HOUR)]).consent(*NEWS) is ConsentStatus.DENIED

    def test_who_has_agreed_is_not_made_to_wait_by_being_asked_again(self) -> None:
        assert Contact().after([granted(*NEWS), asked(*NEWS, MONDAY + HOUR)]).consent(*NEWS) is ConsentStatus.GRANTED

    def test_who_has_refused_can_be_asked_again(self) -> None:
        contact = Contact().after([denied(*NEWS), asked(*NEWS, MONDAY + HOUR)])

        assert contact.consent(*NEWS) is ConsentStatus.PENDING

    def test_a_refusal_after_the_question_counts(self) -> None:
        contact = Contact().after([asked(*NEWS), denied(*NEWS, MONDAY + HOUR)])

        assert contact.consent(*NEWS) is ConsentStatus.DENIED

    def test_a_yes_answers_every_question_of_its_channel_and_proves_what_was_asked(self) -> None:
        contact = Contact().after([asked(SMS, MARKETING), asked(EMAIL, MARKETING)])

        (answer,) = contact.confirm_changes(SMS, MONDAY + HOUR, "feedback")

        assert (answer.channel, answer.purpose, answer.status) == (SMS, MARKETING, ConsentStatus.GRANTED)
        assert answer.evidence == {"method": "double_opt_in", "wording": "Yes to news?"}
        assert answer.confirmed

    def test_a_yes_without_a_question_says_nothing(self) -> None:
        assert Contact().confirm_changes(SMS, MONDAY, "feedback") == ()
        assert Contact().after([denied(SMS, MARKETING)]).confirm_changes(SMS, MONDAY, "feedback") == ()


class TestStopAndStart:
    """What a STOP takes, a START gives back, and no more."""

    def stopped(self, contact: Contact, when: datetime = MONDAY + HOUR) -> Contact:
        return contact.after(contact.stop_changes(SMS, when, "feedback"))

    def started(self, contact: Contact, when: datetime = MONDAY + 2 * HOUR) -> Contact:
        return contact.after(contact.start_changes(SMS, when, "feedback"))

    @pytest.mark.parametrize("purpose", Purpose)
    def test_a_stop_withdraws_every_purpose(self, purpose: Purpose) -> None:
        contact = self.stopped(Contact().after([granted(SMS, purpose)]))

        assert contact.consent(SMS, purpose) is ConsentStatus.DENIED
        assert contact.has_stopped(SMS)
        assert not contact.has_stopped(EMAIL)

    def test_a_start_gives_back_what_was_given(self) -> None:
        contact = self.started(self.stopped(Contact().after([granted(SMS, MARKETING)])))

        assert contact.consent(SMS, MARKETING) is ConsentStatus.GRANTED
        assert contact.consent(SMS, TRANSACTIONAL) is ConsentStatus.GRANTED
        assert not contact.has_stopped(SMS)

    def test_a_start_gives_nothing_that_was_never_given(self) -> None:
        contact = self.started(self.stopped(Contact()))

        assert contact.consent(SMS, MARKETING) is ConsentStatus.DENIED
        assert contact.consent(SMS, TRANSACTIONAL) is ConsentStatus.GRANTED

    def test_a_start_does_not_lift_a_denial_on_a_form(self) -> None:
        contact = Contact().after([denied(SMS, MARKETING)])

        assert self.started(contact) == contact

    def test_a_second_stop_does_not_forget_what_the_first_one_took(self) -> None:
        contact = self.stopped(self.stopped(Contact().after([granted(SMS, MARKETING)])), MONDAY + timedelta(minutes=90))

        assert self.started(contact).consent(SMS, MARKETING) is ConsentStatus.GRANTED

    def test_an_open_question_is_no_consent_that_a_start_could_give_back(self) -> None:
        contact = self.started(self.stopped(Contact().after([asked(SMS, MARKETING)])))

        assert contact.consent(SMS, MARKETING) is ConsentStatus.DENIED


class TestHearing:
    @given(st.lists(few_instants, min_size=1))
    def test_what_was_heard_last_is_remembered_in_whatever_order_it_comes(self, when: list[datetime]) -> None:
        contact = Contact()
        for at in when:
            contact = contact.with_inbound(SMS, at)

        assert contact.last_inbound == {SMS: max(when)}


def test_an_enrollment_whose_message_is_held_is_waited_for() -> None:
    contact = Contact(deferrals={"m": hold("enr")})

    assert contact.has_deferred("enr")
    assert not contact.has_deferred("another")


def test_claims_are_forgotten_once_no_cap_and_no_retry_looks_at_them() -> None:
    claim = Claim(MONDAY - HISTORY_WINDOW, MARKETING, EMAIL, "visit")
    old = {f"old-{number}": claim for number in range(HISTORY_LENGTH)}
    young = {"young": replace(claim, at=MONDAY)}

    assert Contact(claims=old).pruned(MONDAY).claims == old  # few enough to keep
    assert Contact(claims=old | young).pruned(MONDAY).claims == young
    crowd = {f"young-{number}": replace(claim, at=MONDAY) for number in range(HISTORY_LENGTH + 1)}
    assert Contact(claims=crowd).pruned(MONDAY).claims == crowd
