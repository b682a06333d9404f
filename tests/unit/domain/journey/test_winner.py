"""The rule of a split names no arm that is no better, but for its error, however often one looks; and a better one."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import exp, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.journey.arms import Winner
from cairn.domain.journey.winner import ArmResult, evidence, winner_of

RULE = Winner("rule", after=100, error=0.05)
Rule = Callable[[Mapping[str, ArmResult], Winner], str | None]

DAYS, PER_DAY = 60, 60
"""Of a test, and its customers on each."""


def a_test(
    rates: Mapping[str, float], weights: Mapping[str, float], *, seed: int, rule: Rule = winner_of
) -> str | None:
    """The arm that the rule names, asked each day; goals come up to twenty days after the arm."""
    draw = random.Random(seed)  # noqa: S311  no secret
    results = {arm: ArmResult(weight) for arm, weight in weights.items()}
    due: dict[int, list[str]] = {}
    for day in range(DAYS):
        for arm in draw.choices(list(weights), list(weights.values()), k=PER_DAY):
            results[arm] = replace(results[arm], entered=results[arm].entered + 1)
            if draw.random() < rates[arm]:
                due.setdefault(day + draw.randrange(20), []).append(arm)
        for arm in due.pop(day, ()):
            results[arm] = replace(results[arm], reached=results[arm].reached + 1)
        if named := rule(results, RULE):
            return named
    return None


@pytest.mark.parametrize(
    "weights",
    [{"a": 1, "b": 1}, {"a": 90, "b": 10}, {"a": 1, "b": 1, "c": 1}],
    ids=["even", "uneven", "three arms"],
)
def test_of_equal_arms_one_is_named_in_at_most_one_of_twenty_tests_with_daily_looks(weights: dict[str, float]) -> None:
    tests = 400

    named = [a_test(dict.fromkeys(weights, 0.2), weights, seed=seed) for seed in range(tests)]

    assert sum(map(bool, named)) <= 0.05 * tests


def test_the_usual_test_of_two_shares_would_name_one_far_more_often() -> None:
    """So the simulation can fail: with one look at its end, this test errs in one of twenty cases."""
    weights, tests = {"a": 1, "b": 1}, 100

    named = [a_test({"a": 0.2, "b": 0.2}, weights, seed=seed, rule=by_two_shares) for seed in range(tests)]

    assert sum(map(bool, named)) > 0.1 * tests


def by_two_shares(results: Mapping[str, ArmResult], rule: Winner) -> str | None:
    a, b = results["a"], results["b"]
    if min(a.entered, b.entered) < rule.after:
        return None
    pooled = (a.reached + b.reached) / (a.entered + b.entered)
    spread = sqrt(pooled * (1 - pooled) * (1 / a.entered + 1 / b.entered)) or 1
    score = (a.reached / a.entered - b.reached / b.entered) / spread
    return None if abs(score) < 1.96 else ("a" if score > 0 else "b")


@pytest.mark.parametrize("better", ["a", "b"])
def test_a_much_better_arm_is_found(better: str) -> None:
    rates = {"a": 0.1, "b": 0.1} | {better: 0.2}

    named = [a_test(rates, {"a": 1, "b": 1}, seed=seed) for seed in range(60)]

    assert named.count(better) >= 54
    assert set(named) <= {better, None}


def test_of_two_arms_that_are_better_than_a_third_neither_is_named() -> None:
    rates = {"a": 0.3, "b": 0.3, "c": 0.05}

    named = [a_test(rates, dict.fromkeys(rates, 1), seed=seed) for seed in range(60)]

    assert named.count(None) >= 57


def test_it_waits_for_enough_customers_in_each_arm() -> None:
    clear = {"a": ArmResult(1, 99, 90), "b": ArmResult(1, 500, 5)}

    assert winner_of(clear, RULE) is None
    assert winner_of(clear | {"a": ArmResult(1, 100, 90)}, RULE) == "a"


def test_an_arm_without_weight_is_no_rival_and_alone_nobody_wins() -> None:
    found = {"a": ArmResult(1, 500, 200), "b": ArmResult(1, 500, 100), "old": ArmResult(0, 10, 9)}

    assert winner_of(found, RULE) == "a"
    assert winner_of({"a": found["a"], "old": found["old"]}, RULE) is None


@given(st.floats(0.1, 100), st.floats(0.1, 100), st.integers(0, 300), st.integers(0, 300))
def test_the_stake_is_fair_at_each_next_customer(one: float, other: float, won: int, lost: int) -> None:
    """Where arms make no difference, its mean after the next goal is what it is now: a martingale."""

    def stake(more: int, fewer: int) -> float:
        return exp(evidence(ArmResult(one, 0, won + more), ArmResult(other, 0, lost + fewer)))

    share = one / (one + other)

    assert share * stake(1, 0) + (1 - share) * stake(0, 1) == pytest.approx(stake(0, 0), rel=1e-9)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_it_never_fails_and_names_the_arm_with_more(won: int, lost: int) -> None:
    named = winner_of({"a": ArmResult(1, 10**6, won), "b": ArmResult(1, 10**6, lost)}, RULE)

    assert named in {None, "a" if won > lost else "b"}
