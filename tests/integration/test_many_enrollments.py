"""One event changes all of a customer's enrollments, however many and however large: nothing is lost or too large.

DynamoDB's own limits hold in moto too (infra/local/moto_corrections.py): a transaction that is too large fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.customer_state import as_read
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.erasure import DynamoErasureStore
from cairn.adapters.dynamodb.export import DynamoCustomerExport
from cairn.adapters.dynamodb.in_head import wires_in
from cairn.adapters.dynamodb.items import DATA, ENROLLED, OPEN, OUTBOX, STATE, CustomerItem
from cairn.adapters.dynamodb.outbox import committed_in
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.application.events.identify_customer import IdentifyCustomer
from cairn.application.events.relay_effects import Committed, WaitingEffect, enrollment_of
from cairn.application.ports import Commit
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.customer.customer import Customer, Reaction, may_concern, on_event
from cairn.domain.effects import SendMessage
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.journey import engine
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.policy import Policy
from cairn.domain.profile.bounds import MAX_DATA
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ConflictError, ErasedCustomerError
from tests.older_layout import as_version_0_2_left_it
from tests.unit.fakes import KEYS
from tests.unit.makers import Deployed, denied, event, journey, name, send, wait_for

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SOON = LATER + timedelta(seconds=1)
DAYS_LATER = LATER + timedelta(days=3)
CUSTOMERS, PRESENT = DynamoCustomers(KEYS), DynamoPresentCustomers()
MIA = name(user_id="mia")
MAX_ITEM_BYTES = 400 * 1024
"""DynamoDB quota."""

COURSE = journey(
    wait_for(
        "a-visit", "visit.attended", timeout="30d", key="any", then=(send("thanks"), {"id": "came", "exit": "came"})
    ),
    entry={"event": "course.booked", "key": "event.properties.key"},
    refresh_on=[{"event": "course.moved", "key": "any"}],
    journey="course",
)
"""Nothing ends it but its last step, so nothing is stored of an enrollment that has ended."""
TRIAL = journey(
    wait_for("a-visit", "visit.attended", timeout="30d", key="any"),
    {"id": "call", "task": {"queue": "sales", "title": "Call them", "context": {"note": "data.note"}}},
    wait_for("a-reply", "reply.received", timeout="30d", key="any"),
    entry={"event": "trial.signup", "key": "event.properties.key"},
    exit_on=[{"event": "trial.ended", "key": "any"}],
    journey="trial",
)
DEPLOYED = Deployed(COURSE, TRIAL)

ENDS, CHANGES, SENDS, OPENS_TASKS = "trial.ended", "course.moved", "visit.attended", "visit.attended "
JOURNEYS = {ENDS: TRIAL, CHANGES: COURSE, SENDS: COURSE, OPENS_TASKS: TRIAL}


USUAL = ENROLLED.count("#") + DATA.count("#")
"""Of the sort key of an enrollment's data; that of data which had no room in the head has one more."""


def begun(number: int, size: int, walked: Any = COURSE, who: Any = MIA) -> dict[str, Enrollment]:
    """Open enrollments that wait, each with data of its own of so many bytes."""
    profile = Profile(customer_id_for(who[0], KEYS.customer_ids), NOW, who)
    found = {}
    for one in range(number):
        key = f"{who[0].value}-{one:03d}"
        start = event(walked.entry.event, NOW, id_=key, who=who, properties={"key": key, "note": noted(key, size)})
        enrollment = engine.new_enrollment(walked, profile, start, key, NOW)
        decided = engine.advance(walked, enrollment, profile, engine.Entered(), NOW)
        found[enrollment.id] = decided.enrollment
    return found


def noted(key: str, size: int) -> str:
    return (key + " ").ljust(size, "x")


def stored(enrollments: Mapping[str, Enrollment], who: Any = MIA) -> Customer:
    """A customer with these enrollments, each in an item of its own."""
    id_ = customer_id_for(who[0], KEYS.customer_ids)
    made = Customer(Profile(id_, NOW, who), enrollments=enrollments)
    CUSTOMERS.commit(Commit(Reaction(made), (), NOW, event("first", NOW, id_=f"first-{id_}", who=who), who))
    CUSTOMERS.rewrite(id_)
    found = CUSTOMERS.load(id_)
    assert found.enrollments == enrollments
    assert as_read(found).parts.keys() == enrollments.keys()
    return found


