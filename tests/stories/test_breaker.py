"""The breaker pauses a journey with many complaints and raises an alarm; other journeys continue."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.adapters.dynamodb.delivery_counters import DynamoDeliveryCounters
from cairn.adapters.dynamodb.items import RecordItem
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch
from cairn.domain.operations.breaker import CountBucket, Counts, bucket_of

ROOT = Path(__file__).parents[2]
COMPLAINT = json.loads((ROOT / "events" / "aws" / "ses_complaint.json").read_text(encoding="utf-8"))

JOURNEY = """
journey: {name}
description: Somebody asks for it by name, and gets an e-mail each time.
time_zone: America/New_York
entry: {{event: {name}.wanted, key: event.id, again: never}}
steps:
  - id: letter
    send: {{channel: email, template: letter, purpose: {purpose}}}
"""

BREAKER = """
[breaker]
failure = "50%"
bounce = "50%"
complaint = "40%"
minimum = 5
window = "30m"
doubling = 2.0
"""


@dataclass(frozen=True)
class Shop:
    """The story of a shop with three journeys, and of its providers' reports about their e-mails."""

    story: Any
    member: Any

    def wants(self, name: str, *numbers: int) -> None:
        for number in numbers:
            self.story.happens(f"{name}.wanted", f"{name}-{number}", **self.member(number))

    def got(self, name: str) -> list[int]:
        """The numbers of the members who got the journey's e-mail."""
        lines = [line for line in self.story.timeline("message") if line["journey"] == name]
        return sorted(int(line["customer"].removeprefix("member-")) for line in lines)

    def delivered(self, name: str, *numbers: int) -> None:
        for number in numbers:
            self.story.ses_reports("Delivery", of=self._mail(name, number), address=f"mia.{number}@example.com")

    def complains(self, name: str, *numbers: int) -> None:
        """SES reports complaints over its topic."""
        for number in numbers:
            message, customer = self._mail(name, number)
            report = json.loads(json.dumps(COMPLAINT))
            report["mail"]["tags"] |= {"message": [message], "customer": [customer]}
            report["complaint"]["timestamp"] = f"{self.story.deployment.now():%Y-%m-%dT%H:%M:%S}.000Z"
            report["complaint"]["complainedRecipients"] = [{"emailAddress": f"mia.{number}@example.com"}]
            self.story.deployment.feedback(json.dumps(report))
            self.story.deployment.settle()

    def _mail(self, name: str, number: int) -> tuple[str, str]:
        (line,) = [
            line for line in self.story.timeline("message", of=f"member-{number}") if line.get("journey") == name
        ]
        return line["message_id"], line["customer_id"]

    def alarms(self) -> list[tuple[str, str]]:
        """The alarm messages to the operators: subject and text."""
        from moto.sns.models import sns_backends

        from infra.local.shapes import ACCOUNT, REGION

        topic = sns_backends[ACCOUNT][REGION].topics[self.story.deployment.cloud.alarm_topic_arn]
        return [(subject or "", text) for _, text, subject, *_ in topic.sent_notifications]

    def paused(self) -> dict[str, str]:
        now = self.story.deployment.now()
        return {one.pause.target: one.record.by for one in DynamoSwitches().board().pauses if one.pause.is_active(now)}

    def resume(self, target: str) -> None:
        Switch(DynamoSwitches()).resume(target, by="ada", why="the list is mended", now=self.story.deployment.now())
        self.story.deployment.settle()


@pytest.fixture
def shop(a_story: Any, member: Any, tmp_path: Path) -> Shop:
    for name, purpose in (("offer", "marketing"), ("news", "marketing"), ("receipt", "transactional")):
        folder = tmp_path / "journeys" / name
        (folder / "templates").mkdir(parents=True)
        (folder / "journey.yaml").write_text(JOURNEY.format(name=name, purpose=purpose), encoding="utf-8")
        (folder / "templates" / "letter.email.html").write_text(f"---\nsubject: {name}\n---\n<p>Hello</p>")
    policy = tmp_path / "policy.toml"
    before, _, after = (ROOT / "policy.toml").read_text(encoding="utf-8").partition("[breaker]\n")
    _, _, after = after.partition("doubling = 2.0\n")
    policy.write_text(before + BREAKER + after, encoding="utf-8")
    return Shop(a_story(tmp_path / "journeys", policy=policy), member)


WHY = "complaints 60 % of 5 messages in 30 minutes, above 40 %"


