"""A message waits while its customer moves, pays, merges or stops; sending uses the state at that time."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Story

DAYTIME = "2026-03-02T15:00:00+00:00"
NIGHT = "2026-03-03T04:00:00+00:00"
"""23:00 in New York: a marketing text waits until nine."""

JOURNEY = """
journey: course
time_zone: America/New_York
entry: {event: trial.signup}
exit_on: [{event: payment.succeeded}]
steps:
  - id: one
    send: {channel: sms, template: one, purpose: PURPOSE}
  - id: later
    wait: 10m
  - id: two
    send: {channel: sms, template: one, purpose: PURPOSE}
  - id: long-after
    wait: 20d
"""

MIA: dict[str, Any] = {"customer": {"user_id": "member-1"}}
NUMBER = "+12015550001"

Begin = Callable[..., "Story"]


@pytest.fixture
def begin(a_story: Any, tmp_path: Path) -> Begin:
    """A story of one journey, at an instant, with messages of a purpose."""

    def go(at: str, purpose: str = "marketing") -> "Story":
        folder = tmp_path / "journeys" / "course"
        (folder / "templates").mkdir(parents=True)
        (folder / "journey.yaml").write_text(JOURNEY.replace("PURPOSE", purpose))
        (folder / "templates" / "one.sms.txt").write_text("Hello. STOP to stop.")
        story: Story = a_story(folder.parent, at=datetime.fromisoformat(at))
        return story

    return go


def addresses(story: "Story") -> list[str]:
    return [one.address for one in story.sent()]


def switch(story: "Story", what: str, target: str) -> None:
    from cairn.adapters.dynamodb.switches import DynamoSwitches
    from cairn.application.operations.switch import Switch

    getattr(Switch(DynamoSwitches()), what)(target, by="ada", why="a test", now=story.deployment.now())
    story.deployment.settle()


def messages_waited_for(story: "Story") -> list[str]:
    """The ids of messages that later messages wait for."""
    from cairn.adapters.dynamodb.items import CONTACT, CustomerItem

    story.deployment.settle()
    return [
        key
        for item in CustomerItem.scan(CustomerItem.sk == CONTACT)
        for key in (item.deferrals.as_dict() if item.deferrals else {})
    ]


def test_a_deferred_message_goes_to_the_current_number(begin: Begin) -> None:
    story = begin(NIGHT)
    story.signs_up()

    new = {"user_id": "member-1", "phone": "+12015559999"}
    story.happens("customer.updated", "moved", customer=new)
    story.passes("12h")

    assert addresses(story) == ["+12015559999", "+12015559999"]


def test_a_deferred_message_does_not_go_to_a_number_that_another_customer_has_now(begin: Begin) -> None:
    story = begin(NIGHT)
    story.signs_up()

    story.happens("customer.updated", "moved", attributes={"phone": "+12015559999"}, **MIA)
    story.passes("12h")

    assert addresses(story) == []
    assert [line["reason"] for line in story.timeline("suppressed")] == ["no_address", "no_address"]


@pytest.mark.parametrize("more", [False, True], ids=["at-once", "after-another-event"])
def test_a_customer_who_has_paid_gets_no_queued_reminder(begin: Begin, more: bool) -> None:  # noqa: FBT001
    story = begin(DAYTIME)
    story.deployment.stop("deliver_message")
    story.signs_up()

    story.happens("payment.succeeded", **MIA)
    if more:
        story.happens("page.viewed", **MIA)
    story.deployment.start("deliver_message")
    story.passes("5m")

    assert addresses(story) == []
    assert [line["reason"] for line in story.timeline("suppressed")] == ["ended"]


def test_after_a_merge_only_one_of_two_enrollments_sends_messages(begin: Begin, member: Any) -> None:
    story = begin(NIGHT)
    story.happens("trial.signup", "a", **member() | {"customer": {"email": "a@example.com", "phone": NUMBER}})
    story.passes("1s")
    story.happens("trial.signup", "b", **member() | {"customer": {"user_id": "member-1", "phone": "+12015550002"}})

    story.happens("page.viewed", customer={"user_id": "member-1", "email": "a@example.com"})
    story.passes("12h")

    assert len(addresses(story)) == 2, "each step once"


def test_a_message_is_found_after_two_merges_that_are_not_relayed_yet(begin: Begin, member: Any) -> None:
    story = begin(NIGHT)
    story.happens("trial.signup", **member() | {"customer": {"phone": NUMBER}})
    story.passes("1m")
    story.happens("page.viewed", "b", customer={"email": "b@example.com"})
    story.happens("page.viewed", "c", customer={"user_id": "u-c"})
    story.happens("page.viewed", "ab", customer={"email": "b@example.com", "phone": NUMBER})
    story.deployment.advance_to(datetime.fromisoformat("2026-03-03T13:59:30+00:00"))
    story.deployment.stop("relay_effects")

    story.happens("page.viewed", "bc", customer={"user_id": "u-c", "email": "b@example.com"})
    story.passes("5m")
    story.deployment.start("relay_effects")
    story.passes("2h")

    assert addresses(story) == [NUMBER, NUMBER]


def test_a_crash_while_a_message_is_dropped_blocks_no_later_message(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cairn.adapters.dynamodb import deliveries

    story = begin(DAYTIME, "transactional")
    switch(story, "pause", "template:course/one")
    story.signs_up()
    denied = {"channel": "sms", "purpose": "transactional", "status": "denied", "source": "form"}
    story.happens("consent.changed", "no", consent=[denied], **MIA)
    forward, crashes = deliveries.advance_status, iter([True])  # the last call of a record

    def crash_once(*args: Any) -> bool:
        if next(crashes, False):
            raise RuntimeError("out of time")
        return forward(*args)

    monkeypatch.setattr(deliveries, "advance_status", crash_once)
    switch(story, "resume", "template:course/one")
    story.passes("8m")
    story.happens("consent.changed", "yes", consent=[denied | {"status": "granted"}], **MIA)
    story.passes("1h")

    assert messages_waited_for(story) == []
    assert "two" in [line["step"] for line in story.timeline("message")]


def test_a_stop_that_arrives_days_late_is_applied_and_not_answered(begin: Begin) -> None:
    story = begin(DAYTIME, "transactional")
    story.signs_up()
    story.deployment.stop("process_event")
    said = {"id": "in-1", "type": "message.replied", "occurred_at": "2026-03-02T15:00:00Z", "source": "feedback"}
    said |= {"customer": {"phone": NUMBER}, "properties": {"channel": "sms", "address": NUMBER, "text": "STOP"}}
    sqs, url = story.deployment.cloud.client("sqs"), story.deployment.cloud.urls["events"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(said), MessageGroupId="mia", MessageDeduplicationId="in-1")

    story.passes("2d")
    story.deployment.start("process_event")
    story.passes("1h")

    assert len(addresses(story)) == 1, "the text sent before; neither an answer nor the second text"
    assert "stale" in [line.get("reason") for line in story.timeline("suppressed")]


def test_a_suppression_between_the_read_and_the_claim_stops_the_message(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
    from cairn.application.events.process_event import ProcessEvent
    from cairn.domain.consent.suppression import suppression_key
    from cairn.domain.event import Event
    from cairn.domain.identity.trust import OPERATORS_SOURCE
    from cairn.domain.shared.channels import Channel
    from infra.local.cloud import IDENTITY_KEYS

    processes: list[ProcessEvent] = []
    really_process, really_claim, done = ProcessEvent.__call__, DynamoDeliveries.claim, iter([True])

    def process(self: ProcessEvent, event: Event, now: datetime) -> Any:
        processes.append(self)
        return really_process(self, event, now)

    def claim(self: DynamoDeliveries, message: Any, contact: Any, one: Any) -> None:
        if next(done, False):
            properties = {"channel": "sms", "key": suppression_key(Channel.SMS, NUMBER, IDENTITY_KEYS.suppressions)}
            now, customer = story.deployment.now(), message.customer
            said = Event("op", OPERATORS_SOURCE, "address.suppressed", now, (), customer, properties)
            really_process(processes[0], said, now)
        really_claim(self, message, contact, one)

    monkeypatch.setattr(ProcessEvent, "__call__", process)
    monkeypatch.setattr(DynamoDeliveries, "claim", claim)
    story = begin(DAYTIME, "transactional")

    story.signs_up()

    assert addresses(story) == []
    assert [line["reason"] for line in story.timeline("suppressed")] == ["suppressed_address"]


def test_a_message_that_waits_behind_a_lost_one_does_not_grow(begin: Begin) -> None:
    from dataclasses import replace

    from cairn.adapters.dynamodb import codec
    from cairn.adapters.dynamodb.items import CONTACT, MESSAGE, CustomerItem, RecordItem

    story = begin(DAYTIME, "transactional")
    switch(story, "pause", "template:course/one")
    story.signs_up()
    switch(story, "resume", "template:course/one")
    for item in CustomerItem.scan(CustomerItem.sk == CONTACT):
        ((key, wire),) = item.deferrals.as_dict().items()
        lost = replace(codec.deferral_from_wire(wire), until=story.deployment.now(), reason="cap")
        item.update([CustomerItem.deferrals[key].set(codec.deferral_to_wire(lost))])
        RecordItem(item.pk, MESSAGE + key).update([RecordItem.gsi1pk.remove(), RecordItem.gsi1sk.remove()])

    story.passes("50m")  # before the lost one is found

    (waits,) = [one for one in RecordItem.scan() if one.sk.startswith(MESSAGE) and "-two-" in one.sk]
    assert waits.status == "held"
    assert len(waits.decisions) == 1
