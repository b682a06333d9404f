"""How the domain stands in the table: everything survives, and the shape on the wire is pinned."""

import dataclasses
import json
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.dynamodb import codec, effect_codec
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Claim, Deferral
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import (
    AbsorbHistory,
    CloseTask,
    Effect,
    Fact,
    OpenTask,
    SendMessage,
    UpdateMessageStatus,
    WakeAt,
)
from cairn.domain.gate.codes import Reason
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.journey.enrollment import Enrollment, Status
from cairn.domain.message.message import Message, Written
from cairn.domain.people.notification import NotificationKind
from cairn.domain.people.task import Priority, TaskKind
from cairn.domain.profile.profile import UNRECORDED, Activity, Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, at
from tests.unit.strategies import instants

texts = st.text(st.characters(codec="utf-8"), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
documents = st.dictionaries(texts, json_values, max_size=3)

words = texts.filter(bool)
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,19}", fullmatch=True)

KINDS = get_args(Effect)
IN_JSON = dict.fromkeys(["data", "detail", "context", "variables"], documents)
IN_JSON |= dict.fromkeys(["kind", "journey", "version"], words)
consents = st.builds(
    ConsentChange,
    st.sampled_from(Channel),
    st.sampled_from(Purpose),
    st.sampled_from(ConsentStatus),
    instants,
    words,
    documents.map(lambda one: {f"x-{key}": value for key, value in one.items()}),
)
marks = st.builds(Mark, st.sampled_from(Cause), instants, st.none() | st.sampled_from(Purpose), st.booleans())
BY_TYPE = {
    str(str): texts,
    str(str | None): st.none() | words,
    str(datetime): instants,
    str(datetime | None): st.none() | instants,
    str(int): st.integers(0, 1000),
    str(NotificationKind): st.sampled_from(NotificationKind),
    str(AnnouncedType): st.sampled_from(AnnouncedType),
    str(TaskKind): st.sampled_from(TaskKind),
    str(Priority): st.sampled_from(Priority),
    str(timedelta | None): st.none() | st.timedeltas(timedelta(), timedelta(days=30)),
    str(tuple[str, ...]): st.lists(words, max_size=2).map(tuple),
    str(Written | None): st.none() | st.builds(Written, texts, texts, texts),
    str(tuple[ConsentChange, ...]): st.lists(consents, max_size=3).map(tuple),
    str(tuple[SuppressionChange, ...]): st.lists(
        st.builds(SuppressionChange, st.sampled_from(Channel), marks, texts, texts)
    ).map(tuple),
}


