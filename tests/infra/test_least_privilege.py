"""Each function can do with its own synthesized policy exactly what it does, and no more.

The stories run through the real handlers; every call that a function makes to AWS is checked against the policy that
the templates give it, and every grant on data or providers against the calls.
"""

import itertools
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from authoring.imports.mapping import mapping_named
from authoring.sources.samples import posting
from authoring.stories import Scenario, load
from bench.aws_calls import AwsCall, intercepted
from cairn.adapters.dynamodb.arm_counts import DynamoArmCounts
from cairn.adapters.dynamodb.codec import message_to_wire
from cairn.adapters.dynamodb.delivery_counters import DynamoDeliveryCounters
from cairn.adapters.dynamodb.flow_counters import FLOW
from cairn.adapters.dynamodb.items import AUDIT, HEARD, IDENTITY, WorkItem
from cairn.adapters.dynamodb.seen import SEEN
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.imports.batch import batch_to_wire
from cairn.adapters.pages.links import SECRET, SignedLinks
from cairn.adapters.s3 import Overflow
from cairn.adapters.secrets_manager import Part
from cairn.application.operations.switch import Switch
from cairn.domain.imports.rows import Import, Kind, Row
from cairn.domain.journey.arms import ArmOutcome
from cairn.domain.operations.breaker import DeliveryOutcome, bucket_of
from cairn.domain.shared.channels import Channel
from infra.local import deployment
from infra.local.cloud import IDENTITY_KEYS, LINKS_SECRET
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.scenario import run_scenario
from infra.local.signing import local_secrets
from infra.local.wiring import Function
from tests.cloudformation import deploys, empties_the_table
from tests.console import Browser
from tests.infra.conftest import Json, Templates
from tests.infra.test_roles import ADD_TO_AUDIT
from tests.stories.test_page_of_tasks import WITH_ADDRESSES, with_people
from tests.stories.test_tasks_of_journeys import TUESDAY
from tests.unit.fakes import Secrets
from tests.unit.makers import message

ROOT = Path(__file__).parents[2]
JOURNEYS = ROOT / "layers" / "journeys"
SCENARIOS = ROOT / "events" / "scenarios"
WELCOME = ROOT / "tests" / "journeys" / "welcome"

STORIES = ("fitness-prefers-push.yaml", "payment-failure-rescue.yaml", "family-entertainment-booking.yaml")

TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
PREFIXES = {"sesv2": "ses"}

TWO_WHO_ARE_ONE = Scenario.model_validate(
    {
        "scenario": "Two profiles turn out to be one customer",
        "starts": "2026-03-02T14:00:00Z",
        "for": "1d",
        "posts": [
            {
                "at": f"{hour}h",
                "event": {
                    "id": f"e{hour}",
                    "type": "page.viewed",
                    "occurred_at": "$at",
                    "customer": who,
                    "properties": {"text": "x" * (300_000 if hour == 0 else 0)},  # more than a queue takes
                    "attributes": {"note": "x" * 900},  # a page of the customer's state
                },
            }
            for hour, who in enumerate(
                [
                    {"external_ids": {"shop": "s-1"}},
                    {"email": "sam@example.com"},
                    {"external_ids": {"shop": "s-1"}, "email": "sam@example.com"},
                ]
            )
        ],
    }
)


LINK = re.compile(r"https://localhost/tasks/[\w.-]+")
"""A member's link in the text of a mail."""


@dataclass(frozen=True)
class Call:
    """One thing that a function did, in IAM's words."""

    action: str
    target: str = ""
    """The queue, phone, endpoint or sender that it was done to; of the table, whether it is its index."""


