"""Every decision has a plain sentence, on the customer's own clock, made from its timeline entry."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact, Deferral
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.customer.state import Customer
from cairn.domain.explain.explanations import explain_customer, explain_message, sentence_of
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.reasons import reason_class
from cairn.domain.gate.verdict import Defer, Send
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_to_wire
from tests.unit.gate_strategies import Case, every_case
from tests.unit.makers import MONDAY, at, name, profile

PARIS = ZoneInfo("Europe/Paris")
MESSAGE = "e-hello-1"

SENT = {Reason.GRANTED, Reason.IMPLIED, Reason.ANSWER}


def line(kind: str, reason: str = "", when: str = "2026-03-02 10:00", **more: Any) -> dict[str, Any]:
    about = {"journey": "visit", "step": "hello", "purpose": "marketing", "channels": ["sms"], "message_id": MESSAGE}
    shown = {"reason": reason} if reason else {}
    return {"at": instant_to_wire(at(when)), "kind": kind, "audit_id": f"{MESSAGE}.1", **about, **shown, **more}


def says(kind: str, reason: str, **more: Any) -> str:
    return sentence_of(line(kind, reason, **more), PARIS)


def test_every_reason_has_a_sentence() -> None:
    assert {reason_class(reason).code for reason in Reason} == set(Reason)


@given(every_case)
def test_every_verdict_of_the_gate_can_be_explained(case: Case) -> None:
    verdict = case.verdict()
    kind = {Send: "message", Defer: "deferred"}.get(type(verdict), "suppressed")
    until = instant_to_wire(verdict.until) if isinstance(verdict, Defer) and verdict.until else None
    shown = {"until": until, "why": dict(verdict.why)}

    sentence = says(kind, verdict.reason.value, **shown)

    begins = {"message": "Sent as ", "deferred": "Held ", "suppressed": "Not sent: "}[kind]
    assert sentence.startswith(begins)
    assert sentence.endswith(".")
    assert not {"None", "{", "  ", "''"} & {part for part in ("None", "{", "  ", "''") if part in sentence}


@pytest.mark.parametrize("reason", Reason)
def test_an_older_decision_with_fewer_fields_can_still_be_explained(reason: Reason) -> None:
    kind = "message" if reason in SENT else "suppressed"

    assert says(kind, reason.value).endswith(".")
    assert says("deferred", reason.value, until="2026-03-03T08:00:00Z").startswith(
        "Held until 09:00 on Tuesday 3 March"
    )


def test_the_hours_of_a_law_are_shown_on_its_own_clock() -> None:
    why = {"jurisdiction": "US", "zone": "America/New_York", "source": "47 CFR 64.1200(c)(1)", "hours": "08:00-21:00"}

    shown = says("deferred", "quiet_hours", until="2026-03-03T13:00:00Z", why=why)

    assert shown == (
        "Held until 08:00 on Tuesday 3 March in America/New_York because 47 CFR 64.1200(c)(1) allows marketing texts "
        "from 08:00 to 21:00 only."
    )


def test_hours_that_differ_by_day_and_other_denials_are_shown_too() -> None:
    texas = {"jurisdiction": "US-TX", "zone": "America/Chicago", "source": "Texas", "hours": "Mon-Sat 09:00-21:00"}
    why = {**texas, "also": [{"jurisdiction": "*", "zone": "America/Chicago", "source": "policy.toml"}]}

    shown = says("deferred", "quiet_hours", until="2026-03-03T15:00:00Z", why=why)

    assert "because Texas allows marketing texts Mon-Sat 09:00-21:00 only, and then policy.toml." in shown


def test_the_year_is_shown_if_it_changes() -> None:
    shown = says("deferred", "rate", when="2026-12-31 20:00", until="2027-01-01T08:00:00Z")

    assert shown.startswith("Held until 09:00 on Friday 1 January 2027 in Europe/Paris because")


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ({"cause": "stop", "since": "2026-03-03T13:02:00Z"}, "the customer replied STOP on 3 March 2026, 14:02"),
        ({"method": "stop", "at": "2026-03-03T13:02:00Z"}, "the customer replied STOP on 3 March 2026, 14:02"),
        (
            {"method": "one_click", "at": "2026-03-03T13:02:00Z"},
            "the customer unsubscribed from marketing texts on 3 March",
        ),
        (
            {"cause": "unsubscribe", "since": "2026-03-03T13:02:00Z"},
            "the customer unsubscribed from marketing texts on 3",
        ),
        (
            {"method": "operator", "at": "2026-03-03T13:02:00Z", "source": "operators"},
            "the customer said no to marketing texts on 3 March 2026, 14:02 by one of our own people",
        ),
    ],
)
def test_a_customers_denial_is_explained(why: dict[str, str], sentence: str) -> None:
    assert sentence in says("suppressed", "opted_out", why=why)


@pytest.mark.parametrize("cause", Cause)
def test_the_cause_of_a_suppression_is_explained(cause: Cause) -> None:
    shown = says("suppressed", "suppressed_address", why={"channel": "sms", "cause": cause.value})

    assert shown.startswith("Not sent: the address is suppressed: ")
    assert cause.value not in shown or "_" not in cause.value, "a cause has words of its own"


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (
            line("failed", "template", error="first_name is missing"),
            "Not sent: its template could not be filled (first_",
        ),
        (line("failed", "provider", error="InvalidParameter"), "Not sent: the provider refused it (InvalidParameter)."),
        (line("failed", "granted", status="failed"), "; the provider could not deliver it."),
        (line("failed", status="failed"), "Not sent: the provider could not deliver it."),
        (line("undecided", "crash_around_provider"), "Perhaps sent: "),
        (
            line("undecided", "crash_around_provider", purpose="transactional", error="KeyError"),
            "Perhaps sent: the provider's answer could not be read (KeyError). A redrive",
        ),
        (
            line("undecided", "not_handed_over", error="UnicodeEncodeError"),
            "Not sent: it could not be handed to the provider (UnicodeEncodeError). Its dead letter can be redriven.",
        ),
        (
            line("suppressed", "no_legal_hour", why={"source": "a law", "hours": "08:00-21:00"}),
            "a law leaves no hour for marketing texts within two weeks, since the number belongs to no country or zone",
        ),
        (line("message", status="delivered"), "Sent; its sender did not live to write down why."),
        (
            line("message", "implied", channel="email", rejected_sms="21610"),
            (
                "Sent as an e-mail: marketing e-mails need no consent of their own where the customer left the "
                "address for what it asked for. The provider had refused it as a text before (21610)."
            ),
        ),
    ],
)
def test_a_failure_is_explained(shown: dict[str, Any], sentence: str) -> None:
    assert sentence in sentence_of(shown, PARIS)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("all", "all sending"),
        ("channel:email", "sending e-mails"),
        ("journey:visit", "journey visit"),
        ("template:visit/hello", "template hello of journey visit"),
        ("country:US", "sending to US"),
    ],
)
def test_a_switch_is_named_in_words(target: str, words: str) -> None:
    assert says("suppressed", "kill_switch", why={"switch": target}) == f"Not sent: {words} was switched off."


def parisian(**more: Any) -> Customer:
    return Customer(profile(time_zone="Europe/Paris", first_name="Ada"), **more)


HISTORY = [
    {"at": "2026-03-02T20:30:00Z", "kind": "event", "type": "visit.booked", "source": "track", "properties": {}},
    line("deferred", "review", "2026-03-02 20:30", until="2026-03-03T08:00:00Z", why={"queue": "legal"}),
    line("message", "granted", "2026-03-03 08:00", status="bounced", audit_id=f"{MESSAGE}.2", why={"source": "shop"}),
    {
        "at": "2026-03-03T08:00:00Z",
        "kind": "event",
        "type": "message.bounced",
        "source": "feedback",
        "properties": {"message_id": MESSAGE, "bounce_type": "Permanent", "address": "ada@example.com"},
    },
    {
        "at": "2026-03-03T08:00:00Z",
        "kind": "event",
        "type": "message.delivered",
        "source": "track",
        "properties": {"message_id": MESSAGE},
    },
]


def test_the_whole_history_of_a_message_is_explained() -> None:
    shown = explain_message(MESSAGE, parisian(), HISTORY)

    assert shown is not None
    assert (shown.origin, shown.zone) == ("step hello of journey visit", "Europe/Paris")
    assert [(one.local, one.audit_id) for one in shown.history] == [
        ("Monday 2 March 2026, 21:30", f"{MESSAGE}.1"),
        ("Tuesday 3 March 2026, 09:00", f"{MESSAGE}.2"),
        ("Tuesday 3 March 2026, 09:00", ""),
    ]
    assert shown.history[2].text == "The provider reported that it bounced (Permanent)."


def test_only_a_provider_reports_the_outcome_of_a_message() -> None:
    shown = explain_message(MESSAGE, parisian(), HISTORY)

    assert shown is not None
    assert not any("delivered" in one.text for one in shown.history)


@pytest.mark.parametrize("as_event", [False, True])
def test_a_delivery_is_explained_once_with_its_instant(as_event: bool) -> None:  # noqa: FBT001
    """Its report is in the message's record, and where a journey hears it, also an event."""
    sent = line("message", "granted", "2026-03-03 08:00", status="delivered", delivered_at="2026-03-03T08:01:00Z")
    event = {"kind": "event", "type": "message.delivered", "source": "feedback", "properties": {"message_id": MESSAGE}}
    entries = [sent, {"at": "2026-03-03T08:01:00Z", **event}] if as_event else [sent]

    shown = explain_message(MESSAGE, parisian(), entries)

    assert shown is not None
    assert [(one.local, one.text) for one in shown.history[1:]] == [
        ("Tuesday 3 March 2026, 09:01", "The provider reported that it was delivered.")
    ]


