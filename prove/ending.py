"""How a story ended: what people got, what the timeline says, what the table holds, and what is left undone."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from authoring.project import PEOPLE
from cairn.adapters.documents.people import people_at
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import CONTACT, FACTS, MESSAGE, PENDING_ERASURE, TASK
from cairn.adapters.dynamodb.outbox import committed_in
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.application.events.relay_effects import enrollment_of
from cairn.application.message.deliver_message import PERHAPS_SENT
from cairn.domain.customer.state import Customer
from cairn.domain.effects import AnswerKeyword, OpenTask, SendMessage
from cairn.domain.message.message import STATUS_REPORTS
from cairn.domain.people.task import id_of
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import CairnError, ErasedCustomerError
from cairn.domain.shared.instants import zone_named
from infra.local.deployment import LocalDeployment
from infra.local.shapes import ACCOUNT, REGION
from infra.local.wiring import QUEUES

RECORDED = ("kind", "type", "step", "channel", "status", "reason", "outcome", "queue", "template", "customer")
"""Fields of a timeline entry that must be the same. Instants and ids are not among them."""

GRACE = timedelta(minutes=20)
"""How late a timer may be before a customer is stuck: a delay of SQS, and a retry."""

LINK = re.compile(r"https?://\S+")
NEW_YORK = "America/New_York"
"""Where a story's customer is, where the profile does not say it."""
RINGS = {Channel.SMS.value, Channel.PUSH.value, Channel.WHATSAPP.value}
EARLIEST, LATEST = time(8), time(21)
"""No policy of a story allows marketing to phones before or after."""

HAVE_RECORDS = {SendMessage: MESSAGE, AnswerKeyword: MESSAGE, OpenTask: TASK}
"""Effects of which there is a record, with the start of its sort key."""

TimelineKey = tuple[str, ...]
Message = tuple[str, str, str]
"""Channel, address, text without links."""


@dataclass(frozen=True, slots=True)
class Ending:
    sent: Counter[Message]
    """As the providers took it."""
    lines: Counter[TimelineKey]
    state: Counter[str]
    dead_letters: tuple[str, ...] = ()
    """Every dead letter: its queue and reason."""
    stuck: tuple[str, ...] = ()
    """Customers and messages that wait for nothing."""
    lost: tuple[str, ...] = ()
    """Messages and tasks that a commit decided, and of which nothing was recorded."""
    wrong: tuple[str, ...] = ()
    """Messages that went out without consent or in quiet hours."""
    purposes: dict[Message, str] = field(default_factory=dict)
    steps: dict[Message, str] = field(default_factory=dict)
    """The step of each message, as `purposes` without its address."""
    instants: dict[TimelineKey, list[datetime]] = field(default_factory=dict)
    """When each line happened."""


def ending_of(deployment: LocalDeployment) -> Ending:
    timeline = deployment.timeline()
    instants: dict[TimelineKey, list[datetime]] = {}
    for line in timeline:
        if line["kind"] == "event" and line["type"] in STATUS_REPORTS:
            continue  # a line of its own, or in the message's record: it depends on what was recorded when it came
        named = tuple(str(line[name]) for name in RECORDED if line.get(name))
        instants.setdefault(named, []).append(datetime.fromisoformat(line["at"]))
    return Ending(
        sent=Counter(_sent(deployment)),
        lines=Counter({named: len(several) for named, several in instants.items()}),
        instants=instants,
        state=Counter(_state(deployment)),
        dead_letters=tuple(_dead_letters()),
        stuck=tuple(sorted(_stuck(deployment))),
        lost=tuple(sorted(_lost(deployment, timeline))),
        wrong=tuple(_wrong(timeline, _consents(deployment), dict(_zones(deployment)))),
        purposes={_text_of(line): line["purpose"] for line in timeline if line.get("purpose") and line.get("body")},
        steps={_text_of(line): line["step"] for line in timeline if line.get("step") and line.get("body")},
    )


def _text_of(line: dict[str, Any]) -> Message:
    """As `_sent` knows the message: an e-mail by its subject, a push notification by its text and not its title."""
    return line["channel"], "", _plain(line["subject"] if line["channel"] == "email" else line["body"])


def _plain(text: str) -> str:
    return LINK.sub("…", text).strip()


