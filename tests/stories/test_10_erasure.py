"""Promise 10: erasing a customer leaves nothing but a hashed suppression entry, a grave and a receipt."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from authoring.sources.samples import signed_headers
from bench.calls import Call, watched
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.export import DynamoCustomerExport
from cairn.adapters.dynamodb.items import PENDING_ERASURE
from cairn.application.privacy.export_customer import ExportCustomer
from cairn.domain.consent.links import LinkKind
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import ErasedCustomerError, UnknownCustomerError
from cairn.settings import ERASURE_REST
from infra.local.cloud import IDENTITY_SALT
from infra.local.shapes import ACCOUNT, REGION
from infra.local.signing import LOCAL_SECRET

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
"""Whatever of her is found anywhere, one of these is in it."""

NOA = {
    "customer": {"user_id": "member-noa", "email": "noa@example.com", "phone": "+12015550177"},
    "attributes": {"first_name": "Noa", "time_zone": "America/New_York", "region": "NY"},
    "consent": MIA["consent"],
}
FORM = {"content-type": "application/x-www-form-urlencoded"}
THROTTLED = ClientError({"Error": {"Code": "Throttling"}}, "SendEmail")


@dataclass(frozen=True)
class Gym:
    """The story of a gym's customers."""

    story: Any

    def signs_up(self, who: dict[str, Any], event_id: str = "signup") -> None:
        self.story.happens("trial.signup", f"{event_id}-{who['customer']['user_id']}", **who)

    def told(self, event_type: str, event_id: str, **event: Any) -> Any:
        return self.story.happens(event_type, event_id, **event)

    def shopify(self, topic: str) -> None:
        """Shopify's webhook about Mia, under the topic."""
        body = json.dumps(
            {
                "shop_id": 954889,
                "shop_domain": "gym.myshopify.com",
                "customer": {"id": 820982911946154508, "email": "mia.sample@example.com", "phone": "+12015550142"},
            }
        ).encode()
        headers = {
            **signed_headers("shopify", body, LOCAL_SECRET, self.story.deployment.now()),
            "x-shopify-topic": topic,
        }
        assert self.story.posts(body, "shopify", headers)["statusCode"] == 202
        self.story.deployment.settle()

    def id_of(self, user_id: str) -> str:
        (found,) = self.story.deployment._named(user_id)  # noqa: SLF001
        return str(found)

    def said_to(self, user_id: str) -> dict[str, str]:
        """What became of each message: that it was sent, or why it was not."""
        lines = self.story.timeline("message", "deferred", "suppressed", of=user_id)
        return {line["step"]: "sent" if line["kind"] == "message" else line["reason"] for line in lines}

    def rests(self) -> None:
        """Until everything that was under way is over, and erased."""
        self.story.deployment.advance_to(self.story.deployment.now() + ERASURE_REST * 1.2)

    def stores(self) -> dict[str, str]:
        """All that is in every store, as text."""
        return {
            "table": "\n".join(self._table()),
            "bucket": "\n".join(self._bucket()),
            "queues": "\n".join(self._queues()),
            "schedules": "\n".join(self._schedules()),
        }

    def found(self, *needles: str) -> dict[str, list[str]]:
        """The lines of each store in which one of these is."""
        wanted = re.compile("|".join(map(re.escape, needles)), re.IGNORECASE)
        told = {
            name: [line for line in text.splitlines() if wanted.search(line)] for name, text in self.stores().items()
        }
        return {name: lines for name, lines in told.items() if lines}

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
        """What is out of sight too: asked of moto itself."""
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
    for name, text in FILES.items():
        file = tmp_path / "journeys" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "journeys"


@pytest.fixture
def gym(a_story: Any, journeys: Path) -> Gym:
    return Gym(a_story(journeys))


@pytest.fixture
def busy_mail() -> Callable[[Gym], Any]:
    """SES is too busy, for as long as the block lasts."""

    def refuse(call: Call) -> None:
        if call.operation == "SendEmail":
            raise THROTTLED

    return lambda gym: watched(gym.story.deployment, before=refuse)


