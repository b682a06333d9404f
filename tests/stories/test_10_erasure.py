"""Promise 10: erasing a customer leaves only a hashed suppression entry, a tombstone and a receipt."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from authoring.sources.samples import signed_headers
from bench.calls import Call, watched
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.export import DynamoCustomerExport
from cairn.adapters.dynamodb.items import PENDING_ERASURE
from cairn.application.privacy.export_customer import ExportCustomer
from cairn.domain.consent.links import LinkKind
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.event import Event, event_to_wire
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import ErasedCustomerError, UnknownCustomerError
from cairn.settings import ERASURE_REST
from infra.local.cloud import IDENTITY_KEYS
from infra.local.shapes import ACCOUNT, REGION, stream_event
from infra.local.signing import LOCAL_SECRET
from tests.stories.forks import Crash, Forks
from tests.unit.makers import name

STAY = """
journey: stay
description: A text and a call at once; at night an offer that must wait until morning; a week later an e-mail.
time_zone: America/New_York
entry: {event: trial.signup, again: never}
steps:
  - id: hello
    send: {channel: sms, template: hello, purpose: transactional}
  - id: call
    task: {queue: coaches, title: Call, due: 4h, context: {name: profile.first_name}}
  - id: until-night
    wait: 13h
  - id: offer
    send: {channel: sms, template: offer, purpose: marketing}
  - id: a-week
    wait_for: {event: visit.attended, timeout: 7d, then: [{id: came, exit: came}]}
  - id: news
    send: {channel: email, template: news, purpose: marketing}
"""
PLAN = """
journey: plan
description: What somebody asked for, by e-mail.
entry: {event: plan.requested, again: when-ended}
steps:
  - id: plan
    send: {channel: email, template: plan, purpose: transactional}
"""
FILES = {
    "stay/journey.yaml": STAY,
    "stay/templates/hello.sms.txt": "Hello {{ profile.first_name }}",
    "stay/templates/offer.sms.txt": "Half price for {{ profile.first_name }}",
    "stay/templates/news.email.html": "---\nsubject: News\n---\n<p>Dear {{ profile.first_name }}</p>",
    "plan/journey.yaml": PLAN,
    "plan/templates/plan.email.html": "---\nsubject: Your plan\n---\n<p>Dear {{ profile.first_name }}</p>",
}

MIA = {
    "customer": {
        "user_id": "member-mia",
        "email": "mia.sample@example.com",
        "phone": "+12015550142",
        "external_ids": {"shopify": "820982911946154508"},
    },
    "attributes": {"first_name": "Mirabelle", "time_zone": "America/New_York", "region": "NY"},
    "consent": [
        {"channel": channel, "purpose": "marketing", "status": "granted", "source": "form"}
        for channel in ("sms", "email")
    ],
}
MIA_IS = ("mia.sample", "mia.lead", "2015550142", "820982911946154508", "member-mia", "Mirabelle", "sore knee")
"""All of Mia's personal data contains one of these."""

NOA = {
    "customer": {"user_id": "member-noa", "email": "noa@example.com", "phone": "+12015550177"},
    "attributes": {"first_name": "Noa", "time_zone": "America/New_York", "region": "NY"},
    "consent": MIA["consent"],
}
POLICY = Path(__file__).parents[2] / "policy.toml"
FORM = {"content-type": "application/x-www-form-urlencoded"}
THROTTLED = ClientError({"Error": {"Code": "Throttling"}}, "SendEmail")


