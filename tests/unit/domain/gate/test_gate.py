"""The gate, case by case: who may get a message, when, and the reason of the verdict."""

from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import Any

import pytest

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method
from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.gate import ANSWER_WITHIN, ORDER_RECHECK, OVERDUE, REVIEW_RECHECK, decide
from cairn.domain.gate.reasons import Answer, NoAddress
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer, Send, Suppress, Verdict
from cairn.domain.message.message import Approval, Jurisdiction, Message, Review, Terms
from cairn.domain.operations.pauses import Pause, PausePolicy
from cairn.domain.policy import EVERYWHERE, Cap, Closed, Cooldown, Forbidden, Hours, Policy, ReviewRule
from cairn.domain.shared.channels import WHATSAPP_SESSION, Channel, Purpose
from tests.unit.makers import MONDAY, at, denied, granted, message

EMAIL, SMS, WHATSAPP, PUSH = Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.PUSH
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

ADDRESSES = {
    EMAIL: "ada@example.com",
    SMS: "+14155550123",
    WHATSAPP: "+14155550123",
    PUSH: "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/app/ada",
}

NIGHT = Hours(jurisdiction=EVERYWHERE, start=time(9), end=time(21), source="a law")
BY_NIGHT, MORNING = at("2026-03-02 23:00"), at("2026-03-03 09:00")

NEWS = message(id="news", purpose=MARKETING, addresses=ADDRESSES)
AGREED = Contact().after([granted(EMAIL, MARKETING)])


def consent(channel: Channel, purpose: Purpose, status: ConsentStatus, method: Method) -> ConsentChange:
    return ConsentChange(channel, purpose, status, MONDAY, "form", {"method": method.value})


def suppressed(channel: Channel, cause: Cause = Cause.HARD_BOUNCE, purpose: Purpose | None = None) -> Contact:
    return Contact(suppressed={channel: (Suppression(cause, MONDAY, purpose),)})


def deferral(
    until: Any, reason: Reason = Reason.QUIET_HOURS, *, decided_at: Any = MONDAY, order_no: int = 0
) -> Deferral:
    return Deferral(until, reason, "enr", decided_at, order_no)


def verdict(candidate: Message, contact: Contact = AGREED, now: Any = MONDAY, **settings: Any) -> Verdict:
    return decide(candidate, contact, contact.claims, GateSettings(**settings), now)


@dataclass(frozen=True)
class Case:
    why: Reason
    channel: Channel = EMAIL
    purpose: Purpose = TRANSACTIONAL
    consents: tuple[ConsentChange, ...] = ()
    contact: Contact = field(default_factory=Contact)
    settings: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    reachable: bool = True


def off(*targets: str) -> dict[str, Any]:
    return {"stopped": frozenset(targets)}