def in_the_middle(gym: Gym, busy_mail: Callable[[Gym], Any]) -> str:
    """Mia, who was a lead before, waits in a journey; there is something of hers in every store. Gives her id."""
    deployment = gym.story.deployment
    gym.told("lead.captured", "lead", customer={"email": "mia.lead@example.com"}, attributes={"note": "sore knee"})
    gym.signs_up(MIA)
    gym.told("profile.completed", "one", customer={"user_id": "member-mia", "email": "mia.lead@example.com"})
    gym.told("note.written", "large", customer=MIA["customer"], properties={"text": "sore knee " * 30_000})
    gym.shopify("customers/data_request")
    mia = gym.id_of("member-mia")
    gym.told("note.written", "too large", customer=MIA["customer"], properties={"text": "sore knee " * 50_000})
    gym.story.posts(b'{"id": "evt_1", "object": {"email": "mia.sample@example.com", cut short', "stripe")
    letters = {
        "effects": {"customer": mia, "effect": {"do": "task", "context": {"name": "Mirabelle"}}},
        "messages": {"id": "m", "customer": mia, "addresses": {"sms": "+12015550142"}},
        "wakes": {"customer": mia, "enrollment": "e", "sequence": 1},
        "feedback": {
            "Type": "Notification",
            "Message": json.dumps({"mail": {"destination": ["mia.sample@example.com"]}}),
        },
    }
    for queue, letter in letters.items():
        deployment.cloud.send(f"{queue}-dead-letters", json.dumps(letter))
    deployment.settle()
    gym.story.passes("13h5m")
    with busy_mail(gym):
        gym.told("plan.requested", "plan", customer=MIA["customer"])
    return mia


def test_erased_in_the_middle_of_a_journey_nothing_of_somebody_is_left_anywhere(
    gym: Gym, busy_mail: Callable[[Gym], Any]
) -> None:
    gym.signs_up(NOA)
    gym.story.deployment.cloud.send("feedback-dead-letters", json.dumps({"mail": {"destination": ["noa@example.com"]}}))
    mia = in_the_middle(gym, busy_mail)
    before = gym.found(*MIA_IS, mia)
    assert gym.said_to("member-mia") == {"hello": "sent", "offer": "quiet_hours"}
    assert "Your plan" not in str(gym.story.sent()), "SES was too busy: it is queued"
    assert len(gym.story.timeline("task", of="member-mia")) == 2
    assert {store: len(lines) for store, lines in before.items() if store != "table"} == {
        "bucket": 1,  # of the letter that points to it; that of the event was emptied when it was processed
        "queues": 6,
        "schedules": 2,
    }

    gym.shopify("customers/redact")
    gym.rests()

    assert gym.found(*MIA_IS) == {}
    left = [json.loads(line) for line in gym.found(mia)["table"]]
    assert {(one["pk"]["S"], one["sk"]["S"]) for one in left if one["pk"]["S"] != "audit"} == {(mia, "open#state")}
    assert len(left) == 2, "a grave, and a receipt"
    assert gym.found(mia).keys() == {"table"}
    kept = gym.stores()
    assert all(one in kept["table"] for one in ("noa@example.com", "member-noa", "Noa"))
    assert "noa@example.com" in kept["queues"]
    assert len(kept["schedules"].splitlines()) == 2, "Noa's"
    assert gym.said_to("member-noa") == {"hello": "sent", "offer": "quiet_hours"}


def test_a_receipt_tells_who_asked_when_and_how_much_it_was(gym: Gym, busy_mail: Callable[[Gym], Any]) -> None:
    mia = in_the_middle(gym, busy_mail)
    asked = gym.story.deployment.now()
    gym.shopify("customers/redact")
    gym.rests()

    [receipt] = [json.loads(line) for line in gym.found('"audit"')["table"]]
    told = json.loads(receipt["body"]["S"])
    assert (told["who"], told["what"], told["target"]) == ("shopify", "erase", mia)
    assert told["sealed_at"].startswith(f"{asked:%Y-%m-%dT%H:%M}")
    assert told["removed"]["letters"] == 6
    assert told["removed"]["schedules"] == 2
    assert told["removed"]["items"] > 10
    assert "expires_at" not in receipt


def test_from_the_order_on_nothing_goes_out_and_nothing_is_told(gym: Gym, busy_mail: Callable[[Gym], Any]) -> None:
    mia = in_the_middle(gym, busy_mail)
    sent = gym.story.sent()

    gym.shopify("customers/redact")

    with pytest.raises(ErasedCustomerError):
        DynamoCustomers(IDENTITY_SALT).load(mia)
    with pytest.raises(ErasedCustomerError):
        ExportCustomer(DynamoCustomerExport(IDENTITY_SALT).about)(mia, gym.story.deployment.now())
    gym.story.passes("14d")
    assert gym.story.sent() == sent
    assert gym.found(*MIA_IS) == {}


def test_nothing_of_it_is_parked_or_told_as_a_failure(gym: Gym, busy_mail: Callable[[Gym], Any]) -> None:
    in_the_middle(gym, busy_mail)
    gym.shopify("customers/redact")

    gym.story.passes("10d")

    assert "dead-letters" not in gym.stores()["queues"]


