"""The canonical event is read whole, or refused with all its problems."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.effects import AUDIENCE_JOINED, AUDIENCE_LEFT, BROADCAST_STARTED
from cairn.domain.event import (
    FIELDS,
    MAX_ID_LENGTH,
    OWN_TYPES,
    Event,
    event_from_queue,
    event_from_wire,
    event_to_wire,
)
from cairn.domain.identity.trust import LEADS_SOURCE
from cairn.domain.lead.rules import BECAME_HOT, COOLED, OWN_EVENTS
from cairn.domain.people.task import DONE_EVENT, OVERDUE_EVENT, WITHDRAWN_EVENT
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from tests.unit.makers import MONDAY, at, event, name
from tests.unit.strategies import json_values

SIGNUP: dict[str, Any] = {"id": "1", "type": "trial.signup", "customer": {"user_id": "ada"}}


def read(**changed: Any) -> Event:
    return event_from_wire(SIGNUP | changed, source="track", received_at=MONDAY)


def problems(**changed: Any) -> list[str]:
    with pytest.raises(InvalidEventError) as refused:
        read(**changed)
    return list(refused.value.problems)


def test_an_event_is_read_with_all_its_fields() -> None:
    signup = read(
        occurred_at="2026-03-02T04:00:00-05:00",
        customer={
            "user_id": "ada",
            "email": "Ada@Example.com",
            "phone": "+14155550123",
            "external_ids": {"stripe": "cus_1"},
        },
        properties={"plan": "gold"},
        attributes={"stage": "trial"},
        consent=[{"channel": "sms", "purpose": "marketing", "status": "granted", "wording": "Text me."}],
        backfill=True,
    )

    assert (signup.id, signup.source, signup.type, signup.occurred_at) == (
        "1",
        "track",
        "trial.signup",
        at("2026-03-02 09:00"),
    )
    assert signup.identifiers == name(
        user_id="ada", email="ada@example.com", phone="+14155550123", external={"stripe": "cus_1"}
    )
    assert (signup.properties, signup.attributes, signup.backfill) == ({"plan": "gold"}, {"stage": "trial"}, True)
    (word,) = signup.consent
    assert (word.channel, word.purpose, word.status) == (Channel.SMS, Purpose.MARKETING, ConsentStatus.GRANTED)
    assert (word.at, word.source, word.evidence) == (signup.occurred_at, "track", {"wording": "Text me."})


def test_a_minimal_event_has_the_instant_of_receipt() -> None:
    signup = read()

    assert (signup.occurred_at, signup.properties, signup.consent, signup.backfill) == (MONDAY, {}, (), False)


def test_a_senders_fast_clock_does_not_win_over_later_changes() -> None:
    later = "2026-03-09T10:00:00Z"

    fast = read(
        occurred_at=later,
        consent=[{"channel": "sms", "purpose": "marketing", "status": "granted", "at": later}],
    )

    assert fast.occurred_at == fast.consent[0].at == MONDAY


def test_the_default_id_is_used_where_an_event_has_none() -> None:
    nameless = {key: value for key, value in SIGNUP.items() if key != "id"}

    assert event_from_wire(nameless, source="track", received_at=MONDAY, default_id="msg_1").id == "msg_1"
    assert event_from_wire(nameless | {"id": None}, source="track", received_at=MONDAY, default_id="m").id == "m"
    with pytest.raises(InvalidEventError, match="id: "):
        event_from_wire(nameless, source="track", received_at=MONDAY)


def test_every_problem_is_reported_at_once() -> None:
    assert problems(
        id="",
        type="Signup",
        occurred_at="yesterday",
        customer={"email": "ada", "mail": "x", "external_ids": ["cus_1"]},
        properties=[],
        consent=[{"channel": "fax"}],
        backfill="yes",
        colour="red",
    ) == [
        f"colour: unknown field; known are {', '.join(sorted(FIELDS - {'source'}))}",
        "id: a text that is not empty",
        "type: use object.action in lower case, such as trial.signup",
        "occurred_at: an instant in ISO 8601, such as 2026-03-02T09:30:00Z",
        "customer.mail: unknown field; known are email, external_ids, phone, user_id",
        "customer.email: not an e-mail address; write it as ada@example.com, without a name, a comment or mailto:",
        "customer.external_ids: a JSON object of system: id",
        "backfill: true or false",
        "properties: a JSON object",
        (
            "consent[0]: channel (sms, email, whatsapp, push, in_app), purpose (transactional, marketing) "
            "and status (granted, denied, pending)"
        ),
    ]


@pytest.mark.parametrize(
    "type_", ["signup", "trial.", ".signup", "Trial.signup", "trial signup", "trial.sign-up", "1.a"]
)
def test_a_type_is_object_and_action(type_: str) -> None:
    assert problems(type=type_) == ["type: use object.action in lower case, such as trial.signup"]


OWN = {
    AUDIENCE_JOINED,
    AUDIENCE_LEFT,
    BROADCAST_STARTED,
    DONE_EVENT,
    OVERDUE_EVENT,
    WITHDRAWN_EVENT,
    BECAME_HOT,
    COOLED,
    *OWN_EVENTS,
}


@pytest.mark.parametrize("type_", sorted(OWN))
def test_what_cairn_says_is_said_by_no_source(type_: str) -> None:
    refused = [f"type: {type_} is one of Cairn's own events; choose another name"]

    assert problems(type=type_) == refused
    assert event_from_wire(SIGNUP | {"type": type_}, source=LEADS_SOURCE, received_at=MONDAY).type == type_


def test_all_types_that_journeys_believe_are_reserved() -> None:
    assert OWN_TYPES == OWN


@pytest.mark.parametrize("customer", [{}, None, [], "ada"])
def test_an_event_without_an_identifier_is_refused(customer: Any) -> None:
    assert problems(customer=customer) == ["customer: a JSON object that is not empty"]


def test_a_lone_surrogate_and_a_long_text_are_no_identifiers() -> None:
    assert problems(customer={"user_id": "\ud800"}) != []
    assert problems(customer={"external_ids": {"crm": "x" * (MAX_ID_LENGTH + 1)}}) != []
    assert problems(id="x" * (MAX_ID_LENGTH + 1)) == [f"id: at most {MAX_ID_LENGTH} characters, all of them whole"]


def test_a_colon_in_a_systems_name_is_refused() -> None:
    assert problems(customer={"external_ids": {"crm:eu": "1"}}) != []


@pytest.mark.parametrize("document", [None, [], "x", 1, True])
def test_an_event_is_an_object(document: Any) -> None:
    with pytest.raises(InvalidEventError, match="an event is a JSON object, not "):
        event_from_wire(document, source="track", received_at=MONDAY)


@pytest.mark.parametrize("extreme", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_outside_the_calendar_is_a_problem(extreme: str) -> None:
    assert problems(occurred_at=extreme) == ["occurred_at: an instant in ISO 8601, such as 2026-03-02T09:30:00Z"]
    assert len(problems(consent=[{"channel": "sms", "purpose": "marketing", "status": "denied", "at": extreme}])) == 1


@given(
    st.dictionaries(
        st.sampled_from([*SIGNUP, "occurred_at", "properties", "attributes", "consent", "backfill", "more"]),
        json_values,
    ),
    st.dictionaries(st.sampled_from(["user_id", "email", "external_ids", "cairn_id", "more"]), json_values),
    st.dictionaries(st.sampled_from(["channel", "purpose", "status", "at", "more"]), json_values),
)
def test_any_document_is_an_event_or_has_problems(
    changed: dict[str, Any], customer: dict[str, Any], consent: dict[str, Any]
) -> None:
    for document in (changed, SIGNUP | changed, SIGNUP | {"customer": customer}, SIGNUP | {"consent": [consent]}):
        with suppress(InvalidEventError):
            made = event_from_wire(document, source="track", received_at=MONDAY)

            assert made.key
            assert made.occurred_at <= MONDAY
            assert all(one.key.encode() for one in made.identifiers)


def test_an_event_survives_the_wire() -> None:
    sent = read(
        occurred_at="2026-03-02T09:59:59.5Z",
        customer={"user_id": "ada", "email": "ada@example.com", "external_ids": {"stripe": "cus_1", "crm": "7"}},
        properties={"a": [1, None]},
        attributes={"tags": ["vip"]},
        consent=[{"channel": "sms", "purpose": "marketing", "status": "denied", "at": "2026-03-01", "ip": "::1"}],
        backfill=True,
    )

    wire = json.loads(json.dumps(event_to_wire(sent)))

    assert event_from_queue(wire, received_at=MONDAY + timedelta(hours=1)) == sent


def test_what_a_source_vouches_for_survives_the_wire() -> None:
    sent = replace(
        read(customer={"email": "ada@example.com", "external_ids": {"stripe": "cus_1"}}, attributes={"plan": "vip"}),
        vouched=frozenset({"external_ids"}),
        settable=frozenset({"plan"}),
        dropped={"customer.phone": "placeholder"},
    )

    read_again = event_from_queue(json.loads(json.dumps(event_to_wire(sent))), received_at=MONDAY)

    assert read_again == sent
    assert [name.kind for name in read_again.vouched_identifiers] == ["external:stripe"]
    assert [name.kind for name in read_again.typed_identifiers] == ["email"]


@pytest.mark.parametrize(
    ("source", "email"), [("track", True), ("twilio-eu", True), ("preferences", True), ("typeform", False)]
)
def test_an_event_that_was_queued_by_an_older_version_vouches_only_where_the_source_is_ours(
    source: str,
    email: bool,  # noqa: FBT001  a case of the table
) -> None:
    wire = event_to_wire(read(customer={"email": "ada@example.com"})) | {"source": source}
    del wire["vouched"]

    assert event_from_queue(wire, received_at=MONDAY).vouches("email") is email


def test_nobody_outside_names_a_customer_by_our_own_id() -> None:
    with pytest.raises(InvalidEventError, match="cairn_id"):
        read(customer={"cairn_id": "c_abcdefghijklmnopqrstuvwxyz", "user_id": "ada"})


def test_how_a_consent_was_given_is_the_senders_claim() -> None:
    claimed = {"channel": "sms", "purpose": "marketing", "status": "granted", "source": "operators", "method": "start"}

    made = event_from_wire(
        SIGNUP | {"consent": [claimed]}, source="track", received_at=MONDAY, consent_is_claimed=True
    ).consent[0]

    assert (made.source, made.evidence["method"]) == ("track", "api")
    assert (made.evidence["claimed_source"], made.evidence["claimed_method"]) == ("operators", "start")
    assert not made.confirmed


def test_our_own_events_name_the_customer_by_cairn_id() -> None:
    heard = Event("1", "feedback", "message.sent", MONDAY, customer_id="c_ada")

    wire = json.loads(json.dumps(event_to_wire(heard)))

    assert event_from_queue(wire, received_at=MONDAY) == heard


def test_the_key_of_an_event_is_its_source_and_id() -> None:
    assert event("a.b", id_="1").key == event("c.d", MONDAY + timedelta(hours=1), id_="1").key
    assert event("a.b", id_="1").key != event("a.b", id_="1", source="stripe").key
    assert event("a.b", id_="1").key != event("a.b", id_="2").key


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_survives_the_wire(instant: Any) -> None:
    written = instant_to_wire(instant)

    assert written.endswith("Z")
    assert instant_from_wire(written) == instant


def test_an_instant_without_an_offset_is_utc() -> None:
    assert instant_from_wire("2026-03-02T10:00") == MONDAY
    assert instant_to_wire(at("2026-03-02 05:00-05:00")) == "2026-03-02T10:00:00Z"
