"""Commits that come between two reads, or between a read and its commit: nothing is mixed, lost or decided twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient

from cairn.adapters.dynamodb import customers as store
from cairn.adapters.dynamodb.customer_state import ENDED_STAYS, as_read
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.items import DATA, ENROLLED, OPEN, CustomerItem
from cairn.adapters.dynamodb.outbox import committed_in
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.values.customers import Commit
from cairn.application.values.messages import DeferredMessage
from cairn.domain.customer.customer import may_concern, on_event, on_wake
from cairn.domain.customer.state import Customer
from cairn.domain.effects import SendMessage
from cairn.domain.event import Event
from cairn.domain.journey.definition import Journey
from cairn.domain.shared.errors import ConflictError
from tests.integration.commits import CUSTOMERS, committed
from tests.unit.fakes import KEYS
from tests.unit.makers import Deployed, event, journey, message, name, send, wait

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEXT_DAY = NOW + timedelta(days=1)
ENTRY = {"event": "trial.signup", "key": "event.properties.key"}
VISIT = journey(
    wait("a-day", "1d"),
    send("tips"),
    wait("more", "1d"),
    entry=ENTRY,
    exit_on=[{"event": "trial.ended", "key": "any"}],
    refresh_on=[{"event": "trial.changed"}],
)
MIA, BOTH = name(user_id="mia"), name(user_id="mia", email="mia@example.com")
LARGE = "x" * 400


def happens(happened: Event, journeys: tuple[Journey, ...] = (VISIT,), at: datetime = NOW) -> Customer:
    return CUSTOMERS.load(committed(happened, journeys, at).id)


def signs_up(number: int, who: Any = MIA, **more: str) -> Customer:
    properties = {"key": str(number), **more}
    return happens(event("trial.signup", NOW, id_=f"signup-{who[0].value}-{number}", who=who, properties=properties))


def many(number: int, **more: str) -> Customer:
    for one in range(number):
        customer = signs_up(one, **more)
    CUSTOMERS.rewrite(customer.id)
    return CUSTOMERS.load(customer.id)


def wake(customer: Customer, id_: str) -> Commit:
    reaction = on_wake(customer, id_, customer.enrollments[id_].sequence, Deployed(VISIT), NEXT_DAY)
    assert reaction is not None
    return Commit(reaction, (customer,), NEXT_DAY)


def test_what_makes_room_for_a_decision_writes_nothing_of_it() -> None:
    many(60, note=LARGE)

    mia = happens(event("trial.ended", NEXT_DAY, who=BOTH), at=NEXT_DAY)

    (found,) = CUSTOMERS.find(name(email="mia@example.com")).customers
    assert found.id == mia.id
    assert {one.outcome for one in mia.enrollments.values()} == {"exit_on"}


def test_a_merge_that_has_to_make_room_still_merges() -> None:
    many(60, note=LARGE)
    other = signs_up(99, name(email="mia@example.com"))

    mia = happens(event("trial.ended", NEXT_DAY, who=BOTH), at=NEXT_DAY)

    assert other.id in mia.profile.merged or mia.id in CUSTOMERS.load(other.id).profile.merged
    assert CUSTOMERS.load(other.id).id == mia.id


def test_a_stale_wake_up_does_not_take_a_moved_enrollment_for_the_one_it_read() -> None:
    mia = many(60, note=LARGE)
    id_ = next(iter(mia.enrollments))
    stale = wake(CUSTOMERS.load(mia.id, id_), id_)
    happens(event("trial.ended", NEXT_DAY, who=MIA), at=NEXT_DAY)
    CUSTOMERS.rewrite(mia.id)

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(stale)

    assert CUSTOMERS.load(mia.id).enrollments[id_].outcome == "exit_on"


def test_a_wake_up_finds_its_enrollment_though_it_moves_while_it_is_read() -> None:
    mia = many(40)
    id_ = list(mia.enrollments)[-1]
    really = store.read_all

    def meanwhile(keys: Any) -> Any:
        with patch.object(store, "read_all", really), pytest.raises(ConflictError):
            CUSTOMERS._gather(CUSTOMERS.load(mia.id), left=0)  # noqa: SLF001
        return really(keys)

    with patch.object(store, "read_all", meanwhile):
        read = CUSTOMERS.load(mia.id, id_)

    assert id_ in read.enrollments


def test_an_enrollment_is_not_read_with_the_data_of_another_time() -> None:
    mia = many(40)
    id_ = list(mia.enrollments)[-1]
    key, really = mia.enrollments[id_].key, store.read_all

    def torn(keys: Any) -> Any:
        wanted = list(keys)
        data = really([one for one in wanted if one[1].endswith("#data")])
        with patch.object(store, "read_all", really):
            properties = {"key": key, "note": LARGE}
            happens(event("trial.changed", NOW + HOUR, who=MIA, properties=properties), at=NOW + HOUR)
        return {**data, **really([one for one in wanted if not one[1].endswith("#data")])}

    with patch.object(store, "read_all", torn):
        read = CUSTOMERS.load(mia.id, id_)

    assert read.enrollments[id_].data["note"] == LARGE


def test_a_merge_during_a_read_is_a_conflict() -> None:
    email = name(email="mia@example.com")
    for number in range(40):
        absorbed = signs_up(number, email)
    CUSTOMERS.rewrite(absorbed.id)
    happens(event("page.viewed", NOW - HOUR, who=MIA), at=NOW - HOUR)
    really, once = store._items_of, [True]  # noqa: SLF001

    def meanwhile(id_: str, after: str = OPEN) -> Any:
        if id_ == absorbed.id and after != OPEN and once:
            once.clear()
            happens(event("page.viewed", NEXT_DAY, id_="both", who=BOTH), at=NEXT_DAY)
        return really(id_, after)

    new = event("trial.signup", NEXT_DAY, id_="new", who=email, properties={"key": "new"})
    with patch.object(store, "_items_of", meanwhile), pytest.raises(ConflictError):
        CUSTOMERS.find(new.identifiers, (), may_concern(new, Deployed(VISIT)))


def test_an_enrollment_that_begins_again_in_another_version_counts_there() -> None:
    mia = signs_up(1)
    other = journey(wait("a-day", "1d"), entry=ENTRY, version="v2")
    stored = CUSTOMERS.load(mia.id)
    again = {id_: replace(one, version=other.version) for id_, one in stored.enrollments.items()}
    viewed = event("page.viewed", NOW + HOUR, who=MIA)
    reaction = on_event(replace(stored, enrollments=again), viewed, Deployed(VISIT, other), NOW + HOUR)

    CUSTOMERS.commit(Commit(reaction, (stored,), NOW + HOUR, viewed))

    assert {version: one.count for version, one in as_read(CUSTOMERS.load(mia.id)).in_use.items()} == {
        ("visit", "v2"): 1
    }


@pytest.mark.parametrize("steps", [[send("hello")], [send("hello"), wait("a-day", "1d")]], ids=["ended", "waits"])
def test_a_message_finds_its_data_whatever_comes_before_it_is_relayed(steps: list[dict[str, Any]]) -> None:
    visit = journey(*steps, entry=ENTRY, exit_on=[{"event": "trial.ended", "key": "any"}])
    mia = happens(event("trial.signup", NOW, who=MIA, properties={"key": "1", "note": LARGE}), (visit,))
    ((id_, item),) = _enrollments_of(mia).items()
    committed = committed_in({"dynamodb": {"Keys": _keys(item), "NewImage": item.serialize()}})

    nearly_over = NOW + ENDED_STAYS - HOUR
    happens(event("trial.ended", NOW + HOUR, who=MIA), (visit,), at=NOW + HOUR)
    happens(event("page.viewed", nearly_over, id_="view-1", who=MIA), (visit,), at=nearly_over)

    assert committed is not None
    (sent,) = [one for one in committed.work() if isinstance(one.what, SendMessage)]
    present = DynamoPresentCustomers().load(mia.id, [id_])
    assert present is not None
    assert (sent.enrollment or present.enrollments[id_]).data["note"] == LARGE


def test_an_enrollment_goes_with_its_data_when_no_message_can_need_it_any_more() -> None:
    mia = signs_up(1, note=LARGE)
    over = NOW + HOUR + ENDED_STAYS
    happens(event("trial.ended", NOW + HOUR, who=MIA), at=NOW + HOUR)
    assert len(_enrollments_of(mia)) == 1

    happens(event("page.viewed", over, who=MIA), at=over)

    assert not list(CustomerItem.query(mia.id, CustomerItem.sk.startswith(ENROLLED)))


def _enrollments_of(customer: Customer) -> dict[str, CustomerItem]:
    items = CustomerItem.query(customer.id, CustomerItem.sk.startswith(ENROLLED))
    return {one.sk.removeprefix(ENROLLED): one for one in items if not one.sk.endswith(DATA)}


def _keys(item: CustomerItem) -> dict[str, Any]:
    return {"pk": {"S": item.pk}, "sk": {"S": item.sk}}


@contextmanager
def consistent_reads() -> Iterator[list[bool]]:
    """Whether each read within the block asks for what is there now, and not for what was a moment ago."""
    found: list[bool] = []
    really_call = BaseClient._make_api_call  # noqa: SLF001  every client uses it

    def call(client: BaseClient, operation: str, given: Any) -> Any:
        asked = [given] if operation in {"Query", "GetItem"} else list(given.get("RequestItems", {}).values())
        found.extend(bool(one.get("ConsistentRead")) for one in asked if isinstance(one, dict))
        return really_call(client, operation, given)

    with patch.object(BaseClient, "_make_api_call", call):
        yield found


def test_a_first_look_may_lag_and_all_other_reads_are_of_now() -> None:
    mia = signs_up(1)
    (enrollment,) = mia.enrollments
    deliveries, switches = DynamoDeliveries(KEYS.suppressions), DynamoSwitches()
    about = message(customer=mia.id, decided_at=NOW)

    for read, consistent in (
        (lambda: CUSTOMERS.load(mia.id, enrollment, may_lag=True), False),
        (lambda: CUSTOMERS.load(mia.id, enrollment), True),
        (lambda: CUSTOMERS.load(mia.id), True),
        (lambda: deliveries.contexts([about], may_lag=True), False),
        (lambda: deliveries.contexts([about]), True),
        (lambda: deliveries.contexts([DeferredMessage(mia.id, "e-hello-1")], may_lag=True), False),
        (lambda: switches.current(NOW), False),
        (switches.board, True),
    ):
        with consistent_reads() as reads:
            read()
        assert reads[0] is consistent

    assert [one and one.lags for one in deliveries.contexts([about], may_lag=True)] == [True]
    assert [one and one.lags for one in deliveries.contexts([about])] == [False]