def _sent(deployment: LocalDeployment) -> Iterator[Message]:
    from moto.sns.models import sns_backends  # noqa: PLC0415  slow to import

    for number, text in sns_backends[ACCOUNT][REGION].sms_messages.values():
        yield "sms", number, _plain(text)
    for endpoint in sns_backends[ACCOUNT][REGION].platform_endpoints.values():
        for text in endpoint.messages.values():
            yield "push", endpoint.arn, _plain(text)
    members = {one.email for one in people_at(deployment.catalogue.with_name(PEOPLE)).members.values()}
    to_members = set[Message]()
    for address, subject in deployment.cloud.sent_mails():
        message = "email", address, _plain(subject)
        if message[1] not in members:
            yield message
        elif message not in to_members:  # a notification is sent at least once (decision 163)
            to_members.add(message)
            yield message
    for one in deployment.cloud.end_user_messaging.sent:
        yield one.channel, one.address, _plain(one.text)


def _items(deployment: LocalDeployment) -> Iterator[dict[str, Any]]:
    """Every item of the table, as moto keeps it: no call that a fault could strike."""
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415

    table = dynamodb_backends[ACCOUNT][REGION].tables[deployment.cloud.table]
    for item in table.all_items():
        yield {name: value.value for name, value in item.attrs.items()}


def _customers(deployment: LocalDeployment) -> Iterator[Customer | CairnError]:
    """Every customer who is one, once."""
    customers = DynamoCustomers(deployment.cloud.identity_keys)
    found = {}
    for id_ in deployment._customers:  # noqa: SLF001  what it has seen in the stream
        try:
            customer = customers.load(id_)
        except ErasedCustomerError:
            continue
        except CairnError as error:
            yield error
            continue
        if customer is not None:
            found[customer.id] = customer
    yield from found.values()


def _state(deployment: LocalDeployment) -> Iterator[str]:
    for customer in _customers(deployment):
        if isinstance(customer, CairnError):
            yield f"cannot be loaded: {type(customer).__name__}"
        else:
            yield from _state_of(customer)
    for item in _items(deployment):
        if item["sk"] == PENDING_ERASURE:
            yield "an erasure's record is left"
        if item["pk"].startswith("suppressed#"):
            yield f"suppressed, with {len(item.get('marks', ()))} marks"


def _state_of(customer: Customer) -> Iterator[str]:
    view = dict(customer.profile.view())
    view.pop("id", None)
    for name, value in sorted(view.items()):
        yield f"profile {name}: {json.dumps(value, sort_keys=True, default=str)}"
    for name, change in sorted(customer.contact.consents.items()):
        yield f"consent {name}: {change.status.value}"
    for one in customer.enrollments.values():
        if one.open:
            yield f"open enrollment {one.journey}:{one.key} at {one.step}"
    for deferral in customer.contact.deferrals.values():
        yield f"a message is held: {deferral.reason}"
    if customer.erasure_pending_since:
        yield "an erasure is pending"


def _dead_letters() -> Iterator[str]:
    from moto.sqs.models import sqs_backends  # noqa: PLC0415

    for name, queue in sqs_backends[ACCOUNT][REGION].queues.items():
        if "dead-letters" in name:
            for message in queue._messages:  # noqa: SLF001  moto has no other view of it
                reason = (message.message_attributes or {}).get("reason", {})
                text = reason.get("string_value") or reason.get("StringValue") or ""
                yield f"{name.removeprefix('cairn-')}: {text or 'received too often'}"


def _stuck(deployment: LocalDeployment) -> Iterator[str]:
    now = datetime.now(UTC)
    timers = list(_timers(deployment))
    for customer in _customers(deployment):
        if isinstance(customer, Customer):
            yield from _waits_in_vain(customer, now, timers)
    for queue in QUEUES:
        messages = [] if "dead-letters" in queue.name else deployment.cloud._messages(queue.name)  # noqa: SLF001
        waiting = [one for one in messages if one.delayed_until / 1000 < now.timestamp()]
        if waiting:
            yield f"{len(waiting)} left in the queue {queue.name}"
    if any(item["sk"] == PENDING_ERASURE for item in _items(deployment)):
        yield "an erasure is not finished"


def _lost(deployment: LocalDeployment, timeline: list[dict[str, Any]]) -> Iterator[str]:
    """What an outbox has and nothing is recorded of: no record, and no line that says why it was not wanted."""
    keys = {(item["pk"], item["sk"]) for item in _items(deployment)}
    recorded = {sk for _, sk in keys}
    unwanted = {(line.get("enrollment"), line["effect"]) for line in timeline if line["kind"] == "not_carried_out"}
    people = [one for one in _customers(deployment) if isinstance(one, Customer)]
    now_are = {merged: one.id for one in people for merged in one.profile.merged}
    missing: list[tuple[str, str]] = []
    for commit in filter(None, map(committed_in, _records(deployment))):
        for effect in commit.effects:
            about = effect.customer if isinstance(effect, OpenTask) else ""
            if type(effect) not in HAVE_RECORDS or _record_of(effect, about or commit.customer, now_are) in recorded:
                continue
            if (enrollment_of(effect) or None, effect.NAME) not in unwanted:
                words = f"decided, and nothing came of it: {effect.NAME} {getattr(effect, 'step', '')}".rstrip()
                missing.append((about or commit.customer, words))
        sk = f"{FACTS}{commit.name}"
        if commit.facts and (commit.customer, sk) not in keys and f"{sk}-{commit.customer}" not in recorded:
            missing.append((commit.customer, "the facts of a commit are not in the timeline"))
    not_erased = DynamoPresentCustomers().present_ids({customer for customer, _ in missing}) if missing else {}
    yield from (words for customer, words in missing if customer in not_erased)


