"""A commit before a sender's claim counts, for good; and a claimed message is settled, whatever fails."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from bench.calls import Call, watched

if TYPE_CHECKING:
    from tests.conftest import Story

DAYTIME = datetime(2026, 3, 2, 15, tzinfo=UTC)
NUMBER = "+12015550001"
MIA: dict[str, Any] = {"customer": {"user_id": "mia", "phone": NUMBER}}
CONSENT = [
    {"channel": "sms", "purpose": purpose, "status": "granted", "source": "form"}
    for purpose in ("marketing", "transactional")
]

RESCUE = """
journey: rescue
entry: {event: payment.failed}
exit_on: [{event: payment.succeeded}]
steps:
  - id: first
    wait: 1h
  - id: reminder
    send: {channel: sms, template: reminder, purpose: PURPOSE}
"""
AND_WAITS = """
  - id: last
    wait: 20d
"""

Begin = Callable[..., "Story"]
BOTH = pytest.mark.parametrize("purpose", ["marketing", "transactional"])


@pytest.fixture
def begin(a_story: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Mia's payment has failed; a reminder is due in an hour."""
    monkeypatch.setattr("cairn.adapters.backoff.time.sleep", lambda _: None)

    def go(purpose: str = "marketing", then: str = "") -> "Story":
        folder = tmp_path / "journeys" / "rescue"
        (folder / "templates").mkdir(parents=True)
        (folder / "journey.yaml").write_text(RESCUE.replace("PURPOSE", purpose) + then)
        (folder / "templates" / "reminder.sms.txt").write_text("Please pay. STOP to stop.")
        story: Story = a_story(folder.parent, at=DAYTIME)
        story.happens("payment.failed", consent=CONSENT, attributes={"time_zone": "America/New_York"}, **MIA)
        return story

    return go


def stop(story: "Story") -> None:
    processes(story, "message.replied", "twilio", properties={"text": "STOP", "channel": "sms", "address": NUMBER})


def pay(story: "Story") -> None:
    processes(story, "payment.succeeded")


def withdraw(story: "Story") -> None:
    denied = [{**one, "status": "denied"} for one in CONSENT]
    processes(story, "consent.changed", consent=denied)


def complain(story: "Story") -> None:
    """Another customer who has the number too: nothing of Mia is written."""
    from cairn.domain.consent.suppression import suppression_key
    from cairn.domain.shared.channels import Channel
    from infra.local.cloud import IDENTITY_KEYS

    key = suppression_key(Channel.SMS, NUMBER, IDENTITY_KEYS.suppressions)
    processes(story, "page.seen", customer={"user_id": "eve"}, attributes={"phone": NUMBER})
    address = {"channel": "sms", "key": key}
    processes(story, "address.suppressed", "operators", customer={"user_id": "eve"}, properties=address)


def processes(story: "Story", type_: str, source: str = "track", **event: Any) -> None:
    """Commit an event at once, while another function is at work."""
    from cairn.domain.event import event_from_wire
    from functions.process_event.handler import process

    document = {"id": type_, "type": type_, **MIA, **event}
    now = story.deployment.now()
    process()(event_from_wire(document, source=source, received_at=now), now)


def reminded(story: "Story") -> list[str]:
    """The numbers that got the reminder; a STOP gets an answer of its own."""
    return [one.address for one in story.sent() if one.text.startswith("Please pay")]


def once(what: Callable[[], None], *, when: Callable[[Call], bool]) -> Callable[[Call], None]:
    done: list[Call] = []

    def at(call: Call) -> None:
        if not done and when(call):
            done.append(call)
            what()

    return at


def is_senders_read(call: Call) -> bool:
    return call.function == "deliver_message" and call.operation == "BatchGetItem"


def writes(call: Call, key: str) -> bool:
    sk = call.arguments.get("Key", {}).get("sk", {}).get("S", "")
    return call.function == "deliver_message" and call.operation == "UpdateItem" and sk.startswith(key)


@BOTH
@pytest.mark.parametrize(
    ("does", "reason"),
    [(stop, "opted_out"), (withdraw, "opted_out"), (pay, "ended"), (complain, "suppressed_address")],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_commit_between_the_senders_read_and_its_claim_counts(
    begin: Begin, purpose: str, does: Callable[["Story"], None], reason: str
) -> None:
    story = begin(purpose)

    with watched(story.deployment, after=once(lambda: does(story), when=is_senders_read)):
        story.passes("3h")

    assert reminded(story) == []
    assert [line["reason"] for line in story.timeline("suppressed")] == [reason]


@pytest.mark.parametrize("then", ["", AND_WAITS], ids=["at the last step", "before the last step"])
@pytest.mark.parametrize(("paid", "days"), [(0, 4), (0, 28), (4, 5)])
def test_a_reminder_that_comes_late_reminds_nobody_who_has_paid(begin: Begin, paid: int, days: int, then: str) -> None:
    story = begin(then=then)
    story.deployment.stop("deliver_message")
    with watched(story.deployment) as calls:
        story.passes("2h")
    batches = [call.arguments["Entries"] for call in calls if call.operation == "SendMessageBatch"]
    bodies = [entry["MessageBody"] for batch in batches for entry in batch]
    (reminder,) = [body for body in bodies if json.loads(body).get("step") == "reminder"]
    for number in range(days):
        if number == paid:
            story.happens("payment.succeeded", **MIA)
        story.deployment.advance_to(story.deployment.now() + timedelta(days=1))
        story.happens("page.seen", f"seen-{number}", **MIA)

    story.deployment.start("deliver_message")
    story.deployment.cloud.send("messages", reminder)
    story.passes("1h")

    assert reminded(story) == []
    assert {line["reason"] for line in story.timeline("suppressed")} == {"ended"}


def lost_answer() -> None:
    raise ConnectionClosedError(endpoint_url="https://dynamodb")


@BOTH
def test_a_claim_whose_answer_is_lost_is_no_crash(begin: Begin, purpose: str) -> None:
    story = begin(purpose)

    with watched(story.deployment, after=once(lost_answer, when=lambda call: writes(call, "open#contact"))):
        story.passes("3h")

    assert reminded(story) == [NUMBER]
    assert story.timeline("undecided") == []


@BOTH
@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_what_was_sent_while_the_table_is_out_of_order_is_not_sent_again(begin: Begin, purpose: str, code: str) -> None:
    story = begin(purpose)
    until: list[datetime] = []

    def out_of_order(call: Call) -> None:
        if call.function != "deliver_message":
            return
        if call.operation == "Publish":
            until.append(story.deployment.now() + timedelta(minutes=8))
        elif call.service == "dynamodb" and until and story.deployment.now() < until[0]:
            raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Any")  # type: ignore[typeddict-item]

    with watched(story.deployment, before=out_of_order):
        story.passes("3h")

    assert reminded(story) == [NUMBER]
    assert [line["status"] for line in story.timeline("message")] == ["sent"]
    assert story.dead_letters("messages") == []
