"""What an event says of consent and addresses, and who is believed: nothing that was said before brings back a STOP."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.keywords import Intent
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange, current_suppressions
from cairn.domain.customer.consent_updates import ConsentUpdates, consent_updates
from cairn.domain.event import Event
from cairn.domain.gate.gate import GateSettings, decide
from cairn.domain.gate.verdict import Reason, Suppress
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, denied, event, granted, message
from tests.unit.strategies import json_values

SMS, EMAIL, WHATSAPP, PUSH = Channel.SMS, Channel.EMAIL, Channel.WHATSAPP, Channel.PUSH
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NUMBER, MAIL = "+14155550123", "ada@example.com"
SALT = "salt"

ANSWERING = Policy(answers={"en": {intent: f"About {intent}" for intent in Intent}})
AGREED = Contact().after([granted(SMS, MARKETING, MONDAY - HOUR)])


def told(kind: str, source: str = "feedback", when: Any = MONDAY, **properties: Any) -> Event:
    return event(f"message.{kind}", when, source=source, properties={"channel": "sms", "address": NUMBER} | properties)


def heeded(one: Event, contact: Contact = AGREED, policy: Policy = ANSWERING) -> ConsentUpdates:
    return consent_updates(contact, one, policy, "Europe/Paris")


def marks(found: ConsentUpdates) -> list[tuple[Cause, bool]]:
    return [(one.mark.cause, one.mark.lifted) for one in found.suppression_changes]


class TestWhoIsBelieved:
    @pytest.mark.parametrize("kind", ["stopped", "started", "complained", "bounced", "failed", "replied"])
    @pytest.mark.parametrize("source", ["track", "stripe", "preferences", "operators"])
    def test_only_providers_tell_of_messages_and_addresses(self, kind: str, source: str) -> None:
        more = {"bounce_type": "Permanent", "invalid_number": True, "opted_out": True, "confirms": True}

        found = heeded(told(kind, source, **more))

        assert found == ConsentUpdates(AGREED)

    @pytest.mark.parametrize("source", ["track", "stripe", "preferences", "operators"])
    def test_nobody_but_a_provider_has_heard_a_yes(self, source: str) -> None:
        asked = Contact().after([ConsentChange(SMS, MARKETING, ConsentStatus.PENDING, MONDAY - HOUR, "form")])

        assert heeded(told("replied", source, confirms=True), asked) == ConsentUpdates(asked)

    @pytest.mark.parametrize("source", ["track", "feedback", "stripe"])
    def test_only_the_page_speaks_for_the_address_that_its_link_was_sent_to(self, source: str) -> None:
        word = event(
            "consent.changed", source=source, consent=(denied(EMAIL, MARKETING),), properties={"keys": {"email": "k"}}
        )

        found = heeded(word)

        assert found.suppression_changes == ()
        assert found.contact.consent(EMAIL, MARKETING) is ConsentStatus.DENIED

    @pytest.mark.parametrize("source", ["track", "feedback", "preferences"])
    @pytest.mark.parametrize("kind", ["address.suppressed", "address.released"])
    def test_only_operators_suppress_and_release(self, source: str, kind: str) -> None:
        assert heeded(event(kind, source=source, properties={"channel": "sms", "key": "k"})).suppression_changes == ()

    @given(
        st.dictionaries(st.sampled_from(["channel", "address", "key", "keys", "opted_out", "confirms"]), json_values)
    )
    def test_whatever_a_source_says_there_can_be_no_harm_in_hearing_it(self, properties: dict[str, Any]) -> None:
        for kind in ("page.seen", "message.replied", "message.stopped", "address.released", "consent.changed"):
            for source in ("track", "feedback", "preferences", "operators"):
                heeded(event(kind, source=source, properties=properties, consent=(denied(EMAIL, MARKETING),)))


class TestProviders:
    def test_a_stop_is_the_end_for_the_customer_and_for_the_number(self) -> None:
        found = heeded(told("stopped"))

        assert {found.contact.consent(SMS, purpose) for purpose in Purpose} == {ConsentStatus.DENIED}
        assert found.suppression_changes == (SuppressionChange(SMS, Mark(Cause.STOP, MONDAY), NUMBER),)

    def test_a_stop_on_one_channel_is_one_on_all_where_the_business_says_so(self) -> None:
        found = heeded(told("stopped"), policy=replace(ANSWERING, revoke_all=True))

        refused = [found.contact.consent(channel, purpose) for channel in Channel for purpose in Purpose]
        assert set(refused) == {ConsentStatus.DENIED}
        assert [one.channel for one in found.suppression_changes] == [SMS]

    def test_else_the_other_channels_stay_as_they_are(self) -> None:
        assert heeded(told("stopped")).contact.consent(EMAIL, TRANSACTIONAL) is None

    def test_a_start_lifts_the_stop_of_the_number_and_nothing_else(self) -> None:
        found = heeded(told("started", when=MONDAY + HOUR), heeded(told("stopped")).contact)

        assert found.contact.consent(SMS, MARKETING) is ConsentStatus.GRANTED
        assert marks(found) == [(Cause.STOP, True)]

    def test_a_provider_that_refuses_since_the_customer_opted_out_there_has_told_of_a_stop(self) -> None:
        found = heeded(told("failed", opted_out=True))

        assert found.contact.consent(SMS, MARKETING) is ConsentStatus.DENIED
        assert marks(found) == [(Cause.STOP, False)]

    @pytest.mark.parametrize(
        ("kind", "more", "cause"),
        [
            ("bounced", {"bounce_type": "Permanent"}, Cause.HARD_BOUNCE),
            ("complained", {}, Cause.COMPLAINT),
            ("failed", {"invalid_number": True}, Cause.INVALID_NUMBER),
        ],
    )
    def test_a_dead_address_is_suppressed(self, kind: str, more: dict[str, Any], cause: Cause) -> None:
        assert marks(heeded(told(kind, **more))) == [(cause, False)]

    @pytest.mark.parametrize(
        ("kind", "more"),
        [("bounced", {"bounce_type": "Transient"}), ("failed", {}), ("delivered", {}), ("opened", {})],
    )
    def test_what_may_be_over_tomorrow_suppresses_nothing(self, kind: str, more: dict[str, Any]) -> None:
        found = heeded(told(kind, **more))

        assert found.suppression_changes == ()
        assert found.record is None

    def test_without_an_address_the_customer_alone_is_concerned(self) -> None:
        found = heeded(told("stopped", address=None))

        assert found.suppression_changes == ()
        assert found.contact.has_stopped(SMS)

    def test_a_yes_confirms_what_was_asked(self) -> None:
        asked = ConsentChange(SMS, MARKETING, ConsentStatus.PENDING, MONDAY - HOUR, "form", {"wording": "News?"})

        found = heeded(told("replied", confirms=True), Contact().after([asked]))

        change = found.contact.change(SMS, MARKETING)
        assert change is not None
        assert (change.status, change.confirmed) == (ConsentStatus.GRANTED, True)

    def test_a_yes_to_nothing_says_nothing(self) -> None:
        found = heeded(told("replied", confirms=True), Contact())

        assert found.contact.consents == {}

    @pytest.mark.parametrize("kind", ["replied", "stopped", "helped", "started"])
    def test_whoever_writes_to_us_is_heard(self, kind: str) -> None:
        assert heeded(told(kind, channel="whatsapp"), Contact()).contact.last_inbound == {WHATSAPP: MONDAY}

    def test_a_receipt_is_nothing_that_a_customer_wrote(self) -> None:
        assert heeded(told("delivered"), Contact()).contact.last_inbound == {}


class TestAnswers:
    @pytest.mark.parametrize(("kind", "keyword"), [("stopped", "stop"), ("helped", "help"), ("started", "start")])
    def test_a_keyword_is_answered_where_it_came_from(self, kind: str, keyword: str) -> None:
        before = heeded(told("stopped", when=MONDAY - MINUTE)).contact if kind == "started" else Contact()

        answer = heeded(told(kind), before).answer

        assert answer is not None
        assert (answer.keyword, answer.channel, answer.address) == (keyword, SMS, NUMBER)
        assert answer.time_zone == "Europe/Paris"

    def test_a_second_stop_has_been_answered(self) -> None:
        after = heeded(told("stopped")).contact

        assert heeded(told("stopped", when=MONDAY + MINUTE), after).answer is None
        assert heeded(told("helped", when=MONDAY + MINUTE), after).answer is not None

    def test_a_start_that_takes_nothing_back_promises_nothing(self) -> None:
        assert heeded(told("started"), Contact()).answer is None

    def test_a_stop_that_a_newer_start_has_overtaken_is_over(self) -> None:
        stopped = heeded(told("stopped", when=MONDAY - 2 * MINUTE), Contact()).contact
        back = heeded(told("started", when=MONDAY), stopped).contact

        assert heeded(told("stopped", when=MONDAY - MINUTE), back).answer is None

    def test_there_are_minutes_to_answer_in_from_when_it_was_said(self) -> None:
        answer = heeded(told("stopped", when=MONDAY - MINUTE)).answer

        assert answer is not None
        assert answer.at == MONDAY - MINUTE

    def test_what_the_provider_answers_itself_is_not_answered_twice(self) -> None:
        assert heeded(told("stopped", opt_out="STOP")).answer is None

    def test_nothing_is_said_where_the_business_has_no_words_for_it(self) -> None:
        assert heeded(told("helped"), policy=Policy()).answer is None

    @pytest.mark.parametrize("one", [told("replied"), told("failed", opted_out=True), told("stopped", channel="email")])
    def test_nothing_else_is_answered(self, one: Event) -> None:
        assert heeded(one).answer is None

    def test_nobody_but_a_provider_can_have_us_text_a_number(self) -> None:
        assert heeded(told("helped", "track")).answer is None


class TestPages:
    """What a customer chooses behind a link of ours."""

    def chosen(self, *changes: ConsentChange, **keys: Any) -> ConsentUpdates:
        return heeded(event("consent.changed", source="preferences", consent=changes, properties={"keys": keys}))

    def test_an_unsubscription_holds_for_the_address_and_the_purpose(self) -> None:
        found = self.chosen(denied(EMAIL, MARKETING), email="k")

        assert found.suppression_changes == (
            SuppressionChange(EMAIL, Mark(Cause.UNSUBSCRIBE, MONDAY, MARKETING), key="k"),
        )
        assert found.contact.consent(EMAIL, MARKETING) is ConsentStatus.DENIED

    def test_a_subscription_lifts_it(self) -> None:
        (one,) = self.chosen(granted(EMAIL, MARKETING), email="k").suppression_changes

        assert one.mark == Mark(Cause.UNSUBSCRIBE, MONDAY, MARKETING, lifted=True)

    def test_an_address_that_the_link_did_not_go_to_is_left_alone(self) -> None:
        assert self.chosen(denied(SMS, MARKETING), email="k").suppression_changes == ()

    def test_a_question_is_no_answer(self) -> None:
        pending = replace(granted(EMAIL, MARKETING), status=ConsentStatus.PENDING)

        assert self.chosen(pending, email="k").suppression_changes == ()


class TestOperators:
    def order(self, kind: str, when: Any = MONDAY) -> ConsentUpdates:
        return heeded(event(f"address.{kind}", when, source="operators", properties={"channel": "email", "key": "k"}))

    def test_an_operator_suppresses_an_address(self) -> None:
        assert self.order("suppressed").suppression_changes == (
            SuppressionChange(EMAIL, Mark(Cause.OPERATOR, MONDAY), key="k"),
        )

    @pytest.mark.parametrize("cause", Cause)
    @pytest.mark.parametrize("purpose", [None, *Purpose])
    def test_an_operator_releases_it_from_whatever_it_was_suppressed_for(
        self, cause: Cause, purpose: Purpose | None
    ) -> None:
        lifted = [one.mark for one in self.order("released", MONDAY + HOUR).suppression_changes]

        assert current_suppressions([Mark(cause, MONDAY, purpose)]) != ()
        assert current_suppressions([Mark(cause, MONDAY, purpose), *lifted]) == ()


def test_every_change_is_recorded_with_who_said_so() -> None:
    word = event("profile.imported", source="crm", consent=(granted(EMAIL, MARKETING),))

    found = heeded(word)

    assert found.record is not None
    assert (found.record.source, found.record.changes, found.record.suppression_changes) == ("crm", word.consent, ())
    assert heeded(event("page.seen")).record is None


def test_the_same_event_leaves_one_record_however_often_it_is_heard() -> None:
    first, again = heeded(told("stopped")), heeded(told("stopped"))

    assert first.record is not None
    assert first.record == again.record


# A customer's whole story: events of two accounts that share addresses, imports, merges; in any order.


def imported(id_: str, when: Any, *purposes: Purpose) -> Event:
    changes = tuple(
        ConsentChange(channel, purpose, ConsentStatus.GRANTED, when, "crm", {"method": Method.IMPORT.value})
        for channel in (SMS, EMAIL)
        for purpose in purposes
    )
    return event("profile.imported", when, id_=id_, source="crm", consent=changes)


MAIL_KEY = SuppressionChange(EMAIL, Mark(Cause.OPERATOR, MONDAY), MAIL).key_with(SALT)

STORY = (
    imported("import", MONDAY, MARKETING),
    told("stopped", when=MONDAY + HOUR),
    told("started", when=MONDAY + 2 * HOUR),
    told("stopped", when=MONDAY + 3 * HOUR, id_="again"),
    told("complained", when=MONDAY + HOUR, channel="email", address=MAIL),
    told("bounced", when=MONDAY + 4 * HOUR, channel="email", address=MAIL, bounce_type="Permanent"),
    event(
        "consent.changed",
        MONDAY + 5 * HOUR,
        source="preferences",
        consent=(granted(EMAIL, MARKETING, MONDAY + 5 * HOUR),),
        properties={"keys": {"email": MAIL_KEY}},
    ),
    imported("re-import", MONDAY + 9 * HOUR, *Purpose),
)


@settings(max_examples=200)
@given(st.permutations(STORY), st.lists(st.booleans(), min_size=len(STORY), max_size=len(STORY)), st.integers(0, 8))
def test_what_is_suppressed_stays_so_after_merges_and_imports_in_any_order(
    story: list[Event], whose: list[bool], merged_after: int
) -> None:
    contacts = {True: Contact(), False: Contact()}
    registry: dict[str, set[str]] = defaultdict(set)

    for place, (one, side) in enumerate(zip(story, whose, strict=True)):
        if place == merged_after:
            contacts = dict.fromkeys(contacts, contacts[True].absorbing(contacts[False]))
        contacts[side] = heed_into(registry, contacts[side], one)
        if place >= merged_after:
            contacts = dict.fromkeys(contacts, contacts[side])

    for contact in contacts.values():
        for channel, address in ((SMS, NUMBER), (EMAIL, MAIL)):
            verdict = gate_of(contact, registry, channel, address)
            assert isinstance(verdict, Suppress)
            assert verdict.reason in {Reason.OPTED_OUT, Reason.SUPPRESSED_ADDRESS}
    assert registry == registry_of(STORY)


def heed_into(registry: dict[str, set[str]], contact: Contact, one: Event) -> Contact:
    found = consent_updates(contact, one, ANSWERING, "UTC")
    for each in found.suppression_changes:
        registry[each.key_with(SALT)].add(each.mark.to_wire())
    return found.contact


def registry_of(story: Iterable[Event]) -> dict[str, set[str]]:
    registry: dict[str, set[str]] = defaultdict(set)
    for one in story:
        heed_into(registry, Contact(), one)
    return registry


def gate_of(contact: Contact, registry: dict[str, set[str]], channel: Channel, address: str) -> Any:
    key = SuppressionChange(channel, Mark(Cause.STOP, MONDAY), address).key_with(SALT)
    known = {channel: current_suppressions(map(Mark.from_wire, registry[key]))}
    wanted = message(channels=(channel,), addresses={channel: address}, decided_at=MONDAY + 10 * HOUR)
    return decide(wanted, replace(contact, suppressed=known), {}, GateSettings(), MONDAY + 10 * HOUR)