CASES = {
    "a receipt by e-mail needs no consent": Case(Reason.IMPLIED),
    "a ticket by SMS needs no consent": Case(Reason.IMPLIED, SMS),
    "a ticket by push needs no consent": Case(Reason.IMPLIED, PUSH),
    "WhatsApp always needs consent": Case(Reason.NO_CONSENT, WHATSAPP),
    "consent on WhatsApp, within the session": Case(
        Reason.GRANTED,
        WHATSAPP,
        consents=(granted(WHATSAPP, TRANSACTIONAL),),
        contact=Contact(last_inbound={WHATSAPP: MONDAY}),
    ),
    "consent on WhatsApp, without a session": Case(
        Reason.SESSION_OVER, WHATSAPP, consents=(granted(WHATSAPP, TRANSACTIONAL),)
    ),
    "consent on WhatsApp, after the session": Case(
        Reason.SESSION_OVER,
        WHATSAPP,
        consents=(granted(WHATSAPP, TRANSACTIONAL),),
        contact=Contact(last_inbound={WHATSAPP: MONDAY - WHATSAPP_SESSION}),
    ),
    "consent on WhatsApp, a session on another channel": Case(
        Reason.SESSION_OVER,
        WHATSAPP,
        consents=(granted(WHATSAPP, TRANSACTIONAL),),
        contact=Contact(last_inbound={SMS: MONDAY}),
    ),
    "a template that WhatsApp approved, without a session": Case(
        Reason.GRANTED,
        WHATSAPP,
        consents=(granted(WHATSAPP, TRANSACTIONAL),),
        changes={"terms": Terms(registered={WHATSAPP: {"whatsapp_template": "ticket"}})},
    ),
    "news by e-mail needs consent": Case(Reason.NO_CONSENT, EMAIL, MARKETING),
    "news by SMS needs consent": Case(Reason.NO_CONSENT, SMS, MARKETING),
    "news by WhatsApp needs consent": Case(Reason.NO_CONSENT, WHATSAPP, MARKETING),
    "news by push needs consent": Case(Reason.NO_CONSENT, PUSH, MARKETING),
    "consent to news": Case(Reason.GRANTED, EMAIL, MARKETING, consents=(granted(EMAIL, MARKETING),)),
    "consent to news on another channel": Case(
        Reason.NO_CONSENT, EMAIL, MARKETING, consents=(granted(SMS, MARKETING),)
    ),
    "consent to receipts only": Case(Reason.NO_CONSENT, EMAIL, MARKETING, consents=(granted(EMAIL, TRANSACTIONAL),)),
    "opted out of news": Case(Reason.OPTED_OUT, EMAIL, MARKETING, consents=(denied(EMAIL, MARKETING),)),
    "opted out of receipts": Case(Reason.OPTED_OUT, EMAIL, TRANSACTIONAL, consents=(denied(EMAIL, TRANSACTIONAL),)),
    "opted out of news, a receipt": Case(Reason.IMPLIED, EMAIL, TRANSACTIONAL, consents=(denied(EMAIL, MARKETING),)),
    "confirmation request not answered": Case(
        Reason.UNCONFIRMED, consents=(consent(EMAIL, MARKETING, ConsentStatus.PENDING, Method.API),), purpose=MARKETING
    ),
    "confirmation request not answered, a receipt": Case(
        Reason.IMPLIED, consents=(consent(EMAIL, TRANSACTIONAL, ConsentStatus.PENDING, Method.API),)
    ),
    "opted out, then a confirmation request not answered": Case(
        Reason.UNCONFIRMED,
        consents=(
            denied(EMAIL, TRANSACTIONAL),
            replace(consent(EMAIL, TRANSACTIONAL, ConsentStatus.PENDING, Method.API), at=MONDAY + timedelta(hours=1)),
        ),
    ),
    "single opt-in where the policy asks for double opt-in": Case(
        Reason.UNCONFIRMED,
        purpose=MARKETING,
        consents=(consent(EMAIL, MARKETING, ConsentStatus.GRANTED, Method.SINGLE_OPT_IN),),
        settings={"policy": Policy(double_opt_in=frozenset({EMAIL}))},
    ),
    "double opt-in where the policy asks for it": Case(
        Reason.GRANTED,
        purpose=MARKETING,
        consents=(consent(EMAIL, MARKETING, ConsentStatus.GRANTED, Method.DOUBLE_OPT_IN),),
        settings={"policy": Policy(double_opt_in=frozenset({EMAIL}))},
    ),
    "single opt-in where another channel needs double opt-in": Case(
        Reason.GRANTED,
        purpose=MARKETING,
        consents=(consent(EMAIL, MARKETING, ConsentStatus.GRANTED, Method.SINGLE_OPT_IN),),
        settings={"policy": Policy(double_opt_in=frozenset({SMS}))},
    ),
    "a suppressed address": Case(Reason.SUPPRESSED_ADDRESS, contact=suppressed(EMAIL)),
    "a suppressed address with consent": Case(
        Reason.SUPPRESSED_ADDRESS, EMAIL, MARKETING, consents=(granted(EMAIL, MARKETING),), contact=suppressed(EMAIL)
    ),
    "an address that complained": Case(Reason.SUPPRESSED_ADDRESS, contact=suppressed(EMAIL, Cause.COMPLAINT)),
    "an address that an operator suppressed": Case(
        Reason.SUPPRESSED_ADDRESS, contact=suppressed(EMAIL, Cause.OPERATOR)
    ),
    "an invalid phone number": Case(Reason.SUPPRESSED_ADDRESS, SMS, contact=suppressed(SMS, Cause.INVALID_NUMBER)),
    "a number that said STOP": Case(Reason.OPTED_OUT, SMS, contact=suppressed(SMS, Cause.STOP)),
    "an address that unsubscribed from news": Case(
        Reason.OPTED_OUT,
        purpose=MARKETING,
        consents=(granted(EMAIL, MARKETING),),
        contact=suppressed(EMAIL, Cause.UNSUBSCRIBE, MARKETING),
    ),
    "an address that unsubscribed from news, a receipt": Case(
        Reason.IMPLIED, contact=suppressed(EMAIL, Cause.UNSUBSCRIBE, MARKETING)
    ),
    "another address is suppressed": Case(Reason.IMPLIED, contact=suppressed(SMS)),
    "no address": Case(Reason.NO_ADDRESS, reachable=False),
    "a channel that is forbidden in the country": Case(
        Reason.FORBIDDEN,
        WHATSAPP,
        MARKETING,
        consents=(granted(WHATSAPP, MARKETING),),
        settings={
            "policy": Policy(forbidden=(Forbidden(channel=WHATSAPP, purpose=MARKETING, country="US", source="Meta"),))
        },
        changes={"jurisdiction": Jurisdiction(countries={WHATSAPP: "US"})},
    ),
    "an unregistered template where registration is required": Case(
        Reason.UNREGISTERED,
        SMS,
        settings={"policy": Policy(countries_needing_registration={SMS: frozenset({"IN"})}, dlt_entity="1")},
        changes={"jurisdiction": Jurisdiction(countries={SMS: "IN"})},
    ),
    "an unregistered business where registration is required": Case(
        Reason.UNREGISTERED,
        SMS,
        settings={"policy": Policy(countries_needing_registration={SMS: frozenset({"IN"})})},
        changes={
            "jurisdiction": Jurisdiction(countries={SMS: "IN"}),
            "terms": Terms(registered={SMS: {"dlt_template": "7"}}),
        },
    ),
    "a registered template where registration is required": Case(
        Reason.IMPLIED,
        SMS,
        settings={"policy": Policy(countries_needing_registration={SMS: frozenset({"IN"})}, dlt_entity="1")},
        changes={
            "jurisdiction": Jurisdiction(countries={SMS: "IN"}),
            "terms": Terms(registered={SMS: {"dlt_template": "7"}}),
        },
    ),
    "everything is switched off": Case(Reason.KILL_SWITCH, settings=off("all")),
    "e-mail is switched off": Case(Reason.KILL_SWITCH, settings=off("channel:email")),
    "the journey is switched off": Case(Reason.KILL_SWITCH, settings=off("journey:visit")),
    "the template is switched off": Case(Reason.KILL_SWITCH, settings=off("template:visit/confirm")),
    "the country is switched off": Case(
        Reason.KILL_SWITCH, settings=off("country:US"), changes={"jurisdiction": Jurisdiction(countries={EMAIL: "US"})}
    ),
    "something else is switched off": Case(
        Reason.IMPLIED,
        settings=off("channel:sms", "journey:other", "template:visit/other", "country:US", "template:other/confirm"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_whether_a_message_may_go_out(case: Case) -> None:
    candidate = message(channels=(case.channel,), purpose=case.purpose, addresses=ADDRESSES if case.reachable else {})

    decided = verdict(replace(candidate, **case.changes), case.contact.after(case.consents), **case.settings)

    assert not isinstance(decided, Defer)
    assert decided.reason is case.why
    assert isinstance(decided, Send) == (case.why in {Reason.GRANTED, Reason.IMPLIED})
    if isinstance(decided, Send):
        assert (decided.channel, decided.address) == (case.channel, ADDRESSES[case.channel])


class TestChannels:
    def test_without_consent_for_push_it_is_sent_by_email(self) -> None:
        candidate = replace(NEWS, channels=(PUSH, EMAIL))

        by_mail = verdict(candidate)
        by_push = verdict(candidate, AGREED.after([granted(PUSH, MARKETING)]))

        assert isinstance(by_mail, Send)
        assert isinstance(by_push, Send)
        assert (by_mail.channel, by_mail.address) == (EMAIL, "ada@example.com")
        assert (by_push.channel, by_push.address) == (PUSH, ADDRESSES[PUSH])

    def test_the_reason_is_that_of_the_first_channel_with_an_address(self) -> None:
        addresses = {EMAIL: "ada@example.com", SMS: "+1"}
        candidate = replace(NEWS, channels=(PUSH, EMAIL, SMS), addresses=addresses)
        refused = Contact().after([denied(EMAIL, MARKETING)])

        assert verdict(candidate, refused).reason is Reason.OPTED_OUT
        assert verdict(replace(candidate, addresses={}), refused).reason is Reason.NO_ADDRESS

    def test_a_message_without_a_channel_has_no_address(self) -> None:
        assert verdict(replace(NEWS, channels=())) == Suppress(NoAddress())

    def test_a_channel_that_must_wait_is_not_replaced_by_the_next_one(self) -> None:
        candidate = replace(NEWS, channels=(SMS, EMAIL))
        quiet = Policy(hours=(replace(NIGHT, channels=frozenset({SMS})),))
        both = AGREED.after([granted(SMS, MARKETING)])

        decided = verdict(replace(candidate, decided_at=BY_NIGHT), both, BY_NIGHT, policy=quiet)

        assert decided.reason is Reason.QUIET_HOURS


class TestHours:
    POLICY = Policy(hours=(NIGHT,))
    LATE = replace(NEWS, decided_at=BY_NIGHT)

    def test_a_message_decided_at_night_goes_out_in_the_morning(self) -> None:
        decided = verdict(self.LATE, now=BY_NIGHT, policy=self.POLICY)

        assert isinstance(decided, Defer)
        assert (decided.until, decided.reason) == (MORNING, Reason.QUIET_HOURS)
        assert (decided.why["zone"], decided.why["source"]) == ("UTC", "a law")
        assert isinstance(verdict(self.LATE, now=MORNING, policy=self.POLICY), Send)

    def test_a_receipt_is_not_marketing(self) -> None:
        assert isinstance(verdict(replace(self.LATE, purpose=TRANSACTIONAL), now=BY_NIGHT, policy=self.POLICY), Send)

    def test_every_possible_zone_of_the_number_must_be_open(self) -> None:
        where = Jurisdiction(zones=("America/New_York", "Pacific/Honolulu"))
        candidate = replace(self.LATE, decided_at=at("2026-03-03 14:00"), jurisdiction=where)

        decided = verdict(candidate, now=at("2026-03-03 14:00"), policy=self.POLICY)  # nine in New York

        assert isinstance(decided, Defer)
        assert decided.until == at("2026-03-03 19:00")  # nine in Honolulu

    def test_hours_that_never_open_leave_no_instant(self) -> None:
        shut = replace(NIGHT, days=frozenset())

        assert verdict(NEWS, policy=Policy(hours=(shut,))).reason is Reason.NO_LEGAL_HOUR

    def test_a_message_deferred_by_another_rule_until_no_hour_is_legal_is_dropped_at_once(self) -> None:
        weeks = frozenset(MONDAY.date() + ahead * DAY for ahead in range(1, 30))
        closed = Closed(jurisdiction=EVERYWHERE, dates=weeks, source="a law")
        written = replace(AGREED, claims={"other": Claim(MONDAY - HOUR, MARKETING, EMAIL, "visit")})

        decided = verdict(NEWS, written, policy=Policy(closed=(closed,), cooldowns=(Cooldown(length=DAY),)))

        assert isinstance(decided, Suppress)
        assert (decided.reason, decided.why["source"]) == (Reason.NO_LEGAL_HOUR, "a law")
        assert isinstance(verdict(NEWS, policy=Policy(closed=(closed,))), Send), "today is legal"


def test_a_message_of_a_journey_that_an_event_ended_is_dropped() -> None:
    assert verdict(replace(NEWS, journey_ended=True)).reason is Reason.ENDED


class TestStale:
    def test_a_stale_message_is_dropped(self) -> None:
        candidate = replace(NEWS, terms=Terms(useful_for=HOUR))

        assert isinstance(verdict(candidate, now=MONDAY + HOUR), Send)
        assert verdict(candidate, now=MONDAY + HOUR + MINUTE).reason is Reason.STALE

    def test_a_message_that_would_wait_until_it_is_stale_is_dropped_at_once(self) -> None:
        candidate = replace(NEWS, decided_at=BY_NIGHT, terms=Terms(useful_for=HOUR))

        decided = verdict(candidate, now=BY_NIGHT, policy=Policy(hours=(NIGHT,)))

        assert isinstance(decided, Suppress)
        assert (decided.reason, decided.why["because"]) == (Reason.STALE, "quiet_hours")

    def test_no_message_waits_longer_than_the_policy_allows(self) -> None:
        decided = verdict(NEWS, now=MONDAY + 3 * DAY, policy=Policy(max_hold=2 * DAY))

        assert decided.reason is Reason.STALE


class TestLimits:
    def sent(self, *when: Any) -> Contact:
        claims = {f"m-{number}": Claim(one, MARKETING, EMAIL, "visit") for number, one in enumerate(when)}
        return replace(AGREED, claims=claims)

    def test_above_the_cap_a_message_waits_until_the_cap_allows_it(self) -> None:
        policy = Policy(caps=(Cap(limit=2, window=DAY),))
        full = self.sent(MONDAY - 5 * HOUR, MONDAY - HOUR)

        decided = verdict(NEWS, full, policy=policy)

        assert isinstance(decided, Defer)
        assert (decided.until, decided.reason) == (MONDAY + 19 * HOUR, Reason.CAP)
        assert isinstance(verdict(NEWS, full, MONDAY + 19 * HOUR, policy=policy), Send)

    @pytest.mark.parametrize(
        ("one", "until"),
        [
            (NEWS, "2026-03-03 08:00-05:00"),
            (replace(NEWS, purpose=TRANSACTIONAL), "2026-03-03 00:00-05:00"),
            (replace(NEWS, terms=Terms(useful_for=20 * HOUR)), "2026-03-03 00:00-05:00"),
        ],
        ids=["marketing", "transactional", "of no use in the morning"],
    )
    def test_a_cap_of_the_day_ends_at_midnight_and_marketing_goes_out_in_the_morning(
        self, one: Message, until: str
    ) -> None:
        policy = Policy(caps=(Cap(limit=1, window="day", purposes=frozenset({MARKETING, TRANSACTIONAL})),))

        decided = verdict(replace(one, time_zone="America/New_York"), self.sent(MONDAY - HOUR), policy=policy)

        assert isinstance(decided, Defer)
        assert decided.until == at(until)

    def test_a_message_waits_for_the_cooldown(self) -> None:
        policy = Policy(cooldowns=(Cooldown(length=4 * HOUR),))

        decided = verdict(NEWS, self.sent(MONDAY - HOUR), policy=policy)

        assert isinstance(decided, Defer)
        assert (decided.until, decided.reason) == (MONDAY + 3 * HOUR, Reason.COOLDOWN)

    def test_its_own_claim_is_not_counted(self) -> None:
        policy = Policy(caps=(Cap(limit=1, window=DAY),))
        taken_over = replace(AGREED, claims={NEWS.id: Claim(MONDAY, MARKETING, EMAIL, "visit")})

        assert isinstance(verdict(NEWS, taken_over, MONDAY + HOUR, policy=policy), Send)

    def test_a_message_waits_for_the_first_instant_that_every_rule_allows(self) -> None:
        policy = Policy(caps=(Cap(limit=1, window=DAY),), hours=(NIGHT,))
        full = self.sent(MONDAY - 13 * HOUR)  # so that there is room again at 21:00, when the night begins

        decided = verdict(NEWS, full, policy=policy)

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until) == (Reason.CAP, MORNING)


class TestPreferredHour:
    def candidate(self, preferred: str, **more: Any) -> Message:
        variables = {"profile": {"preferred_time": preferred}}
        return replace(NEWS, terms=Terms(preferred_hour=True), variables=variables, **more)

    def test_after_a_cap_of_the_day_it_is_the_customer_s_morning(self) -> None:
        policy = Policy(caps=(Cap(limit=1, window="day"),))
        sent = replace(AGREED, claims={"earlier": Claim(at("2026-03-02 07:00-05:00"), MARKETING, EMAIL, "visit")})
        one = self.candidate("07:00", time_zone="America/New_York")

        decided = verdict(one, sent, at("2026-03-02 07:30-05:00"), policy=policy)

        assert isinstance(decided, Defer)
        assert decided.until == at("2026-03-03 07:00-05:00")

    def test_it_waits_for_the_hour_that_the_customer_prefers(self) -> None:
        decided = verdict(self.candidate("18:30", time_zone="America/New_York"))

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until) == (Reason.PREFERRED_HOUR, at("2026-03-02 18:30-05:00"))

    @pytest.mark.parametrize("minutes", [0, 59])
    def test_within_the_hour_it_goes_out(self, minutes: int) -> None:
        assert isinstance(verdict(self.candidate("10:00"), now=MONDAY + minutes * MINUTE), Send)

    def test_after_the_hour_it_waits_for_the_next_day(self) -> None:
        decided = verdict(self.candidate("10:00"), now=MONDAY + HOUR)

        assert isinstance(decided, Defer)
        assert decided.until == MONDAY + DAY

    @pytest.mark.parametrize("preferred", ["", "soon", None, 7, "25:00"])
    def test_an_invalid_time_of_day_is_no_preference(self, preferred: Any) -> None:
        assert isinstance(verdict(self.candidate(preferred)), Send)

    def test_a_step_without_the_preferred_hour_does_not_wait(self) -> None:
        assert isinstance(verdict(replace(self.candidate("18:30"), terms=Terms())), Send)

    def test_an_hour_that_the_law_closes_every_day_is_not_waited_for(self) -> None:
        night_owl = self.candidate("23:30", decided_at=BY_NIGHT)

        decided = verdict(night_owl, now=BY_NIGHT, policy=Policy(hours=(NIGHT,)))

        assert isinstance(decided, Defer)
        assert decided.until == MORNING
        assert isinstance(verdict(night_owl, now=MORNING, policy=Policy(hours=(NIGHT,))), Send)

    def test_an_hour_that_begins_before_legal_hours_is_met_in_its_legal_part(self) -> None:
        early = self.candidate("08:30")

        decided = verdict(early, now=MONDAY, policy=Policy(hours=(NIGHT,)))

        assert isinstance(decided, Defer)
        assert decided.until == MORNING


class TestOrder:
    """Messages of an enrollment go out in order."""

    FIRST = replace(NEWS, id="first")
    SECOND = replace(NEWS, id="second", decided_at=MONDAY + MINUTE)

    def behind(self, *waiting: tuple[str, Deferral]) -> Contact:
        return replace(AGREED, deferrals=dict(waiting))

    def test_a_message_waits_behind_an_earlier_deferred_one(self) -> None:
        now = MONDAY + MINUTE

        decided = verdict(self.SECOND, self.behind(("first", deferral(MONDAY + HOUR))), now)

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until) == (Reason.ORDER, MONDAY + HOUR + ORDER_RECHECK)
        assert decided.why == {"behind": "first"}

    def test_the_earlier_one_does_not_wait_for_the_later(self) -> None:
        contact = self.behind(("second", deferral(MONDAY + HOUR, decided_at=MONDAY + MINUTE)))

        assert isinstance(verdict(self.FIRST, contact), Send)

    def test_two_messages_of_one_commit_keep_their_order(self) -> None:
        second = replace(self.FIRST, id="second", position=1)

        assert verdict(second, self.behind(("first", deferral(MONDAY + HOUR)))).reason is Reason.ORDER
        assert isinstance(verdict(self.FIRST, self.behind(("second", deferral(MONDAY + HOUR, order_no=1)))), Send)

    def test_messages_of_another_enrollment_do_not_wait(self) -> None:
        elsewhere = replace(self.SECOND, enrollment="another")

        assert isinstance(verdict(elsewhere, self.behind(("first", deferral(MONDAY + HOUR)))), Send)

    def test_behind_a_message_that_waits_for_a_person_it_is_checked_regularly(self) -> None:
        decided = verdict(self.SECOND, self.behind(("first", deferral(None, Reason.PAUSED))))

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until) == (Reason.ORDER, MONDAY + REVIEW_RECHECK)

    def test_with_several_earlier_messages_it_waits_for_the_last(self) -> None:
        contact = self.behind(
            ("first", deferral(MONDAY + HOUR)),
            ("nearer", deferral(MONDAY + 2 * HOUR, decided_at=MONDAY + 2 * timedelta(seconds=1))),
            ("another", deferral(MONDAY + MINUTE, decided_at=MONDAY + timedelta(seconds=1))),
        )

        decided = verdict(self.SECOND, contact)

        assert isinstance(decided, Defer)
        assert decided.until == MONDAY + 2 * HOUR + ORDER_RECHECK

    def test_a_message_that_is_overdue_by_a_day_blocks_no_other(self) -> None:
        contact = self.behind(("first", deferral(MONDAY)))

        assert verdict(self.SECOND, contact, MONDAY + OVERDUE - MINUTE).reason is Reason.ORDER
        assert isinstance(verdict(self.SECOND, contact, MONDAY + OVERDUE), Send)

    def test_a_message_is_dropped_if_it_is_useless_before_the_earlier_one_goes(self) -> None:
        hasty = replace(self.SECOND, terms=Terms(useful_for=30 * MINUTE))

        decided = verdict(hasty, self.behind(("first", deferral(MONDAY + HOUR))))

        assert isinstance(decided, Suppress)
        assert (decided.reason, decided.why["because"]) == (Reason.STALE, "order")

    def test_a_person_may_still_act_in_time(self) -> None:
        hasty = replace(self.SECOND, terms=Terms(useful_for=30 * MINUTE))
        contact = self.behind(("first", deferral(MONDAY + 24 * HOUR, Reason.REVIEW)))

        decided = verdict(hasty, contact)

        assert isinstance(decided, Defer)
        assert decided.until == hasty.decided_at + 30 * MINUTE
        assert verdict(self.SECOND, contact).until == MONDAY + REVIEW_RECHECK

    def test_no_receipt_waits_behind_an_offer(self) -> None:
        receipt = replace(self.SECOND, purpose=Purpose.TRANSACTIONAL)
        offer = ("first", deferral(MONDAY + HOUR))
        ticket = ("ticket", replace(deferral(MONDAY + HOUR), purpose=Purpose.TRANSACTIONAL))

        assert isinstance(verdict(receipt, self.behind(offer)), Send)
        assert verdict(receipt, self.behind(ticket)).reason is Reason.ORDER

    def test_an_overdue_message_is_not_checked_every_minute(self) -> None:
        decided = verdict(self.SECOND, self.behind(("first", deferral(MONDAY))), MONDAY + HOUR)

        assert isinstance(decided, Defer)
        assert decided.until == MONDAY + HOUR + REVIEW_RECHECK


