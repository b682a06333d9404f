"""Requests for a copy of a customer's data, and for erasure."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import Cause, Mark, current_suppressions
from cairn.domain.customer.customer import on_event
from cairn.domain.customer.state import Customer
from cairn.domain.effects import EraseCustomer, OpenTask
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for, strongest_first
from cairn.domain.identity.trust import ALL_FIELDS, NO_FIELDS, vouched_by_default
from cairn.domain.privacy.requests import (
    ANSWER_WITHIN,
    DATA_REQUESTED,
    ERASURE_REQUESTED,
    QUEUE,
    Doubt,
    id_after_erasure,
    may_order_erasure,
)
from cairn.domain.profile.profile import UNRECORDED
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY, Deployed, customer, event, granted, journey, name, profile, send

DAY = timedelta(days=1)
WHO = name(user_id="member-1", email="mia@example.com", phone="+14155550123", external={"shopify": "8209829119"})


MAIL = name(email="mia@example.com")
SHOP = name(external={"shopify": "8209829119"})
OF_SHOPIFY = frozenset({"external_ids", "privacy"})
"""What Shopify vouches for in an order: its own id, and that it is an order. The addresses were typed."""


def mia(*names: Identifier, sources: tuple[str, ...] = ("shopify",), consents: int = 0) -> Customer:
    """A customer with these names. These sources reported something about it."""
    known = replace(profile("c_mia", who=names), sources=dict.fromkeys(sources, MONDAY))
    channels = tuple(Channel)[:consents]
    return Customer(known, Contact().after(granted(channel, Purpose.MARKETING) for channel in channels))


def ordered(
    by: Customer, *, source: str = "shopify", who: tuple[Identifier, ...] = SHOP, **more: Any
) -> tuple[Customer, EraseCustomer | OpenTask]:
    """The customer after an order to erase, and its only effect."""
    given: dict[str, Any] = {"vouched": OF_SHOPIFY, "type_": ERASURE_REQUESTED} | more
    reaction = on_event(by, event(given.pop("type_"), source=source, who=who, **given), Deployed(), MONDAY + DAY)
    [effect] = reaction.effects
    assert isinstance(effect, EraseCustomer | OpenTask)
    return reaction.customer, effect


@pytest.mark.parametrize("source", ["shopify", "shopify-eu", "hubspot", "acme"])
def test_an_order_about_a_record_that_is_all_there_is_acts_at_once(source: str) -> None:
    known = mia(*SHOP, *name(email="mia@example.com", phone="+14155550123"), sources=(source,), consents=2)
    asked = event(ERASURE_REQUESTED, source=source, who=SHOP, vouched=OF_SHOPIFY)

    reaction = on_event(known, asked, Deployed(journey(send("bye"), entry={"event": asked.type})), MONDAY + DAY)

    assert reaction.customer.erasure_pending_since == MONDAY + DAY
    [order] = reaction.effects
    assert isinstance(order, EraseCustomer)
    assert (order.by, order.at) == (source, MONDAY)


def test_an_operators_order_acts_at_once_whoever_reported() -> None:
    customer, order = ordered(mia(*WHO, sources=("shopify", "track", UNRECORDED)), source="operators", who=())

    assert customer.erasure_pending_since
    assert isinstance(order, EraseCustomer)


@pytest.mark.parametrize(
    ("known", "because"),
    [
        pytest.param(mia(*SHOP, *MAIL, sources=("shopify", "track")), Doubt.OTHER_SOURCES, id="track"),
        pytest.param(
            mia(*SHOP, sources=("shopify", "preferences")), Doubt.OTHER_SOURCES, id="the customer's own choice"
        ),
        pytest.param(mia(*SHOP, sources=("shopify-eu",)), Doubt.OTHER_SOURCES, id="another shop"),
        pytest.param(mia(*SHOP, sources=(UNRECORDED, "shopify")), Doubt.OTHER_SOURCES, id="older than the list"),
        pytest.param(mia(*SHOP, *name(user_id="mia")), Doubt.OTHER_IDS, id="an account of ours"),
        pytest.param(mia(*SHOP, *name(external={"shopify": "1"})), Doubt.OTHER_IDS, id="a second record of the vendor"),
        pytest.param(mia(*MAIL), Doubt.BY_ADDRESS, id="an address alone"),
    ],
)
def test_an_order_waits_for_a_person_where_anything_else_is_known(known: Customer, because: Doubt) -> None:
    customer, task = ordered(known, who=(*SHOP, *MAIL))

    assert customer == known, "an order changes nothing while it waits"
    assert isinstance(task, OpenTask)
    assert (task.queue, task.due_at, task.customer) == (QUEUE, MONDAY + ANSWER_WITHIN, "c_mia")
    assert task.context["because"] == because


def test_an_order_that_names_an_address_only_never_acts_at_once() -> None:
    guest = MAIL

    _, task = ordered(mia(*guest), who=guest)
    _, of_nobody = ordered(mia(*guest, sources=()), who=guest)

    assert isinstance(task, OpenTask)
    assert isinstance(of_nobody, OpenTask)


def test_a_task_shows_both_sides_without_the_values_of_other_names() -> None:
    known = mia(*WHO, sources=("shopify", "track"), consents=2)

    _, task = ordered(known, who=(*SHOP, *MAIL), properties={"orders": ["1001"], "shop": "a.b"})

    assert isinstance(task, OpenTask)
    assert task.context == {
        "source": "shopify",
        "request": "customer.erasure_requested",
        "because": "the customer has ids of other records",
        "record": {
            "ids": ["external:shopify:8209829119"],
            "known": True,
            "addresses": ["email m…@example.com"],
            "since": "2026-03-02T10:00:00Z",
        },
        "rest": {
            "names": ["user_id m…", "email m…@example.com", "phone +…"],
            "sources": {"track": "2026-03-02T10:00:00Z"},
            "consents": 2,
        },
        "choices": ["part", "all", "refuse"],
        "shop": "a.b",
        "orders": ["1001"],
    }
    assert task.script == f"cairn privacy choose {task.id} --customer c_mia --do part|all|refuse --why REASON"


def test_the_same_order_again_is_the_same_task_and_another_record_is_another() -> None:
    known = mia(*WHO)
    tasks = [ordered(known, id_=id_)[1] for id_ in ("a", "b")]
    tasks.append(ordered(known, who=name(external={"shopify": "77"}))[1])
    tasks.append(ordered(known, type_=DATA_REQUESTED)[1])
    tasks.append(ordered(replace(known, profile=replace(known.profile, id="c_noa")))[1])

    ids = [task.id for task in tasks]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("known", "who", "choices"),
    [
        pytest.param(mia(*WHO), SHOP, ["part", "all", "refuse"], id="one record"),
        pytest.param(mia(*WHO, sources=(UNRECORDED,)), SHOP, ["part", "all", "refuse"], id="perhaps one"),
        pytest.param(mia(*WHO, sources=("track",)), MAIL, ["all", "refuse"], id="nothing of it"),
        pytest.param(mia(*WHO), name(external={"shopify": "77"}), ["all", "refuse"], id="two records of one vendor"),
        pytest.param(mia(*WHO), MAIL, ["all", "refuse"], id="a guest beside a record"),
        pytest.param(mia(*WHO[:1]), MAIL, ["part", "all", "refuse"], id="a guest"),
    ],
)
def test_a_part_is_offered_only_where_it_differs_from_the_rest(
    known: Customer, who: tuple[Identifier, ...], choices: list[str]
) -> None:
    _, task = ordered(known, who=who)

    assert isinstance(task, OpenTask)
    assert task.context["choices"] == choices


def test_a_request_reports_nothing_and_ties_no_address() -> None:
    known = mia(*SHOP, sources=("hubspot",))
    asked = event(DATA_REQUESTED, source="shopify", who=WHO, attributes={"plan": "x"}, vouched=OF_SHOPIFY)

    assert on_event(known, asked, Deployed(), MONDAY).customer == known


@pytest.mark.parametrize(
    ("reported", "counts"),
    [
        (event("order.paid", source="shopify"), True),
        (event("shopify.odd", source="shopify"), True),
        (event("message.delivered", source="feedback"), False),
        (event("message.bounced", source="twilio-eu"), False),
        (event("message.replied", source="whatsapp"), True),
        (event("message.stopped", source="twilio"), True),
        (event("consent.changed", source="preferences"), True),
        (event("consent.changed", source="operators"), True),
    ],
)
def test_sources_are_remembered_that_say_something_about_the_customer(reported: Event, *, counts: bool) -> None:
    after = on_event(mia(sources=()), reported, Deployed(), MONDAY).customer

    assert after.profile.sources == ({reported.source: MONDAY} if counts else {})


def orders_and_others() -> st.SearchStrategy[tuple[Customer, Event]]:
    """Customers and orders of few names and sources, so that they often meet."""
    ids = [*WHO, *name(user_id="x"), *name(external={"shopify": "77"}), *name(external={"hubspot": "5"})]
    names = st.lists(st.sampled_from([*ids, *name(email="b@example.com")]), unique=True).map(strongest_first)
    sources = st.lists(st.sampled_from(["shopify", "hubspot", "track", UNRECORDED]), unique=True).map(tuple)
    vouched = st.sampled_from([OF_SHOPIFY, ALL_FIELDS, NO_FIELDS, frozenset({"privacy"})])
    orders = st.builds(
        lambda who, source, vouches: event(ERASURE_REQUESTED, source=source, who=who, vouched=vouches),
        names.filter(bool),
        st.sampled_from(["shopify", "hubspot", "track", "feedback", "preferences"]),
        vouched,
    )
    return st.tuples(st.builds(lambda known, reported: mia(*known, sources=reported), names, sources), orders)


@given(orders_and_others())
@settings(max_examples=500)
def test_nobody_else_is_taken_along_by_an_order(both: tuple[Customer, Event]) -> None:
    customer, asked = both

    after = on_event(customer, asked, Deployed(), MONDAY).customer

    if after.erasure_pending_since is None:
        assert after == customer
        return
    own = {one for one in asked.identifiers if one.kind not in {"email", "phone"}}
    assert asked.vouches("privacy")
    assert asked.source in {"shopify", "hubspot"}
    assert own & set(customer.profile.identifiers)
    assert all(one in own or one.kind in {"email", "phone"} for one in customer.profile.identifiers)
    assert set(customer.profile.sources) <= {asked.source}


def test_the_operator_who_orders_an_erasure_is_recorded() -> None:
    asked = event("customer.erasure_requested", source="operators", properties={"actor": "ana"})

    [order] = on_event(customer(), asked, Deployed(), MONDAY).effects

    assert isinstance(order, EraseCustomer)
    assert order.by == "ana"


@pytest.mark.parametrize("source", ["track", "till", "shopify2", "feedback", "preferences"])
def test_a_request_from_any_other_source_opens_a_task(source: str) -> None:
    asked = event("customer.erasure_requested", source=source, vouched=vouched_by_default(source))

    reaction = on_event(customer(), asked, Deployed(), MONDAY)

    assert not may_order_erasure(source)
    assert reaction.customer.erasure_pending_since is None
    [task] = reaction.effects
    assert isinstance(task, OpenTask)
    assert (task.queue, task.due_at) == (QUEUE, MONDAY + ANSWER_WITHIN)
    assert task.context["because"] == Doubt.NOT_VOUCHED


def test_a_request_for_data_opens_a_task_that_is_due_within_a_month() -> None:
    asked = event("customer.data_requested", source="shopify", properties={"request_id": "9999"})

    [task] = on_event(customer(), asked, Deployed(), MONDAY + DAY).effects

    assert isinstance(task, OpenTask)
    assert (task.queue, task.due_at) == (QUEUE, MONDAY + ANSWER_WITHIN)
    assert task.context["request_id"] == "9999"
    assert "because" not in task.context


def test_a_shop_erasure_opens_a_task_with_instructions() -> None:
    [task] = on_event(customer(), event("shop.erasure_requested", source="shopify"), Deployed(), MONDAY).effects

    assert isinstance(task, OpenTask)
    assert "cairn erase" in task.script


def test_erasure_suppresses_marketing_at_every_address() -> None:
    asked = event("customer.erasure_requested", source="operators", who=WHO)

    changes = on_event(mia(*WHO), asked, Deployed(), MONDAY).suppression_changes

    assert {(one.channel, one.address) for one in changes} == {
        (Channel.EMAIL, "mia@example.com"),
        (Channel.SMS, "+14155550123"),
        (Channel.WHATSAPP, "+14155550123"),
        (Channel.IN_APP, "member-1"),
    }
    assert all(one.covers(Purpose.MARKETING) for one in current_suppressions(one.mark for one in changes))
    assert not any(one.covers(Purpose.TRANSACTIONAL) for one in current_suppressions(one.mark for one in changes))


@pytest.mark.parametrize(
    ("later", "purpose", "stands"),
    [(DAY, Purpose.MARKETING, False), (DAY, None, False), (DAY, Purpose.TRANSACTIONAL, True), (-DAY, None, True)],
)
def test_a_later_resubscription_at_the_address_lifts_an_erasure_suppression(
    later: timedelta, purpose: Purpose | None, *, stands: bool
) -> None:
    erasure = Mark(Cause.ERASURE, MONDAY, Purpose.MARKETING)
    asked = Mark(Cause.UNSUBSCRIBE, MONDAY + later, purpose, lifted=True)

    assert bool(current_suppressions([erasure, asked])) is stands


def test_a_customer_who_comes_back_has_another_id() -> None:
    before = customer_id_for(WHO[0], KEYS.customer_ids)

    ids = {
        before,
        id_after_erasure(before, MONDAY, KEYS.tombstones),
        id_after_erasure(before, MONDAY + DAY, KEYS.tombstones),
    }

    assert len(ids) == 3
    assert {len(one) for one in ids} == {28}
