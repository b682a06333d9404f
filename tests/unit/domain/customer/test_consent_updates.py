"""Changes of consent and suppression in an event, and the sources that may make them."""

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
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.gate import decide
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Suppress
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY, denied, event, granted, message
from tests.unit.strategies import json_values

SMS, EMAIL, WHATSAPP, PUSH = Channel.SMS, Channel.EMAIL, Channel.WHATSAPP, Channel.PUSH
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NUMBER, MAIL = "+14155550123", "ada@example.com"

ANSWERING = Policy(answers={"en": {intent: f"About {intent}" for intent in Intent}})
AGREED = Contact().after([granted(SMS, MARKETING, MONDAY - HOUR)])


def report(kind: str, source: str = "feedback", when: Any = MONDAY, **properties: Any) -> Event:
    return event(f"message.{kind}", when, source=source, properties={"channel": "sms", "address": NUMBER} | properties)


def updates(one: Event, contact: Contact = AGREED, policy: Policy = ANSWERING) -> ConsentUpdates:
    return consent_updates(contact, one, policy, "Europe/Paris")


def marks(found: ConsentUpdates) -> list[tuple[Cause, bool]]:
    return [(one.mark.cause, one.mark.lifted) for one in found.suppression_changes]


class TestWhoIsBelieved:
    @pytest.mark.parametrize("kind", ["stopped", "started", "complained", "bounced", "failed", "replied"])
    @pytest.mark.parametrize("source", ["track", "stripe", "preferences", "operators"])
    def test_only_providers_report_on_messages_and_addresses(self, kind: str, source: str) -> None:
        more = {"bounce_type": "Permanent", "invalid_number": True, "opted_out": True, "confirms": True}

        found = updates(report(kind, source, **more))

        assert found == ConsentUpdates(AGREED)

    @pytest.mark.parametrize("source", ["track", "stripe", "preferences", "operators"])
    def test_only_a_provider_can_report_a_yes(self, source: str) -> None:
        asked = Contact().after([ConsentChange(SMS, MARKETING, ConsentStatus.PENDING, MONDAY - HOUR, "form")])

        assert updates(report("replied", source, confirms=True), asked) == ConsentUpdates(asked)

    @pytest.mark.parametrize("source", ["track", "feedback", "stripe"])
    def test_only_the_preference_centre_can_change_the_address_of_its_link(self, source: str) -> None:
        change = event(
            "consent.changed", source=source, consent=(denied(EMAIL, MARKETING),), properties={"keys": {"email": "k"}}
        )

        found = updates(change)

        assert found.suppression_changes == ()
        assert found.contact.consent(EMAIL, MARKETING) is ConsentStatus.DENIED

    @pytest.mark.parametrize("source", ["track", "feedback", "preferences"])
    @pytest.mark.parametrize("kind", ["address.suppressed", "address.released"])
    def test_only_operators_suppress_and_release(self, source: str, kind: str) -> None:
        assert updates(event(kind, source=source, properties={"channel": "sms", "key": "k"})).suppression_changes == ()

    @given(
        st.dictionaries(st.sampled_from(["channel", "address", "key", "keys", "opted_out", "confirms"]), json_values)
    )
    def test_no_properties_make_it_raise(self, properties: dict[str, Any]) -> None:
        for kind in ("page.seen", "message.replied", "message.stopped", "address.released", "consent.changed"):
            for source in ("track", "feedback", "preferences", "operators"):
                updates(event(kind, source=source, properties=properties, consent=(denied(EMAIL, MARKETING),)))


