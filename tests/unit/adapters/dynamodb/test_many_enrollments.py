"""Whatever happens to customers with many or large enrollments: all of it commits, and nothing is lost."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import event as noted_event
from hypothesis import example, given
from hypothesis import strategies as st
from pynamodb.models import Model

from cairn.adapters.dynamodb import atomic_write, customers, present_customers
from cairn.adapters.dynamodb.customer_state import as_read
from cairn.adapters.dynamodb.items import OPEN, CustomerItem, RecordItem
from cairn.adapters.dynamodb.table import Write
from cairn.application.values.customers import Commit
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.profile.bounds import MAX_DATA
from cairn.domain.profile.profile import Profile
from tests.many_enrollments import (
    COURSE,
    CUSTOMERS,
    LATER,
    MIA,
    NOW,
    TRIAL,
    begun,
    check_that_each_message_has_its_data,
    check_that_nothing_is_lost,
    happens,
    noted,
)
from tests.unit.fakes import KEYS
from tests.unit.makers import event

ID = customer_id_for(MIA[0], KEYS.customer_ids)
MAX_ITEMS = 100
MAX_ITEM = 400 * 1024
MAX_TRANSACTION = 4 * 1024 * 1024
"""DynamoDB quotas."""

Key = tuple[str, str]


class Table(dict[Key, dict[str, Any]]):
    """A table in memory that nobody else writes, with DynamoDB's limits."""

    def save(self, item: Model, condition: object = None) -> None:  # noqa: ARG002  nobody else writes
        raw = item.serialize()
        assert _size(raw) < MAX_ITEM
        self[raw["pk"]["S"], raw["sk"]["S"]] = raw

    def query(self, pk: str, condition: object = None, **_: Any) -> "_Found":  # noqa: ARG002  all of it
        keys = sorted(key for key in self if key[0] == pk and key[1].startswith(OPEN))
        return _Found(CustomerItem.from_raw_data(dict(self[key])) for key in keys)

    def read_all(self, keys: Any) -> dict[Key, Any]:
        return {
            key: (CustomerItem if key[1].startswith(OPEN) else RecordItem).from_raw_data(dict(self[key]))
            for key in keys
            if key in self
        }

    def first_items(self, pk: str, *_: Any, **__: Any) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        yield [dict(self[key]) for key in sorted(self) if key[0] == pk and key[1].startswith(OPEN)], False

    def transact(self, writes: list[Write]) -> None:
        """Whatever the conditions: nobody else writes."""
        puts = [arguments["Item"] for kind, arguments in writes if kind == "Put"]
        gone = [arguments["Key"] for kind, arguments in writes if kind == "Delete"]
        assert len(writes) <= MAX_ITEMS
        assert sum(map(_size, puts)) < MAX_TRANSACTION
        assert all(_size(raw) < MAX_ITEM for raw in puts)
        self.update({(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in puts})
        for key in gone:
            self.pop((key["pk"]["S"], key["sk"]["S"]), None)


class _Found(list[CustomerItem]):
    last_evaluated_key = None


def _size(raw: dict[str, Any]) -> int:
    return sum(len(name) + len(str(next(iter(value.values()))).encode()) for name, value in raw.items())


@contextmanager
def in_memory() -> Iterator[Table]:
    table = Table()
    with ExitStack() as patches:
        patches.enter_context(patch.object(atomic_write, "transact", table.transact))
        patches.enter_context(patch.object(customers, "first_items", table.first_items))
        patches.enter_context(patch.object(customers, "read_all", table.read_all))
        patches.enter_context(patch.object(present_customers, "read_all", table.read_all))
        patches.enter_context(patch.object(CustomerItem, "query", table.query))
        patches.enter_context(patch.object(CustomerItem, "save", lambda item, **_: table.save(item)))
        yield table


MOST = 60_000
"""Bytes of all data, so that an example takes no seconds."""

amounts = st.tuples(
    st.sampled_from([1, 12, 60, 101, 140]), st.sampled_from([0, 250, 700, 1_300, 3_000, MAX_DATA - 200])
).filter(lambda one: one[0] * one[1] <= MOST)
REWRITTEN = "a rewrite"
"""At first, each enrollment is then in an item of its own."""

happenings = st.sampled_from(
    [
        *("visit.attended", "trial.ended", "course.moved", "page.viewed", "trial.signup", "course.booked"),
        *(REWRITTEN, "days later"),
    ]
)


@given(
    amounts, amounts, st.lists(happenings, max_size=3).map(lambda some: [REWRITTEN, *some]), st.sampled_from([0, 400])
)
@example((300, 1_300), (1, 0), [REWRITTEN, "trial.ended", "page.viewed", REWRITTEN], 0)
@example((1, 0), (300, 1_300), ["visit.attended", "course.moved", "days later", "course.moved"], 0)
@example((140, 3_000), (140, 700), [REWRITTEN, "visit.attended", "trial.ended", "course.moved", REWRITTEN], 400)
@example((1, 0), (140, 3_000), [REWRITTEN, "course.moved", "course.moved", "page.viewed", "course.booked"], 2_000)
@example((1, 0), (140, 3_000), ["course.moved", "course.moved", "page.viewed", "course.booked", REWRITTEN], 2_000)
def test_each_event_commits_and_nothing_is_lost(
    trials: tuple[int, int], courses: tuple[int, int], happening: list[str], moved: int
) -> None:
    begun_ones = {**begun(*trials, TRIAL), **begun(*courses, COURSE)}
    now = LATER
    with in_memory():
        made = Customer(Profile(ID, NOW, MIA), enrollments=begun_ones)
        CUSTOMERS.commit(Commit(Reaction(made), (), NOW, event("first", NOW, who=MIA), MIA))
        for number, what in enumerate(happening):
            before = CUSTOMERS.load(ID)
            if what == REWRITTEN:
                CUSTOMERS.rewrite(ID)
                after = CUSTOMERS.load(ID)
                assert after.enrollments == before.enrollments
                assert as_read(after).parts.keys() == after.enrollments.keys()
                assert not as_read(after).spare
                continue
            now += timedelta(days=3) if what == "days later" else timedelta(seconds=1)
            type_ = "page.viewed" if what == "days later" else what
            given_ones: dict[str, Any] = {"key": str(number)} | ({"note": noted("moved", moved)} if moved else {})
            reaction = happens(event(type_, now, id_=f"{type_}-{number}", who=MIA, properties=given_ones), now)
            after = CUSTOMERS.load(ID)
            noted_event(f"{what}: {len(before.enrollments) - len(as_read(before).parts)} were in the head")
            staying = after.enrollments.keys() - reaction.customer.enrollments.keys()
            assert {**after.enrollments, **reaction.customer.enrollments} == after.enrollments
            assert all(not after.enrollments[id_].open or reaction.customer.unread for id_ in staying)
            work = check_that_nothing_is_lost(ID, reaction)
            check_that_each_message_has_its_data(work, reaction.customer.enrollments)