def test_what_was_said_before_and_arrives_after_creates_nothing(gym: Gym) -> None:
    gym.signs_up(MIA)
    before = f"{gym.story.deployment.now():%Y-%m-%dT%H:%M:%SZ}"
    gym.story.passes("1h")
    gym.shopify("customers/redact")
    gym.rests()

    for number, who in enumerate([MIA["customer"], {"email": "mia.sample@example.com"}, {"phone": "+1 201 555 0142"}]):
        gym.told("visit.attended", f"late-{number}", customer=who, occurred_at=before)
    gym.told(
        "visit.attended",
        "late and large",
        customer=MIA["customer"],
        occurred_at=before,
        properties={"t": "x" * 300_000},
    )
    gym.signs_up(MIA)  # the very same event once more, though it now claims to have happened today

    found = gym.found(*MIA_IS)
    assert "visit.attended" not in str(found)
    assert gym.stores()["bucket"].endswith(" {}")


@pytest.mark.parametrize("begins_anew", [False, True])
def test_what_still_comes_from_a_queue_or_a_timer_is_dropped_and_not_parked(gym: Gym, *, begins_anew: bool) -> None:
    gym.signs_up(MIA)
    old = gym.id_of("member-mia")
    [enrollment] = [line["enrollment"] for line in gym.story.timeline("entered")]
    gym.shopify("customers/redact")
    gym.rests()
    if begins_anew:
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


def test_who_comes_back_starts_anew_and_gets_no_marketing_by_an_old_list(gym: Gym) -> None:
    gym.signs_up(MIA)
    old = gym.id_of("member-mia")
    gym.shopify("customers/redact")
    gym.story.passes("1m")

    gym.signs_up(MIA, "again")  # an import that grants what she had granted, while the erasure is still under way
    gym.told("plan.requested", "plan", customer=MIA["customer"])
    new = gym.id_of("member-mia")
    gym.rests()
    gym.story.passes("9d")

    lines = gym.story.timeline(of="member-mia")
    assert new != old
    assert gym.found(old, '"audit"').keys() == {"table"}
    assert {line["type"] for line in lines if line["kind"] == "event"} == {"trial.signup", "plan.requested"}
    assert [one.text for one in gym.story.sent()] == ["Hello Mirabelle", "Hello Mirabelle", "Your plan"]
    assert gym.said_to("member-mia") == {
        "hello": "sent",
        "plan": "sent",
        "offer": "suppressed_address",
        "news": "suppressed_address",
    }


def test_what_is_left_of_an_address_is_a_hash_and_why_it_is_left_alone(gym: Gym) -> None:
    gym.signs_up(MIA)
    gym.shopify("customers/redact")
    gym.rests()

    [entry] = gym.found(suppression_key(Channel.EMAIL, "mia.sample@example.com", IDENTITY_SALT))["table"]
    item = json.loads(entry)
    assert item.keys() == {"pk", "sk", "marks"}
    assert item["marks"] == {"SS": ["erasure marketing + 2026-03-02T14:00:00Z"]}


def test_somebody_of_more_names_than_one_transaction_takes_is_forgotten_whole(gym: Gym) -> None:
    numbers = [f"+1201555{number:04d}" for number in range(100, 145)]
    gym.signs_up(MIA)
    for number in numbers:
        gym.told("page.viewed", number, customer={**MIA["customer"], "phone": number})

    gym.shopify("customers/redact")
    gym.rests()

    assert gym.found(*MIA_IS, *numbers) == {}
    for number in numbers:
        for channel in (Channel.SMS, Channel.WHATSAPP):
            assert gym.found(suppression_key(channel, number, IDENTITY_SALT)).keys() == {"table"}
    assert gym.story.dead_letters("events") == []


@pytest.mark.parametrize("after", ["1m", "2h"])
def test_the_link_of_an_old_mail_still_unsubscribes_and_makes_nobody(gym: Gym, after: str) -> None:
    gym.signs_up(MIA)
    url = gym.story.link(LinkKind.UNSUBSCRIBE, "mia.sample@example.com")
    gym.shopify("customers/redact")
    gym.story.passes(after)

    shown = gym.story.deployment.visit("GET", url, {})
    answer = gym.story.deployment.visit("POST", url, FORM, b"List-Unsubscribe=One-Click")
    gym.rests()

    assert (shown["statusCode"], answer["statusCode"]) == (200, 200)
    assert "mirabelle" not in shown["body"].lower()
    assert gym.found(*MIA_IS) == {}
    [entry] = gym.found(suppression_key(Channel.EMAIL, "mia.sample@example.com", IDENTITY_SALT))["table"]
    assert {mark.split(" ")[0] for mark in json.loads(entry)["marks"]["SS"]} == {"erasure", "unsubscribe"}


def test_an_event_that_is_being_committed_meanwhile_is_dropped(gym: Gym, interrupted: Any, monkeypatch: Any) -> None:
    from functions.process_event import handler

    gym.signs_up(MIA)
    gym.story.passes("1h")
    gym.story.posts(json.dumps({"id": "v", "type": "visit.attended", "customer": MIA["customer"]}).encode())
    process = interrupted(handler.process(), lambda: gym.shopify("customers/redact"))
    monkeypatch.setattr(handler, "process", lambda: process)
    gym.story.deployment.settle()
    gym.rests()

    assert gym.found(*MIA_IS, "visit.attended") == {}


