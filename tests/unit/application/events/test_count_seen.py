"""How often a process writes what it has seen, and that each count is a lower bound."""

from datetime import timedelta

import pytest

from cairn.application.events.count_seen import MAX_WAITING, MAX_WRITES, PAUSE, CountSeen
from cairn.domain.operations.seen import Seen, SeenBecause
from cairn.domain.shared.errors import ServiceBusyError
from tests.unit.fakes import SeenTypes
from tests.unit.makers import MONDAY

WITHOUT_RULE = Seen("shop", "shop.visited", SeenBecause.NO_RULE)
OF_NOBODY = Seen("shop", "shop.refunded", SeenBecause.NO_CUSTOMER)


@pytest.fixture
def types() -> SeenTypes:
    return SeenTypes()


@pytest.fixture
def count(types: SeenTypes) -> CountSeen:
    return CountSeen(types)


def counted(types: SeenTypes, type_: str) -> int:
    return sum(one.count for one in types if one.type == type_)


def test_what_becomes_no_event_is_written_each_time(count: CountSeen, types: SeenTypes) -> None:
    for _ in range(3):
        count([OF_NOBODY], MONDAY)

    assert types.writes == 3
    assert counted(types, OF_NOBODY.type) == 3


def test_what_has_no_rule_is_written_once_a_minute_with_all_that_came_in_between(
    count: CountSeen, types: SeenTypes
) -> None:
    for second in range(60):
        count([WITHOUT_RULE], MONDAY + timedelta(seconds=second))
    assert (types.writes, counted(types, WITHOUT_RULE.type)) == (1, 1)

    count([WITHOUT_RULE], MONDAY + PAUSE)

    assert (types.writes, counted(types, WITHOUT_RULE.type)) == (2, 61)


def test_a_request_of_many_types_writes_a_few_and_the_next_one_more(count: CountSeen, types: SeenTypes) -> None:
    many = [Seen("shop", f"shop.{number}", SeenBecause.NO_CUSTOMER) for number in range(MAX_WRITES + 2)]

    count(many, MONDAY)
    assert types.writes == MAX_WRITES

    count([OF_NOBODY], MONDAY)
    assert types.writes == len(many) + 1


def test_after_a_failure_nothing_is_tried_for_a_minute_and_nothing_is_counted_twice(
    count: CountSeen, types: SeenTypes
) -> None:
    types.is_down = ServiceBusyError("dynamodb cannot be reached")
    with pytest.raises(ServiceBusyError):
        count([OF_NOBODY], MONDAY)
    count([OF_NOBODY], MONDAY + timedelta(seconds=59))
    assert types.writes == 1

    types.is_down = None
    count([OF_NOBODY], MONDAY + PAUSE)

    assert counted(types, OF_NOBODY.type) == 2, "the first may have been written: it is not counted again"


def test_a_process_does_not_collect_without_end(count: CountSeen) -> None:
    count([Seen("shop", f"shop.{number}", SeenBecause.NO_CUSTOMER) for number in range(10 * MAX_WAITING)], MONDAY)

    assert len(count.waiting) <= MAX_WAITING