def any_(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any object of a domain class: instants in UTC, JSON where JSON is meant, the rest from its annotations."""
    named = {one.name: _any_field(one) for one in dataclasses.fields(kind)}
    return st.builds(kind, **{name: strategy for name, strategy in named.items() if strategy is not None})


def _any_field(one: dataclasses.Field[Any]) -> st.SearchStrategy[Any] | None:
    by_type = BY_TYPE.get(str(one.type))
    is_enum = isinstance(one.type, type) and issubclass(one.type, StrEnum)
    return by_type if is_enum else IN_JSON.get(one.name, by_type)


profiles = st.builds(
    Profile,
    id=texts,
    created_at=instants,
    identifiers=st.lists(st.builds(Identifier, texts, texts)).map(tuple),
    attributes=st.dictionaries(texts, st.builds(Stamped, json_values, instants)),
    activity=st.dictionaries(texts, st.builds(Activity, st.integers(1), instants, instants)),
    merged=st.dictionaries(texts, instants),
    sources=st.dictionaries(texts, instants),
    pointers=st.dictionaries(texts, texts),
).map(lambda one: replace(one, typed=frozenset({"attributes.locale", *(each.key for each in one.identifiers[::2])})))


def wired(document: Any) -> Any:
    """The document as it comes back from the table."""
    return json.loads(json.dumps(document))


@given(profiles)
def test_a_profile_survives(one: Profile) -> None:
    assert codec.profile_from_wire(one.id, wired(codec.profile_to_wire(one))) == one


@given(any_(Enrollment))
def test_an_enrollment_survives(one: Enrollment) -> None:
    stored = wired({one.id: codec.enrollment_to_wire(one)})

    assert codec.enrollments_from_wire(stored) == {one.id: one}


@given(any_(Enrollment))
def test_an_enrollment_survives_in_a_row(one: Enrollment) -> None:
    row = wired(codec.enrollment_to_row(codec.enrollment_to_wire(one)))

    assert codec.enrollment_from_wire(one.id, codec.enrollment_from_row(row)) == one


@given(any_(Enrollment))
def test_a_row_without_its_data_survives(one: Enrollment) -> None:
    wire = codec.enrollment_to_wire(one)
    del wire["data"]

    found = codec.enrollment_from_row(wired(codec.enrollment_to_row(wire)))

    assert "data" not in found
    assert codec.enrollment_from_wire(one.id, {**found, "data": one.data}) == one


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_effect_survives(kind: type[Any], data: st.DataObject) -> None:
    one: Effect = data.draw(any_(kind))

    assert effect_codec.effect_from_wire(wired(effect_codec.effect_to_wire(one))) == one


def test_every_kind_of_effect_is_tried() -> None:
    assert set(Effect.__args__) == set(KINDS)


def test_an_effect_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="no effect is called dance"):
        effect_codec.effect_from_wire({"do": "dance"})


@given(any_(Fact))
def test_a_fact_survives(one: Fact) -> None:
    assert codec.fact_from_wire(wired(codec.fact_to_wire(one))) == one


@given(any_(Message))
def test_a_message_survives(one: Message) -> None:
    assert codec.message_from_wire(wired(codec.message_to_wire(one))) == one


@given(st.lists(consents))
def test_consents_survive(changes: list[ConsentChange]) -> None:
    by_key = {change.key: change for change in changes}

    assert codec.consents_from_wire(wired(codec.consents_to_wire(by_key))) == by_key


@given(marks)
def test_a_suppression_change_survives(mark: Mark) -> None:
    assert Mark.from_wire(wired(mark.to_wire())) == mark


@given(st.builds(Claim, instants, st.sampled_from(Purpose), st.sampled_from(Channel), names))
def test_a_claim_survives(claim: Claim) -> None:
    assert codec.claim_from_wire(wired(codec.claim_to_wire(claim))) == claim


@given(
    st.builds(
        Deferral,
        st.none() | instants,
        st.sampled_from(Reason),
        st.just("") | names,
        instants,
        st.integers(0, 9),
        st.sampled_from(Purpose),
        st.none() | instants,
    )
)
def test_a_deferral_survives(deferral: Deferral) -> None:
    assert codec.deferral_from_wire(wired(codec.deferral_to_wire(deferral))) == deferral


@given(st.dictionaries(st.sampled_from(Channel), instants))
def test_the_last_inbound_messages_survive(heard: dict[Channel, Any]) -> None:
    assert codec.last_inbound_from_wire(wired(codec.last_inbound_to_wire(heard))) == heard


@given(st.dictionaries(texts, instants), st.dictionaries(texts, st.builds(Stamped, json_values, instants)))
def test_a_customers_memory_survives(entered: dict[str, Any], changed: dict[str, Stamped]) -> None:
    assert codec.instants_from_wire(wired(codec.instants_to_wire(entered))) == entered
    assert codec.stamped_from_wire(wired(codec.stamped_to_wire(changed))) == changed


def test_a_profile_from_before_the_list_of_sources_may_be_of_any() -> None:
    wire = codec.profile_to_wire(Profile("c_ada", MONDAY))
    del wire["sources"]

    assert codec.profile_from_wire("c_ada", wire).sources == {UNRECORDED: MONDAY}


# The shapes that stand in tables already. Changing one needs a migration, not a change of this test.


def test_the_shape_of_a_profile() -> None:
    one = Profile(
        "c_ada",
        MONDAY,
        (Identifier("user_id", "ada"),),
        {"stage": Stamped("trial", MONDAY), "tags.vip": Stamped(value=True, at=MONDAY)},
        {"trial.signup": Activity(2, MONDAY, at("2026-03-03 10:00"))},
        {"c_old": MONDAY},
        {"shopify": MONDAY},
    )

    assert codec.profile_to_wire(one) == {
        "created_at": "2026-03-02T10:00:00Z",
        "identifiers": [["user_id", "ada"]],
        "attributes": {
            "stage": ["trial", "2026-03-02T10:00:00Z"],
            "tags.vip": [True, "2026-03-02T10:00:00Z"],
        },
        "activity": {"trial.signup": [2, "2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z"]},
        "merged": {"c_old": "2026-03-02T10:00:00Z"},
        "sources": {"shopify": "2026-03-02T10:00:00Z"},
    }


def test_the_shape_of_an_enrollment() -> None:
    one = Enrollment(
        id="enr",
        journey="visit",
        version="v1",
        key="b-1",
        entered_at=MONDAY,
        since=MONDAY,
        data={"booking": "b-1"},
        data_at=MONDAY,
        status=Status.HELD_OUT,
        step="before",
        reached_at=MONDAY,
        due_at=MONDAY,
        sequence=3,
        handled="abc",
        goal_at=MONDAY,
        ended_at=MONDAY,
        outcome="completed",
    )
    now = "2026-03-02T10:00:00Z"

    wire = codec.enrollment_to_wire(one)
    least = codec.enrollment_to_wire(Enrollment("enr", "visit", "v1", "", MONDAY, MONDAY))

    assert {name: wire[name] for name in ("journey", "version", "key", "status", "step", "sequence", "handled")} == {
        "journey": "visit",
        "version": "v1",
        "key": "b-1",
        "status": "held-out",
        "step": "before",
        "sequence": 3,
        "handled": "abc",
    }
    assert {name for name, value in wire.items() if value == now} == {
        "entered_at", "since", "data_at", "reached_at", "due_at", "goal_at", "ended_at",
    }  # fmt: skip
    assert (wire["data"], wire["outcome"]) == ({"booking": "b-1"}, "completed")
    assert least == {
        "journey": "visit",
        "version": "v1",
        "entered_at": now,
        "since": now,
        "data": {},
        "status": "active",
        "sequence": 0,
    }


def test_the_shape_of_a_row() -> None:
    """Rows are stored: a field never changes its place."""
    waiting = Enrollment(
        id="enr",
        journey="visit",
        version="v1",
        key="b-1",
        entered_at=MONDAY,
        since=MONDAY,
        data={"plan": "gold"},
        data_at=MONDAY,
        step="a-day",
        reached_at=MONDAY,
        due_at=at("2026-03-03 10:00"),
        sequence=3,
    )
    whole = replace(
        waiting,
        data_at=at("2026-03-02 11:00"),
        status=Status.HELD_OUT,
        reached_at=at("2026-03-02 12:00"),
        moved_to=at("2026-03-04 10:00"),
        handled="k-1",
        addresses={Channel.SMS: "+14155550123"},
        goal_at=at("2026-03-02 13:00"),
        ended_at=at("2026-03-02 14:00"),
        outcome="won",
    )
    monday = "2026-03-02T10:00:00Z"

    assert codec.enrollment_to_row(codec.enrollment_to_wire(waiting)) == [
        *("visit", "v1", "b-1", monday, monday, {"plan": "gold"}, 0, 0, "a-day", 0, "2026-03-03T10:00:00Z", 0, 3)
    ]
    assert codec.enrollment_to_row(codec.enrollment_to_wire(whole)) == [
        *("visit", "v1", "b-1", monday, monday, {"plan": "gold"}, "2026-03-02T11:00:00Z", "held-out", "a-day"),
        *("2026-03-02T12:00:00Z", "2026-03-03T10:00:00Z", "2026-03-04T10:00:00Z", 3, "k-1", {"sms": "+14155550123"}),
        *("2026-03-02T13:00:00Z", "2026-03-02T14:00:00Z", "won"),
    ]


def test_the_shape_of_effects() -> None:
    effects: list[Effect] = [
        SendMessage("1", "enr", "hello", (Channel.EMAIL, Channel.SMS), "hello", Purpose.MARKETING, "Europe/Paris"),
        WakeAt("2", "enr", 3, MONDAY),
        OpenTask("3", "enr", "call", "sales", "Call them", MONDAY, {"plan": "gold"}, "Say hello."),
        CloseTask("9", "3", "stop", "deadline", MONDAY),
        UpdateMessageStatus("4", "m-1", "bounced", MONDAY),
        AbsorbHistory("5", "c_old"),
    ]

    sending, *others = [effect_codec.effect_to_wire(effect) for effect in effects]

    assert sending | {"do": "send"} == sending
    assert {name: sending[name] for name in ("id", "enrollment", "step", "channels", "template", "purpose")} == {
        "id": "1",
        "enrollment": "enr",
        "step": "hello",
        "channels": ["email", "sms"],
        "template": "hello",
        "purpose": "marketing",
    }
    assert sending["time_zone"] == "Europe/Paris"
    assert others == [
        {"do": "wake", "id": "2", "enrollment": "enr", "sequence": 3, "at": "2026-03-02T10:00:00Z"},
        {
            "do": "task",
            "id": "3",
            "enrollment": "enr",
            "step": "call",
            "queue": "sales",
            "title": "Call them",
            "due_at": "2026-03-02T10:00:00Z",
            "context": {"plan": "gold"},
            "script": "Say hello.",
        },
        {"do": "close", "id": "9", "task": "3", "outcome": "stop", "by": "deadline", "at": "2026-03-02T10:00:00Z"},
        {"do": "move", "id": "4", "message": "m-1", "status": "bounced", "at": "2026-03-02T10:00:00Z"},
        {"do": "absorb", "id": "5", "merged": "c_old"},
    ]


def test_the_shape_of_facts_consents_and_claims() -> None:
    change = ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.DENIED, MONDAY, "reply", {"text": "STOP"})

    assert codec.fact_to_wire(Fact("entered")) == {"kind": "entered"}
    assert codec.fact_to_wire(Fact("waiting", "enr", "visit", "before", {"until": "x"})) == {
        "kind": "waiting",
        "enrollment": "enr",
        "journey": "visit",
        "step": "before",
        "detail": {"until": "x"},
    }
    assert codec.consents_to_wire({change.key: change}) == [
        {
            "text": "STOP",
            "channel": "sms",
            "purpose": "marketing",
            "status": "denied",
            "source": "reply",
            "at": "2026-03-02T10:00:00Z",
        },
    ]
    assert Mark(Cause.STOP, MONDAY).to_wire() == "stop all + 2026-03-02T10:00:00Z"
    assert Mark(Cause.UNSUBSCRIBE, MONDAY, Purpose.MARKETING, lifted=True).to_wire() == (
        "unsubscribe marketing - 2026-03-02T10:00:00Z"
    )
    claim = Claim(MONDAY, Purpose.MARKETING, Channel.SMS, "visit")
    assert codec.claim_to_wire(claim) == "marketing 2026-03-02T10:00:00Z sms visit"
    deferral = Deferral(None, Reason.PAUSED, "enr", MONDAY, 2)
    assert codec.deferral_to_wire(deferral) == "- paused enr 2026-03-02T10:00:00Z 2 marketing"
    tried = replace(deferral, until=MONDAY, tried_at=MONDAY)
    assert codec.deferral_to_wire(tried) == (
        "2026-03-02T10:00:00Z paused enr 2026-03-02T10:00:00Z 2 marketing 2026-03-02T10:00:00Z"
    )
    important = replace(tried, reason=Reason.CAP, priority=-10)
    assert codec.deferral_to_wire(important) == (
        "2026-03-02T10:00:00Z cap/-10 enr 2026-03-02T10:00:00Z 2 marketing 2026-03-02T10:00:00Z"
    )
    for one in (deferral, tried, important):
        assert codec.deferral_from_wire(codec.deferral_to_wire(one)) == one


def test_the_shape_of_a_message() -> None:
    one = Message(
        id="m-1",
        customer="c_ada",
        enrollment="enr",
        journey="visit",
        version="v1",
        step="hello",
        channels=(Channel.EMAIL,),
        template="hello",
        purpose=Purpose.MARKETING,
        addresses={Channel.EMAIL: "ada@example.com"},
        decided_at=MONDAY,
        variables={"data": {}},
        time_zone="Europe/Paris",
    )

    assert codec.message_to_wire(one) == {
        "id": "m-1",
        "customer": "c_ada",
        "enrollment": "enr",
        "journey": "visit",
        "version": "v1",
        "step": "hello",
        "channels": ["email"],
        "template": "hello",
        "purpose": "marketing",
        "addresses": {"email": "ada@example.com"},
        "decided_at": "2026-03-02T10:00:00Z",
        "variables": {"data": {}},
        "time_zone": "Europe/Paris",
    }