def test_what_its_sender_had_begun_is_erased_too(gym: Gym) -> None:
    """The order comes while SNS takes the text; what became of it is recorded after nobody is there any more."""
    ordered = []

    def order(call: Call) -> None:
        if call.operation == "Publish" and not ordered:
            ordered.append(True)
            gym.shopify("customers/redact")

    with watched(gym.story.deployment, before=order):
        gym.signs_up(MIA)
    assert ordered
    assert gym.found("Hello Mirabelle"), "recorded after the order"

    gym.rests()

    assert gym.found(*MIA_IS) == {}


def test_what_a_commit_decided_just_before_does_not_come_after_the_erasure(gym: Gym) -> None:
    """The relay cannot write down a decision, and is not started again for an hour; the order waits behind it."""
    deployment, refused = gym.story.deployment, []

    def refuse_once(call: Call) -> None:
        if call.function == "relay_effects" and call.operation == "PutItem" and not refused:
            refused.append(call)
            raise THROTTLED

    deployment.stop("relay_effects")
    gym.signs_up(MIA)
    gym.shopify("customers/redact")
    with watched(deployment, before=refuse_once):
        deployment.start("relay_effects")
        deployment.settle()
    deployment.stop("relay_effects")
    gym.story.passes("1h")
    deployment.start("relay_effects")
    gym.story.passes("1h")

    assert refused
    assert gym.found(*MIA_IS) == {}
    assert gym.found('"audit"')


def test_who_was_never_known_and_asks_is_forgotten_all_the_same(gym: Gym) -> None:
    gym.shopify("customers/redact")
    gym.rests()

    assert gym.found(*MIA_IS) == {}
    assert len(gym.found('"audit"')["table"]) == 1
    with pytest.raises(UnknownCustomerError):
        DynamoCustomers(IDENTITY_SALT).load("c_nobody")


def test_hubspots_privacy_deletion_erases_whom_it_names(gym: Gym) -> None:
    contact = 9007199254740993
    gym.told("contact.synced", "synced", customer={**MIA["customer"], "external_ids": {"hubspot": str(contact)}})
    body = json.dumps(
        [
            {
                "eventId": 1,
                "subscriptionId": 2,
                "portalId": 3,
                "occurredAt": int(gym.story.deployment.now().timestamp() * 1000),
                "subscriptionType": "contact.privacyDeletion",
                "objectId": contact,
            }
        ]
    ).encode()

    gym.story.posts(body, "hubspot")
    gym.story.deployment.settle()
    gym.rests()

    assert gym.found(*MIA_IS) == {}


class Crash(BaseException):
    """The process dies: no `except Exception` of anybody gets to see it."""


def surviving(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """What AWS makes of a process that dies: every record of its batch comes again."""

    def run(event: Any, context: Any) -> Any:
        try:
            return handler(event, context)
        except Crash:
            records = event["Records"]
            ids = [record.get("messageId") or record["dynamodb"]["SequenceNumber"] for record in records]
            return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}

    return run


def test_a_crash_at_any_call_of_the_erasure_leaves_nothing_behind_and_one_receipt(gym: Gym) -> None:
    gym.signs_up(NOA)

    def erased(dies_at: int, *, answered: bool) -> int:
        """Everything once more, with a process that dies at one call after the order; gives how many there were."""
        gym.story.forgets_everybody()
        seen = []

        def die(call: Call) -> None:
            if call.function in {"process_event", "relay_effects", "erase_customer"}:
                seen.append(call)
                if len(seen) == dies_at:
                    raise Crash

        deployment = gym.story.deployment
        gym.signs_up(MIA)
        for queue in ("effects", "feedback"):
            letter = {"customer": gym.id_of("member-mia"), "destination": "mia.sample@example.com"}
            deployment.cloud.send(f"{queue}-dead-letters", json.dumps(letter))
        with watched(deployment, **{"after" if answered else "before": die}):
            deployment.handlers = {name: surviving(handler) for name, handler in deployment.handlers.items()}
            gym.shopify("customers/redact")
            gym.story.passes("2h")
        assert gym.found(*MIA_IS) == {}, (dies_at, seen[dies_at - 1])
        assert gym.found('"audit"', f'"{PENDING_ERASURE}"').keys() == {"table"}
        assert len(gym.found('"audit"')["table"]) == 1, (dies_at, seen[dies_at - 1])
        return len(seen)

    calls = erased(0, answered=False)
    assert calls > 10
    for number in range(1, calls + 1):
        erased(number, answered=False)
    erased(calls, answered=True)