@dataclass
class Recorder:
    """Knows which function is running, and writes down what it asks of AWS."""

    running: str = ""
    calls: dict[str, set[Call]] = field(default_factory=lambda: defaultdict(set))
    email: Json = field(default_factory=dict)
    """The last one sent."""

    def watch(self, made: LocalDeployment) -> None:
        made.handlers = {name: self._during(name, handler) for name, handler in made.handlers.items()}

    def note(self, service: str, operation: str, given: Json) -> None:
        if self.running:
            self.calls[self.running].update(_in_iam(service, operation, given))
        if operation == "SendEmail":
            self.email = given

    def during_start(self, load: Callable[..., Any]) -> Callable[..., Any]:
        """What a function asks of AWS before its first event."""

        def run(function: Function, *given: Any) -> Any:
            return self._during(function.name, lambda *_: load(function, *given))(None, None)

        return run

    def _during(self, name: str, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def run(event: Any, context: Any) -> Any:
            self.running = name
            try:
                return handler(event, context)
            finally:
                self.running = ""

        return run


def _in_iam(service: str, operation: str, given: Json) -> Iterator[Call]:
    if operation == "TransactWriteItems":
        for item in given["TransactItems"]:
            for kind, write in item.items():
                yield Call(f"dynamodb:{TRANSACTED[kind]}", "audit" if _is_in_audit(TRANSACTED[kind], write) else "")
        return
    target = _target(service, given)
    if service == "dynamodb" and _is_in_audit(operation, given):
        target = "audit"
    elif service == "dynamodb" and (partition := _partition(given)) in {FLOW, HEARD, IDENTITY, SEEN}:
        target = partition
    if operation == "SendEmail" and "Raw" in given["Content"]:
        operation = "SendRawEmail"  # what SES asks for, where an e-mail is sent as a whole
    if service == "sqs":
        operation = operation.removesuffix("Batch")  # the one action of both; Firehose has one for each
    yield Call(f"{PREFIXES.get(service, service)}:{operation}", target)
    if operation == "CreateSchedule":
        yield Call("iam:PassRole")


def _target(service: str, given: Json) -> str:
    match service:
        case "sqs":
            return str(given["QueueUrl"]).rpartition("/")[2].removesuffix(".fifo").removeprefix("cairn-")
        case "dynamodb":
            return "index" if "IndexName" in given else "table"
        case "s3":
            return str(given["Key"])
        case "secretsmanager":
            return f"{_secret(given['SecretId'])} {given.get('VersionStage', '')}".strip()
        case "sesv2":
            return parseaddr(given["FromEmailAddress"])[1]
        case _:
            return "phone" if "PhoneNumber" in given else str(given.get("TargetArn", given.get("TopicArn", "")))


def _partition(given: Json) -> str:
    return str((given.get("Key") or given.get("Item") or {}).get("pk", {}).get("S", ""))


def _secret(arn: str) -> str:
    """What a local secret is called in the template."""
    return "IdentitySecret" if ":cairn-identity-" in arn else "SourcesSecret"


def _is_in_audit(operation: str, given: Json) -> bool:
    """Whether something is written to the audit; a put has to be on the condition that nothing is there."""
    requests = [request for table in given.get("RequestItems", {}).values() for request in table if "Keys" not in table]
    items = [] if operation == "GetItem" else [given.get("Item") or given.get("Key") or {}]
    items += [one.get("Item") or one.get("Key") or {} for request in requests for one in request.values()]
    written = any(item.get("pk") == {"S": AUDIT} for item in items)
    if written and operation == "PutItem":
        assert given["ConditionExpression"].startswith("attribute_not_exists"), "an entry would be overwritten"
    return written


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Call]]:
    """Everything that the functions did, from the first webhook to the last message."""
    recorder, secrets = Recorder(), local_secrets({})

    def note(call: AwsCall) -> Any:
        recorder.note(call.service, call.operation, call.arguments)
        return call.answer()

    stories = [(SCENARIOS / name, load(SCENARIOS / name)) for name in STORIES] + [(SCENARIOS / "-", TWO_WHO_ARE_ONE)]
    with intercepted(note), pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployment, "load_handler", recorder.during_start(deployment.load_handler))
        for path, scenario in stories:
            recorder.email = {}
            with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
                recorder.watch(made)
                assert not run_scenario(path, scenario, made, secrets).difference
                if recorder.email:
                    made.cloud.send("feedback", _bounced(recorder.email))
                    made.settle()
        _deploy(recorder, secrets)
        _nobody_is_named(recorder, secrets)
        _invites(recorder, secrets, tmp_path_factory.mktemp("journeys") / "booking")
        _reply_at_length(recorder, secrets)
        _open_links(recorder, secrets)
        _work_on_tasks(recorder, secrets, tmp_path_factory.mktemp("people"))
        _read_in_the_app(recorder, secrets, tmp_path_factory.mktemp("journeys"))
        _nobody_listens(recorder, secrets)
        _pause_and_resume(recorder, secrets)
        _enters_two_journeys(recorder, secrets, tmp_path_factory.mktemp("journeys"))
        _lose_timers(recorder, secrets)
        _operators_ask(recorder, secrets, tmp_path_factory.mktemp("policy") / "policy.toml")
        _forget_somebody(recorder, secrets)
        _ask_for_privacy(recorder, secrets)
        _comes_late(recorder, secrets)
        _bounces(recorder, secrets, tmp_path_factory.mktemp("breaker") / "policy.toml")
        _deploy_under_way(recorder, secrets, tmp_path_factory.mktemp("journeys"))
        _a_rule_chooses(recorder, secrets, tmp_path_factory.mktemp("journeys"))
        _imports_rows(recorder, secrets, tmp_path_factory.mktemp("journeys"))
    return dict(recorder.calls)


