"""Suppression by address: the order and repeats of marks make no difference."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cairn.domain.consent.suppression import (
    Cause,
    Mark,
    Suppression,
    SuppressionChange,
    current_suppressions,
    suppression_key,
)
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY
from tests.unit.strategies import few_instants, instants

OTHERS = IdentityKeys.derive("another-key-of-tests-with-32-bytes-or-more")
HOUR = timedelta(hours=1)

marks = st.builds(Mark, st.sampled_from(Cause), few_instants, st.none() | st.sampled_from(Purpose), st.booleans())
registries = st.lists(marks, max_size=8)


def suppressed(cause: Cause = Cause.STOP, when: Any = MONDAY, purpose: Purpose | None = None) -> Mark:
    return Mark(cause, when, purpose)


def released(cause: Cause = Cause.STOP, when: Any = MONDAY, purpose: Purpose | None = None) -> Mark:
    return Mark(cause, when, purpose, lifted=True)


@given(registries, st.randoms(use_true_random=False))
def test_marks_give_the_same_suppressions_in_any_order_and_when_repeated(known: list[Mark], luck: Any) -> None:
    again = known + [luck.choice(known) for _ in range(3) if known]
    luck.shuffle(again)

    assert current_suppressions(again) == current_suppressions(known)


@given(registries, registries, registries)
def test_two_sets_of_marks_merge_to_the_same_suppressions_either_way(
    one: list[Mark], two: list[Mark], three: list[Mark]
) -> None:
    wire = [{mark.to_wire() for mark in known} for known in (one, two, three)]
    left, right = (wire[0] | wire[1]) | wire[2], wire[2] | (wire[1] | wire[0])

    assert (
        current_suppressions(map(Mark.from_wire, left))
        == current_suppressions([*one, *two, *three])
        == current_suppressions(map(Mark.from_wire, right))
    )


@given(registries, marks)
@example([Mark(Cause.ERASURE, MONDAY)], Mark(Cause.STOP, MONDAY + HOUR, lifted=True))
def test_only_a_later_release_of_the_same_cause_and_purpose_lifts_a_suppression(
    known: list[Mark], one_more: Mark
) -> None:
    """And a START or a resubscription from the address lifts that of an erasure, if it covers its purpose."""
    before, after = current_suppressions(known), current_suppressions([*known, one_more])

    gone = {(one.cause, one.purpose) for one in before} - {(one.cause, one.purpose) for one in after}

    asked = one_more.cause in {Cause.STOP, Cause.UNSUBSCRIBE}
    erasures = {(Cause.ERASURE, one) for one in (None, *Purpose) if asked and one_more.purpose in {None, one}}
    assert gone <= {(one_more.cause, one_more.purpose), *erasures}
    assert all(before_it.at < one_more.at for before_it in before if (before_it.cause, before_it.purpose) in gone)
    assert not gone or one_more.lifted


def test_of_a_suppression_and_a_release_at_one_instant_the_suppression_counts() -> None:
    assert (
        current_suppressions([suppressed(), released()])
        == current_suppressions([released(), suppressed()])
        == (Suppression(Cause.STOP, MONDAY),)
    )


def test_a_later_release_lifts_a_suppression() -> None:
    assert current_suppressions([suppressed(), released(when=MONDAY + HOUR)]) == ()
    assert current_suppressions([suppressed(when=MONDAY + HOUR), released()]) == (
        Suppression(Cause.STOP, MONDAY + HOUR),
    )


def test_a_release_for_one_cause_leaves_the_others() -> None:
    known = [suppressed(), suppressed(Cause.COMPLAINT), released(when=MONDAY + HOUR)]

    assert current_suppressions(known) == (Suppression(Cause.COMPLAINT, MONDAY),)


def test_a_suppression_begins_with_its_latest_mark() -> None:
    known = [suppressed(), released(when=MONDAY + HOUR), suppressed(when=MONDAY + 2 * HOUR)]

    assert current_suppressions(known) == (Suppression(Cause.STOP, MONDAY + 2 * HOUR),)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_suppression_without_a_purpose_covers_every_purpose(purpose: Purpose) -> None:
    assert Suppression(Cause.HARD_BOUNCE, MONDAY).covers(purpose)


def test_an_unsubscription_from_marketing_does_not_cover_transactional() -> None:
    news = Suppression(Cause.UNSUBSCRIBE, MONDAY, Purpose.MARKETING)

    assert news.covers(Purpose.MARKETING)
    assert not news.covers(Purpose.TRANSACTIONAL)


@given(st.builds(Mark, st.sampled_from(Cause), instants, st.none() | st.sampled_from(Purpose), st.booleans()))
def test_a_mark_survives_the_wire(mark: Mark) -> None:
    assert Mark.from_wire(mark.to_wire()) == mark


def test_the_wire_format_of_a_mark() -> None:
    """Tables contain marks in this format: a change needs a migration."""
    assert suppressed().to_wire() == "stop all + 2026-03-02T10:00:00Z"
    assert released(Cause.UNSUBSCRIBE, purpose=Purpose.MARKETING).to_wire() == (
        "unsubscribe marketing - 2026-03-02T10:00:00Z"
    )


def test_the_key_of_an_address_does_not_reveal_it() -> None:
    key = suppression_key(Channel.EMAIL, "ada@example.com", KEYS.suppressions)

    assert key == suppression_key(Channel.EMAIL, "ada@example.com", KEYS.suppressions)
    assert "ada" not in key
    assert len(key) == 40
    others = {
        suppression_key(Channel.SMS, "ada@example.com", KEYS.suppressions),
        suppression_key(Channel.EMAIL, "eve@example.com", KEYS.suppressions),
        suppression_key(Channel.EMAIL, "ada@example.com", OTHERS.suppressions),
    }
    assert key not in others
    assert len(others) == 3


def test_the_key_of_an_address_never_changes() -> None:
    """Suppressions outlive every customer, and are found by this key."""
    assert (
        suppression_key(Channel.EMAIL, "ada@example.com", KEYS.suppressions)
        == "b9f7b3613dcc75cedfca207cf18d826438c94ad7"
    )
    before = IdentityKeys.derive("a-key-of-tests-with-32-bytes-or-more", "salt").suppressions
    assert suppression_key(Channel.EMAIL, "ada@example.com", before) == "27c974f86f9211b9688e483d13ccb052844f5eaa"


def test_a_change_is_stored_under_its_own_key_or_that_of_its_address() -> None:
    by_address = SuppressionChange(Channel.EMAIL, suppressed(), address="ada@example.com")
    by_key = SuppressionChange(Channel.EMAIL, suppressed(), key="abc")

    assert by_address.key_with(KEYS.suppressions) == suppression_key(
        Channel.EMAIL, "ada@example.com", KEYS.suppressions
    )
    assert by_key.key_with(KEYS.suppressions) == "abc"