def _record_of(effect: Any, customer: str, now_are: Mapping[str, str]) -> str:
    """The sort key of its record. Of the tasks with one reason there is one."""
    own = (
        id_of(now_are.get(customer, customer), effect.reason) if isinstance(effect, OpenTask) and effect.reason else ""
    )
    return str(HAVE_RECORDS[type(effect)] + (own or effect.id))


def _waits_in_vain(customer: Customer, now: datetime, timers: Sequence[str]) -> Iterator[str]:
    for one in customer.enrollments.values():
        if one.open and one.due_at is not None:
            where = f"an enrollment in {one.journey} waits at {one.step}"
            if one.due_at < now - GRACE:
                yield f"{where} and its time is past"
            elif not any(one.id in timer for timer in timers):
                yield f"{where} without a timer"
    for deferral in customer.contact.deferrals.values():
        if deferral.until is not None and deferral.until < now - GRACE:
            yield f"a message is held ({deferral.reason}) and its time is past"


def _timers(deployment: LocalDeployment) -> Iterator[str]:
    scheduler = deployment.cloud.client("scheduler")
    for name in deployment.cloud.schedules():
        yield scheduler.get_schedule(Name=name, GroupName=deployment.cloud.group)["Target"]["Input"]
    for message in deployment.cloud._messages("wakes"):  # noqa: SLF001
        yield message.body
    for item in _items(deployment):
        if item["sk"].startswith("parked#"):  # a pause has it
            yield item["sk"]


def _records(deployment: LocalDeployment) -> Iterator[dict[str, Any]]:
    """Every record of the table's stream."""
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415

    shard = dynamodb_backends[ACCOUNT][REGION].tables[deployment.cloud.table].stream_shard
    for record in shard.items if shard is not None else ():
        yield record.record


def _changes(deployment: LocalDeployment) -> Iterator[dict[str, Any]]:
    """Every change of the table, from its stream."""
    return (record["dynamodb"] for record in _records(deployment))


def _consents(deployment: LocalDeployment) -> list[tuple[float, str, dict[str, str]]]:
    """When each customer's consents were committed, read from the table's stream."""
    found = []
    for change in _changes(deployment):
        if change["Keys"]["sk"]["S"] == CONTACT and "consents" in change.get("NewImage", {}):
            given = {
                f"{one['channel']}:{one['purpose']}": one["status"]
                for one in json.loads(change["NewImage"]["consents"]["S"])
            }
            found.append((change["ApproximateCreationDateTime"].timestamp(), change["Keys"]["pk"]["S"], given))
    return found


def _zones(deployment: LocalDeployment) -> Iterator[tuple[str, ZoneInfo]]:
    """Each customer's time zone, by id."""
    for customer in _customers(deployment):
        if isinstance(customer, Customer):
            yield customer.id, zone_named(customer.profile.view().get("time_zone"), NEW_YORK)


def _wrong(
    timeline: list[dict[str, Any]],
    consents: list[tuple[float, str, dict[str, str]]],
    zones: Mapping[str, ZoneInfo],
) -> Iterator[str]:
    for line in timeline:
        if line["kind"] != "message" or line.get("purpose") != Purpose.MARKETING.value:
            continue
        if line.get("reason") == PERHAPS_SENT["reason"]:
            continue  # the line is of when that was noticed, not of when the message went out
        at = datetime.fromisoformat(line["at"])
        local = at.astimezone(zones.get(line["customer_id"]) or ZoneInfo(NEW_YORK))
        if line["channel"] in RINGS and not EARLIEST <= local.time() < LATEST:
            yield f"{line.get('step')} went out by {line['channel']} at {local:%H:%M}, in quiet hours"
        before = [given for when, who, given in consents if who == line["customer_id"] and when < at.timestamp()]
        given = before[-1] if before else {}
        if given.get(f"{line['channel']}:{Purpose.MARKETING.value}") == "denied":
            yield f"{line.get('step')} went out by {line['channel']} at {local:%H:%M}, after a denial was committed"
