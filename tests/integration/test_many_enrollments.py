"""One event changes all of a customer's enrollments, however many and however large: nothing is lost or too large.

DynamoDB's own limits hold in moto too (infra/local/moto_corrections.py): a transaction that is too large fails.
"""

from dataclasses import replace

import pytest

from cairn.adapters.dynamodb.customer_state import as_read
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.erasure import DynamoErasureStore
from cairn.adapters.dynamodb.export import DynamoCustomerExport
from cairn.adapters.dynamodb.in_head import wires_in
from cairn.adapters.dynamodb.items import DATA, ENROLLED, OUTBOX, STATE
from cairn.application.events.process_event import ProcessEvent
from cairn.application.values.customers import Commit
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.customer.customer import on_event, on_wake
from cairn.domain.effects import OpenTask, SendMessage
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.profile.bounds import MAX_DATA
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ConflictError, ErasedCustomerError
from tests.many_enrollments import (
    CHANGES,
    CUSTOMERS,
    DAYS_LATER,
    DEPLOYED,
    ENDS,
    JOURNEYS,
    LATER,
    MIA,
    NEEDED_NO_MORE,
    OPENS_TASKS,
    PRESENT,
    SENDS,
    SOON,
    TRIAL,
    USUAL,
    WEEKS_LATER,
    begun,
    check_that_each_message_has_its_data,
    check_that_nothing_is_lost,
    happens,
    items_of,
    noted,
    size_of,
    stored,
)
from tests.older_layout import as_version_0_2_left_it
from tests.unit.fakes import KEYS, ChosenArms, ErasureOrders, Switches
from tests.unit.makers import denied, event, name

pytestmark = pytest.mark.usefixtures("table")

CASES = [
    (ENDS, 300, 1_300),
    (SENDS, 300, 1_300),
    (CHANGES, 120, 4_000),
    (OPENS_TASKS, 130, 5_500),
    (CHANGES, 40, MAX_DATA - 200),
    (SENDS, 60, MAX_DATA - 200),
]


@pytest.mark.parametrize(("what", "number", "size"), CASES)
def test_one_event_changes_all_of_many_large_enrollments(what: str, number: int, size: int) -> None:
    before = begun(number, size, JOURNEYS[what])
    mia = stored(before)

    changed = {"note": noted("moved", size)} if what == CHANGES else {}
    reaction = happens(event(what.strip(), LATER, who=MIA, properties=changed))

    after = CUSTOMERS.load(mia.id)
    assert after.enrollments == reaction.customer.enrollments
    assert after.enrollments.keys() == before.keys()
    assert {id_: {**one.data, **changed} for id_, one in before.items()} == {
        id_: one.data for id_, one in after.enrollments.items()
    }
    assert (what in {ENDS, SENDS}) == all(not one.open for one in after.enrollments.values())
    work = check_that_nothing_is_lost(mia.id, reaction)
    assert sum(isinstance(one.what, SendMessage) for one in work) == (number if what == SENDS else 0)
    assert any(sk.startswith(OUTBOX) for sk in items_of(mia.id)) == (what == OPENS_TASKS)
    if what == SENDS:
        needed = happens(event(CHANGES, SOON, who=MIA), SOON)
        assert not needed.customer.enrollments
        check_that_each_message_has_its_data(work, before)
    CUSTOMERS.rewrite(mia.id)
    moved = CUSTOMERS.load(mia.id)
    assert moved.enrollments == after.enrollments
    assert as_read(moved).parts.keys() == before.keys()
    assert {sk for sk in items_of(mia.id) if sk.startswith(OUTBOX) or sk.endswith(DATA)} == {
        ENROLLED + id_ + DATA for id_ in after.enrollments
    }, "the data of each, until it goes, and nothing else"
    if what == SENDS:
        check_that_each_message_has_its_data(work, before)
        happens(event(CHANGES, DAYS_LATER, who=MIA), DAYS_LATER)
        check_that_each_message_has_its_data(work, before)
        happens(event(CHANGES, NEEDED_NO_MORE, who=MIA), NEEDED_NO_MORE)
        assert not CUSTOMERS.load(mia.id).enrollments
        CUSTOMERS.rewrite(mia.id)
        assert not [sk for sk in items_of(mia.id) if sk.startswith(ENROLLED)]


