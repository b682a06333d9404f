"""Consent: the last change counts, a STOP stores the status before it, and a question is no consent."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method, latest
from cairn.domain.consent.contact import HISTORY_LENGTH, HISTORY_WINDOW, RECEIPT_WINDOW, Claim, Contact, Deferral
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, denied, granted
from tests.unit.strategies import consent_changes, few_instants

HOUR = timedelta(hours=1)
SMS, EMAIL = Channel.SMS, Channel.EMAIL
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL
NEWS = (EMAIL, MARKETING)

some_changes = st.lists(consent_changes, max_size=6)
inbound = st.dictionaries(st.sampled_from(Channel), few_instants)
contacts = st.builds(lambda changes, inbound: Contact(last_inbound=inbound).after(changes), some_changes, inbound)


def asked(channel: Channel, purpose: Purpose, when: datetime = MONDAY) -> ConsentChange:
    evidence = {"method": Method.DOUBLE_OPT_IN.value, "wording": "Yes to news?"}
    return ConsentChange(channel, purpose, ConsentStatus.PENDING, when, "form", evidence)


def deferral(enrollment: str = "enr") -> Deferral:
    return Deferral(MONDAY, "quiet_hours", enrollment, MONDAY, 0)


@given(some_changes, st.randoms(use_true_random=False))
def test_changes_of_consent_may_arrive_in_any_order(changes: list[ConsentChange], luck: Any) -> None:
    shuffled = list(changes)
    luck.shuffle(shuffled)

    assert Contact().after(changes) == Contact().after(shuffled)


@given(some_changes, st.data())
def test_a_change_that_arrives_twice_counts_once(changes: list[ConsentChange], data: st.DataObject) -> None:
    again = [*changes, *data.draw(st.lists(st.sampled_from(changes), max_size=3) if changes else st.just([]))]

    assert Contact().after(again) == Contact().after(changes)


@given(contacts, contacts, contacts)
def test_merged_contacts_are_the_same_in_any_order(one: Contact, two: Contact, three: Contact) -> None:
    assert one.absorbing(two) == two.absorbing(one)
    assert one.absorbing(two).absorbing(three) == one.absorbing(two.absorbing(three))
    assert one.absorbing(one) == one


@given(contacts, contacts)
def test_no_denial_is_lost_by_a_merge(one: Contact, two: Contact) -> None:
    both = one.absorbing(two)

    for channel, purpose in ((channel, purpose) for channel in Channel for purpose in Purpose):
        changes = [found for each in (one, two) if (found := each.consents.get(f"{channel}:{purpose}"))]
        if changes:
            at = max(change.at for change in changes)
            refused = any(change.at == at and change.status is ConsentStatus.DENIED for change in changes)
            assert (both.consents[f"{channel}:{purpose}"].status is ConsentStatus.DENIED) == refused


def test_a_merge_keeps_the_claims_and_deferrals_of_both() -> None:
    one = Contact(claims={"a": Claim(MONDAY, MARKETING, EMAIL, "visit")}, deferrals={"b": deferral()})
    two = Contact(claims={"c": Claim(MONDAY, MARKETING, EMAIL, "visit")}, deferrals={"d": deferral()})

    both = one.absorbing(two)

    assert (set(both.claims), set(both.deferrals)) == ({"a", "c"}, {"b", "d"})


def test_the_later_change_counts() -> None:
    contact = Contact().after([denied(*NEWS, MONDAY + HOUR), granted(*NEWS, MONDAY)])

    assert contact.consent(*NEWS) is ConsentStatus.DENIED
    assert contact.after([granted(*NEWS, MONDAY + 2 * HOUR)]).consent(*NEWS) is ConsentStatus.GRANTED


def test_of_two_changes_at_the_same_instant_the_denial_counts() -> None:
    yes, no = granted(*NEWS), denied(*NEWS)

    assert latest(yes, no) == latest(no, yes) == no


def test_consent_to_one_channel_is_not_consent_to_another() -> None:
    contact = Contact().after([granted(*NEWS)])

    assert contact.consent(SMS, MARKETING) is None
    assert contact.consent(EMAIL, TRANSACTIONAL) is None


class TestQuestions:
    """Double opt-in: a question is no consent until it is answered."""

    def test_a_question_is_pending_until_it_is_answered(self) -> None:
        contact = Contact().after([asked(*NEWS)])

        assert contact.consent(*NEWS) is ConsentStatus.PENDING
        assert contact.after([granted(*NEWS, MONDAY + HOUR)]).consent(*NEWS) is ConsentStatus.GRANTED
        assert contact.after([denied(*NEWS, MONDAY + HOUR)]).consent(*NEWS) is ConsentStatus.DENIED

    def test_a_new_question_does_not_suspend_a_grant(self) -> None:
        assert Contact().after([granted(*NEWS), asked(*NEWS, MONDAY + HOUR)]).consent(*NEWS) is ConsentStatus.GRANTED

    def test_a_customer_who_denied_can_be_asked_again(self) -> None:
        contact = Contact().after([denied(*NEWS), asked(*NEWS, MONDAY + HOUR)])

        assert contact.consent(*NEWS) is ConsentStatus.PENDING

    def test_a_denial_after_the_question_counts(self) -> None:
        contact = Contact().after([asked(*NEWS), denied(*NEWS, MONDAY + HOUR)])

        assert contact.consent(*NEWS) is ConsentStatus.DENIED

    def test_a_yes_answers_every_question_of_its_channel_and_proves_what_was_asked(self) -> None:
        contact = Contact().after([asked(SMS, MARKETING), asked(EMAIL, MARKETING)])

        (answer,) = contact.confirm_changes(SMS, MONDAY + HOUR, "feedback")

        assert (answer.channel, answer.purpose, answer.status) == (SMS, MARKETING, ConsentStatus.GRANTED)
        assert answer.evidence == {"method": "double_opt_in", "wording": "Yes to news?"}
        assert answer.confirmed

    def test_a_yes_without_a_question_changes_nothing(self) -> None:
        assert Contact().confirm_changes(SMS, MONDAY, "feedback") == ()
        assert Contact().after([denied(SMS, MARKETING)]).confirm_changes(SMS, MONDAY, "feedback") == ()


class TestStopAndStart:
    """A START restores what a STOP denied, and no more."""

    def stopped(self, contact: Contact, when: datetime = MONDAY + HOUR) -> Contact:
        return contact.after(contact.stop_changes(SMS, when, "feedback"))

    def started(self, contact: Contact, when: datetime = MONDAY + 2 * HOUR) -> Contact:
        return contact.after(contact.start_changes(SMS, when, "feedback"))

    @pytest.mark.parametrize("purpose", Purpose)
    def test_a_stop_denies_every_purpose(self, purpose: Purpose) -> None:
        contact = self.stopped(Contact().after([granted(SMS, purpose)]))

        assert contact.consent(SMS, purpose) is ConsentStatus.DENIED
        assert contact.has_stopped(SMS)
        assert not contact.has_stopped(EMAIL)

    def test_a_start_restores_what_was_granted(self) -> None:
        contact = self.started(self.stopped(Contact().after([granted(SMS, MARKETING)])))

        assert contact.consent(SMS, MARKETING) is ConsentStatus.GRANTED
        assert contact.consent(SMS, TRANSACTIONAL) is ConsentStatus.GRANTED
        assert not contact.has_stopped(SMS)

    def test_a_start_grants_nothing_that_was_never_granted(self) -> None:
        contact = self.started(self.stopped(Contact()))

        assert contact.consent(SMS, MARKETING) is ConsentStatus.DENIED
        assert contact.consent(SMS, TRANSACTIONAL) is ConsentStatus.GRANTED

    def test_a_start_does_not_reverse_a_denial_on_a_form(self) -> None:
        contact = Contact().after([denied(SMS, MARKETING)])

        assert self.started(contact) == contact

    def test_a_second_stop_keeps_the_status_before_the_first(self) -> None:
        contact = self.stopped(self.stopped(Contact().after([granted(SMS, MARKETING)])), MONDAY + timedelta(minutes=90))

        assert self.started(contact).consent(SMS, MARKETING) is ConsentStatus.GRANTED

    def test_a_start_does_not_grant_an_unanswered_question(self) -> None:
        contact = self.started(self.stopped(Contact().after([asked(SMS, MARKETING)])))

        assert contact.consent(SMS, MARKETING) is ConsentStatus.DENIED


class TestHearing:
    @given(st.lists(few_instants, min_size=1))
    def test_the_latest_inbound_message_is_stored_in_any_order_of_arrival(self, when: list[datetime]) -> None:
        contact = Contact()
        for at in when:
            contact = contact.with_inbound(SMS, at)

        assert contact.last_inbound == {SMS: max(when)}


def test_an_enrollment_with_a_deferred_message_is_found() -> None:
    contact = Contact(deferrals={"m": deferral("enr")})

    assert contact.has_deferred("enr")
    assert not contact.has_deferred("another")


def test_claims_too_old_for_caps_and_retries_are_removed() -> None:
    claim = Claim(MONDAY - HISTORY_WINDOW, MARKETING, EMAIL, "visit")
    old = {f"old-{number}": claim for number in range(HISTORY_LENGTH)}
    young = {"young": replace(claim, at=MONDAY)}

    assert Contact(claims=old).pruned(MONDAY).claims == old  # few enough to store
    assert Contact(claims=old | young).pruned(MONDAY).claims == young


def test_of_many_young_claims_the_newest_are_stored() -> None:
    claims = {
        f"m-{number:02}": Claim(MONDAY - RECEIPT_WINDOW - number * HOUR, MARKETING, EMAIL, "visit")
        for number in range(HISTORY_LENGTH + 5)
    }

    assert list(Contact(claims=claims).pruned(MONDAY).claims) == list(claims)[:HISTORY_LENGTH]
