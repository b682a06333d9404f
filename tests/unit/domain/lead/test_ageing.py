"""What time makes of a customer: another RFM class, and silence against their own past. One timer finds both."""

from datetime import timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.entries import MARK, SPENT, changed_entries
from cairn.domain.customer.customer import Customer, Reaction, on_event
from cairn.domain.effects import EmitEvent, WakeAt
from cairn.domain.lead.leads import Leads
from cairn.domain.lead.rules import OWN_EVENTS, RESUMED, RFM_CHANGED, SLOWED
from cairn.domain.profile.lead import AGEING, RFM_CLASS
from tests.unit.domain.lead.test_lead_laws import DOCUMENT, ORDER
from tests.unit.domain.lead.test_leads_of_customers import Shop
from tests.unit.makers import MONDAY, Deployed, event, profile

DAYS = timedelta(days=1)
RFM = DOCUMENT["rfm"] | {"classes": [{"class": "loyal", "recency": 3, "frequency": 2}, {"class": "new", "recency": 2}]}
SLOWING = {"event": ["class.attended", ORDER], "times": 2.0, "least": 4}
PAID = {"amount": 50, "currency": "USD"}


def said(reaction: Reaction | None) -> list[tuple[str, Any]]:
    effects = reaction.effects if reaction else ()
    found = [one for one in effects if isinstance(one, EmitEvent) and one.event in OWN_EVENTS]
    return [(one.event, one.properties.get("class")) for one in found]


def timer(reaction: Reaction | None) -> WakeAt | None:
    effects = reaction.effects if reaction else ()
    return next((one for one in effects if isinstance(one, WakeAt) and one.enrollment == AGEING), None)


def woken(shop: Shop, one: WakeAt | None) -> Reaction | None:
    assert one is not None
    return shop.wakes(one)


def counted(reaction: Reaction) -> list[tuple[str, Any]]:
    return [
        (one.kind, one.detail.get("arm")) for one in reaction.facts if one.kind in {"classified", "slowed", "resumed"}
    ]


def test_a_class_changes_by_orders_and_by_time_alone_each_said_once() -> None:
    shop = Shop(rfm=RFM)

    first = shop.hears(ORDER, properties=PAID)
    assert said(first) == [(RFM_CHANGED, "new")]
    assert counted(first) == [("classified", "new")]
    second = shop.hears(ORDER, after=DAYS, properties=PAID)
    assert said(second) == [(RFM_CHANGED, "loyal")]
    assert timer(second) is None, "the timer of the first order looks at what has happened since"
    assert said(shop.hears(ORDER, after=DAYS, properties=PAID)) == []

    early = woken(shop, timer(first))  # 30 days after the first order
    assert said(early) == []
    later = woken(shop, timer(early))
    assert said(later) == [(RFM_CHANGED, "new")], "30 days after the last one"
    last = woken(shop, timer(later))
    assert said(last) == [(RFM_CHANGED, "none")]
    assert timer(last) is None, "there is no lower grade"

    back = shop.hears(ORDER, properties=PAID)
    assert said(back) == [(RFM_CHANGED, "loyal")]
    assert timer(back) is not None


def test_silence_is_measured_by_the_customers_own_past() -> None:
    often, seldom = Shop(slowing=SLOWING), Shop(slowing=SLOWING)
    for _ in range(3):
        assert timer(often.hears("class.attended", after=2 * DAYS)) is None, "no habit yet"
        seldom.hears("class.attended", after=20 * DAYS)
    soon = timer(often.hears("class.attended", after=2 * DAYS))
    far = timer(seldom.hears("class.attended", after=20 * DAYS))

    assert soon is not None
    assert far is not None
    assert soon.at - often.now == pytest.approx(4 * DAYS, abs=timedelta(hours=1))
    assert far.at - seldom.now == pytest.approx(40 * DAYS, abs=timedelta(hours=1))
    assert soon.at >= often.now + 4 * DAYS


def test_who_goes_on_is_never_called_slow_and_who_stops_is_once() -> None:
    shop = Shop(slowing=SLOWING)
    armed = [timer(shop.hears("class.attended", after=2 * DAYS)) for _ in range(6)]
    (first,) = [one for one in armed if one]

    again = woken(shop, first)
    assert said(again) == [], "there was a class since"
    slow = woken(shop, timer(again))
    assert said(slow) == [(SLOWED, None)]
    assert slow is not None
    assert counted(slow) == [("slowed", None)]
    assert timer(slow) is None, "nothing more happens to a silent customer"
    assert shop.wakes(first) is None, "the same timer twice"

    back = shop.hears("class.attended", after=30 * DAYS)
    assert said(back) == [(RESUMED, None)]
    assert timer(back) is not None


def test_a_timer_that_comes_too_late_is_set_earlier() -> None:
    shop = Shop(slowing=SLOWING)
    armed = [timer(shop.hears("class.attended", after=20 * DAYS)) for _ in range(4)][-1]
    for _ in range(30):
        earlier = timer(shop.hears("class.attended")) or None
        if earlier:
            break

    assert armed is not None
    assert earlier is not None
    assert earlier.at < armed.at - DAYS
    assert said(woken(shop, earlier)) == [(SLOWED, None)]
    assert shop.wakes(armed) is None, "the earlier one has taken its place"


def test_a_timer_that_was_lost_is_set_anew_by_the_next_event() -> None:
    shop = Shop(slowing=SLOWING)
    armed = [timer(shop.hears("class.attended", after=2 * DAYS)) for _ in range(4)][-1]
    assert armed is not None

    assert timer(shop.hears("class.attended", after=2 * DAYS)) is None
    anew = timer(shop.hears("class.attended", after=6 * DAYS))

    assert anew is not None
    assert anew.at > shop.now


def test_history_says_nothing_and_sets_no_timer_until_something_happens() -> None:
    shop = Shop(rfm=RFM, slowing=SLOWING)
    for number in range(6):
        past = shop.hears(ORDER, backfill=True, properties=PAID, at=MONDAY - (6 - number) * DAYS)
        assert (said(past), timer(past)) == ([], None)

    assert said(shop.hears(ORDER, properties=PAID)) == [(RFM_CHANGED, "loyal")]


def test_what_no_journey_names_is_a_fact_and_no_event() -> None:
    shop = Shop(rfm=RFM, says=[])

    first = shop.hears(ORDER, properties=PAID)

    assert (said(first), counted(first)) == ([], [("classified", "new")])


def test_an_order_that_changes_no_class_writes_what_it_would_without_classes() -> None:
    """And one that does writes two marks more, in the item that it writes anyway."""

    def written(*, orders: int, classes: bool) -> set[str]:
        shop = Shop(**({"rfm": RFM} if classes else {}))
        for _ in range(orders):
            shop.hears(ORDER, properties=PAID)
        before: Customer = shop.customer
        return changed_entries(before, shop.hears(ORDER, properties=PAID).customer).keys()

    assert written(orders=2, classes=True) == written(orders=2, classes=False)
    assert written(orders=1, classes=True) - written(orders=1, classes=False) == {f"{MARK}{RFM_CLASS}"}
    assert f"{SPENT}USD" in written(orders=1, classes=False)


def test_an_event_that_is_no_activity_changes_nothing() -> None:
    leads = Leads(Shop(rfm=RFM, slowing=SLOWING).leads.rules)
    before = Customer(leads.read(profile()))

    after = on_event(before, event("page.viewed"), Deployed(), MONDAY, leads=leads).customer

    assert after.profile.lead is before.profile.lead