class TestReview:
    ASKED = replace(NEWS, terms=Terms(review=Review("billing", 4 * HOUR)))
    SENT_ANYWAY = replace(NEWS, terms=Terms(review=Review("billing", 4 * HOUR, "send")))

    def test_it_waits_for_a_person(self) -> None:
        decided = verdict(self.ASKED)

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until) == (Reason.REVIEW, MONDAY + 4 * HOUR)
        assert (decided.why["queue"], decided.why["channel"]) == ("billing", "email")

    def test_approved_it_goes_out(self) -> None:
        approved = replace(self.ASKED, approval=Approval(granted=True, by="eve", at=MONDAY))

        assert isinstance(verdict(approved, now=MONDAY + HOUR), Send)

    def test_approved_by_night_it_still_waits_for_the_morning(self) -> None:
        approved = replace(self.ASKED, decided_at=BY_NIGHT, approval=Approval(granted=True, by="eve", at=BY_NIGHT))

        assert verdict(approved, now=BY_NIGHT, policy=Policy(hours=(NIGHT,))).reason is Reason.QUIET_HOURS

    def test_rejected_it_never_goes_out(self) -> None:
        rejected = replace(self.ASKED, approval=Approval(granted=False, by="eve", at=MONDAY))

        decided = verdict(rejected)

        assert isinstance(decided, Suppress)
        assert (decided.reason, decided.why["by"]) == (Reason.REJECTED, "eve")

    def test_without_a_decision_in_time_it_is_dropped_or_sent_as_the_step_says(self) -> None:
        deadline = MONDAY + 4 * HOUR

        assert verdict(self.ASKED, now=deadline).reason is Reason.UNREVIEWED
        assert isinstance(verdict(self.SENT_ANYWAY, now=deadline), Send)
        assert verdict(self.SENT_ANYWAY, now=deadline - MINUTE).reason is Reason.REVIEW

    def test_the_deadline_of_the_review_is_not_moved_by_quiet_hours(self) -> None:
        late = at("2026-03-02 19:00")
        candidate = replace(self.SENT_ANYWAY, decided_at=late)

        decided = verdict(candidate, now=late, policy=Policy(hours=(NIGHT,)))

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until) == (Reason.REVIEW, BY_NIGHT)

    @pytest.mark.parametrize("candidate", [ASKED, SENT_ANYWAY])
    def test_a_review_ends_when_the_message_becomes_stale(self, candidate: Message) -> None:
        hasty = replace(candidate, terms=replace(candidate.terms, useful_for=HOUR))

        decided = verdict(hasty)

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until) == (Reason.REVIEW, MONDAY + HOUR)
        assert isinstance(verdict(hasty, now=MONDAY + HOUR), Suppress | Send)
        assert verdict(hasty, now=MONDAY + HOUR + MINUTE).reason is Reason.STALE

    def test_the_policy_asks_for_reviews_too(self) -> None:
        by_step = ReviewRule(queue="a", within=HOUR, otherwise="drop", steps=frozenset({"visit/confirm"}))
        by_template = ReviewRule(queue="b", within=HOUR, otherwise="drop", templates=frozenset({"visit/confirm"}))
        of_vips = ReviewRule(queue="c", within=HOUR, otherwise="drop", when="profile.vip")
        vip = replace(NEWS, variables={"profile": {"vip": True}})

        assert verdict(NEWS, policy=Policy(reviews=(by_step,))).why["queue"] == "a"
        assert verdict(NEWS, policy=Policy(reviews=(by_template,))).why["queue"] == "b"
        assert verdict(vip, policy=Policy(reviews=(of_vips,))).why["queue"] == "c"
        assert isinstance(verdict(NEWS, policy=Policy(reviews=(of_vips,))), Send)
        assert isinstance(verdict(replace(NEWS, journey="other"), policy=Policy(reviews=(by_step,))), Send)
        assert verdict(self.ASKED, policy=Policy(reviews=(by_step,))).why["queue"] == "billing"

    def test_a_message_without_consent_needs_no_review(self) -> None:
        assert verdict(self.ASKED, Contact()).reason is Reason.NO_CONSENT


