"""A wake-up writes its enrollment alone, and is still decided as if nothing else happened meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.aws_calls import noted
from cairn.application.values.customers import Commit
from cairn.domain.customer.customer import may_concern, on_event, on_wake
from cairn.domain.customer.state import Customer
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.journey.definition import Journey
from cairn.domain.shared.errors import ConflictError, ErasedCustomerError
from tests.integration.commits import CUSTOMERS, committed
from tests.unit.makers import Deployed, event, journey, name, send, wait

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
NEXT_DAY = NOW + timedelta(days=1)
ENTRY = {"event": "trial.signup", "key": "event.properties.key"}
PLAIN = journey(wait("a-day", "1d"), send("tips"), wait("more", "1d"), entry=ENTRY, journey="plain")
ASKS = journey(
    wait("a-day", "1d"),
    {"id": "which", "branch": [{"if": "profile.paid", "then": [{"id": "thanks", "exit": "paid"}]}]},
    wait("more", "1d"),
    entry=ENTRY,
    journey="asks",
)
CHANGES = journey(
    wait("a-day", "1d"), {"id": "mark", "update": {"set": {"stage": "late"}}}, entry=ENTRY, journey="changes"
)
ASKS_TOO = journey(
    wait("a-day", "1d"), entry={"event": "visit.booked", "key": "event.properties.key"}, journey="visits"
)
MANY = 40
"""Enrollments of a customer, too many to be read at first."""


def happens(type_: str, journeys: tuple[Journey, ...], at: datetime = NOW, **more: Any) -> Customer:
    happened = event(type_, at, who=name(user_id="mia"), **more)
    return CUSTOMERS.load(committed(happened, journeys, at).id)


def wake(customer: Customer, made: Journey) -> Commit:
    """The commit of the wake-up of the customer's one enrollment, as they were read."""
    one = next(iter(customer.enrollments.values()))
    reaction = on_wake(customer, one.id, one.sequence, Deployed(made), NEXT_DAY)
    assert reaction is not None
    return Commit(reaction, (customer,), NEXT_DAY)


@pytest.mark.parametrize(
    ("made", "expected"),
    [(PLAIN, ["PutItem"]), (ASKS, ["TransactWriteItems"]), (CHANGES, ["TransactWriteItems"])],
    ids=["asks nothing about the profile", "asks about the profile", "changes the profile"],
)
def test_a_wake_up_writes_as_little_as_it_may(made: Journey, expected: list[str]) -> None:
    customer = happens("trial.signup", (made,), properties={"key": "1"})

    with noted() as calls:
        CUSTOMERS.commit(wake(customer, made))

    assert [call.operation for call in calls] == expected


def test_a_wake_up_that_asks_nothing_goes_on_beside_an_event() -> None:
    customer = happens("trial.signup", (PLAIN,), properties={"key": "1"})
    commit = wake(customer, PLAIN)
    happens("page.viewed", (PLAIN,), attributes={"paid": True})

    CUSTOMERS.commit(commit)

    after = CUSTOMERS.load(customer.id)
    assert [one.step for one in after.enrollments.values()] == ["more"]
    assert after.profile.get("paid") is True


@pytest.mark.parametrize("made", [ASKS, CHANGES], ids=["asks", "changes"])
def test_a_wake_up_that_goes_by_the_profile_is_decided_anew_after_an_event(made: Journey) -> None:
    customer = happens("trial.signup", (made,), properties={"key": "1"})
    commit = wake(customer, made)
    happens("page.viewed", (made,), attributes={"paid": True})

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(commit)

    CUSTOMERS.commit(wake(CUSTOMERS.load(customer.id), made))
    after = CUSTOMERS.load(customer.id)
    assert (made is ASKS) == ([one.outcome for one in after.enrollments.values()] == ["paid"])


def test_of_two_wake_ups_at_once_one_is_decided_anew() -> None:
    customer = happens("trial.signup", (PLAIN,), properties={"key": "1"})
    first, second = wake(customer, PLAIN), wake(customer, PLAIN)
    CUSTOMERS.commit(first)

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(second)