def test_a_message_without_a_decision_is_not_explained() -> None:
    assert explain_message("another", parisian(), HISTORY) is None


def test_typed_names_are_said_to_be_typed() -> None:
    customer = parisian()
    typed = replace(customer, profile=customer.profile.with_typed(*name(phone="+12015550123")))

    assert "typed by a visitor, and vouched for by no source: phone" in explain_customer(typed, {}, []).profile
    assert not any(line.startswith("typed") for line in explain_customer(customer, {}, []).profile)


def test_the_state_of_a_customer_is_explained() -> None:
    consent = ConsentChange(
        Channel.SMS, Purpose.MARKETING, ConsentStatus.GRANTED, MONDAY, "shop", {"method": "double_opt_in"}
    )
    waits = Enrollment(
        id="e", journey="visit", version="1", key="", entered_at=MONDAY, since=MONDAY, step="later", due_at=MONDAY
    )
    over = replace(waits, id="f", step=None, due_at=None)
    deferral = Deferral(None, "review", "e", MONDAY, 0)
    customer = parisian(
        contact=Contact(deferrals={MESSAGE: deferral}).after([consent]), enrollments={"e": waits, "f": over}
    )
    call = {"kind": "task", "status": "open", "title": "Call", "queue": "sales", "due_at": "2026-03-04T08:00:00Z"}
    done = call | {"status": "done", "title": "Mail"}
    lines = [*HISTORY[:2], {"at": "2026-03-02T20:30:00Z", **call}, {"at": "2026-03-02T20:30:00Z", **done}]
    against = {Channel.EMAIL: [Suppression(Cause.COMPLAINT, MONDAY, Purpose.MARKETING)]}

    shown = explain_customer(customer, against, lines)

    assert "first_name: Ada" in shown.profile
    assert shown.consents == (
        "marketing texts: consented on 2 March 2026, 11:00 confirmed by the customer (source shop).",
    )
    assert shown.suppressions == (
        (
            "The e-mail address: nothing for marketing goes there, since a message was reported as spam there "
            "on 2 March 2026, 11:00."
        ),
    )
    assert shown.waiting == (
        "Journey visit waits at step later until 11:00 on Monday 2 March 2026 in Europe/Paris.",
        (
            f"Message {MESSAGE} (step hello of journey visit): Held until 09:00 on Tuesday 3 March in Europe/Paris "
            "because somebody of “legal” has to approve it before it goes out."
        ),
        "Task “Call” for sales, due 09:00 on Wednesday 4 March 2026 in Europe/Paris.",
    )