def happens(happened: Event, at: datetime = LATER) -> Reaction:
    """Commit an event as the use case does, again after each conflict."""
    for _ in range(8):
        found = IdentifyCustomer(CUSTOMERS, KEYS, Policy())(happened, at, may_concern(happened, DEPLOYED))
        reaction = on_event(found.known.customer, happened, DEPLOYED, at)
        effects, facts = found.known.effects + reaction.effects, found.known.facts + reaction.facts
        reaction = replace(reaction, effects=effects, facts=facts)
        try:
            CUSTOMERS.commit(Commit(reaction, found.before, at, happened, found.claimed, found.released))
        except ConflictError:
            continue
        return reaction
    raise AssertionError("never committed")


def items_of(customer_id: str) -> dict[str, CustomerItem]:
    found = {item.sk: item for item in CustomerItem.query(customer_id, CustomerItem.sk.startswith(OPEN))}
    assert max(map(size_of, found.values())) < MAX_ITEM_BYTES
    return found


def size_of(item: CustomerItem) -> int:
    return sum(len(name) + len(str(next(iter(value.values()))).encode()) for name, value in item.serialize().items())


def last_commit(customer_id: str) -> Iterator[Committed]:
    """What the stream brings of it."""
    items = items_of(customer_id)
    for sk, item in items.items():
        at = item.version if sk == STATE or sk.startswith(OUTBOX) else item.written_at
        keys = {"pk": {"S": item.pk}, "sk": {"S": sk}}
        found = committed_in({"dynamodb": {"Keys": keys, "NewImage": item.serialize()}})
        if found is not None and at == items[STATE].version:
            yield found


def check_that_nothing_is_lost(customer_id: str, reaction: Reaction) -> list[WaitingEffect]:
    """The work of the last commit is all that was decided, each once; gives its effects."""
    outboxes = list(last_commit(customer_id))
    pairs = [pair for one in outboxes for pair in zip(one.positions, one.effects, strict=True)]
    assert sorted(pairs, key=lambda pair: pair[0]) == list(enumerate(reaction.effects))
    facts = [fact for one in outboxes for fact in one.facts]
    assert sorted(map(repr, facts)) == sorted(map(repr, reaction.facts))
    assert len({one.name for one in outboxes}) == len(outboxes)
    return [one for each in outboxes for one in each.work() if one.what in each.effects]


def check_that_each_message_has_its_data(work: list[WaitingEffect], before: Mapping[str, Enrollment]) -> None:
    """Of those messages that the commit has without their data, it is read when they are relayed."""
    sent = [one for one in work if isinstance(one.what, SendMessage)]
    asked = sorted(enrollment_of(one.what) for one in sent if one.enrollment is None)
    present = PRESENT.load(sent[0].customer, asked)
    assert present is not None
    for one in sent:
        enrollment = one.enrollment or present.enrollments[enrollment_of(one.what)]
        assert enrollment.data == before[enrollment.id].data
    assert sorted(enrollment_of(one.what) for one in sent) == sorted(before)


CASES = [
    (ENDS, 300, 1_300),
    (SENDS, 300, 1_300),
    (CHANGES, 120, 4_000),
    (OPENS_TASKS, 120, 4_000),
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
    if what == SENDS:
        needed = happens(event(CHANGES, SOON, who=MIA), SOON)
        assert not needed.customer.enrollments
        check_that_each_message_has_its_data(work, before)
    CUSTOMERS.rewrite(mia.id)
    moved = CUSTOMERS.load(mia.id)
    assert moved.enrollments == after.enrollments
    assert as_read(moved).parts.keys() == before.keys()
    assert {sk for sk in items_of(mia.id) if sk.startswith(OUTBOX) or sk.endswith(DATA)} <= {
        ENROLLED + id_ + DATA for id_, one in after.enrollments.items() if one.open
    }
    if what == SENDS:
        check_that_each_message_has_its_data(work, before)
        happens(event(CHANGES, DAYS_LATER, who=MIA), DAYS_LATER)
        assert not CUSTOMERS.load(mia.id).enrollments


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
    CUSTOMERS.rewrite(mia.id)
    assert CUSTOMERS.load(mia.id).enrollments == after.enrollments


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
