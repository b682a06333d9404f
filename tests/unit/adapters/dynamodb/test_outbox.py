"""The outbox: whatever a commit decides, and wherever its enrollments stand, the stream brings all of it back once."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb import codec, effect_codec
from cairn.adapters.dynamodb.customer_state import (
    DATA_APART,
    alone,
    as_read,
    changed_enrollments,
    customer_in,
    placed,
    state_writes,
)
from cairn.adapters.dynamodb.items import DATA, ENROLLED, ENTRIES, STATE, CustomerItem
from cairn.adapters.dynamodb.outbox import committed_in, effects_in, outboxes_of, unread_commit
from cairn.adapters.s3 import MAX_QUEUED_BYTES
from cairn.application.events.relay_effects import Committed, RememberFacts, enrollment_of
from cairn.application.values.customers import Commit
from cairn.domain.customer.customer import on_event, on_wake
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import (
    EraseCustomer,
    Fact,
    OpenTask,
    PauseEnrollment,
    SendMessage,
    UpdateMessageStatus,
    WakeAt,
    effect_id,
)
from cairn.domain.operations.pauses import Pause
from cairn.domain.shared.instants import instant_to_wire
from tests.unit.makers import MONDAY, Deployed, event, journey, only, profile, send, wait
from tests.unit.strategies import EVENTS, journeys

HOUR = timedelta(hours=1)
Record = dict[str, Any]

texts = st.sampled_from(["", "x", "ä€ ", "long " * 70])
"""Some so long that the enrollment's data is an item of its own."""
properties = st.fixed_dictionaries(
    {"key": st.sampled_from(["b-1", "b-2", "b-3"])},
    optional={"a": texts, "b": st.integers(0, 3), "at": st.sampled_from(["2026-03-03T09:00:00Z", "2026-02-01"])},
)
BY_HAND = journey(
    send("hello", ["sms", "email"]),  # type: ignore[arg-type]  channels, in their order
    {"id": "call", "task": {"queue": "sales", "title": "Call them", "context": {"what": "data.a"}}},
    wait("a-day", "1d"),
    send("tips"),
    entry={"event": "trial.signup", "key": "event.properties.key"},
    refresh_on=[{"event": EVENTS[0], "key": "event.properties.key"}],
    exit_on=[{"event": EVENTS[1], "key": "any"}],
)


class Stored(dict[str, CustomerItem]):
    """The items of one customer's state, and the stream's records of their changes."""

    def customer(self) -> Customer:
        return customer_in(self) if self else Customer(profile())

    def commit(self, commit: Commit, apart: frozenset[str]) -> list[Record]:
        after = commit.reaction.customer
        writes = state_writes(after, placed(after), apart, outboxes_of(commit, apart))
        records = [self._put(one) for one in (writes.head, *writes.puts)]
        return records + [self._delete(one) for one in writes.deletes]

    def commit_alone(self, commit: Commit) -> list[Record]:
        """As the store writes a commit that changes one enrollment; empty where it takes more than that."""
        after = commit.reaction.customer
        changed = changed_enrollments(after)
        outboxes = outboxes_of(commit, frozenset(changed))
        if len(changed) != 1 or changed[0] not in after.enrollments or "" in outboxes:
            return []
        item = alone(after, after.enrollments[changed[0]], outboxes.get(changed[0]))
        return [] if item is None else [self._put(item)]

    def _put(self, item: CustomerItem) -> Record:
        before = self.get(item.sk)
        self[item.sk] = item
        return record(item, before)

    def _delete(self, item: CustomerItem) -> Record:
        return {"dynamodb": {**keys(item), "OldImage": image(self.pop(item.sk))}}


def image(item: CustomerItem) -> dict[str, Any]:
    """As the stream shows it."""
    return json.loads(json.dumps(item.serialize()))  # type: ignore[no-any-return]


def keys(item: CustomerItem) -> Record:
    return {"Keys": {"pk": {"S": item.pk}, "sk": {"S": item.sk}}}


def record(item: CustomerItem, before: CustomerItem | None = None) -> Record:
    old = {"OldImage": image(before)} if before else {}
    return {"dynamodb": {**keys(item), "NewImage": image(item), **old}}