class TestProviders:
    def test_a_stop_denies_consent_and_suppresses_the_number(self) -> None:
        found = updates(report("stopped"))

        assert {found.contact.consent(SMS, purpose) for purpose in Purpose} == {ConsentStatus.DENIED}
        assert found.suppression_changes == (SuppressionChange(SMS, Mark(Cause.STOP, MONDAY), NUMBER),)

    def test_a_stop_covers_all_channels_where_policy_says_so(self) -> None:
        found = updates(report("stopped"), policy=replace(ANSWERING, revoke_all=True))

        refused = [found.contact.consent(channel, purpose) for channel in Channel for purpose in Purpose]
        assert set(refused) == {ConsentStatus.DENIED}
        assert [one.channel for one in found.suppression_changes] == [SMS]

    def test_otherwise_a_stop_leaves_other_channels_unchanged(self) -> None:
        assert updates(report("stopped")).contact.consent(EMAIL, TRANSACTIONAL) is None

    def test_a_start_lifts_only_the_stop_of_the_number(self) -> None:
        found = updates(report("started", when=MONDAY + HOUR), updates(report("stopped")).contact)

        assert found.contact.consent(SMS, MARKETING) is ConsentStatus.GRANTED
        assert marks(found) == [(Cause.STOP, True)]

    def test_a_providers_refusal_after_an_opt_out_counts_as_a_stop(self) -> None:
        found = updates(report("failed", opted_out=True))

        assert found.contact.consent(SMS, MARKETING) is ConsentStatus.DENIED
        assert marks(found) == [(Cause.STOP, False)]

    @pytest.mark.parametrize(
        ("kind", "more", "cause"),
        [
            ("bounced", {"bounce_type": "Permanent"}, Cause.HARD_BOUNCE),
            ("complained", {}, Cause.COMPLAINT),
            ("failed", {"complained_before": True}, Cause.COMPLAINT),
            ("failed", {"invalid_number": True}, Cause.INVALID_NUMBER),
        ],
    )
    def test_an_address_that_will_never_work_is_suppressed(self, kind: str, more: dict[str, Any], cause: Cause) -> None:
        assert marks(updates(report(kind, **more))) == [(cause, False)]

    @pytest.mark.parametrize(
        ("kind", "more"),
        [("bounced", {"bounce_type": "Transient"}), ("failed", {}), ("delivered", {}), ("opened", {})],
    )
    def test_a_temporary_failure_suppresses_nothing(self, kind: str, more: dict[str, Any]) -> None:
        found = updates(report(kind, **more))

        assert found.suppression_changes == ()
        assert found.record is None

    def test_a_stop_without_an_address_changes_only_the_consent(self) -> None:
        found = updates(report("stopped", address=None))

        assert found.suppression_changes == ()
        assert found.contact.has_stopped(SMS)

    def test_a_yes_confirms_the_question(self) -> None:
        asked = ConsentChange(SMS, MARKETING, ConsentStatus.PENDING, MONDAY - HOUR, "form", {"wording": "News?"})

        found = updates(report("replied", confirms=True), Contact().after([asked]))

        change = found.contact.change(SMS, MARKETING)
        assert change is not None
        assert (change.status, change.confirmed) == (ConsentStatus.GRANTED, True)

    def test_a_yes_without_a_question_changes_no_consent(self) -> None:
        found = updates(report("replied", confirms=True), Contact())

        assert found.contact.consents == {}

    @pytest.mark.parametrize("kind", ["replied", "stopped", "helped", "started"])
    def test_a_customers_message_updates_the_last_inbound_instant(self, kind: str) -> None:
        assert updates(report(kind, channel="whatsapp"), Contact()).contact.last_inbound == {WHATSAPP: MONDAY}

    def test_a_delivery_receipt_is_no_inbound_message(self) -> None:
        assert updates(report("delivered"), Contact()).contact.last_inbound == {}


class TestAnswers:
    @pytest.mark.parametrize(("kind", "keyword"), [("stopped", "stop"), ("helped", "help"), ("started", "start")])
    def test_a_keyword_is_answered_at_its_own_address(self, kind: str, keyword: str) -> None:
        before = updates(report("stopped", when=MONDAY - MINUTE)).contact if kind == "started" else Contact()

        answer = updates(report(kind), before).answer

        assert answer is not None
        assert (answer.keyword, answer.channel, answer.address) == (keyword, SMS, NUMBER)
        assert answer.time_zone == "Europe/Paris"

    def test_a_second_stop_gets_no_answer(self) -> None:
        after = updates(report("stopped")).contact

        assert updates(report("stopped", when=MONDAY + MINUTE), after).answer is None
        assert updates(report("helped", when=MONDAY + MINUTE), after).answer is not None

    def test_a_start_that_reverses_nothing_gets_no_answer(self) -> None:
        assert updates(report("started"), Contact()).answer is None

    def test_a_stop_older_than_a_start_gets_no_answer(self) -> None:
        stopped = updates(report("stopped", when=MONDAY - 2 * MINUTE), Contact()).contact
        back = updates(report("started", when=MONDAY), stopped).contact

        assert updates(report("stopped", when=MONDAY - MINUTE), back).answer is None

    def test_the_answer_has_the_instant_of_the_customers_message(self) -> None:
        answer = updates(report("stopped", when=MONDAY - MINUTE)).answer

        assert answer is not None
        assert answer.at == MONDAY - MINUTE

    def test_a_keyword_that_the_provider_answered_is_not_answered_again(self) -> None:
        assert updates(report("stopped", opt_out="STOP")).answer is None

    def test_a_keyword_without_an_answer_in_policy_gets_none(self) -> None:
        assert updates(report("helped"), policy=Policy()).answer is None

    @pytest.mark.parametrize(
        "one", [report("replied"), report("failed", opted_out=True), report("stopped", channel="email")]
    )
    def test_only_keywords_are_answered(self, one: Event) -> None:
        assert updates(one).answer is None

    def test_only_a_providers_event_can_cause_an_answer(self) -> None:
        assert updates(report("helped", "track")).answer is None


