"""Leads in the decisions about customers: stages, scores that become hot and cool, tags, money, who may say what."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cairn.adapters.documents.leads import rules_from_document
from cairn.application.events.relay_effects import event_of
from cairn.domain.customer.customer import Customer, Reaction, on_event, on_wake
from cairn.domain.effects import EmitEvent, WakeAt
from cairn.domain.event import Event
from cairn.domain.identity.trust import LEADS_SOURCE, OPERATORS_SOURCE
from cairn.domain.journey.definition import Journey
from cairn.domain.lead.leads import Leads
from cairn.domain.profile.lead import COOLING
from tests.unit.domain.lead.test_lead_laws import DOCUMENT, ORDER
from tests.unit.makers import MONDAY, Deployed, event, journey, profile, send

PIPELINE: Mapping[str, Any] = DOCUMENT["pipelines"][0]
BACK = {**PIPELINE, "moves": [{"from": "won", "to": "talked"}]}


class Shop:
    """A customer of a deployment with rules of leads."""

    def __init__(self, *journeys: Journey, **tables: Any) -> None:
        self.leads = Leads(rules_from_document({**DOCUMENT, **tables}))
        self.deployed = Deployed(*journeys)
        self.customer = Customer(profile())
        self.now = MONDAY
        self.last = Reaction(self.customer)

    def hears(self, type_: str, after: timedelta = timedelta(hours=1), **more: Any) -> Reaction:
        self.now += after
        one = event(type_, more.pop("at", self.now), id_=f"{type_}-{self.now.isoformat()}", **more)
        return self.hear(one)

    def hear(self, one: Event, **found: Any) -> Reaction:
        self.last = on_event(self.customer, one, self.deployed, self.now, leads=self.leads, **found)
        self.customer = self.last.customer
        return self.last

    def wakes(self, timer: WakeAt) -> Reaction | None:
        self.now = max(self.now, timer.at)
        woken = on_wake(self.customer, timer.enrollment, timer.sequence, self.deployed, self.now, leads=self.leads)
        self.customer = woken.customer if woken else self.customer
        return woken

    def view(self, name: str) -> Any:
        return self.leads.read(self.customer.profile).view(self.now).get(name)


def said(reaction: Reaction | None) -> list[tuple[str, Any]]:
    effects = reaction.effects if reaction else ()
    return [(one.event, one.properties.get("score")) for one in effects if isinstance(one, EmitEvent)]


def timers(reaction: Reaction | None) -> list[WakeAt]:
    return [one for one in (reaction.effects if reaction else ()) if isinstance(one, WakeAt)]


def facts(reaction: Reaction) -> list[tuple[str, Any]]:
    return [(one.kind, one.detail.get("reason", one.detail.get("stage"))) for one in reaction.facts]


def hot_shop(*journeys: Journey) -> Shop:
    shop = Shop(*journeys)
    for _ in range(5):
        shop.hears("mail.opened", properties={})
    shop.hears("profile.completed", attributes={"employees": 60})
    return shop


def test_a_lead_becomes_hot_once_and_cools_by_its_timer() -> None:
    shop = hot_shop()

    assert said(shop.last) == [("lead.became_hot", 60)]
    assert (shop.view("score"), shop.view("hot")) == (60, True)
    timer = timers(shop.last)[0]
    assert timer.enrollment == COOLING

    assert said(shop.hears("mail.opened")) == []  # it is hot already
    later = shop.wakes(timer)  # and has more points than when the timer was set

    assert said(later) == []
    again = timers(later)[0]
    assert again.at > timer.at
    assert shop.view("score") >= 40

    cold = shop.wakes(again)

    assert said(cold)[0][0] == "lead.cooled"
    assert said(cold)[0][1] < 40
    assert shop.view("hot") is False
    assert shop.wakes(again) is None  # the same timer twice


def test_the_event_of_a_score_is_of_a_reserved_source_and_the_same_one_however_often_it_is_decided() -> None:
    shop = hot_shop()
    effect = next(one for one in shop.last.effects if isinstance(one, EmitEvent))

    heard = event_of(effect, shop.customer.id, shop.now)

    assert (heard.source, heard.type, heard.customer_id) == (LEADS_SOURCE, "lead.became_hot", shop.customer.id)
    assert [effect] == [one for one in hot_shop().last.effects if isinstance(one, EmitEvent)]


def test_a_backfilled_event_makes_nobody_hot() -> None:
    shop = Shop()
    for _ in range(5):
        shop.hears("mail.opened", backfill=True)
    assert said(shop.hears("profile.completed", attributes={"employees": 60}, backfill=True)) == []
    assert shop.view("score") == 60

    assert said(shop.hears("mail.opened"))[0][0] == "lead.became_hot"


def test_a_score_that_only_decays_begins_no_entry_and_a_branch_reads_it_as_it_is() -> None:
    falls = journey(send("hi"), journey="cold", entry={"when": "profile.score < `50`", "watches": ["score"]})
    shop = hot_shop(falls)
    shop.now += timedelta(days=30)

    assert shop.view("score") < 50
    reaction = shop.hears("unheard.of")

    assert said(reaction) == []  # it was below before this event, as well


def test_an_entry_begins_by_a_stage_a_score_and_a_tag() -> None:
    entries = {
        "stage": "profile.stage == 'won'",
        "score": "profile.score >= `25`",
        "tags": "contains(profile.tags, 'buyer')",
    }
    journeys = [
        journey(send("hi"), journey=name, entry={"when": when, "watches": [name]}) for name, when in entries.items()
    ]
    shop = Shop(*journeys, tags=[{"tag": "buyer", "when": "profile.orders > `0`", "watches": ["orders"]}])
    shop.hears("call.made")

    reaction = shop.hears(ORDER, properties={"amount": 100, "currency": "USD"})

    begun = [one for one in reaction.effects if isinstance(one, EmitEvent)]
    assert sorted(one.properties["journey"] for one in begun) == sorted(entries)
    assert shop.customer.profile.tags == ("buyer",)


def test_a_tag_of_a_condition_goes_when_that_is_met_no_longer() -> None:
    shop = Shop(tags=[{"tag": "large", "when": "profile.employees > `50`", "watches": ["employees"]}])
    shop.hears("profile.completed", attributes={"employees": 60})
    assert shop.customer.profile.tags == ("large",)

    shop.hears("profile.completed", attributes={"employees": 5})

    assert shop.customer.profile.tags == ()


def test_a_move_that_is_not_allowed_is_a_fact_and_no_error() -> None:
    shop = Shop()
    assert facts(shop.hears(ORDER, properties={"amount": 1, "currency": "USD"})) == [("staged", "won")]

    assert facts(shop.hears("call.made")) == [("not_staged", "from won to talked is no allowed move")]
    assert shop.view("stage") == "won"

    back = Shop(pipelines=[BACK])
    back.hears(ORDER, properties={"amount": 1, "currency": "USD"})
    assert facts(back.hears("call.made")) == [("staged", "talked")]


def test_what_a_customer_has_been_through_says_nothing_new() -> None:
    shop = Shop()
    shop.hears("lead.created")
    shop.hears("call.made")
    before = shop.customer.profile.lead.moves

    assert facts(shop.hears("lead.created")) == []
    assert shop.customer.profile.lead.moves == before


def test_a_late_event_counts_by_its_own_instant() -> None:
    shop = Shop()
    shop.hears("lead.created")
    shop.hears(ORDER, after=timedelta(days=3), properties={"amount": 1, "currency": "USD"})

    late = shop.hears("call.made", at=MONDAY + timedelta(days=1))

    assert facts(late) == []
    pipeline = shop.leads.rules.pipelines[0]
    stays = pipeline.history(shop.customer.profile.lead.moves["sales"])
    assert [one.stage for one in stays] == ["new", "talked", "won"]
    assert stays[1].until == stays[2].since


def test_operators_move_customers_and_only_they() -> None:
    shop = Shop()
    properties = {"pipeline": "sales", "stage": "talked", "actor": "ann"}

    shop.hears("stage.set", properties=properties)
    assert shop.view("stage") is None

    assert facts(shop.hears("stage.set", properties=properties, source=OPERATORS_SOURCE)) == [("staged", "talked")]
    assert shop.customer.profile.lead.moves["sales"][0].by == "ann"
    unknown = shop.hears("stage.set", properties={**properties, "stage": "nowhere"}, source=OPERATORS_SOURCE)
    assert facts(unknown) == [("not_staged", "there is no such stage")]


def test_a_visitor_spends_no_money_for_somebody_who_is_known() -> None:
    shop = Shop()
    paid = event(ORDER, MONDAY, properties={"amount": 10**6, "currency": "USD"})

    reaction = shop.hear(paid, by_vouched=False)

    assert ("not_counted", "typed") in facts(reaction)
    assert shop.view("orders") == 0


def test_a_stage_after_lost_is_final_and_lost_is_not() -> None:
    ends = [{"stage": "lost", "event": "lead.lost"}, {"stage": "won", "event": "lead.won"}]
    shop = Shop(pipelines=[{"pipeline": "sales", "stages": [{"stage": "new", "event": "lead.created"}, *ends]}])

    assert facts(shop.hears("lead.lost")) == [("staged", "lost")]
    assert facts(shop.hears("lead.won")) == [("staged", "won")]
    assert facts(shop.hears("lead.lost")) == []
    assert shop.view("stage") == "won"


@pytest.mark.parametrize("attribute", ["stage", "score", "owner"])
def test_a_visitor_sets_no_stage_score_or_owner(attribute: str) -> None:
    shop = Shop()
    typed = event("lead.created", MONDAY, attributes={attribute: "won"}, vouched=frozenset(), properties={})

    shop.hear(replace(typed, settable=frozenset({attribute})), by_vouched=False)

    assert shop.view(attribute) in {"new", 0, None}


def test_amounts_in_whole_units_become_minor_ones() -> None:
    rule = {
        "event": ORDER,
        "amount": "event.properties.total",
        "currency": "event.properties.currency",
        "unit": "major",
    }
    shop = Shop(value=[rule])

    shop.hears(ORDER, properties={"total": "12.50", "currency": "USD"})
    shop.hears(ORDER, properties={"total": 500, "currency": "JPY"})

    assert shop.view("lifetime_value") == {"JPY": 500, "USD": 1250}
    assert facts(shop.hears(ORDER, properties={"total": "much", "currency": "USD"})) == [
        ("not_counted", "no amount"),
    ]


def test_orders_have_classes_by_recency_frequency_and_money() -> None:
    grades = {**DOCUMENT["rfm"], "classes": [{"class": "loyal", "frequency": 2, "recency": 2}]}
    shop = Shop(rfm=grades)
    for _ in range(2):
        shop.hears(ORDER, properties={"amount": 600, "currency": "USD"})

    assert shop.view("rfm") == {"recency": 3, "frequency": 2, "monetary": 3, "class": "loyal"}
    shop.now += timedelta(days=100)
    assert shop.view("rfm") == {"recency": 1, "frequency": 2, "monetary": 3, "class": None}


def test_without_rules_nothing_changes() -> None:
    reaction = on_event(Customer(profile()), event("lead.created"), Deployed(), MONDAY)

    assert reaction.customer.profile.view(MONDAY) == reaction.customer.profile.view()
    assert reaction.facts == ()


def test_the_first_touch_stays_and_the_latest_one_changes_whatever_arrives_first() -> None:
    shop = Shop()
    for day in (2, 1, 3):
        shop.hears("lead.created", at=MONDAY + timedelta(days=day), properties={"from": f"ad-{day}"})

    assert (shop.view("first_touch")["source"], shop.view("latest_touch")["source"]) == ("ad-1", "ad-3")


def test_a_category_may_follow_from_the_score_and_the_stage() -> None:
    shop = Shop(categories=[{"category": "warm", "when": "profile.score > `0` && profile.stage == 'new'"}])
    assert shop.view("category") is None

    shop.hears("lead.created")
    shop.hears("mail.opened")

    assert shop.view("category") == "warm"


def test_a_reported_confidence_goes_before_the_computed_one() -> None:
    shop = Shop()
    assert (shop.view("contact_confidence"), shop.view("identity_match")) == (0.0, "account")

    shop.hears("profile.checked", attributes={"contact_confidence": 0.3})

    assert shop.view("contact_confidence") == 0.3