@pytest.fixture
def tripped(shop: Shop) -> Shop:
    """Three of five customers complain about the offer; six others got their receipts meanwhile."""
    shop.wants("receipt", 11, 12, 13, 14, 15, 16)
    shop.delivered("receipt", 11, 12, 13, 14, 15, 16)
    shop.wants("offer", 1, 2, 3, 4, 5)
    shop.delivered("offer", 1, 2, 3, 4, 5)
    shop.story.passes("6m")
    shop.complains("offer", 1, 2)
    assert shop.paused() == {}
    shop.complains("offer", 3)
    shop.story.passes("1m")
    return shop


def test_a_complaint_spike_pauses_the_journey_and_the_alarm_says_why(tripped: Shop) -> None:
    assert tripped.paused() == {"journey:offer": "breaker"}, "27 % of all e-mail does not pause the channel"
    (order,) = DynamoAudit().latest(10)
    assert (order.actor, order.action, order.target, order.reason) == ("breaker", "pause", "journey:offer", WHY)
    ((subject, text),) = tripped.alarms()
    assert subject == "Cairn has paused journey:offer"
    assert WHY in text
    (task,) = RecordItem.by_index.query("queue#operations")
    assert task.body["title"] == f"journey:offer is paused: {WHY}"


def test_messages_of_the_paused_journey_wait_and_other_journeys_continue(tripped: Shop) -> None:
    tripped.wants("offer", 6)
    tripped.wants("news", 7)
    tripped.wants("receipt", 8)

    assert tripped.got("offer") == [1, 2, 3, 4, 5]
    assert (tripped.got("news"), tripped.got("receipt")) == ([7], [8, 11, 12, 13, 14, 15, 16])
    (deferred,) = tripped.story.timeline("deferred")
    assert (deferred["journey"], deferred["reason"]) == ("offer", "paused")


def test_complaints_about_a_paused_journey_raise_no_second_alarm(tripped: Shop) -> None:
    tripped.complains("offer", 4)

    assert len(tripped.alarms()) == 1
    assert len(DynamoAudit().latest(10)) == 1


def test_a_channel_with_too_many_complaints_pauses_too(tripped: Shop) -> None:
    tripped.complains("offer", 4, 5)
    tripped.wants("receipt", 8)

    assert tripped.paused() == {"journey:offer": "breaker", "channel:email": "breaker"}
    assert "complaints 45.5 % of 11 messages in 30 minutes, above 40 %" in tripped.alarms()[-1][1]
    assert 8 not in tripped.got("receipt")


def test_after_a_resume_waiting_messages_are_sent_and_old_complaints_do_not_count(tripped: Shop) -> None:
    tripped.wants("offer", 6)
    tripped.resume("journey:offer")
    tripped.story.passes("10m")
    assert tripped.got("offer") == [1, 2, 3, 4, 5, 6]

    tripped.complains("offer", 4)  # about mails sent before the pause

    assert tripped.paused() == {}
    assert len(tripped.alarms()) == 1


def test_new_complaints_trip_the_breaker_again(tripped: Shop) -> None:
    tripped.resume("journey:offer")
    tripped.story.passes("10m")
    tripped.wants("receipt", 31, 32, 33, 34, 35, 36)
    tripped.delivered("receipt", 31, 32, 33, 34, 35, 36)
    tripped.wants("offer", 21, 22, 23, 24, 25)
    tripped.delivered("offer", 21, 22, 23, 24, 25)

    tripped.complains("offer", 21, 22, 23)

    assert tripped.paused() == {"journey:offer": "breaker"}
    assert len(tripped.alarms()) == 2


def test_few_messages_do_not_trip_the_breaker_even_if_all_complain(shop: Shop) -> None:
    shop.wants("offer", 1, 2, 3, 4)
    shop.delivered("offer", 1, 2, 3, 4)

    shop.complains("offer", 1, 2, 3, 4)

    assert shop.paused() == {}
    assert shop.alarms() == []


def test_a_report_relayed_twice_counts_once(shop: Shop) -> None:
    shop.wants("offer", 1, 2, 3, 4, 5)
    shop.delivered("offer", 1, 2, 3, 4, 5)
    shop.complains("offer", 1, 2)

    shop.story.deployment._stream_position = None  # noqa: SLF001  reads the stream from its beginning, as after a crash of the relay
    shop.story.deployment.settle()

    now = bucket_of(shop.story.deployment.now())
    for target in ("journey:offer", "channel:email"):
        assert DynamoDeliveryCounters().between(target, now, now) == [
            CountBucket(now, Counts(delivered=5, complained=2))
        ]


def test_complaints_outside_the_window_do_not_trip_the_breaker(shop: Shop) -> None:
    shop.wants("offer", 1, 2, 3, 4, 5)
    shop.delivered("offer", 1, 2, 3, 4, 5)
    for number in (1, 2, 3):
        shop.complains("offer", number)
        shop.story.passes("40m")

    assert shop.paused() == {}
