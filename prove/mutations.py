"""Removes one guard at a time, and shows that the stories notice.

Each mutation replaces a single function at run time. Its attacks are run with the guard and without it; it is caught
when a story ends otherwise only without.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from cairn.adapters.dynamodb import atomic_write
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import CustomerItem, RecordItem
from cairn.adapters.dynamodb.table import delete_of, put_of
from cairn.application.events.process_event import ProcessEvent
from cairn.application.message import deliver_message
from cairn.domain.journey import engine
from infra.local.deployment import LocalDeployment
from infra.local.faults import Call
from prove.attacks import AT_ONCE, Attack
from prove.stories import STORIES, OtherwiseError, Reference, attacked, reference

SHARE = 0.25
"""Of the time of a bounded run."""
IN_A_PART = 3
"""How many mutations a bounded run tries."""
MOST_ATTACKS = 30

Patches = contextlib.AbstractContextManager[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    name: str
    """The guard."""
    removes: str
    story: str
    function: str
    """The function whose calls are struck."""
    faults: tuple[str, ...] = ()
    applied: Callable[[], Patches]
    operations: tuple[str, ...] = ()
    """Of these calls; none: all."""
    outage: str = ""
    """An error with which the call's whole service answers for twenty minutes, instead of a fault of the call alone."""

    def attacks(self, calls: tuple[Call, ...]) -> list[Attack]:
        struck = [
            call
            for call in calls
            if call.function == self.function and (not self.operations or call.operation in self.operations)
        ]
        several = [Attack(call.number, fault=fault) for call in struck for fault in self.faults]
        if self.outage:
            length = timedelta(minutes=20)
            several += [Attack(one.number, service=one.service, code=self.outage, length=length) for one in struck]
        return several[:MOST_ATTACKS]


@dataclass(frozen=True, slots=True)
class Caught:
    """What came of a mutation."""

    mutation: Mutation
    attack: str
    """The first that fails without the guard; empty where none does."""
    words: str
    runs: int

    @property
    def caught(self) -> bool:
        return bool(self.attack)

    @property
    def line(self) -> str:
        if not self.caught:
            return (
                f"NOT CAUGHT: {self.mutation.name} ({self.mutation.removes}), {self.runs} runs of {self.mutation.story}"
            )
        return f"caught: {self.mutation.name}, by {self.mutation.story}#{self.attack}: {self.words}"


def run(seed: int | None) -> Iterator[Caught]:
    """Try every mutation; with a seed, some of them."""
    several = list(MUTATIONS)
    if seed is not None:
        several = Random(f"mutations/{seed}").sample(several, IN_A_PART)  # noqa: S311  a choice that can be made again
    yield from map(tried, several)


def named(name: str) -> Mutation:
    return next(one for one in MUTATIONS if one.name == name)


def tried(mutation: Mutation) -> Caught:
    """Run the mutation's attacks until one fails that passes with the guard."""
    base = reference(STORIES / mutation.story)
    try:
        calls = reference(STORIES / mutation.story, mutation.applied).calls
    except Exception as error:  # noqa: BLE001  whatever a mutation breaks
        return Caught(mutation, NO_FAULT, f"{type(error).__name__}: {error}", 1)
    attacks, runs = mutation.attacks(calls), 0
    compared = Reference(base.path, base.scenario, base.expected, calls)
    try:
        for attack, verdict in attacked(compared, attacks, guard=mutation.applied, stops_at_failure=True):
            runs += 1
            if not verdict.outcome.good and _passes(base, attack):
                return Caught(mutation, str(attack), f"{verdict.outcome}, {verdict.words[0]}", runs)
    except OtherwiseError:
        return Caught(mutation, NO_FAULT, "the story ends otherwise without any fault", runs + 1)
    return Caught(mutation, "", "", runs)


NO_FAULT = "none"


def _passes(base: Reference, attack: Attack) -> bool:
    """Whether the engine as it is survives this: else the attack has found something else."""
    return all(verdict.outcome.good for _, verdict in attacked(base, [attack]))