def test_what_happens_while_many_enrollments_are_in_the_head_reads_and_changes_those_that_it_is_about() -> None:
    before = begun(105, 2_400, TRIAL)
    mia = stored(before)
    happens(event("visit.attended", LATER, who=MIA))
    head = wires_in(items_of(mia.id)[STATE].enrollments)
    id_ = max(id_ for id_, wire in head.items() if "data" not in wire)

    given = {"key": "one-more", "note": noted("one-more", 2_400)}
    started = happens(event("trial.signup", SOON, who=MIA, properties=given), SOON)
    woken = CUSTOMERS.load(mia.id, id_)
    found = PRESENT.load(mia.id, [id_])

    assert len(head) > 50
    expected = {one.id: one.data for one in before.values()}
    assert woken.enrollments[id_].data == expected[id_]
    assert (len(woken.enrollments), woken.unread) == (1, len(before))
    assert found is not None
    assert found.enrollments[id_].data == expected[id_]
    after = CUSTOMERS.load(mia.id)
    new = started.customer.enrollments.keys() - expected.keys()
    assert len(new) == 1
    assert {one.id: one.data for one in after.enrollments.values()} == expected | dict.fromkeys(new, given)
    woken = CUSTOMERS.load(mia.id, id_)
    fired = on_wake(woken, id_, woken.enrollments[id_].sequence, DEPLOYED, WEEKS_LATER)
    assert fired is not None
    CUSTOMERS.commit(Commit(fired, (woken,), WEEKS_LATER))
    timed_out = {**after.enrollments, **fired.customer.enrollments}
    assert not timed_out[id_].open
    assert CUSTOMERS.load(mia.id).enrollments == timed_out
    CUSTOMERS.rewrite(mia.id)
    assert CUSTOMERS.load(mia.id).enrollments == timed_out


def test_a_commit_that_fails_leaves_nothing_that_counts() -> None:
    before = begun(130, 3_000)
    mia = stored(before)
    happens(event(CHANGES, LATER, who=MIA, properties={"note": noted("moved", 3_000)}))
    found = CUSTOMERS.find(MIA)
    (now,) = found.customers
    late = event(CHANGES, SOON, who=MIA, properties={"note": noted("lost", 3_000)})
    reaction = on_event(now, late, DEPLOYED, SOON)
    happens(event("page.viewed", SOON, who=MIA), SOON)

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(Commit(reaction, (now,), SOON, late))

    unused = as_read(CUSTOMERS.load(mia.id)).spare
    assert unused
    assert {one.data["note"] for one in CUSTOMERS.load(mia.id).enrollments.values()} == {noted("moved", 3_000)}
    CUSTOMERS.rewrite(mia.id)
    assert not as_read(CUSTOMERS.load(mia.id)).spare
    assert not {sk for sk in unused if sk.count("#") > USUAL} & items_of(mia.id).keys()
    happens(late, SOON)
    assert {one.data["note"] for one in CUSTOMERS.load(mia.id).enrollments.values()} == {noted("lost", 3_000)}


@pytest.mark.parametrize("where", ["apart", "in the head"])
def test_two_large_customers_are_merged(where: str) -> None:
    email = name(email="mia@example.com")
    mia, other = stored(begun(110, 1_800)), stored(begun(110, 1_800, who=email), email)
    if where == "in the head":
        for who in (MIA, email):
            happens(event(CHANGES, LATER, who=who, properties={"moved": True}))
    every = {**CUSTOMERS.load(mia.id).enrollments, **CUSTOMERS.load(other.id).enrollments}

    reaction = happens(event("page.viewed", SOON, who=(*MIA, *email)), SOON)

    survivor = CUSTOMERS.load(mia.id)
    assert survivor.id == CUSTOMERS.load(other.id).id
    assert survivor.enrollments == reaction.customer.enrollments
    assert survivor.enrollments.keys() == every.keys()
    dropped = {
        (one.enrollment, one.detail["field"].removeprefix("data.")) for one in reaction.facts if one.kind == "dropped"
    }
    for id_, one in survivor.enrollments.items():
        assert one.data == {field: value for field, value in every[id_].data.items() if (id_, field) not in dropped}
    check_that_nothing_is_lost(survivor.id, reaction)
    CUSTOMERS.rewrite(survivor.id)
    assert CUSTOMERS.load(survivor.id).enrollments == survivor.enrollments