class TestPauses:
    def paused(self, until: Any = None, policy: PausePolicy = PausePolicy.KEEP, target: str = "journey:visit") -> Any:
        return (Pause(target, MONDAY - HOUR, until, policy, HOUR),)

    @pytest.mark.parametrize(
        "target", ["all", "journey:visit", "template:visit/confirm", "channel:email", "country:US"]
    )
    def test_a_paused_message_waits_until_an_operator_resumes_it(self, target: str) -> None:
        candidate = replace(NEWS, jurisdiction=Jurisdiction(countries={EMAIL: "US"}))

        decided = verdict(candidate, pauses=self.paused(target=target))

        assert isinstance(decided, Defer)
        assert (decided.reason, decided.until, decided.paused_target) == (Reason.PAUSED, None, target)

    def test_a_pause_of_another_target_has_no_effect(self) -> None:
        assert isinstance(verdict(NEWS, pauses=self.paused(target="journey:other")), Send)

    def test_after_resuming_it_goes_out(self) -> None:
        contact = replace(AGREED, deferrals={NEWS.id: deferral(None, Reason.PAUSED)})

        assert isinstance(verdict(NEWS, contact, MONDAY + HOUR, pauses=self.paused(MONDAY + HOUR)), Send)

    def test_skip_if_late_drops_it(self) -> None:
        over = self.paused(MONDAY + HOUR, PausePolicy.SKIP_IF_LATE)

        assert verdict(NEWS, now=MONDAY + HOUR, pauses=over).reason is Reason.LATE

    def test_with_spread_it_waits_for_its_own_instant_in_the_window(self) -> None:
        over = self.paused(MONDAY, PausePolicy.SPREAD)
        candidate = replace(NEWS, decided_at=MONDAY - MINUTE)

        decided = verdict(candidate, pauses=over)

        assert isinstance(decided, Defer)
        assert decided.reason is Reason.PAUSED
        assert decided.until is not None
        assert MONDAY < decided.until <= MONDAY + HOUR
        waiting = replace(AGREED, deferrals={NEWS.id: deferral(decided.until, Reason.PAUSED)})
        assert isinstance(verdict(candidate, waiting, decided.until, pauses=over), Send)

    def test_a_stop_drops_a_message_that_a_pause_would_defer(self) -> None:
        decided = verdict(NEWS, pauses=self.paused(), stopped=frozenset({"journey:visit"}))

        assert decided.reason is Reason.KILL_SWITCH