@dataclass(frozen=True)
class Gym:
    """The story of a gym's customers."""

    story: Any

    def signs_up(self, who: dict[str, Any], event_id: str = "signup") -> None:
        self.story.happens("trial.signup", f"{event_id}-{who['customer']['user_id']}", **who)

    def track(self, event_type: str, event_id: str, **event: Any) -> Any:
        return self.story.happens(event_type, event_id, **event)

    def shopify(self, topic: str) -> None:
        """Shopify's webhook about Mia, under the topic."""
        mia = {"id": 820982911946154508, "email": "mia.sample@example.com", "phone": "+12015550142"}
        own = {
            "customers/data_request": {"customer": mia, "orders_requested": [], "data_request": {"id": 9999}},
            "shop/redact": {},
        }
        body = json.dumps({"shop_id": 954889, "shop_domain": "gym.myshopify.com", **own[topic]}).encode()
        headers = {
            **signed_headers("shopify", body, LOCAL_SECRET, self.story.deployment.now()),
            "x-shopify-topic": topic,
        }
        assert self.story.posts(body, "shopify", headers)["statusCode"] == 202
        self.story.deployment.settle()

    def erases(self) -> None:
        """An operator's order to erase Mia, as /manage queues it."""
        who = MIA["customer"]
        mia = name(user_id=who["user_id"], email=who["email"], phone=who["phone"], external=who["external_ids"])
        event = Event(
            f"erase {self.story.deployment.now()}",
            "operators",
            "customer.erasure_requested",
            self.story.deployment.now(),
            mia,
            properties={"actor": "ana"},
        )
        self.story.deployment.cloud.client("sqs").send_message(
            QueueUrl=self.story.deployment.cloud.urls["events"],
            MessageBody=to_json(event_to_wire(event)),
            MessageGroupId="mia",
            MessageDeduplicationId=event.key,
        )
        self.story.deployment.settle()

    def id_of(self, user_id: str) -> str:
        (found,) = self.story.deployment.customer_ids(user_id)
        return str(found)

    def outcomes_for(self, user_id: str) -> dict[str, str]:
        """For each step: that its message was sent, or why not."""
        lines = self.story.timeline("message", "deferred", "suppressed", of=user_id)
        return {line["step"]: "sent" if line["kind"] == "message" else line["reason"] for line in lines}

    def waits_for_erasure(self) -> None:
        """Let time pass until running work is over and erased."""
        self.story.deployment.advance_to(self.story.deployment.now() + ERASURE_REST * 1.2)

    def stores(self) -> dict[str, str]:
        """The content of every store, as text."""
        return {
            "table": "\n".join(self._table()),
            "bucket": "\n".join(self._bucket()),
            "queues": "\n".join(self._queues()),
            "schedules": "\n".join(self._schedules()),
        }

    def found(self, *needles: str) -> dict[str, list[str]]:
        """The lines of each store that contain one of these."""
        wanted = re.compile("|".join(map(re.escape, needles)), re.IGNORECASE)
        hits = {
            name: [line for line in text.splitlines() if wanted.search(line)] for name, text in self.stores().items()
        }
        return {name: lines for name, lines in hits.items() if lines}

    def _table(self) -> Iterator[str]:
        client, start = self.story.deployment.cloud.client("dynamodb"), {}
        while True:
            page = client.scan(TableName=self.story.deployment.cloud.table, **start)
            yield from (json.dumps(item, default=str) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _bucket(self) -> Iterator[str]:
        s3, bucket = self.story.deployment.cloud.client("s3"), self.story.deployment.cloud.bucket
        for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
            yield one["Key"] + " " + s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read().decode()

    @staticmethod
    def _queues() -> Iterator[str]:
        """Invisible messages too: moto itself lists them."""
        from moto.sqs.models import sqs_backends

        for queue in sqs_backends[ACCOUNT][REGION].queues.values():
            for message in queue._messages:  # noqa: SLF001
                attributes = {name: one.get("string_value") for name, one in message.message_attributes.items()}
                yield f"{queue.name} {message.body} {attributes}".replace("\n", " ")

    def _schedules(self) -> Iterator[str]:
        from moto.scheduler.models import scheduler_backends

        for group in scheduler_backends[ACCOUNT][REGION].schedule_groups.values():
            yield from (f"{one.name} {one.target}" for one in group.schedules.values())


@pytest.fixture
def journeys(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        file = tmp_path / "journeys" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "journeys"


@pytest.fixture
def gym(a_story: Any, journeys: Path) -> Gym:
    return Gym(a_story(journeys))


@pytest.fixture
def busy_mail() -> Callable[[Gym], Any]:
    """SES throttles us while the block lasts."""

    def refuse(call: Call) -> None:
        if call.operation == "SendEmail":
            raise THROTTLED

    return lambda gym: watched(gym.story.deployment, before=refuse)


def in_a_journey(gym: Gym, busy_mail: Callable[[Gym], Any]) -> str:
    """Mia, a lead before, waits in a journey, and every store has data about her. Returns her id."""
    deployment = gym.story.deployment
    gym.track("lead.captured", "lead", customer={"email": "mia.lead@example.com"}, attributes={"note": "sore knee"})
    gym.signs_up(MIA)
    gym.track("profile.completed", "one", customer={"user_id": "member-mia", "email": "mia.lead@example.com"})
    gym.track("note.written", "large", customer=MIA["customer"], properties={"text": "sore knee " * 30_000})
    gym.shopify("customers/data_request")
    mia = gym.id_of("member-mia")
    cut_short = b'{"id": "evt_1", "object": {"email": "mia.sample@example.com", "text": "sore knee '
    gym.story.posts(cut_short, "stripe")
    gym.story.posts(cut_short + b"sore knee " * 30_000, "stripe")
    dead_letters = {
        "effects": {"customer": mia, "effect": {"do": "task", "context": {"name": "Mirabelle"}}},
        "messages": {"id": "m", "customer": mia, "addresses": {"sms": "+12015550142"}},
        "wakes": {"customer": mia, "enrollment": "e", "sequence": 1},
        "feedback": {
            "Type": "Notification",
            "Message": json.dumps({"mail": {"destination": ["mia.sample@example.com"]}}),
        },
    }
    for queue, dead_letter in dead_letters.items():
        deployment.cloud.send(f"{queue}-dead-letters", json.dumps(dead_letter))
    deployment.settle()
    gym.story.passes("13h5m")
    with busy_mail(gym):
        gym.track("plan.requested", "plan", customer=MIA["customer"])
    return mia


def test_an_erasure_during_a_journey_leaves_no_personal_data_anywhere(
    gym: Gym, busy_mail: Callable[[Gym], Any]
) -> None:
    gym.signs_up(NOA)
    gym.story.deployment.cloud.send("feedback-dead-letters", json.dumps({"mail": {"destination": ["noa@example.com"]}}))
    mia = in_a_journey(gym, busy_mail)
    before = gym.found(*MIA_IS, mia)
    assert gym.outcomes_for("member-mia") == {"hello": "sent", "offer": "quiet_hours"}
    assert "Your plan" not in str(gym.story.sent()), "SES was too busy: it is queued"
    assert len(gym.story.timeline("task", of="member-mia")) == 2
    assert {store: len(lines) for store, lines in before.items() if store != "table"} == {
        "bucket": 1,  # the dead letter's; the event's was emptied when it was processed
        "queues": 6,
        "schedules": 3,
    }

    gym.erases()
    gym.waits_for_erasure()

    assert gym.found(*MIA_IS) == {}
    left = [json.loads(line) for line in gym.found(mia)["table"]]
    assert {(one["pk"]["S"], one["sk"]["S"]) for one in left if one["pk"]["S"] != "audit"} == {(mia, "open#state")}
    assert len(left) == 2, "a tombstone and a receipt"
    assert gym.found(mia).keys() == {"table"}
    left_after = gym.stores()
    assert all(one in left_after["table"] for one in ("noa@example.com", "member-noa", "Noa"))
    assert "noa@example.com" in left_after["queues"]
    assert len(left_after["schedules"].splitlines()) == 3, "Noa's"
    assert gym.outcomes_for("member-noa") == {"hello": "sent", "offer": "quiet_hours"}


def test_a_receipt_says_who_asked_when_and_how_much_was_removed(gym: Gym, busy_mail: Callable[[Gym], Any]) -> None:
    mia = in_a_journey(gym, busy_mail)
    asked = gym.story.deployment.now()
    gym.erases()
    gym.waits_for_erasure()

    [receipt] = [json.loads(line) for line in gym.found('"audit"')["table"]]
    record = json.loads(receipt["body"]["S"])
    assert (record["who"], record["what"], record["target"]) == ("ana", "erase", mia)
    assert record["sealed_at"].startswith(f"{asked:%Y-%m-%dT%H:%M}")
    assert record["removed"]["letters"] == 6
    assert record["removed"]["schedules"] == 3
    assert record["removed"]["items"] > 10
    assert "expires_at" not in receipt


def test_after_the_order_nothing_is_sent_and_nothing_is_exported(gym: Gym, busy_mail: Callable[[Gym], Any]) -> None:
    mia = in_a_journey(gym, busy_mail)
    sent = gym.story.sent()

    gym.erases()

    with pytest.raises(ErasedCustomerError):
        DynamoCustomers(IDENTITY_KEYS).load(mia)
    with pytest.raises(ErasedCustomerError):
        ExportCustomer(DynamoCustomerExport(IDENTITY_KEYS).about)(mia, gym.story.deployment.now())
    gym.story.passes("14d")
    assert gym.story.sent() == sent
    assert gym.found(*MIA_IS) == {}


def test_an_erasure_leaves_no_dead_letters(gym: Gym, busy_mail: Callable[[Gym], Any]) -> None:
    in_a_journey(gym, busy_mail)
    gym.erases()

    gym.story.passes("10d")

    assert "dead-letters" not in gym.stores()["queues"]


def test_an_event_from_before_the_erasure_creates_no_customer(gym: Gym) -> None:
    gym.signs_up(MIA)
    before = f"{gym.story.deployment.now():%Y-%m-%dT%H:%M:%SZ}"
    gym.story.passes("1h")
    gym.erases()
    gym.waits_for_erasure()

    for number, who in enumerate([MIA["customer"], {"email": "mia.sample@example.com"}, {"phone": "+1 201 555 0142"}]):
        gym.track("visit.attended", f"late-{number}", customer=who, occurred_at=before)
    gym.track(
        "visit.attended",
        "late and large",
        customer=MIA["customer"],
        occurred_at=before,
        properties={"t": "x" * 300_000},
    )
    gym.signs_up(MIA)  # the same event once more, now with today's time

    found = gym.found(*MIA_IS)
    assert "visit.attended" not in str(found)
    assert gym.stores()["bucket"].endswith(" {}")


@pytest.mark.parametrize("signs_up_again", [False, True])
def test_late_items_of_queues_and_timers_are_dropped_and_not_dead_lettered(gym: Gym, *, signs_up_again: bool) -> None:
    gym.signs_up(MIA)
    old = gym.id_of("member-mia")
    [enrollment] = [line["enrollment"] for line in gym.story.timeline("entered")]
    gym.erases()
    gym.waits_for_erasure()
    if signs_up_again:
        gym.signs_up(MIA, "again")
    sent = gym.story.sent()

    late = {
        "wakes": {"customer": old, "enrollment": enrollment, "sequence": 1},
        "marketing": {"customer": old, "held": f"{enrollment}-offer-2"},
        "feedback": {
            "eventType": "Delivery",
            "mail": {"tags": {"message": [f"{enrollment}-hello-1"], "customer": [old]}},
        },
    }
    for queue, body in late.items():
        envelope = {"Type": "Notification", "MessageId": queue, "Message": json.dumps(body)}
        gym.story.deployment.cloud.send(queue, json.dumps(envelope if queue == "feedback" else body))
    gym.story.passes("30m")

    assert gym.found(enrollment) == {}
    assert "dead-letters" not in gym.stores()["queues"]
    assert gym.story.sent() == sent


def test_a_customer_who_comes_back_is_new_and_gets_no_marketing_from_an_old_list(gym: Gym) -> None:
    gym.signs_up(MIA)
    old = gym.id_of("member-mia")
    gym.erases()
    gym.story.passes("1m")

    gym.signs_up(MIA, "again")  # an import of her old consent during the erasure
    gym.track("plan.requested", "plan", customer=MIA["customer"])
    new = gym.id_of("member-mia")
    gym.waits_for_erasure()
    gym.story.passes("9d")

    lines = gym.story.timeline(of="member-mia")
    assert new != old
    assert gym.found(old, '"audit"').keys() == {"table"}
    assert {line["type"] for line in lines if line["kind"] == "event"} == {
        "trial.signup",
        "plan.requested",
        "task.overdue",
    }
    assert [one.text for one in gym.story.sent()] == ["Hello Mirabelle", "Hello Mirabelle", "Your plan"]
    assert gym.outcomes_for("member-mia") == {
        "hello": "sent",
        "plan": "sent",
        "offer": "suppressed_address",
        "news": "suppressed_address",
    }


def test_only_a_hash_and_its_suppression_are_left_of_an_address(gym: Gym) -> None:
    gym.signs_up(MIA)
    gym.erases()
    gym.waits_for_erasure()

    [entry] = gym.found(suppression_key(Channel.EMAIL, "mia.sample@example.com", IDENTITY_KEYS.suppressions))["table"]
    item = json.loads(entry)
    assert item.keys() == {"pk", "sk", "marks"}
    assert item["marks"] == {"SS": ["erasure marketing + 2026-03-02T14:00:00Z"]}


def test_a_customer_with_more_identifiers_than_fit_one_transaction_is_erased_whole(
    a_story: Any, journeys: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.read_text(encoding="utf-8") + "\n[identity]\nmax_identifiers = 100\n")
    gym = Gym(a_story(journeys, policy=policy))
    numbers = [f"+1201555{number:04d}" for number in range(100, 145)]
    gym.signs_up(MIA)
    for number in numbers:
        gym.track("page.viewed", number, customer={**MIA["customer"], "phone": number})

    gym.erases()
    gym.waits_for_erasure()

    assert gym.found(*MIA_IS, *numbers) == {}
    for number in numbers:
        for channel in (Channel.SMS, Channel.WHATSAPP):
            assert gym.found(suppression_key(channel, number, IDENTITY_KEYS.suppressions)).keys() == {"table"}
    assert gym.story.dead_letters("events") == []


@pytest.mark.parametrize("after", ["1m", "2h"])
def test_the_link_of_an_old_mail_still_unsubscribes_and_creates_no_customer(gym: Gym, after: str) -> None:
    gym.signs_up(MIA)
    url = gym.story.link(LinkKind.UNSUBSCRIBE, "mia.sample@example.com")
    gym.erases()
    gym.story.passes(after)

    shown = gym.story.deployment.visit("GET", url, {})
    answer = gym.story.deployment.visit("POST", url, FORM, b"List-Unsubscribe=One-Click")
    gym.waits_for_erasure()

    assert (shown["statusCode"], answer["statusCode"]) == (200, 200)
    assert "mirabelle" not in shown["body"].lower()
    assert gym.found(*MIA_IS) == {}
    [entry] = gym.found(suppression_key(Channel.EMAIL, "mia.sample@example.com", IDENTITY_KEYS.suppressions))["table"]
    assert {mark.split(" ")[0] for mark in json.loads(entry)["marks"]["SS"]} == {"erasure", "unsubscribe"}


def test_an_event_that_is_committed_during_the_erasure_is_dropped(gym: Gym, interrupted: Any, monkeypatch: Any) -> None:
    from functions.process_event import handler

    gym.signs_up(MIA)
    gym.story.passes("1h")
    gym.story.posts(json.dumps({"id": "v", "type": "visit.attended", "customer": MIA["customer"]}).encode())
    process = interrupted(handler.process(), gym.erases)
    monkeypatch.setattr(handler, "process", lambda: process)
    gym.story.deployment.settle()
    gym.waits_for_erasure()

    assert gym.found(*MIA_IS, "visit.attended") == {}


def test_a_message_that_was_being_sent_is_erased_too(gym: Gym) -> None:
    """The order comes while SNS takes the text; its status is recorded after the customer is gone."""
    ordered = []

    def order(call: Call) -> None:
        if call.operation == "Publish" and not ordered:
            ordered.append(True)
            gym.erases()

    with watched(gym.story.deployment, before=order):
        gym.signs_up(MIA)
    assert ordered
    assert gym.found("Hello Mirabelle"), "recorded after the order"

    gym.waits_for_erasure()

    assert gym.found(*MIA_IS) == {}


def test_effects_decided_before_the_erasure_write_nothing_however_late_they_are_relayed(gym: Gym) -> None:
    """The relay stops before it has seen the sign-up, until long after the customer's data is gone."""
    deployment = gym.story.deployment
    deployment.stop("relay_effects")
    gym.signs_up(MIA)
    changes = deployment.cloud.changes(None)
    gym.erases()
    deployment.start("relay_effects")
    gym.waits_for_erasure()
    assert gym.found(*MIA_IS) == {}

    with watched(deployment) as calls:
        batch = [one for one in changes if one["dynamodb"]["Keys"]["sk"]["S"] == "open#state"]
        answer = deployment.handlers["relay_effects"](stream_event(deployment.cloud.stream_arn, batch), None)
        gym.story.passes("1d")

    relayed = [call.operation for call in calls if call.function == "relay_effects"]
    assert answer == {"batchItemFailures": []}
    assert relayed == ["BatchGetItem"], "it asks who is erased, and does no more"
    assert gym.found(*MIA_IS) == {}
    assert gym.found('"audit"')


def test_an_erasure_of_an_unknown_customer_leaves_only_a_receipt(gym: Gym) -> None:
    gym.erases()
    gym.waits_for_erasure()

    assert gym.found(*MIA_IS) == {}
    assert len(gym.found('"audit"')["table"]) == 1
    with pytest.raises(UnknownCustomerError):
        DynamoCustomers(IDENTITY_KEYS).load("c_nobody")


def hubspot(gym: Gym, event_id: int, kind: str, **more: Any) -> None:
    """A webhook of HubSpot about a contact of ours."""
    event = {
        "eventId": event_id,
        "subscriptionId": 2,
        "portalId": 3,
        "occurredAt": int(gym.story.deployment.now().timestamp() * 1000),
        "subscriptionType": kind,
        "objectId": 9007199254740993,
    }
    gym.story.posts(json.dumps([event | more]).encode(), "hubspot")
    gym.story.deployment.settle()


def test_a_privacy_deletion_in_hubspot_erases_a_contact_that_only_hubspot_knows(gym: Gym) -> None:
    email = MIA["customer"]["email"]
    hubspot(gym, 1, "contact.propertyChange", propertyName="email", propertyValue=email)
    gym.story.passes("1m")

    hubspot(gym, 2, "contact.privacyDeletion")
    gym.waits_for_erasure()

    assert gym.found(*MIA_IS) == {}


ERASING = {"process_event", "relay_effects", "erase_customer"}


def surviving(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """What AWS does when a process dies: every record of its batch is delivered again."""

    def run(event: Any, context: Any) -> Any:
        try:
            return handler(event, context)
        except Crash:
            records = event["Records"]
            ids = [record.get("messageId") or record["dynamodb"]["SequenceNumber"] for record in records]
            return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}

    return run


def test_a_crash_at_any_call_of_the_erasure_leaves_no_data_and_one_receipt(gym: Gym) -> None:
    gym.signs_up(NOA)
    gym.signs_up(MIA)
    deployment = gym.story.deployment
    for queue in ("effects", "feedback"):
        dead_letter = {"customer": gym.id_of("member-mia"), "destination": "mia.sample@example.com"}
        deployment.cloud.send(f"{queue}-dead-letters", json.dumps(dead_letter))
    forks, numbers, answers = Forks(), count(1), count(1)

    with forks.branching() as result:
        forks.branch("no call at all")  # it says how many there are
        calls = next((found for _, found in forks.results), 0)

        def before(call: Call) -> None:
            if call.function in ERASING and forks.branch(f"{next(numbers)}. {call}"):
                raise Crash

        def after(call: Call) -> None:
            if call.function in ERASING and next(answers) == calls and forks.branch("the last call's answer"):
                raise Crash

        with watched(deployment, before=before, after=after):
            deployment.handlers = {name: surviving(handler) for name, handler in deployment.handlers.items()}
            gym.erases()
            gym.story.passes("2h")
        result.append(next(numbers) - 1)
        assert gym.found(*MIA_IS) == {}
        assert gym.found('"audit"', f'"{PENDING_ERASURE}"').keys() == {"table"}
        assert len(gym.found('"audit"')["table"]) == 1

    assert len(forks.results) == calls + 2 > 10