@pytest.mark.parametrize("what", [ENDS, CHANGES])
def test_one_event_changes_all_enrollments_of_a_customer_of_version_0_2(what: str) -> None:
    before = begun(150, 1_900, JOURNEYS[what])
    mia = stored(before)
    assert as_version_0_2_left_it(mia.id)
    assert size_of(items_of(mia.id)[STATE]) > 300_000

    changed = {"note": noted("moved", 1_900)} if what == CHANGES else {}
    reaction = happens(event(what, LATER, who=MIA, properties=changed))

    after = CUSTOMERS.load(mia.id)
    assert after.enrollments == reaction.customer.enrollments
    assert {id_: one.data for id_, one in after.enrollments.items()} == {
        id_: {**one.data, **changed} for id_, one in before.items()
    }
    check_that_nothing_is_lost(mia.id, reaction)
    CUSTOMERS.rewrite(mia.id)
    assert CUSTOMERS.load(mia.id).enrollments == after.enrollments


def test_a_customer_with_many_large_enrollments_in_the_head_is_exported_stopped_and_erased() -> None:
    before = begun(130, 3_000)
    mia = stored(before)
    moved = happens(event(CHANGES, LATER, who=MIA, properties={"moved": True}))

    about = DynamoCustomerExport(KEYS).about(mia.id)
    stop = event("consent.changed", SOON, who=MIA, consent=(denied(Channel.SMS, Purpose.MARKETING, SOON),))
    happens(stop, SOON)
    stopped = CUSTOMERS.load(mia.id)
    order = replace(event("customer.erasure_requested", SOON, who=MIA), source=OPERATORS_SOURCE)
    happens(order, SOON)
    erasures = DynamoErasureStore(KEYS)
    erasure = erasures.pending(mia.id)

    shown = {one["id"]: one["data"] for one in about["journeys"]["enrollments"]}
    assert shown == {id_: one.data for id_, one in moved.customer.enrollments.items()}
    assert all(one.data == {**before[id_].data, **one.data} for id_, one in moved.customer.enrollments.items())
    assert [one.status for one in stopped.contact.consents.values()] == [ConsentStatus.DENIED]
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(mia.id)
    assert erasure is not None
    assert erasure.enrollments >= before.keys()
    erasures.remove(erasure)
    assert items_of(mia.id).keys() == {STATE}


def test_an_event_that_decides_more_than_a_transaction_takes_goes_through_with_less_data() -> None:
    """Each of its tasks has 32 KB of context, 4.5 MB together."""
    before = begun(140, MAX_DATA - 200, TRIAL)
    mia = stored(before)
    deliveries = DynamoDeliveries(KEYS.suppressions)
    process = ProcessEvent(
        CUSTOMERS, DEPLOYED, lambda _: None, KEYS, deliveries, Switches(), ChosenArms(), ErasureOrders()
    )

    reaction = process(event("visit.attended", LATER, who=MIA), LATER)

    assert reaction is not None
    after = CUSTOMERS.load(mia.id)
    assert {one.step for one in after.enrollments.values()} == {"a-reply"}
    assert sum(isinstance(one, OpenTask) for one in reaction.effects) == len(before)
    dropped = {one.enrollment for one in reaction.facts if one.kind == "dropped"}
    assert {id_ for id_, one in after.enrollments.items() if one.data != before[id_].data} == dropped
    assert 0 < len(dropped) < len(before)
    check_that_nothing_is_lost(mia.id, reaction)