@st.composite
def reactions(draw: st.DrawFn, customer: Customer, deployed: Deployed, now: datetime) -> Reaction:
    """To an event, a wake-up, perhaps in a pause, or the report of a message that failed."""
    is_open = [one for one in customer.enrollments.values() if one.timer_at]
    kinds = ["signup", "event", "event", "wake", "wake", "paused", "failed"]
    kind = draw(st.sampled_from(kinds)) if customer.enrollments else "signup"
    if kind in {"wake", "paused"} and is_open:
        one = draw(st.sampled_from(is_open))
        assert one.timer_at
        pauses = (Pause("all", MONDAY),) if kind == "paused" else ()
        then = max(now, draw(st.sampled_from([one.timer_at, now])))
        woken = on_wake(customer, one.id, one.sequence, deployed, then, pauses=pauses)
        if woken is not None:
            return woken
        assert one.paused_by, "a pause is noted once"
    if kind == "failed":
        one = draw(st.sampled_from(list(customer.enrollments.values())))
        about = {"message_id": effect_id(one.id, "hello", 1), "channel": "sms"}
        failed = event("message.failed", now, source="feedback", properties=about)
        return on_event(customer, failed, deployed, now)
    type_ = draw(st.sampled_from(EVENTS)) if kind == "event" else "trial.signup"
    happened = event(type_, now, id_=draw(st.uuids().map(str)), properties=draw(properties))
    return on_event(customer, happened, deployed, now)


@dataclass(frozen=True, slots=True)
class Step:
    """A commit, the records of it, and the enrollments that have items of their own after it."""

    commit: Commit
    records: list[Record]
    apart: frozenset[str]

    def __repr__(self) -> str:
        reaction = self.commit.reaction
        return f"<{[one.NAME for one in reaction.effects]}, {[one.kind for one in reaction.facts]}>"


@st.composite
def commits(draw: st.DrawFn) -> list[Step]:
    stored, now = Stored(), MONDAY
    walked = draw(st.sampled_from([BY_HAND, BY_HAND, None])) or draw(journeys())
    deployed = Deployed(walked, replace(walked, name="course"))
    history = []
    for _ in range(draw(st.integers(1, 6))):
        customer = stored.customer()
        now += draw(st.sampled_from([timedelta(0), HOUR, 30 * HOUR]))
        reaction = draw(reactions(customer, deployed, now))
        after = reaction.customer
        commit = Commit(reaction, (customer,), now)
        ids = sorted(after.enrollments)
        drawn = draw(st.sets(st.sampled_from(ids))) if ids else set()
        must = as_read(after).parts.keys() & set(changed_enrollments(after)) & after.enrollments.keys()
        records = stored.commit_alone(commit) if draw(st.booleans()) else []
        records = records or stored.commit(commit, frozenset(drawn | must))
        history.append(Step(commit, records, frozenset(as_read(stored.customer()).parts)))
    return history


def committed(records: Collection[Record]) -> list[Committed]:
    return [found for one in records if (found := committed_in(one))]


