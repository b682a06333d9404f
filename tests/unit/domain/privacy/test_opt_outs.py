"""Replies that may be a STOP: who is asked, until when, and what each outcome makes of consent and suppression."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import Cause
from cairn.domain.customer.consent_updates import consent_updates
from cairn.domain.event import Event, event_from_wire
from cairn.domain.policy import Policy
from cairn.domain.privacy import opt_outs
from cairn.domain.privacy.requests import Choice
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import InvalidEventError
from tests.unit.domain.customer.test_consent_updates import MONDAY

HOUR = timedelta(hours=1)
MARKETING = f"{Channel.SMS}:{Purpose.MARKETING}"


def consent(status: ConsentStatus, at: Any = MONDAY - HOUR) -> ConsentChange:
    return ConsentChange(Channel.SMS, Purpose.MARKETING, status, at, "form")


GRANTED = Contact().after([consent(ConsentStatus.GRANTED)])


def reply(**properties: Any) -> Event:
    said = {"channel": "sms", "text": "how do I stop this", opt_outs.POSSIBLE_STOP: True, opt_outs.ADDRESS_KEY: "k"}
    return Event("r", "feedback", "message.replied", MONDAY, properties={**said, **properties})


def asked(contact: Contact = GRANTED, event: Event | None = None) -> opt_outs.PossibleOptOut | None:
    return opt_outs.possible_opt_out(contact, "c_mia", event or reply(), MONDAY)


def in_doubt() -> Contact:
    possible = asked()
    assert possible is not None
    return GRANTED.after([possible.change])


def after(contact: Contact, choice: Choice, policy: Policy | None = None) -> Any:
    event = opt_outs.decided("c_mia", Channel.SMS, choice, by="ada", task="t", at=MONDAY + HOUR)
    return consent_updates(contact, event, policy or Policy(), "UTC")


def test_the_task_shows_the_reply_its_deadline_and_the_choices() -> None:
    possible = asked()

    assert possible is not None
    assert possible.task.context["text"] == "how do I stop this"
    assert possible.task.context["choices"] == ["stop", "continue"]
    assert possible.task.due_at == possible.timer.at == possible.change.until == MONDAY + opt_outs.DECIDE_WITHIN
    assert opt_outs.channel_to_decide(possible.timer.enrollment) is Channel.SMS


@pytest.mark.parametrize(
    ("contact", "event"),
    [
        (Contact(), reply()),
        (Contact().after([consent(ConsentStatus.DENIED)]), reply()),
        (Contact().after([consent(ConsentStatus.PENDING)]), reply()),
        (Contact().after([consent(ConsentStatus.GRANTED, MONDAY + HOUR)]), reply()),
        (GRANTED, reply(possible_stop=False)),
        (GRANTED, reply(channel="email")),
        (GRANTED, replace(reply(), source="track")),
    ],
    ids=["no consent", "denied", "not confirmed", "granted since", "no refusal", "another channel", "not a provider"],
)
def test_nobody_is_asked_in_vain(contact: Contact, event: Event) -> None:
    assert asked(contact, event) is None


def test_a_second_reply_waits_with_the_first() -> None:
    assert asked(in_doubt()) is None


def test_a_stop_counts_since_the_reply_and_suppresses_its_address() -> None:
    updates = after(in_doubt(), Choice.STOP)

    change = updates.contact.consents[MARKETING]
    assert (change.status, change.at) == (ConsentStatus.DENIED, MONDAY)
    assert updates.contact.has_stopped(Channel.SMS)
    (mark,) = updates.suppression_changes
    assert (mark.key, mark.mark.cause, mark.mark.at) == ("k", Cause.STOP, MONDAY)
    assert updates.contact.doubt(Channel.SMS) is None


def test_a_stop_of_a_person_is_a_stop_on_all_channels_where_the_policy_says_so() -> None:
    updates = after(in_doubt(), Choice.STOP, Policy(revoke_all=True))

    assert all(updates.contact.has_stopped(channel) for channel in Channel)


def test_nothing_is_left_of_a_reply_that_is_no_stop() -> None:
    updates = after(in_doubt(), Choice.CONTINUE)

    assert updates.contact.consents[MARKETING] == GRANTED.consents[MARKETING]
    assert updates.contact.doubt(Channel.SMS) is None
    assert updates.suppression_changes == ()
    assert updates.record is None
    assert asked(updates.contact, replace(reply(), id="later", occurred_at=MONDAY + 2 * HOUR)) is not None


@pytest.mark.parametrize("status", [ConsentStatus.GRANTED, ConsentStatus.DENIED])
def test_a_later_answer_ends_the_doubt_and_its_task(status: ConsentStatus) -> None:
    contact = in_doubt()
    answered = contact.after([consent(status, MONDAY + HOUR)])

    (closed,) = opt_outs.tasks_that_end(contact, answered, reply())
    assert closed.outcome == (Choice.STOP if status is ConsentStatus.DENIED else Choice.CONTINUE)
    assert after(answered, Choice.STOP).contact == answered


def test_an_older_answer_ends_no_doubt() -> None:
    contact = in_doubt().after([consent(ConsentStatus.GRANTED, MONDAY - timedelta(minutes=1))])

    assert contact.doubt(Channel.SMS) is not None


def test_a_merge_does_not_lose_a_doubt() -> None:
    assert Contact().absorbing(in_doubt()).doubt(Channel.SMS) is not None
    assert in_doubt().absorbing(Contact()).doubt(Channel.SMS) is not None
    assert in_doubt().narrowed(set()).doubt(Channel.SMS) is not None


def test_the_deadline_makes_a_stop_of_it_once() -> None:
    contact, due = in_doubt(), MONDAY + opt_outs.DECIDE_WITHIN

    assert opt_outs.stop_at_deadline(contact, "c_mia", Channel.SMS, due - timedelta(seconds=1)) is None
    stop = opt_outs.stop_at_deadline(contact, "c_mia", Channel.SMS, due)
    assert stop is not None
    stopped = consent_updates(contact, stop, Policy(), "UTC").contact
    assert stopped.has_stopped(Channel.SMS)
    assert opt_outs.stop_at_deadline(stopped, "c_mia", Channel.SMS, due) is None


def test_no_source_may_say_that_a_consent_is_in_doubt() -> None:
    said = {"channel": "sms", "purpose": "marketing", "status": "in_doubt", "until": "2099-01-01T00:00:00Z"}
    event = {"id": "1", "type": "note.wanted", "customer": {"user_id": "mia"}, "consent": [said]}

    with pytest.raises(InvalidEventError, match=r"consent\[0\]"):
        event_from_wire(event, source="track", received_at=MONDAY)
