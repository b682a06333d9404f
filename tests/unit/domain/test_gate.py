"""The gate: what it lets through may go out, and what it stops has one reason of a closed list."""

from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent import Channel, ConsentChange, ConsentStatus, Purpose
from cairn.domain.contact import Contact, Suppression
from cairn.domain.gate import GateSettings, Reason, Send, Suppress, Verdict, decide
from cairn.domain.message import Message
from tests.unit.makers import MONDAY, denied, granted, message
from tests.unit.strategies import consent_changes, instants

EMAIL, SMS, WHATSAPP, PUSH = Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.PUSH
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL

EVERYWHERE = {
    EMAIL: "ada@example.com",
    SMS: "+14155550123",
    WHATSAPP: "+14155550123",
    PUSH: "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/app/ada",
}

switches = st.frozensets(
    st.sampled_from(["all", "channel:email", "channel:sms", "journey:visit", "journey:other", "Channel.EMAIL"]),
    max_size=2,
)
messages = st.builds(
    lambda channels, purpose, addresses: message(channels=tuple(channels), purpose=purpose, addresses=addresses),
    st.lists(st.sampled_from(Channel), unique=True),
    st.sampled_from(Purpose),
    st.dictionaries(st.sampled_from(Channel), st.sampled_from(["a@x.org", "b@x.org", ""])),
)
contacts = st.builds(
    lambda said, dead: Contact(suppressed={address: Suppression("bounced", MONDAY) for address in dead}).after(said),
    st.lists(consent_changes, max_size=6),
    st.sets(st.sampled_from(["a@x.org", "b@x.org", "c@x.org"]), max_size=1),
)


def verdict(
    wanted: Message, *said: ConsentChange, dead: tuple[str, ...] = (), stopped: tuple[str, ...] = ()
) -> Verdict:
    contact = Contact(suppressed={address: Suppression("bounced", MONDAY) for address in dead}).after(said)
    return decide(wanted, contact, {}, GateSettings(frozenset(stopped)), MONDAY)


@dataclass(frozen=True)
class Case:
    why: Reason | None
    channel: Channel = EMAIL
    purpose: Purpose = TRANSACTIONAL
    said: tuple[ConsentChange, ...] = ()
    dead: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    reachable: bool = True