class TestAnswers:
    """Answers to STOP, HELP and START."""

    ANSWER = replace(NEWS, purpose=TRANSACTIONAL, channels=(SMS,), addresses={SMS: "+1"}, answers="stop", journey="")

    def test_the_confirmation_of_a_stop_is_sent_to_the_stopped_address(self) -> None:
        stopped = suppressed(SMS, Cause.STOP).after([denied(SMS, TRANSACTIONAL), denied(SMS, MARKETING)])

        decided = verdict(self.ANSWER, stopped, policy=Policy(hours=(NIGHT,)), pauses=(Pause("all", MONDAY),))

        assert decided == Send(SMS, "+1", Answer("stop"))
        assert (decided.reason, decided.why) == (Reason.ANSWER, {"keyword": "stop"})

    def test_an_answer_is_sent_within_minutes_or_not_at_all(self) -> None:
        assert isinstance(verdict(self.ANSWER, now=MONDAY + ANSWER_WITHIN), Send)
        assert verdict(self.ANSWER, now=MONDAY + ANSWER_WITHIN + MINUTE).reason is Reason.STALE

    @pytest.mark.parametrize("what", ["all", "channel:sms", "country:US"])
    def test_a_switch_stops_answers_as_well(self, what: str) -> None:
        answer = replace(self.ANSWER, jurisdiction=Jurisdiction(countries={SMS: "US"}))

        assert verdict(answer, stopped=frozenset({what})).reason is Reason.KILL_SWITCH


def test_the_list_of_reasons_is_closed() -> None:
    sent = {"granted", "implied", "answer"}
    deferred = {
        "paused", "in_doubt", "review", "quiet_hours", "closed_day", "preferred_hour", "cap", "cooldown", "order",
        "rate",
    }  # fmt: skip
    dropped = {
        "kill_switch", "no_address", "suppressed_address", "opted_out", "no_consent", "unconfirmed", "forbidden",
        "session_over", "unregistered", "stale", "no_legal_hour", "rejected", "unreviewed", "late", "ended",
    }  # fmt: skip
    assert sent | deferred | dropped == set(Reason)