@pytest.mark.parametrize(
    ("task", "owned"),
    [
        ({"owner": "ana"}, ", of ana"),
        ({"history": [{"what": "opened", "why": "nobody works before it is due"}]}, ", of nobody yet (nobody works b"),
        (
            {
                "owner": "ben",
                "history": [
                    {"what": "opened", "owner": "ana", "why": "sales: ana, whose turn it is"},
                    {"what": "reassigned", "owner": "ben", "why": "sales: ben; not ana: has had it"},
                    {"what": "claimed", "owner": "ben"},
                    {"what": "again", "owner": "ben", "why": "no_answer"},
                ],
            },
            ", of ben (sales: ben; not ana: has had it).",
        ),
    ],
)
def test_whose_a_task_is_is_said_with_the_reason(task: dict[str, Any], owned: str) -> None:
    call = {"kind": "task", "status": "open", "title": "Call", "queue": "sales", "due_at": "2026-03-04T08:00:00Z"}

    (waits,) = explain_customer(parisian(), {}, [{"at": "2026-03-02T20:30:00Z", **call, **task}]).waiting

    assert f"in Europe/Paris{owned}" in waits


def test_a_message_that_is_no_longer_deferred_does_not_wait() -> None:
    assert explain_customer(parisian(), {}, HISTORY).waiting == ()


def test_the_latest_decisions_come_first_and_no_more_than_asked_for() -> None:
    start = at("2026-03-02 10:00")
    many = [line("message", "implied", (start + timedelta(hours=one)).isoformat()) for one in range(30)]

    shown = explain_customer(parisian(), {}, many, latest=3)

    assert [one.local for one in shown.decisions] == [f"Tuesday 3 March 2026, {hour}:00" for hour in (16, 15, 14)]