class TestPages:
    """A customer's choice in the preference centre."""

    def chosen(self, *changes: ConsentChange, **keys: Any) -> ConsentUpdates:
        return updates(event("consent.changed", source="preferences", consent=changes, properties={"keys": keys}))

    def test_an_unsubscription_suppresses_the_address_for_its_purpose(self) -> None:
        found = self.chosen(denied(EMAIL, MARKETING), email="k")

        assert found.suppression_changes == (
            SuppressionChange(EMAIL, Mark(Cause.UNSUBSCRIBE, MONDAY, MARKETING), key="k"),
        )
        assert found.contact.consent(EMAIL, MARKETING) is ConsentStatus.DENIED

    def test_a_subscription_lifts_the_suppression(self) -> None:
        (one,) = self.chosen(granted(EMAIL, MARKETING), email="k").suppression_changes

        assert one.mark == Mark(Cause.UNSUBSCRIBE, MONDAY, MARKETING, lifted=True)

    def test_only_the_address_of_the_link_changes(self) -> None:
        assert self.chosen(denied(SMS, MARKETING), email="k").suppression_changes == ()

    def test_a_pending_change_suppresses_and_lifts_nothing(self) -> None:
        pending = replace(granted(EMAIL, MARKETING), status=ConsentStatus.PENDING)

        assert self.chosen(pending, email="k").suppression_changes == ()


class TestOperators:
    def order(self, kind: str, when: Any = MONDAY) -> ConsentUpdates:
        return updates(event(f"address.{kind}", when, source="operators", properties={"channel": "email", "key": "k"}))

    def test_an_operator_suppresses_an_address(self) -> None:
        assert self.order("suppressed").suppression_changes == (
            SuppressionChange(EMAIL, Mark(Cause.OPERATOR, MONDAY), key="k"),
        )

    @pytest.mark.parametrize("cause", Cause)
    @pytest.mark.parametrize("purpose", [None, *Purpose])
    def test_an_operator_releases_an_address_from_every_cause(self, cause: Cause, purpose: Purpose | None) -> None:
        lifted = [one.mark for one in self.order("released", MONDAY + HOUR).suppression_changes]

        assert current_suppressions([Mark(cause, MONDAY, purpose)]) != ()
        assert current_suppressions([Mark(cause, MONDAY, purpose), *lifted]) == ()


def test_every_change_is_recorded_with_its_source() -> None:
    change = event("profile.imported", source="crm", consent=(granted(EMAIL, MARKETING),))

    found = updates(change)

    assert found.record is not None
    assert (found.record.source, found.record.changes, found.record.suppression_changes) == ("crm", change.consent, ())
    assert updates(event("page.seen")).record is None


def test_the_same_event_always_gives_the_same_record() -> None:
    first, again = updates(report("stopped")), updates(report("stopped"))

    assert first.record is not None
    assert first.record == again.record


# Events of two accounts that share addresses, imports and merges, in any order.


def imported(id_: str, when: Any, *purposes: Purpose) -> Event:
    changes = tuple(
        ConsentChange(channel, purpose, ConsentStatus.GRANTED, when, "crm", {"method": Method.IMPORT.value})
        for channel in (SMS, EMAIL)
        for purpose in purposes
    )
    return event("profile.imported", when, id_=id_, source="crm", consent=changes)


MAIL_KEY = SuppressionChange(EMAIL, Mark(Cause.OPERATOR, MONDAY), MAIL).key_with(KEYS.suppressions)