def test_an_event_that_moves_what_a_wake_up_has_moved_is_decided_anew() -> None:
    ends = journey(
        wait("a-day", "1d"), send("tips"), wait("more", "1d"), entry=ENTRY, exit_on=[{"event": "trial.ended"}]
    )
    customer = happens("trial.signup", (ends,), properties={"key": "1"})
    ended = event("trial.ended", NEXT_DAY, who=name(user_id="mia"), properties={"key": "1"})
    stale = Commit(on_event(customer, ended, Deployed(ends), NEXT_DAY), (customer,), NEXT_DAY, ended)
    CUSTOMERS.commit(wake(customer, ends))

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(stale)


def test_a_wake_up_of_one_among_many_reads_and_writes_it_alone() -> None:
    for number in range(MANY):
        customer = happens("trial.signup", (PLAIN,), id_=f"begin-{number}", properties={"key": str(number)})
    last = list(customer.enrollments.values())[-1]

    with noted() as calls:
        one = CUSTOMERS.load(customer.id, last.id)
        CUSTOMERS.commit(wake(replace(one, enrollments={last.id: one.enrollments[last.id]}), PLAIN))

    assert (list(one.enrollments), one.unread) == ([last.id], MANY - 1)
    assert [call.operation for call in calls] == ["Query", "BatchGetItem", "PutItem"]
    after = CUSTOMERS.load(customer.id)
    assert [one.step for one in after.enrollments.values()].count("more") == 1
    assert len(after.enrollments) == MANY


def test_of_many_enrollments_those_that_an_event_does_not_concern_stay_unread_and_stay() -> None:
    for number in range(MANY):
        customer = happens("trial.signup", (PLAIN,), id_=f"begin-{number}", properties={"key": str(number)})

    happened = event("page.viewed", NEXT_DAY, who=name(user_id="mia"), attributes={"paid": True})
    asked = []
    found = CUSTOMERS.find(happened.identifiers, (), lambda versions: asked.append(sorted(versions)) or ())
    (lean,) = found.customers
    CUSTOMERS.commit(Commit(on_event(lean, happened, Deployed(PLAIN), NEXT_DAY), found.customers, NEXT_DAY, happened))

    assert asked == [[("plain", PLAIN.version)]]
    assert (len(lean.enrollments), lean.unread) == (0, MANY)
    after = CUSTOMERS.load(customer.id)
    assert len(after.enrollments) == MANY
    assert after.profile.get("paid") is True


def test_an_event_reads_of_many_enrollments_those_in_a_journey_that_hears_it() -> None:
    both = (PLAIN, ASKS_TOO)
    for number in range(MANY):
        happens("trial.signup", (PLAIN,), id_=f"begin-{number}", properties={"key": str(number)})
    for number in range(3):
        happens("visit.booked", both, id_=f"book-{number}", properties={"key": str(number)})

    happened = event("visit.booked", NEXT_DAY, who=name(user_id="mia"), properties={"key": "3"})
    with noted() as calls:
        (lean,) = CUSTOMERS.find(happened.identifiers, (), may_concern(happened, Deployed(*both))).customers

    assert (len(lean.enrollments), lean.unread) == (3, MANY)
    assert [call.operation for call in calls] == ["Query", "BatchGetItem"]
    committed(happened, both, NEXT_DAY)
    assert len(CUSTOMERS.load(lean.id).enrollments) == MANY + 4
    ((second,),) = [CUSTOMERS.find(happened.identifiers, (), may_concern(happened, Deployed(*both))).customers]
    assert (len(second.enrollments), second.unread) == (4, MANY)


def test_an_erased_customer_is_not_woken() -> None:
    customer = happens("trial.signup", (PLAIN,), properties={"key": "1"})
    order = event("customer.erasure_requested", NOW, who=name(user_id="mia"))
    committed(replace(order, source=OPERATORS_SOURCE), (PLAIN,), NOW)

    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(customer.id, next(iter(customer.enrollments)))
