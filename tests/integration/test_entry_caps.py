"""A cap on entries: never above the limit and never below it while customers want in, with many workers at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from bench.aws_calls import noted
from cairn.adapters import aws
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.application.events.process_event import ProcessEvent
from cairn.domain.customer.state import Reaction
from cairn.domain.shared.errors import ConflictError
from tests.unit.fakes import KEYS, ChosenArms, ErasureOrders, Sent, Switches
from tests.unit.makers import Deployed, event, journey, name, wait

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LIMIT = 7
CUSTOMERS = 20


def capped(text: str = f"{LIMIT} per day") -> Deployed:
    return Deployed(journey(wait("a-day", "1d"), entry={"event": "trial.signup", "at_most": text}))


def a_worker(deployed: Deployed) -> ProcessEvent:
    """A process of its own, which knows of nothing that is full."""
    customers = DynamoCustomers(KEYS)
    return ProcessEvent(customers, deployed, str, KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders())


def signs_up(process: ProcessEvent, number: int, at: datetime = NOW) -> Reaction | None:
    """As the queue does it: what meets a conflict too often comes again."""
    happened = event("trial.signup", at, id_=f"signup-{number}-{at.date()}", who=name(user_id=f"u-{number}"))
    while True:
        try:
            return process(happened, at)
        except ConflictError:
            continue


def entered(reactions: list[Reaction | None]) -> list[str]:
    found = [one for one in reactions if one is not None]
    assert all(
        [fact.detail for fact in one.facts if fact.kind == "not_entered"] == [{"reason": f"at most {LIMIT} per day"}]
        for one in found
        if not one.customer.enrollments
    )
    return [one.customer.id for one in found if one.customer.enrollments]


def counted() -> int:
    items = aws.client("dynamodb").scan(TableName=_table())["Items"]
    return sum(int(one["entered"]["N"]) for one in items if one["pk"]["S"].startswith("cap#"))


def _table() -> str:
    from cairn.adapters.dynamodb.items import CapItem

    return str(CapItem.Meta.table_name)


def test_so_many_enter_and_no_more_and_duplicates_take_no_room() -> None:
    process = a_worker(capped())

    first = [signs_up(process, number) for number in range(CUSTOMERS) for _ in range(2)]

    assert len(entered(first)) == LIMIT == counted()


@pytest.mark.atomic_writes
def test_many_workers_at_once_let_in_exactly_so_many() -> None:
    deployed = capped()
    work = [number for number in range(CUSTOMERS) for _ in range(2)]

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda number: signs_up(a_worker(deployed), number), work))

    assert len(set(entered(done))) == len(entered(done)) == LIMIT == counted()


def test_the_next_day_lets_in_anew() -> None:
    process, next_day = a_worker(capped()), NOW + timedelta(days=1)

    first = [signs_up(process, number) for number in range(CUSTOMERS)]
    then = [signs_up(process, number, next_day) for number in range(CUSTOMERS, 2 * CUSTOMERS)]

    assert [len(entered(one)) for one in (first, then)] == [LIMIT, LIMIT]


@pytest.mark.parametrize(("limit", "raised"), [(1, 3), (2, 30), (7, 6)])
def test_a_limit_that_is_changed_counts_who_has_entered_already(limit: int, raised: int) -> None:
    before = [signs_up(a_worker(capped(f"{limit} per day")), number) for number in range(CUSTOMERS)]
    after = [signs_up(a_worker(capped(f"{raised} per day")), number) for number in range(CUSTOMERS, 3 * CUSTOMERS)]

    inside = [one for one in (*before, *after) if one is not None and one.customer.enrollments]
    assert len(inside) == max(limit, raised)


def test_it_costs_no_further_call() -> None:
    plain = Deployed(journey(wait("a-day", "1d"), entry={"event": "trial.signup"}))
    operations = []
    for number, deployed in enumerate((plain, capped())):
        with noted() as calls:
            signs_up(a_worker(deployed), number)
        operations.append([one.operation for one in calls])

    assert operations[0] == operations[1] != []


def test_who_is_refused_costs_no_write_of_the_counter_once_it_is_known_to_be_full() -> None:
    process = a_worker(capped())
    for number in range(CUSTOMERS):
        signs_up(process, number)

    with noted() as calls:
        signs_up(process, CUSTOMERS)

    written = [str(one.arguments) for one in calls if one.operation == "TransactWriteItems"]
    assert len(written) == 1
    assert "cap#" not in written[0]