# --- the mutations


def _unclaimed() -> Patches:
    return patch.object(deliver_message.DeliverMessage, "_claim", lambda _, delivery, __: delivery.context)


def _no_lease() -> Patches:
    return patch.object(deliver_message, "LEASE", timedelta(0))


def _sends_again() -> Patches:
    really: Any = deliver_message.DeliverMessage._deliver  # noqa: SLF001

    def deliver(self: Any, delivery: Any) -> Any:
        context = delivery.context
        claims, id_ = context.contact.claims, context.message.id
        if (own := claims.get(id_)) is not None and delivery.now - own.at >= deliver_message.LEASE:
            left = {other: claim for other, claim in claims.items() if other != id_}
            delivery = replace(delivery, context=replace(context, contact=replace(context.contact, claims=left)))
        return really(self, delivery)

    return patch.object(deliver_message.DeliverMessage, "_deliver", deliver)


def _without_condition(model: type[Any]) -> Patches:
    """Writes and checks of this kind of item without their condition."""
    put, delete, saved = put_of, delete_of, model.save
    check = atomic_write.AtomicWrite.check

    def put_anyhow(item: Any, condition: Any) -> Any:
        return put(item, None if isinstance(item, model) else condition)

    def delete_anyhow(item: Any, condition: Any) -> Any:
        return delete(item, None if isinstance(item, model) else condition)

    def check_others(self: Any, item: Any, condition: Any) -> None:
        if not isinstance(item, model):
            check(self, item, condition)

    def alone(self: Any, condition: Any = None, **rest: Any) -> Any:  # noqa: ARG001  what is removed
        return saved(self, **rest)

    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(atomic_write, "put_of", put_anyhow))
    stack.enter_context(patch.object(atomic_write, "delete_of", delete_anyhow))
    stack.enter_context(patch.object(atomic_write.AtomicWrite, "check", check_others))
    stack.enter_context(patch.object(model, "save", alone))
    return stack


def _every_wake_counts() -> Patches:
    really, fired = ProcessEvent.wake, engine._on_timer  # noqa: SLF001

    def wake(self: Any, customer_id: str, enrollment_id: str, sequence: int, now: Any) -> Any:
        enrollment = self.customers.load(customer_id).enrollments.get(enrollment_id)
        return really(self, customer_id, enrollment_id, enrollment.sequence if enrollment else sequence, now)

    def on_timer(walk: Any, sequence: int, pauses: Any) -> None:
        if walk.enrollment.due_at is not None:
            walk.enrollment = replace(walk.enrollment, due_at=walk.now)
        fired(walk, sequence, pauses)

    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(ProcessEvent, "wake", wake))
    stack.enter_context(patch.object(engine, "_on_timer", on_timer))
    return stack


def _relays_once() -> Patches:
    really = LocalDeployment._relay  # noqa: SLF001

    def relay(self: LocalDeployment, changes: Any) -> list[str]:
        really(self, changes)
        return []

    return patch.object(LocalDeployment, "_relay", relay)


def _accepts_unstored() -> Patches:
    from cairn.adapters.sqs import events_queue  # noqa: PLC0415
    from cairn.adapters.sqs.batches import send_in_batches as really  # noqa: PLC0415

    def send(*arguments: Any) -> None:
        with contextlib.suppress(Exception):
            really(*arguments)

    return patch.object(events_queue, "send_in_batches", send)


def _takes_part_for_all() -> Patches:
    from cairn.adapters.sqs import events_queue  # noqa: PLC0415

    def send(sqs: Any, url: str, entries: Any, _: str) -> None:
        from cairn.adapters.sqs.batches import batches  # noqa: PLC0415

        for batch in batches(entries):
            sqs.send_message_batch(QueueUrl=url, Entries=batch)

    return patch.object(events_queue, "send_in_batches", send)


def _forgets_erasures() -> Patches:
    really = DynamoCustomers.find

    def find(self: Any, *arguments: Any) -> Any:
        return replace(really(self, *arguments), erased={})

    return patch.object(DynamoCustomers, "find", find)


