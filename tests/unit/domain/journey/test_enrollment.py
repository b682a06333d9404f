"""The holdout: stable, near its share, and independent between journeys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.journey.enrollment import held_out
from cairn.domain.shared.hashing import share
from tests.unit.makers import entered, journey, kinds, profile, send

CUSTOMERS = [f"c_{number:05}" for number in range(20_000)]
shares = st.floats(0, 1)


@given(st.text(), st.text(), shares, shares)
def test_a_larger_share_keeps_the_customers_of_the_holdout(name: str, customer: str, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert held_out(name, customer, low) <= held_out(name, customer, high)
    assert held_out(name, customer, one) == held_out(name, customer, one)
    assert 0 <= share(name, customer) < 1


@pytest.mark.parametrize("wanted", [0.0, 0.05, 0.1, 0.5, 1.0])
def test_the_share_of_many_customers_is_near_the_configured_one(wanted: float) -> None:
    got = sum(held_out("visit", customer, wanted) for customer in CUSTOMERS) / len(CUSTOMERS)

    assert got == pytest.approx(wanted, abs=0.01)


def test_the_holdouts_of_two_journeys_are_independent() -> None:
    both = sum(held_out("visit", one, 0.5) and held_out("rescue", one, 0.5) for one in CUSTOMERS)

    assert both / len(CUSTOMERS) == pytest.approx(0.25, abs=0.01)


def test_the_holdout_never_changes() -> None:
    """Pinned values: another hash would move customers between the arms of experiments under way."""
    assert share("holdout/visit", "c_ada") == pytest.approx(0.058313384877150265)
    assert [one for one in CUSTOMERS[:30] if held_out("visit", one, 0.1)] == ["c_00000", "c_00004"]


def test_entering_a_journey_respects_the_holdout() -> None:
    halved = journey(send("hello"), holdout=0.5)

    for one in CUSTOMERS[:200]:
        facts = kinds(entered(halved, who=profile(one)))

        assert facts[0] == ("held_out" if held_out("visit", one, 0.5) else "entered")