def _deploy(recorder: Recorder, secrets: dict[str, str]) -> None:
    """CloudFormation has the identity key checked, twice. At first, links have no secret."""
    with local_deployment(JOURNEYS, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        client, secret = made.cloud.client("secretsmanager"), {"SecretId": made.cloud.secret_id}
        links = client.get_secret_value(**secret, VersionStage=Part.LINKS)["VersionId"]
        client.update_secret_version_stage(**secret, VersionStage=Part.LINKS, RemoveFromVersionId=links)
        empties_the_table()
        recorder.watch(made)
        for _ in range(2):
            assert deploys(made)["Status"] == "SUCCESS"


def _nobody_is_named(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A vendor's webhook is about no customer, and is counted."""
    with local_deployment(JOURNEYS, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        recorder.watch(made)
        body = {"id": "evt_1", "type": "balance.available", "created": 1, "data": {"object": {"object": "balance"}}}
        _post(made, "stripe", body, secrets["stripe"])
        assert [one["type"] for one in _ask(made, "seen")["types"]] == ["stripe.balance.available"]


def _invites(recorder: Recorder, secrets: dict[str, str], folder: Path) -> None:
    """An e-mail brings a calendar invite."""
    send = {"channel": "email", "template": "visit", "purpose": "transactional"}
    send |= {"invite": {"starts": "data.visit_at", "lasts": "1h"}}
    document = {"journey": "booking", "entry": {"event": "visit.booked"}, "steps": [{"id": "mail", "send": send}]}
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(json.dumps(document))
    (folder / "templates" / "visit.email.html").write_text("---\nsubject: Your visit\n---\n<p>See you.</p>")
    with local_deployment(folder.parent, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        recorder.watch(made)
        visit_at = (made.now() + timedelta(days=1)).isoformat()
        about = {"customer": {"email": "ada@example.com"}, "properties": {"visit_at": visit_at}}
        _post(made, "track", {"id": "booked-1", "type": "visit.booked", **about}, secrets["track"])
        assert "Raw" in made.cloud.mails[-1]["Content"]


def _bounced(email: Json) -> str:
    """What SES reports through SNS when an address turns out to be none."""
    (address,) = email["Destination"]["ToAddresses"]
    return _reported(email, "Bounce", {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": address}]})


def _reported(email: Json, kind: str, detail: Json) -> str:
    tags = {tag["Name"]: [tag["Value"]] for tag in email["EmailTags"]}
    mail = {"tags": tags, "messageId": "ses-1"}
    message = {"eventType": kind, "mail": mail, kind.lower(): detail}
    return json.dumps({"Type": "Notification", "MessageId": tags["message"][0], "Message": json.dumps(message)})


def _reply_at_length(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A customer's reply is too large for a queue."""
    reply = {"originationNumber": "+12015550123", "destinationNumber": "+12015550199", "messageKeyword": "KEYWORD_1"}
    reply |= {"messageBody": "x" * 250_000, "inboundMessageId": "reply-1"}
    with local_deployment(JOURNEYS, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        recorder.watch(made)
        notification = {"Type": "Notification", "MessageId": "m-1", "Message": json.dumps(reply)}
        made.cloud.send("feedback", json.dumps(notification))
        made.settle()


def _nobody_listens(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A webhook endpoint cannot be reached, until the delivery of a denial is given up."""
    denial = {"channel": "email", "purpose": "marketing", "status": "denied"}
    event = {"id": "e", "type": "consent.changed", "customer": {"user_id": "sam"}, "consent": [denial]}
    start = TWO_WHO_ARE_ONE.starts
    with (
        socket() as nobody,
        local_deployment(JOURNEYS, start=start, secrets=secrets, webhook_endpoints=_at(nobody)) as made,
    ):
        recorder.watch(made)
        _post(made, "track", event, secrets["track"])
        made.advance_to(start + timedelta(days=4))


def _comes_late(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A message comes when its enrollment is long over; how it ended is asked."""
    start = TWO_WHO_ARE_ONE.starts
    with local_deployment(JOURNEYS, start=start, secrets=secrets) as made:
        recorder.watch(made)
        _post(made, "track", {"id": "e", "type": "page.viewed", "customer": {"user_id": "sam"}}, secrets["track"])
        (customer,) = made.customer_ids("sam")
        late = message(customer=customer, decided_at=made.now())
        made.cloud.send("messages", json.dumps(message_to_wire(late)))
        made.settle()


def _bounces(recorder: Recorder, secrets: dict[str, str], policy: Path) -> None:
    """The third e-mail of three comes back, and their channel pauses itself."""
    text = (ROOT / "policy.toml").read_text(encoding="utf-8")
    policy.write_text(text.replace("minimum = 100", "minimum = 3"), encoding="utf-8")
    whole = load(SCENARIOS / STORIES[1])
    scenario = whole.model_copy(update={"posts": whole.posts[:1], "length": timedelta(hours=1)})
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets, policy=policy) as made:
        recorder.watch(made)
        run_scenario(SCENARIOS / STORIES[1], scenario, made, secrets)
        for _ in range(2):
            DynamoDeliveryCounters().add(("channel:email",), bucket_of(made.now()), DeliveryOutcome.BOUNCED)
        for _ in range(2):
            made.cloud.send("feedback", _reported(recorder.email, "Delivery", {}))
        made.cloud.send("feedback", _bounced(recorder.email))
        made.settle()


DENIED = {"purpose": "marketing", "status": "denied"}


def _operators_ask(recorder: Recorder, secrets: dict[str, str], policy: Path) -> None:
    """People approve what waits for them, look around, and turn and say what they may."""
    review = '[[reviews]]\nsteps = ["fitness-trial-to-paid/confirm"]\nqueue = "q"\nwithin = "1d"\notherwise = "drop"\n'
    policy.write_text((ROOT / "policy.toml").read_text(encoding="utf-8") + review)
    shutil.copy(ROOT / "replies.toml", policy.parent)
    whole = load(SCENARIOS / STORIES[0])
    scenario = whole.model_copy(update={"posts": whole.posts[:1], "length": timedelta(minutes=1)})
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets, policy=policy) as made:
        recorder.watch(made)
        run_scenario(SCENARIOS / STORIES[0], scenario, made, secrets)
        (deferred,) = [line for line in made.timeline() if line["kind"] == "deferred"]
        message, customer, why = deferred["message_id"], deferred["customer"], "they asked"
        for path, fields in (
            ("reviews", {"do": "approve", "message": message, "why": why}),
            ("explain", {"message": message}),
            ("explain", {"customer": customer}),
            ("inbox", {"do": "show", "customer": customer}),
            ("inbox", {"do": "answer", "customer": customer, "text": "Hello", "channel": "email", "subject": "Hi"}),
            ("inbox", {"do": "close", "customer": customer}),
            ("switches", {"do": "stop", "target": "channel:push", "why": why}),
            (
                "consent",
                {"customer": customer, "channel": "sms", "purpose": "marketing", "status": "denied", "why": why},
            ),
            ("suppressions", {"do": "show", "channel": "email", "address": "a@example.com"}),
            ("suppressions", {"do": "suppress", "channel": "email", "address": "a@example.com", "why": why}),
            ("suppressions", {"do": "release", "channel": "email", "address": "a@example.com", "why": why}),
            ("detach", {"customer": customer, "identifier": _email_of(made, customer), "why": why}),
            ("export", {"customer": customer}),
            ("migrations", {"do": "report", "journey": "fitness-trial-to-paid"}),
            ("customers", {"do": "find", "customer": customer}),
            ("customers", {"do": "timeline", "customer": customer}),
            ("customers", {"do": "enrollments", "customer": customer}),
            ("messages", {"do": "preview", "journey": "fitness-trial-to-paid", "template": "confirm"}),
            ("dead-letters", {"do": "show", "queue": "events"}),
            ("dead-letters", {"do": "redrive", "queue": "events", "why": why}),
            ("erase", {"customer": customer, "why": why}),
        ):
            _ask(made, path, **fields)
        listed = (
            "switches",
            "reviews",
            "privacy",
            "inbox",
            "audit",
            "dead-letters",
            "journeys?journey=fitness-trial-to-paid",
        )
        for path in (*listed, "reports?report=kinds"):
            _ask(made, path)
        _ask(made, "audiences", do="try", when="profile.first_name")


def _ask(made: LocalDeployment, path: str, **fields: Any) -> Json:
    """An operator's request: with fields it orders something, without it only looks."""
    method, body = ("POST", json.dumps(fields).encode()) if fields else ("GET", b"")
    answer = made.manage(method, f"https://localhost/manage/{path}", {}, body, actor="ada")
    assert answer["statusCode"] < 300, answer
    made.settle()
    document: Json = json.loads(answer["body"])
    return document


def _email_of(made: LocalDeployment, customer: str) -> str:
    names = _ask(made, "export", customer=customer)["customer"]["identifiers"]
    return next(str(one["value"]) for one in names if one["kind"] == "email")


def _ask_for_privacy(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A shop asks for a member's data, then orders to redact the member; a person chooses its record each time."""
    start, person = TWO_WHO_ARE_ONE.starts, {"id": 820982911946154508, "email": "mia@example.com"}
    shop = {"shop_id": 954889, "shop_domain": "gym.myshopify.com", "customer": person}
    known = {"id": person["id"], "created_at": "2025-01-01T00:00:00Z", "first_name": "Mia", "verified_email": True}
    with local_deployment(JOURNEYS, start=start, secrets=secrets) as made:
        recorder.watch(made)
        member = {"user_id": "mia", "email": person["email"], "external_ids": {"shopify": str(person["id"])}}
        _post(made, "track", {"id": "e", "type": "accounts.linked", "customer": member}, secrets["track"])
        for topic, body in (
            ("customers/update", {**known, "email": person["email"], "updated_at": f"{made.now():%Y-%m-%dT%H:%M:%SZ}"}),
            ("customers/data_request", {**shop, "data_request": {"id": 9}}),
            ("customers/redact", {**shop, "orders_to_redact": []}),
        ):
            _post(made, "shopify", body, secrets["shopify"], {"x-shopify-topic": topic})
        for waiting in _ask(made, "privacy")["tasks"]:
            _ask(made, "privacy", task=waiting["task"], do="part", why="they asked")
        made.advance_to(made.now() + timedelta(hours=1))
        done = {entry["what"] for entry in _ask(made, "audit")["entries"]}
        assert {"answer_privacy_request", "erase_record"} <= done


def _post(
    made: LocalDeployment, source: str, document: Json, secret: str, headers: dict[str, str] | None = None
) -> None:
    sent = posting(source, document, secret, made.now(), headers=headers)
    given = {name.lower(): value for name, value in {**sent.headers, **(headers or {})}.items()}
    answer = made.request("POST", sent.url, given, sent.body, "" if source == "track" else source)
    assert answer["statusCode"] < 300, answer
    made.settle()


def _enters_two_journeys(recorder: Recorder, secrets: dict[str, str], journeys: Path) -> None:
    """One event starts two journeys."""
    for name in ("one", "two"):
        whole = (WELCOME / "journey.yaml").read_text(encoding="utf-8").replace("journey: welcome", f"journey: {name}")
        shutil.copytree(WELCOME, journeys / name)
        (journeys / name / "journey.yaml").write_text(whole, encoding="utf-8")
    with local_deployment(journeys, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        recorder.watch(made)
        joins = {"id": "e", "type": "trial.signup", "customer": {"user_id": "mia"}}
        _post(made, "track", joins, secrets["track"])


DIVIDED = """
journey: offer
entry: {event: visit.booked, at_most: 5 per day}
goal: {event: order.placed}
steps:
  - id: which
    split: {winner: {by: rule, after: 50}, arms: [{arm: a, weight: 1}, {arm: b, weight: 1}]}
"""


def _a_rule_chooses(recorder: Recorder, secrets: dict[str, str], journeys: Path) -> None:
    """A customer is counted in an arm, beside many others, and the better arm becomes the winner."""
    (journeys / "offer").mkdir()
    (journeys / "offer" / "journey.yaml").write_text(DIVIDED, encoding="utf-8")
    with local_deployment(journeys, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        (version,) = (line["version"] for line in json.loads(made.catalogue.read_text()))
        for arm, number, what in itertools.product("ab", range(50), ("entered", "reached")):
            if what == "entered" or arm == "a":
                about = ArmOutcome("offer", version, "which", arm, what, f"{arm}-{number}")  # type: ignore[arg-type]
                DynamoArmCounts().add(about, made.now())
        recorder.watch(made)
        books = {"id": "e", "type": "visit.booked", "customer": {"user_id": "mia"}}
        _post(made, "track", books, secrets["track"])
        made.advance_to(made.now() + timedelta(minutes=10))
        (split,) = _ask(made, "splits?journey=offer")["splits"]
        assert split["in_force"] == "a"


def _pause_and_resume(recorder: Recorder, secrets: dict[str, str]) -> None:
    """Everything is paused before a customer joins, and resumed when messages and timers wait."""
    whole = load(SCENARIOS / STORIES[0])
    scenario = whole.model_copy(update={"posts": whole.posts[:1], "length": timedelta(days=2)})
    why = {"by": "ada", "why": "a wrong price"}
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
        recorder.watch(made)
        Switch(DynamoSwitches()).pause("all", **why, now=made.now())
        run_scenario(SCENARIOS / STORIES[0], scenario, made, secrets)
        Switch(DynamoSwitches()).resume("all", **why, now=made.now())
        made.advance_to(made.now() + timedelta(hours=1))


def _lose_timers(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A customer's timers and deferred messages are lost, and so is the order to erase another one."""
    whole = load(SCENARIOS / STORIES[0])
    scenario = whole.model_copy(update={"posts": whole.posts[:1], "length": timedelta(hours=1)})
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
        recorder.watch(made)
        Switch(DynamoSwitches()).pause("channel:sms", by="ada", why="a wrong price", now=made.now())
        run_scenario(SCENARIOS / STORIES[0], scenario, made, secrets)
        who = {"id": "e", "type": "page.viewed", "customer": {"user_id": "sam"}}
        _post(made, "track", who, secrets["track"])
        made.stop("erase_customer")
        _ask(made, "erase", customer="sam", why="they asked")
        made.cloud.client("sqs").purge_queue(QueueUrl=made.cloud.urls["erasures"])
        made.start("erase_customer")
        for name in made.cloud.schedules():
            made.cloud.client("scheduler").delete_schedule(Name=name, GroupName=made.cloud.group)
        Switch(DynamoSwitches()).resume("channel:sms", by="ada", why="mended", now=made.now())
        made.stop("deliver_message")
        made.advance_to(made.now() + timedelta(minutes=10))
        for queue in ("messages", "marketing"):
            made.cloud.client("sqs").purge_queue(QueueUrl=made.cloud.urls[queue])
        made.advance_to(made.now() + timedelta(days=4))


def _at(nobody: socket) -> dict[str, str]:
    """An address that is taken, and where nothing is answered."""
    nobody.bind(("127.0.0.1", 0))
    return {"crm": f"http://127.0.0.1:{nobody.getsockname()[1]}/"}


def _work_on_tasks(recorder: Recorder, secrets: dict[str, str], folder: Path) -> None:
    """Two members get notifications, one of them for an hour together, and one says what has come of a task."""
    people = (
        WITH_ADDRESSES.replace('email = "ana@n.example"', 'email = "ana@n.example"\nnotify_every = "1h"')
        .replace('email = "ben@n.example"', 'phone = "+12015550101"')
        .replace('email = "cleo@n.example"', 'email = "cleo@n.example"\nnotify_by = "nothing"')
    )
    journeys, policy = with_people(folder, people, script=""), folder / "policy.toml"
    with local_deployment(journeys, start=TUESDAY, secrets=secrets, policy=policy) as made:
        recorder.watch(made)
        made.advance_to(made.now() + timedelta(minutes=1))  # ana's hour has begun
        for number in range(3):
            lead = {"id": f"l{number}", "type": "lead.captured", "customer": {"user_id": f"lead-{number}"}}
            _post(made, "track", {**lead, "properties": {"page": "/"}}, secrets["track"])
        WorkItem("member#ana", "work").update([WorkItem.tasks.add({"c_gone task"})])  # its task is gone
        made.advance_to(made.now() + timedelta(hours=1))
        (link,) = {link for mail in made.cloud.mails for link in LINK.findall(str(mail))}
        assert made.visit("POST", link, {}, b"do=claim")["statusCode"] == 200
        assert made.visit("POST", link, {}, b"do=done&outcome=lost")["statusCode"] == 200
        made.settle()


def _open_links(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A customer opens the preferences and unsubscribes."""
    with local_deployment(JOURNEYS, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        recorder.watch(made)
        links = SignedLinks(
            Secrets({SECRET: (LINKS_SECRET,)}), key=IDENTITY_KEYS.suppressions, public_url="https://localhost"
        )
        of_nobody = links.of(message(decided_at=made.now()), Channel.EMAIL, "sam@example.com")
        browser = Browser(made)
        assert browser.get("/customers").status == 200
        browser.post("/switches", do="stop", target="channel:sms", why="a test")
        assert made.visit("GET", of_nobody["preferences"], {})["statusCode"] == 200
        assert made.visit("POST", of_nobody["unsubscribe"], {}, b"List-Unsubscribe=One-Click")["statusCode"] == 200


def _read_in_the_app(recorder: Recorder, secrets: dict[str, str], journeys: Path) -> None:
    """A message waits in the app's inbox; its reader looks at the list, and opens it."""
    send = {"channel": "in_app", "template": "hello", "purpose": "transactional"}
    hello = {"journey": "hello", "entry": {"event": "trial.signup"}, "steps": [{"id": "hello", "send": send}]}
    (journeys / "hello" / "templates").mkdir(parents=True)
    (journeys / "hello" / "journey.yaml").write_text(json.dumps(hello), encoding="utf-8")
    text = "---\ntitle: Hello\n---\nWelcome."
    (journeys / "hello" / "templates" / "hello.in_app.txt").write_text(text, encoding="utf-8")
    with local_deployment(journeys, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        recorder.watch(made)
        _post(made, "track", {"id": "e1", "type": "trial.signup", "customer": {"user_id": "mia"}}, secrets["track"])
        bearer = {"authorization": f"Bearer {_ask(made, 'in-app-tokens', customer='mia')['token']}"}
        messages = "https://localhost/in-app/messages"
        (one,) = json.loads(made.in_app("GET", messages, bearer)["body"])["messages"]
        assert made.in_app("POST", f"{messages}/{one['id']}/opened", bearer)["statusCode"] == 204
        made.settle()


def _forget_somebody(recorder: Recorder, secrets: dict[str, str]) -> None:
    """A customer in a journey is erased, with their dead letters."""
    whole = load(SCENARIOS / STORIES[0])
    scenario = whole.model_copy(update={"posts": whole.posts[:1], "length": timedelta(hours=1)})
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
        recorder.watch(made)
        run_scenario(SCENARIOS / STORIES[0], scenario, made, secrets)
        customer = made.timeline()[0]["customer_id"]
        common = {"customer": {"cairn_id": customer}, "attributes": {"email": "another@example.com"}, "properties": {}}
        events = [common | {"id": "noted", "type": "note.written", "properties": {"t": "short"}}]
        events.append(common | {"id": "unreadable", "type": "no type", "properties": {"t": "x" * 500_000}})
        events.append({"id": "erase", "type": "customer.erasure_requested", "customer": common["customer"]})
        overflow = Overflow(lambda: made.cloud.client("s3"), made.cloud.bucket)
        for event in events:
            body = {"source": "operators", "occurred_at": f"{made.now():%Y-%m-%dT%H:%M:%SZ}", **event}
            made.cloud.client("sqs").send_message(
                QueueUrl=made.cloud.urls["events"],
                MessageBody=overflow.offload(json.dumps(body)),
                MessageGroupId=customer,
                MessageDeduplicationId=event["id"],
            )
        made.cloud.send("wakes-dead-letters", json.dumps({"customer": "somebody else"}))
        made.settle()
        made.advance_to(made.now() + timedelta(hours=1))


def _deploy_under_way(recorder: Recorder, secrets: dict[str, str], journeys: Path) -> None:
    """A customer walks on in the version that they entered, when another one is deployed."""
    whole = load(SCENARIOS / STORIES[0])
    scenario = whole.model_copy(update={"posts": whole.posts[:1], "length": timedelta(days=1)})
    shutil.copytree(JOURNEYS, journeys, dirs_exist_ok=True)
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
        recorder.watch(made)
        run_scenario(SCENARIOS / STORIES[0], scenario, made, secrets)
        for file in journeys.glob("*/journey.yaml"):
            file.write_text(file.read_text().replace("description: ", "description: Once more. "))
        made.deploy(journeys)
        recorder.watch(made)
        made.advance_to(whole.starts + whole.length)


def _imports_rows(recorder: Recorder, secrets: dict[str, str], journeys: Path) -> None:
    """Rows name new customers, two who are one, one who has walked an older version, and addresses of nobody."""
    hello = {"journey": "hello", "entry": {"event": "trial.signup"}, "steps": [{"id": "bye", "exit": "done"}]}
    file, start = journeys / "hello" / "journey.yaml", TWO_WHO_ARE_ONE.starts
    file.parent.mkdir()
    file.write_text(json.dumps(hello), encoding="utf-8")
    with local_deployment(journeys, start=start, secrets=secrets) as made:
        for number, who in enumerate(({"user_id": "mia"}, {"user_id": "sam"}, {"email": "sam@example.com"})):
            _post(made, "track", {"id": f"e{number}", "type": "trial.signup", "customer": who}, secrets["track"])
        file.write_text(json.dumps(hello | {"description": "Once more."}), encoding="utf-8")
        made.deploy(journeys)
        recorder.watch(made)
        known = {"user_id": "mia"}
        together = {"user_id": "sam", "email": "sam@example.com"}
        for kind, rows in (
            (Kind.CUSTOMERS, [known, together, {"user_id": "new", "attributes": {"plan": "gold"}}]),
            (Kind.SUPPRESSIONS, [{"channel": "email", "address": "nobody@example.com"}]),
        ):
            of = Import(name="spring", kind=kind, as_of=made.now())
            lines = [Row(number, row) for number, row in enumerate(rows, 2)]
            answer = made.import_rows(batch_to_wire(of, mapping_named("", kind), lines))
            assert answer is not None
            assert answer["refused"] == []
        made.settle()


FUNCTIONS = (
    "receive_webhook",
    "process_event",
    "relay_effects",
    "deliver_message",
    "record_feedback",
    "serve_preferences",
    "serve_console",
    "serve_tasks",
    "serve_in_app",
    "notify_subscriber",
    "sweep",
    "manage_api",
    "erase_customer",
    "import_rows",
    "log_facts",
    "check_identity_key",
)


@pytest.mark.parametrize("service", FUNCTIONS)
def test_a_function_is_granted_every_call_that_it_makes(
    dev: Templates, recorded: dict[str, set[Call]], service: str
) -> None:
    statements = dev.statements(service)

    refused = {call for call in recorded[service] if not any(_allows(one, call) for one in statements)}

    assert recorded[service]
    assert not refused


@pytest.mark.parametrize("service", FUNCTIONS)
def test_a_function_makes_every_call_that_it_is_granted(
    dev: Templates, recorded: dict[str, set[Call]], service: str
) -> None:
    """Athena reads and writes S3 with the rights of who asks it."""
    of_interest = (
        "athena:",
        "cloudwatch:",
        "dynamodb:",
        "firehose:",
        "s3:",
        "ses:",
        "sns:",
        "scheduler:",
        "secretsmanager:",
        "iam:",
    )
    granted = {action for one in dev.statements(service) for action in _list(one["Action"])}
    of_the_event_source = {
        f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    }

    carries_out = [service, "manage_api"] if service == "serve_console" else [service]  # the same commands
    used = {call.action for one in carries_out for call in recorded[one]}

    of_athena = {one for one in granted if one.startswith("s3:")} if "athena:StartQueryExecution" in granted else set()
    granted -= of_the_event_source | of_athena
    assert {one for one in granted if one.startswith(of_interest)} <= used


def test_the_audit_is_added_to_and_never_changed(dev: Templates, recorded: dict[str, set[Call]]) -> None:
    writes = {(service, call.action) for service, calls in recorded.items() for call in calls if call.target == "audit"}

    assert writes == {(service, "dynamodb:PutItem") for service in ADD_TO_AUDIT}
    assert not any(action in _list(denied["Action"]) for service, action in writes for denied in dev.denials(service))


def _allows(statement: Json, call: Call) -> bool:  # noqa: PLR0911  one answer for each service
    if call.action not in _list(statement["Action"]):
        return False
    on = json.dumps(statement.get("Resource") or statement.get("NotResource"))
    match call.action.split(":")[0]:
        case "sqs":
            queue = "Queues" + call.target.title().replace("-", "")
            return any(one["Fn::GetAtt"][0][:-8] == queue for one in _list(statement["Resource"]))
        case "s3":
            bucket, folder = on.partition("Fn::ImportValue")[2], call.target.partition("/")[0]
            return "OverflowArn" in bucket and f'"/{folder}/*"' in bucket
        case "ses":
            return bool(statement["Condition"]["StringEquals"]["ses:FromAddress"] == call.target)
        case "sns":
            if "cairn-alarms" in call.target:
                return '{"Ref": "AlarmTopic' in on
            return "NotResource" in statement if call.target == "phone" else ":endpoint/*" in on
        case "secretsmanager":
            secret, _, label = call.target.partition(" ")
            condition = statement.get("Condition", {}).get("ForAnyValue:StringEquals", {})
            return secret in on and (not condition or condition == {"secretsmanager:VersionStage": [label]})
        case "dynamodb":
            ours = "ExportsOutputFnGetAttTable" in on and "Stream" not in on
            keys = statement.get("Condition", {}).get("ForAllValues:StringEquals", {}).get("dynamodb:LeadingKeys")
            return ours and ("/index/" in on) == (call.target == "index") and (keys is None or call.target in keys)
        case _:
            return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