CASES = {
    "a receipt needs no word": Case(None),
    "nor does a ticket by text": Case(None, SMS),
    "nor one by push": Case(None, PUSH),
    "WhatsApp always needs one": Case(Reason.NO_CONSENT, WHATSAPP),
    "an opt-in on WhatsApp": Case(None, WHATSAPP, said=(granted(WHATSAPP, TRANSACTIONAL),)),
    "no news by e-mail without a word": Case(Reason.NO_CONSENT, EMAIL, MARKETING),
    "nor by text": Case(Reason.NO_CONSENT, SMS, MARKETING),
    "nor by WhatsApp": Case(Reason.NO_CONSENT, WHATSAPP, MARKETING),
    "nor by push": Case(Reason.NO_CONSENT, PUSH, MARKETING),
    "consent to news": Case(None, EMAIL, MARKETING, said=(granted(EMAIL, MARKETING),)),
    "consent to news elsewhere": Case(Reason.NO_CONSENT, EMAIL, MARKETING, said=(granted(SMS, MARKETING),)),
    "consent to receipts only": Case(Reason.NO_CONSENT, EMAIL, MARKETING, said=(granted(EMAIL, TRANSACTIONAL),)),
    "opted out of news": Case(Reason.OPTED_OUT, EMAIL, MARKETING, said=(denied(EMAIL, MARKETING),)),
    "opted out of everything": Case(Reason.OPTED_OUT, EMAIL, TRANSACTIONAL, said=(denied(EMAIL, TRANSACTIONAL),)),
    "opted out of news gets receipts": Case(None, EMAIL, TRANSACTIONAL, said=(denied(EMAIL, MARKETING),)),
    "a dead address": Case(Reason.SUPPRESSED_ADDRESS, dead=("ada@example.com",)),
    "a dead address with consent": Case(
        Reason.SUPPRESSED_ADDRESS, EMAIL, MARKETING, said=(granted(EMAIL, MARKETING),), dead=("ada@example.com",)
    ),
    "another address is dead": Case(None, dead=("eve@example.com",)),
    "no address": Case(Reason.NO_ADDRESS, reachable=False),
    "everything is switched off": Case(Reason.KILL_SWITCH, stopped=("all",)),
    "e-mail is switched off": Case(Reason.KILL_SWITCH, stopped=("channel:email",)),
    "the journey is switched off": Case(Reason.KILL_SWITCH, stopped=("journey:visit",)),
    "something else is switched off": Case(None, stopped=("channel:sms", "journey:other")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_gate(case: Case) -> None:
    wanted = message(channels=(case.channel,), purpose=case.purpose, addresses=EVERYWHERE if case.reachable else {})

    decided = verdict(wanted, *case.said, dead=case.dead, stopped=case.stopped)

    expected = Send(case.channel, EVERYWHERE[case.channel]) if case.why is None else Suppress(case.why)
    assert decided == expected


@given(messages, contacts, switches, instants)
def test_a_message_goes_out_or_has_one_reason(
    wanted: Message, contact: Contact, stopped: frozenset[str], now: datetime
) -> None:
    decided = decide(wanted, contact, contact.claims, GateSettings(stopped), now)

    match decided:
        case Send(channel, address):
            assert channel in wanted.channels
            assert address == wanted.addresses[channel]
            assert address
        case Suppress(reason):
            assert reason in Reason


@given(messages, contacts, switches, instants)
def test_no_consent_no_marketing_whatever_the_rest(
    wanted: Message, contact: Contact, stopped: frozenset[str], now: datetime
) -> None:
    news = replace(wanted, purpose=MARKETING)

    decided = decide(news, contact, contact.claims, GateSettings(stopped), now)

    if isinstance(decided, Send):
        assert contact.consent(decided.channel, MARKETING) is ConsentStatus.GRANTED


@given(messages, contacts, switches, instants)
def test_a_word_against_it_is_never_passed_over(
    wanted: Message, contact: Contact, stopped: frozenset[str], now: datetime
) -> None:
    decided = decide(wanted, contact, contact.claims, GateSettings(stopped), now)

    if isinstance(decided, Send):
        assert contact.consent(decided.channel, wanted.purpose) is not ConsentStatus.DENIED
        assert decided.address not in contact.suppressed


@given(messages, contacts, switches, instants)
def test_a_switch_stops_what_it_names(
    wanted: Message, contact: Contact, stopped: frozenset[str], now: datetime
) -> None:
    decided = decide(wanted, contact, contact.claims, GateSettings(stopped), now)

    if stopped & {"all", "journey:visit"}:
        assert decided == Suppress(Reason.KILL_SWITCH)
    elif isinstance(decided, Send):
        assert f"channel:{decided.channel.value}" not in stopped


@given(messages, contacts, switches)
def test_of_several_channels_the_first_allowed_one_is_taken(
    wanted: Message, contact: Contact, stopped: frozenset[str]
) -> None:
    settings = GateSettings(stopped)
    alone = [decide(replace(wanted, channels=(one,)), contact, {}, settings, MONDAY) for one in wanted.channels]

    decided = decide(wanted, contact, {}, settings, MONDAY)

    allowed = next((one for one in alone if isinstance(one, Send)), None)
    assert allowed is None or decided == allowed
    assert allowed is not None or isinstance(decided, Suppress)


def test_a_push_that_may_not_be_sent_goes_by_mail_instead() -> None:
    wanted = message(channels=(PUSH, EMAIL), purpose=MARKETING, addresses=EVERYWHERE)

    assert verdict(wanted, granted(EMAIL, MARKETING)) == Send(EMAIL, "ada@example.com")
    assert verdict(wanted, granted(EMAIL, MARKETING), granted(PUSH, MARKETING)) == Send(PUSH, EVERYWHERE[PUSH])


def test_the_reason_told_is_that_of_the_first_channel_that_could_have_reached_anybody() -> None:
    wanted = message(channels=(PUSH, EMAIL, SMS), purpose=MARKETING, addresses={EMAIL: "ada@example.com", SMS: "+1"})

    assert verdict(wanted, denied(EMAIL, MARKETING)) == Suppress(Reason.OPTED_OUT)
    assert verdict(replace(wanted, addresses={})) == Suppress(Reason.NO_ADDRESS)


def test_the_list_of_reasons_is_closed() -> None:
    assert {"kill_switch", "no_address", "suppressed_address", "opted_out", "no_consent"} == set(Reason)
