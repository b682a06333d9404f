"""What the rules of leads cost: an event writes what it changes, and asks the rules that hear it."""

from typing import Any

import pytest

from cairn.adapters.dynamodb.entries import MARK, MOVES, POINTS, SPENT, changed_entries
from cairn.domain.customer.customer import Customer, on_event
from cairn.domain.journey import conditions
from cairn.domain.lead.leads import Leads
from tests.unit.domain.lead.test_lead_laws import LEADS, ORDER
from tests.unit.makers import MONDAY, Deployed, event, profile


def written(type_: str, leads: Leads | None = LEADS, **more: Any) -> dict[str, Any]:
    before = Customer(profile(employees=10))
    after = on_event(before, event(type_, **more), Deployed(), MONDAY, leads=leads).customer
    return changed_entries(before, after)


def test_an_event_that_no_rule_hears_writes_the_same_with_rules_and_without() -> None:
    assert written("unheard.of") == written("unheard.of", leads=None)


def test_an_event_that_no_rule_hears_asks_no_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "compiled", None)

    written("unheard.of")


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        ("mail.opened", {f"{POINTS}opened", f"{MARK}history"}),
        ("call.made", {f"{MOVES}sales"}),
        (ORDER, {f"{SPENT}USD", f"{MOVES}sales"}),
    ],
)
def test_a_rule_writes_the_parts_that_it_changes(type_: str, more: set[str]) -> None:
    properties = {"amount": 5, "currency": "USD"}

    with_rules = written(type_, properties=properties)

    extra = with_rules.keys() - written(type_, leads=None, properties=properties).keys()
    assert extra - {f"{MARK}history"} == more - {f"{MARK}history"}