STORY = (
    imported("import", MONDAY, MARKETING),
    report("stopped", when=MONDAY + HOUR),
    report("started", when=MONDAY + 2 * HOUR),
    report("stopped", when=MONDAY + 3 * HOUR, id_="again"),
    report("complained", when=MONDAY + HOUR, channel="email", address=MAIL),
    report("bounced", when=MONDAY + 4 * HOUR, channel="email", address=MAIL, bounce_type="Permanent"),
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
def test_merges_and_imports_in_any_order_lift_no_suppression(
    story: list[Event], whose: list[bool], merged_after: int
) -> None:
    contacts = {True: Contact(), False: Contact()}
    registry: dict[str, set[str]] = defaultdict(set)

    for position, (one, side) in enumerate(zip(story, whose, strict=True)):
        if position == merged_after:
            contacts = dict.fromkeys(contacts, contacts[True].absorbing(contacts[False]))
        contacts[side] = apply_to(registry, contacts[side], one)
        if position >= merged_after:
            contacts = dict.fromkeys(contacts, contacts[side])

    for contact in contacts.values():
        for channel, address in ((SMS, NUMBER), (EMAIL, MAIL)):
            verdict = gate_of(contact, registry, channel, address)
            assert isinstance(verdict, Suppress)
            assert verdict.reason in {Reason.OPTED_OUT, Reason.SUPPRESSED_ADDRESS}
    assert registry == registry_of(STORY)


def apply_to(registry: dict[str, set[str]], contact: Contact, one: Event) -> Contact:
    found = consent_updates(contact, one, ANSWERING, "UTC")
    for each in found.suppression_changes:
        registry[each.key_with(KEYS.suppressions)].add(each.mark.to_wire())
    return found.contact


def registry_of(story: Iterable[Event]) -> dict[str, set[str]]:
    registry: dict[str, set[str]] = defaultdict(set)
    for one in story:
        apply_to(registry, Contact(), one)
    return registry


def gate_of(contact: Contact, registry: dict[str, set[str]], channel: Channel, address: str) -> Any:
    key = SuppressionChange(channel, Mark(Cause.STOP, MONDAY), address).key_with(KEYS.suppressions)
    known = {channel: current_suppressions(map(Mark.from_wire, registry[key]))}
    wanted = message(channels=(channel,), addresses={channel: address}, decided_at=MONDAY + 10 * HOUR)
    return decide(wanted, replace(contact, suppressed=known), {}, GateSettings(), MONDAY + 10 * HOUR)


def statements(one: Event, contact: Contact) -> list[ConsentChange]:
    record = updates(one, contact).record
    return [change for change in record.changes if isinstance(change, ConsentChange)] if record else []


class TestProof:
    """A statement is recorded where it changes the consent or its proof."""

    FORM = ConsentChange(SMS, MARKETING, ConsentStatus.GRANTED, MONDAY, "form", {"wording": "Yes", "version": 1})
    GIVEN = Contact().after([FORM])

    def said(self, **more: Any) -> Event:
        change = replace(self.FORM, at=MONDAY + HOUR, **more)
        return event("profile.changed", MONDAY + HOUR, consent=(change,))

    def test_what_is_reported_again_word_for_word_is_no_further_record(self) -> None:
        again = updates(self.said(), self.GIVEN)

        assert again.record is None
        assert again.contact.consents["sms:marketing"].at == MONDAY + HOUR, "so that events may come in any order"

    @pytest.mark.parametrize(
        "more",
        [
            {"evidence": {"wording": "Yes, please", "version": 1}},
            {"evidence": {"wording": "Yes", "version": 2}},
            {"evidence": {"wording": "Yes", "version": 1, "ip": "192.0.2.1"}},
            {"source": "shop"},
            {"status": ConsentStatus.DENIED},
            {"status": ConsentStatus.PENDING},
            {"purpose": TRANSACTIONAL},
            {"channel": EMAIL},
        ],
    )
    def test_another_proof_is(self, more: dict[str, Any]) -> None:
        assert len(statements(self.said(**more), self.GIVEN)) == 1

    def test_what_the_customer_does_on_a_page_is_recorded_each_time(self) -> None:
        page = replace(self.said(), source="preferences")

        assert len(statements(page, self.GIVEN)) == 1

    def test_a_denial_that_comes_late_is_recorded_with_the_repetition_that_stays(self) -> None:
        repeated = updates(self.said(), self.GIVEN).contact
        late = event("form.sent", MONDAY + 2 * HOUR, consent=(denied(SMS, MARKETING, MONDAY + HOUR / 2),))

        found = statements(late, repeated)

        assert [(one.status, one.at) for one in found] == [
            (ConsentStatus.DENIED, MONDAY + HOUR / 2),
            (ConsentStatus.GRANTED, MONDAY + HOUR),
        ]

    def test_the_same_statement_after_a_denial_is_a_new_one(self) -> None:
        denied_since = self.GIVEN.after([denied(SMS, MARKETING, MONDAY + HOUR / 2)])

        assert [one.status for one in statements(self.said(), denied_since)] == [ConsentStatus.GRANTED]


said_when = st.builds(
    lambda status, hours, wording: ConsentChange(
        SMS, MARKETING, status, MONDAY + hours * HOUR, "form", {"wording": wording}
    ),
    st.sampled_from([ConsentStatus.GRANTED, ConsentStatus.DENIED, ConsentStatus.PENDING]),
    st.integers(0, 6),
    st.sampled_from(["a", "b"]),
)


@given(st.lists(said_when, max_size=8), st.permutations(range(8)))
def test_the_records_together_give_the_consent_whatever_was_left_out_and_in_any_order(
    changes: list[ConsentChange], order: list[int]
) -> None:
    contact, other, records = Contact(), Contact(), list[ConsentChange]()
    for number, change in enumerate(changes):
        one = event("profile.changed", change.at, id_=str(number), consent=(change,))
        records += statements(one, contact)
        contact = updates(one, contact).contact
    for number in (one for one in order if one < len(changes)):
        other = other.after([changes[number]])

    assert contact.consents == other.consents
    proven = Contact().after(records)
    assert proven.consent(SMS, MARKETING) == contact.consent(SMS, MARKETING)
