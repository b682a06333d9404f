"""Customers with many large enrollments, and the check that an event which changes all of them loses nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cairn.adapters.dynamodb.customer_state import ENDED_STAYS, as_read
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import DATA, ENROLLED, OPEN, OUTBOX, STATE, CustomerItem
from cairn.adapters.dynamodb.outbox import committed_in
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.application.events.identify_customer import IdentifyCustomer
from cairn.application.events.relay_effects import Committed, RememberFacts, WaitingEffect, enrollment_of
from cairn.application.values.customers import Commit
from cairn.domain.customer.customer import may_concern, on_event
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import Effect, SendMessage
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.journey import engine
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.policy import Policy
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.errors import ConflictError
from tests.unit.fakes import KEYS
from tests.unit.makers import Deployed, event, journey, name, send, wait_for

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SOON = LATER + timedelta(seconds=1)
DAYS_LATER = LATER + timedelta(days=3)
WEEKS_LATER = LATER + timedelta(days=31)
NEEDED_NO_MORE = LATER + ENDED_STAYS
"""When no message is on its way any more that was decided at LATER."""
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
        start = event(
            walked.entry.matches[0].event, NOW, id_=key, who=who, properties={"key": key, "note": noted(key, size)}
        )
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
    work = [one for each in outboxes for one in each.work() if not isinstance(one.what, RememberFacts)]
    assert [one.what for one in work] == [as_relayed(effect) for each in outboxes for effect in each.effects]
    return work


def as_relayed(effect: Effect) -> Effect:
    """A message with the version of the journey that decided it."""
    return replace(effect, version=COURSE.version) if isinstance(effect, SendMessage) else effect


def check_that_each_message_has_its_data(work: list[WaitingEffect], enrollments: Mapping[str, Enrollment]) -> None:
    """Of those messages that the commit has without their data, it is read when they are relayed."""
    sent = [one for one in work if isinstance(one.what, SendMessage)]
    asked = sorted(enrollment_of(one.what) for one in sent if one.enrollment is None)
    present = PRESENT.load(sent[0].customer, asked) if sent else None
    for one in sent:
        enrollment = one.enrollment or (present.enrollments[enrollment_of(one.what)] if present else None)
        assert enrollment is not None
        assert enrollment.data == enrollments[enrollment.id].data