def in_order(facts: Collection[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: json.dumps(codec.fact_to_wire(fact), sort_keys=True))


@given(commits())
def test_the_outboxes_of_a_commit_together_have_all_that_it_decided_and_nothing_twice(
    history: list[Step],
) -> None:
    names = []
    for step in history:
        commit, outboxes = step.commit, committed(step.records)

        reaction = commit.reaction
        effects = [pair for one in outboxes for pair in zip(one.positions, one.effects, strict=True)]
        assert sorted(effects, key=lambda pair: pair[0]) == list(enumerate(reaction.effects))
        assert in_order([fact for one in outboxes for fact in one.facts]) == in_order(reaction.facts)
        assert {(one.customer, one.at) for one in outboxes} <= {("c_ada", commit.at)}
        names += [one.name for one in outboxes]
    assert len(set(names)) == len(names)


@given(commits())
def test_an_outbox_brings_each_enrollment_as_the_commit_left_it_and_names_those_without_their_data(
    history: list[Step],
) -> None:
    for step in history:
        after = step.commit.reaction.customer.enrollments
        with_data = {one["dynamodb"]["Keys"]["sk"]["S"] for one in step.records if "NewImage" in one["dynamodb"]}
        for one in committed(step.records):
            for id_, enrollment in one.enrollments.items():
                part = as_read(step.commit.reaction.customer).parts.get(id_)
                was_elsewhere = part is not None and part.data_written_at is not None
                large = len(to_json(after[id_].data).encode()) > DATA_APART
                elsewhere = id_ in step.apart and large and (after[id_].open or was_elsewhere)
                assert (id_ in one.without_data) == elsewhere
                assert enrollment == (replace(after[id_], data={}) if elsewhere else after[id_])
                assert not elsewhere or ENROLLED + id_ in with_data
            for work in one.work():
                id_ = enrollment_of(work.what)
                needs_more = isinstance(work.what, SendMessage) and id_ in one.without_data
                assert (work.enrollment is None) == (needs_more or id_ not in one.enrollments)


def unversioned(effects: Iterable[Any]) -> list[Any]:
    """The version of a message stands beside the enrollment, unless another one decided it."""
    return [replace(one, version="") if isinstance(one, SendMessage) else one for one in effects]


@given(commits())
def test_a_commit_that_cannot_be_read_gives_back_its_effects_once_it_can(
    history: list[Step],
) -> None:
    """What the head's facts leave to the enrollments beside them, the journeys' names, is no part of a dead letter."""
    for step in history:
        for one in step.records:
            found = committed_in(one)
            if found is None:
                continue
            again = effects_in(json.loads(unread_commit(one, "from the future").body))

            assert [(work.commit, work.customer, work.at, work.position) for work in again] == [
                (work.commit, work.customer, work.at, work.position) for work in found.work()
            ]
            effects = [work.what for work in again if not isinstance(work.what, RememberFacts)]
            assert unversioned(effects) == unversioned(found.effects)
            if one["dynamodb"]["Keys"]["sk"]["S"] != STATE:
                assert again == found.work()


@given(commits())
def test_an_outbox_of_a_version_until_0_2_is_read_as_well(
    history: list[Step],
) -> None:
    for step in history:
        commit = step.commit
        found = committed_in(record(older_head(commit)))

        assert found is not None
        assert (found.customer, found.name, found.at) == (
            "c_ada",
            f"{commit.reaction.customer.version + 1:09d}",
            MONDAY,
        )
        assert (found.effects, found.facts) == (commit.reaction.effects, commit.reaction.facts)
        assert found.positions == tuple(range(len(found.effects)))
        assert (found.enrollments, found.without_data) == (commit.reaction.customer.enrollments, frozenset())


def older_head(commit: Commit) -> CustomerItem:
    """All of a commit in one item. A fact names the journey only where no enrollment beside it does."""
    after = commit.reaction.customer
    facts = [
        replace(one, journey="" if one.enrollment in after.enrollments else one.journey)
        for one in commit.reaction.facts
    ]
    return CustomerItem(
        after.id,
        STATE,
        version=after.version + 1,
        profile=codec.profile_to_wire(after.profile),
        enrollments={id_: codec.enrollment_to_wire(one) for id_, one in after.enrollments.items()},
        outbox={
            "at": instant_to_wire(MONDAY),
            "effects": [effect_codec.effect_to_wire(one) for one in commit.reaction.effects],
            "facts": [codec.fact_to_wire(one) for one in facts],
        },
    )


def enrolled(stored: Stored, **given: Any) -> Commit:
    """Ada signs up; the enrollment has an item of its own."""
    reaction = on_event(stored.customer(), event("trial.signup", properties=given), Deployed(BY_HAND), MONDAY)
    commit = Commit(reaction, (stored.customer(),), MONDAY)
    stored.commit(commit, frozenset(reaction.customer.enrollments))
    return commit


def test_a_decision_about_an_enrollment_that_stays_as_it_is_names_its_journey() -> None:
    stored = Stored()
    enrolled(stored, key="b-1")
    ada = stored.customer()
    enrollment = only(ada.enrollments)
    report = {"message_id": effect_id(enrollment.id, "hello", 1), "channel": "sms"}
    failed = event("message.failed", source="feedback", properties=report)

    reaction = on_event(ada, failed, Deployed(BY_HAND), MONDAY)
    (outbox,) = committed(stored.commit(Commit(reaction, (ada,), MONDAY), frozenset()))

    assert [(fact.kind, fact.journey) for fact in outbox.facts] == [("fell_back", "visit")]
    assert any(isinstance(one, SendMessage) for one in outbox.effects)


def test_the_outbox_of_an_enrollment_does_not_repeat_its_item() -> None:
    stored = Stored()
    enrollment = only(enrolled(stored, key="b-1").reaction.customer.enrollments)

    outbox = stored[ENROLLED + enrollment.id].outbox

    assert outbox["effects"][-1] == {"do": "wake"}
    assert outbox["facts"][-1] == {"kind": "waiting", "via": "(entry) hello call"}
    assert enrollment.id not in json.dumps(outbox)
    assert "visit" not in json.dumps(outbox)


def test_the_outboxes_of_an_order_to_erase_are_one_in_the_head() -> None:
    stored = Stored()
    enrolled(stored, key="b-1")
    ada = replace(stored.customer(), erasure_pending_since=MONDAY)
    order = EraseCustomer("receipt", "shopify", MONDAY)
    gone = Fact("ended", only(ada.enrollments).id, "visit")

    outboxes = outboxes_of(Commit(Reaction(ada, (order,), (gone,)), (ada,), MONDAY), frozenset(ada.enrollments))

    assert outboxes.keys() == {""}
    found = committed_in(record(CustomerItem("c_ada", STATE, version=2, outbox=outboxes[""])))
    assert found is not None
    assert (found.effects, found.facts) == ((order,), (gone,))


def test_a_commit_that_decides_nothing_has_no_outbox() -> None:
    assert outboxes_of(Commit(Reaction(Customer(profile())), (), MONDAY), frozenset()) == {}


def test_what_is_written_without_a_commit_is_none() -> None:
    stored = Stored()
    enrolled(stored, key="b-1", a="long " * 70)
    (sk,) = [one for one in stored if one.endswith(DATA)]
    enrollment = stored[sk.removesuffix(DATA)]
    page = CustomerItem("c_ada", ENTRIES + "000", outbox={"at": instant_to_wire(MONDAY)}, version=1)

    assert committed_in(record(stored[sk])) is None
    assert committed_in(record(page)) is None
    assert committed_in(record(enrollment, enrollment)) is None
    assert committed_in(record(enrollment)) is not None


def test_an_outbox_that_is_too_large_for_a_dead_letter_is_named_by_its_position_in_the_stream() -> None:
    task = OpenTask("1", "", "", "sales", "x" * MAX_QUEUED_BYTES, MONDAY)
    outboxes = outboxes_of(Commit(Reaction(Customer(profile()), (task,)), (), MONDAY), frozenset())
    change = record(CustomerItem("c_ada", STATE, version=3, outbox=outboxes[""]))
    change["dynamodb"]["SequenceNumber"] = "111"

    body = json.loads(unread_commit(change, "from the future").body)

    assert body == {"customer": "c_ada", "commit": "000000003", "sequence_number": "111"}


def test_a_dead_letter_of_a_version_that_named_commits_by_their_version_is_read_as_well() -> None:
    wake = WakeAt("e1-wait-1", "e1", 1, MONDAY)
    pause = PauseEnrollment("e1-wait-paused-1", "e1", 1, "all")
    outbox = {
        "at": instant_to_wire(MONDAY),
        "effects": [effect_codec.effect_to_wire(one) for one in (wake, pause)],
        "facts": [],
    }

    for shown in (outbox, json.dumps(outbox)):
        found = effects_in({"customer": "c_ada", "version": "7", "outbox": shown})

        assert [(one.what, one.commit, one.position) for one in found] == [
            (wake, "000000007", 0),
            (pause, "000000007", 1),
        ]


@pytest.mark.parametrize("counts", [True, False])
def test_a_status_says_whether_it_counts_and_one_of_an_older_version_does(*, counts: bool) -> None:
    moved = UpdateMessageStatus("1", "m-1", "bounced", MONDAY, counts)

    wire = effect_codec.effect_to_wire(moved)

    assert effect_codec.effect_from_wire(wire) == moved
    assert ("uncounted" in wire) is not counts