def _impatient() -> Patches:
    from cairn import sqs_records  # noqa: PLC0415

    return patch.object(sqs_records, "is_transient", lambda _: False)


def _forgets_what_waits() -> Patches:
    from cairn.adapters.sqs import effects_queue  # noqa: PLC0415

    return patch.object(effects_queue, "send_each", lambda *_: {})


def _reads_part_for_all() -> Patches:
    from cairn.adapters.dynamodb import table  # noqa: PLC0415

    return patch.object(table, "UNPROCESSED_KEYS", "none")


MUTATIONS = (
    Mutation(
        name="claim",
        removes="a sender neither claims a message nor looks again before it calls the provider",
        story="payment-paid-at-once.yaml",
        function="deliver_message",
        faults=(AT_ONCE,),
        applied=_unclaimed,
    ),
    Mutation(
        name="at most once",
        removes="a marketing message whose sender died after its claim is sent again",
        story="club-two-offers-in-a-day.yaml",
        function="deliver_message",
        faults=("DIES_BEFORE", "DIES_AFTER"),
        applied=_sends_again,
    ),
    Mutation(
        name="lease",
        removes="a claim is taken for a dead sender's at once",
        story="club-court-by-whatsapp.yaml",
        function="deliver_message",
        faults=(AT_ONCE,),
        applied=_no_lease,
    ),
    Mutation(
        name="version lock",
        removes="a commit does not ask whether the customer is still as it was read",
        story="fitness-imported-by-three-systems.yaml",
        function="process_event",
        faults=("INTERLEAVED",),
        applied=lambda: _without_condition(CustomerItem),
    ),
    Mutation(
        name="dedupe claim of the event",
        removes="a commit does not ask whether the event was committed before",
        story="club-court-booked-again.yaml",
        function="process_event",
        faults=("DIES_AFTER",),
        applied=lambda: _without_condition(RecordItem),
    ),
    Mutation(
        name="sequence number",
        removes="a wake-up moves the customer, whatever its number says and however early it comes",
        story="fitness-trial-to-paid.yaml",
        function="process_event",
        faults=("DIES_AFTER",),
        applied=_every_wake_counts,
    ),
    Mutation(
        name="outbox",
        removes="what the relay could not carry out is not tried again",
        story="payment-failure-rescue.yaml",
        function="relay_effects",
        faults=("DIES_BEFORE", "BUSY"),
        applied=_relays_once,
    ),
    Mutation(
        name="2xx only once stored",
        removes="a webhook is accepted though its event could not be stored",
        story="payment-failure-rescue.yaml",
        function="receive_webhook",
        faults=("BUSY",),
        applied=_accepts_unstored,
    ),
    Mutation(
        name="refused entries",
        removes="a batch that SQS took in part counts as taken",
        story="payment-failure-rescue.yaml",
        function="receive_webhook",
        faults=("REFUSES_BATCH_ENTRY",),
        applied=_takes_part_for_all,
    ),
    Mutation(
        name="effects queue",
        removes="what the relay cannot carry out now is forgotten",
        story="payment-failure-rescue.yaml",
        function="relay_effects",
        outage="ThrottlingException",
        applied=_forgets_what_waits,
    ),
    Mutation(
        name="unread keys",
        removes="a read that DynamoDB answered in part counts as whole",
        story="payment-failure-rescue.yaml",
        function="relay_effects",
        faults=("REFUSES_BATCH_ENTRY",),
        operations=("BatchGetItem",),
        applied=_reads_part_for_all,
    ),
    Mutation(
        name="tombstone",
        removes="nobody remembers that a customer was erased",
        story="fitness-erased-in-mid-journey.yaml",
        function="process_event",
        faults=("DIES_AFTER",),
        applied=_forgets_erasures,
    ),
    Mutation(
        name="patience",
        removes="a record that fails once is a dead letter, whatever the reason",
        story="payment-paid-at-once.yaml",
        function="process_event",
        faults=("BUSY",),
        applied=_impatient,
    ),
)
