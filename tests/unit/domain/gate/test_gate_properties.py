"""Properties of the gate: it respects consent, law and limits, and every verdict has one reason."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.contact import Contact, Deferral
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.gate import ANSWER_WITHIN, OVERDUE
from cairn.domain.gate.verdict import Defer, Send, Suppress
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.gate_strategies import (
    DEFERRED,
    DROPPED,
    ENROLLMENT,
    OWN,
    SENT,
    Case,
    allowed,
    asleep,
    by_the_hour,
    cooling_down_until_days_that_are_closed,
    crowded,
    every_case,
    hindered,
    timed,
)

CONFIRMED = {"double_opt_in", "preference_page", "reply", "start"}
SWITCHES = {"all", "journey:visit", "template:visit/confirm"}

NEVER = {Reason.NO_ADDRESS, Reason.SUPPRESSED_ADDRESS, Reason.OPTED_OUT, Reason.NO_CONSENT, Reason.UNCONFIRMED}
NEVER |= {Reason.FORBIDDEN, Reason.UNREGISTERED, Reason.SESSION_OVER, Reason.KILL_SWITCH}
"""Reasons that belong to one channel, and let the next one be tried."""


def said_before(case: Case) -> dict[str, Deferral]:
    """Earlier messages of the same enrollment that are still deferred."""
    message = case.message
    return {
        id_: deferral
        for id_, deferral in case.contact.deferrals.items()
        if id_ != OWN
        and deferral.enrollment == ENROLLMENT
        and (deferral.decided_at, deferral.position) < (message.decided_at, message.position)
    }


def deferred(case: Case, verdict: Defer) -> Case:
    """The same customer after the deferral was stored, at the instant that it names."""
    assert verdict.until is not None
    deferral = Deferral(verdict.until, verdict.reason, ENROLLMENT, *case.message.order)
    others = {id_: one for id_, one in case.contact.deferrals.items() if id_ not in said_before(case)}
    return replace(case, contact=replace(case.contact, deferrals=others | {OWN: deferral}), now=verdict.until)


def in_doubt(case: Case, channel: Channel) -> Iterator[str]:
    """A reply that may be a STOP, and that nothing has answered since."""
    consents, purpose = case.contact.consents, case.message.purpose
    reply, word = consents.get(f"{channel}:{purpose}:in_doubt"), consents.get(f"{channel}:{purpose}")
    if purpose is Purpose.MARKETING and reply is not None and (word is None or word.at <= reply.at):
        yield f"in doubt: {reply}"


def against(case: Case, sent: Send) -> Iterator[str]:
    """Every denial of the message now, computed in a second, plain way."""
    message, contact, channel = case.message, case.contact, sent.channel
    stopped = case.settings.stopped & {
        *SWITCHES,
        f"channel:{channel}",
        f"country:{message.jurisdiction.countries.get(channel, '')}",
    }
    yield from (f"switched off: {switch}" for switch in stopped)
    word = contact.consents.get(f"{channel}:{message.purpose}")
    if word is not None and word.status is not ConsentStatus.GRANTED:
        yield f"refused: {word}"
    if message.purpose is Purpose.MARKETING and word is None:
        yield "marketing without consent"
    if message.purpose is Purpose.MARKETING and channel in case.policy.double_opt_in:
        yield from () if word and word.evidence.get("method") in CONFIRMED else ["never confirmed"]
    yield from in_doubt(case, channel)
    if channel is Channel.WHATSAPP and word is None:
        yield "WhatsApp without consent"
    yield from (
        f"suppressed: {one}" for one in contact.suppressed.get(channel, ()) if one.purpose in {None, message.purpose}
    )
    yield from asleep(case, channel)
    yield from crowded(case, channel)
    about = {*SWITCHES, f"channel:{channel}", f"country:{message.jurisdiction.countries.get(channel, '')}"}
    yield from (f"paused: {one}" for one in case.settings.pauses if one.target in about and one.is_active(case.now))
    yield from (
        f"overtakes {id_}"
        for id_, deferral in said_before(case).items()
        if (deferral.until is None or case.now - deferral.until < OVERDUE)
        and not (message.purpose is Purpose.TRANSACTIONAL and deferral.purpose is Purpose.MARKETING)
    )
    useful_for = message.terms.useful_for
    if useful_for is not None and case.now > message.decided_at + useful_for:
        yield "stale"
    if message.journey_ended:
        yield "ended"
    if message.approval is not None and not message.approval.granted:
        yield "rejected"
    if message.approval is None and (review := message.terms.review) is not None:
        deadline = min(one for one in (review.within, useful_for, case.policy.max_hold) if one is not None)
        if review.otherwise == "drop" or case.now < message.decided_at + deadline:
            yield "not reviewed"


@settings(max_examples=300)
@given(every_case)
def test_every_verdict_has_one_reason_of_its_own_kind(case: Case) -> None:
    match case.verdict():
        case Send(channel, address, reason=reason):
            assert reason in SENT
            assert channel in case.message.channels
            assert address == case.message.addresses[channel]
            assert address
        case Defer(until, reason=reason, paused_target=target):
            assert reason in DEFERRED
            assert (until is None) == bool(target)
            assert until is not None or reason is Reason.PAUSED
        case Suppress(reason=reason):
            assert reason in DROPPED


@settings(max_examples=600)
@given(every_case)
def test_a_sent_message_breaks_no_rule(case: Case) -> None:
    verdict = case.verdict()

    if isinstance(verdict, Send):
        assert list(against(case, verdict)) == []


@settings(max_examples=500)
@given(by_the_hour)
def test_no_message_goes_out_while_one_possible_zone_of_the_customer_is_closed(case: Case) -> None:
    match case.verdict():
        case Send(channel):
            assert list(asleep(case, channel)) == []
        case Defer(until) as verdict if until is not None:
            later = deferred(case, verdict)
            assert list(asleep(later, later.message.channels[0])) == []


@settings(max_examples=200)
@given(hindered)
def test_one_denial_is_enough(case: Case) -> None:
    assert isinstance(case.verdict(), Suppress)


@given(every_case)
def test_without_consent_there_is_no_marketing(case: Case) -> None:
    words = {key: word for key, word in case.contact.consents.items() if word.status is not ConsentStatus.GRANTED}
    news = replace(case.message, purpose=Purpose.MARKETING)

    verdict = replace(case, message=news, contact=replace(case.contact, consents=words)).verdict()

    assert isinstance(verdict, Suppress)


@settings(max_examples=300)
@given(st.one_of(timed, every_case))
@example(cooling_down_until_days_that_are_closed())
def test_a_deferred_message_goes_out_legally_at_its_instant_or_is_dropped(case: Case) -> None:
    verdict = case.verdict()
    if not isinstance(verdict, Defer) or verdict.until is None:
        return

    later = deferred(case, verdict)
    decided = later.verdict()

    assert verdict.until > case.now
    if case.message.terms.useful_for is not None:
        assert verdict.until <= case.message.decided_at + case.message.terms.useful_for
    if isinstance(decided, Send):
        assert list(against(later, decided)) == []
    # What follows a person's decision, or an earlier message, is looked at then: they may come sooner.
    if verdict.reason not in {Reason.REVIEW, Reason.IN_DOUBT}:
        assert not isinstance(decided, Defer)
        assert verdict.reason is Reason.ORDER or decided.reason not in {Reason.NO_LEGAL_HOUR, Reason.STALE}


@settings(max_examples=300)
@given(st.one_of(timed, allowed), st.floats(0, 0.999))
@example(cooling_down_until_days_that_are_closed(), 0.999)
def test_no_message_waits_longer_than_necessary(case: Case, share: float) -> None:
    verdict = case.verdict()
    if not isinstance(verdict, Defer) or verdict.until is None or verdict.reason is Reason.ORDER:
        return

    sooner = replace(case, now=case.now + (verdict.until - case.now) * share)

    assert isinstance(sooner.verdict(), Defer)


@settings(max_examples=200)
@given(allowed)
def test_an_allowed_message_is_dropped_only_for_its_time_or_by_a_person(case: Case) -> None:
    verdict = case.verdict()

    if isinstance(verdict, Suppress):
        assert verdict.reason in {Reason.STALE, Reason.NO_LEGAL_HOUR, Reason.UNREVIEWED, Reason.LATE}


@settings(max_examples=200)
@given(every_case)
def test_a_switch_stops_its_target(case: Case) -> None:
    verdict = case.verdict()

    if case.settings.stopped & SWITCHES:
        assert verdict.reason is Reason.KILL_SWITCH


@settings(max_examples=200)
@given(every_case, st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_its_inputs(case: Case, luck: Any) -> None:
    contact = case.contact
    shuffled = Contact(
        _shuffled(contact.consents, luck),
        _shuffled(contact.claims, luck),
        _shuffled(contact.deferrals, luck),
        _shuffled(contact.last_inbound, luck),
        contact.version,
        _shuffled(contact.suppressed, luck),
    )

    assert replace(case, contact=shuffled).verdict() == case.verdict()


def _shuffled(parts: Mapping[Any, Any], luck: Any) -> dict[Any, Any]:
    keys = list(parts)
    luck.shuffle(keys)
    return {key: parts[key] for key in keys}


@settings(max_examples=200)
@given(every_case)
def test_the_first_allowed_channel_is_used(case: Case) -> None:
    # How long the policy lets a message wait depends on what was paused on any of its channels.
    case = replace(case, settings=replace(case.settings, pauses=()))
    alone = [replace(case, message=replace(case.message, channels=(one,))).verdict() for one in case.message.channels]

    verdict = case.verdict()

    possible = [one for one in alone if one.reason not in NEVER]
    assert verdict == possible[0] if possible else verdict.reason in NEVER


@given(every_case)
def test_an_answer_to_a_keyword_is_sent_at_once_or_never(case: Case) -> None:
    channel, address = case.message.channels[0], "+14155550123"
    answer = replace(case.message, answers="stop", channels=(channel,), addresses={channel: address})

    verdict = replace(case, message=answer).verdict()

    assert not isinstance(verdict, Defer)
    if isinstance(verdict, Send):
        assert (verdict.reason, verdict.address) == (Reason.ANSWER, address)
        assert case.now - answer.decided_at <= ANSWER_WITHIN
