"""What stands in the table, as PynamoDB models.

| pk               | sk                 | what                                                                    |
|------------------|--------------------|-------------------------------------------------------------------------|
| customer id      | `open#state`       | profile, enrollments, last outbox; a pointer after a merge; a grave |
| customer id      | `open#contact`     | consents, claims and holds of the sender                                 |
| customer id      | `event#<key>`      | an event: the dedupe claim and the timeline entry at once               |
| customer id      | `facts#<revision>` | what one commit decided; indexed by an enrollment that began with it     |
| customer id      | `message#<id>`     | what became of it; itself, while held; indexed while paused or reviewed  |
| customer id      | `erasing`          | what leads to everything of a customer who was sealed, until it is erased |
| `suppressed#<key>` | `suppressed`     | what is known against an address, which the key does not tell            |
| customer id      | `task#<id>`        | work for a person; indexed by queue and due time                         |
| customer id      | `consent#<at>#<hash>` | what was said about writing to the customer; kept for good            |
| `journey#<name>` | `version#<hash>`   | a version in use, so that a deploy changes no journey under way          |
| `settings`       | `switches`         | what people have stopped and paused, and ended pauses that still count   |
| `health#<target>` | `<instant>`        | what was told of its messages in five minutes, counted; gone in two days |
| `audit`          | `<instant>#<hash>` | who turned what, and why                                                 |
| `rate#<line>`    | `<lane>`           | up to when a provider's places are taken (domain/message/rate_limit)      |
| customer id      | `parked#<enrollment>#<revision>` | a timer of a paused journey; indexed by what is paused     |
"""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import RESPONSES, UNPROCESSED_KEYS
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from cairn.adapters import aws
from cairn.adapters.documents.json_text import to_json

STATE = "open#state"
CONTACT = "open#contact"
OPEN = "open#"
PENDING_ERASURE = "erasing"
EVENT = "event#"
FACTS = "facts#"
MESSAGE = "message#"
TASK = "task#"
CONSENT = "consent#"
JOURNEY = "journey#"
VERSION = "version#"
SUPPRESSED = "suppressed"
SETTINGS = "settings"
SWITCHES = "switches"
AUDIT = "audit"
HEALTH = "health#"
"""Begins the partition of a journey's or a channel's counts."""
PAUSED_ENROLLMENT = "parked#"
RATE = "rate#"
PAUSED = "paused#"
"""Begins the index key of what waits for somebody to resume."""
ENROLLMENT = "enrollment#"
"""Begins the index key of the facts with which an enrollment began."""
REVIEWS = "reviews"
"""The index key of messages that wait for somebody to approve them."""


CONDITION_FAILED = "ConditionalCheckFailedException"
"""The code of a single write whose condition did not hold."""


def suppressed_key(key: str) -> str:
    """The partition of what is known against an address."""
    return f"{SUPPRESSED}#{key}"


class Json(JSONAttribute):
    """As PynamoDB's own reads it, and no longer than it need be: every kilobyte is a write unit."""

    def serialize(self, value: Any) -> str | None:
        return None if value is None else to_json(value)


class _Meta:
    """Bound by `bind`, once, before the first call."""

    table_name = ""
    region = ""


class CustomerItem(Model):
    """The two items of a customer's open state; read together by one Query."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    alias_of = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True, attr_name="rev")
    profile = Json(null=True)
    enrollments = Json(null=True)
    memory = Json(null=True)
    outbox = Json(null=True)
    consents = Json(null=True)
    last_inbound = Json(null=True, attr_name="heard")
    contact_version = NumberAttribute(null=True, attr_name="turn")
    claims: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
    """Maps of their own, so that a sender adds its claim without touching anything else."""
    deferrals: Any = MapAttribute(null=True, attr_name="holds")  # type: ignore[no-untyped-call]
    erased = UnicodeAttribute(null=True)
    """When whoever lived here was erased. With `alias_of`, somebody has taken the name over since."""
    expires_at = NumberAttribute(null=True)
    """TTL, of a place where nobody lives any more."""


class ByIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """What people look for across customers: tasks by queue, what is paused by what it waits for."""

    class Meta:
        index_name = "gsi1"
        projection = AllProjection()

    gsi1pk = UnicodeAttribute(hash_key=True)
    gsi1sk = UnicodeAttribute(range_key=True)


class RecordItem(Model):
    """One entry of the timeline. `body` is what only people read."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute(null=True)
    body = Json(null=True)
    status = UnicodeAttribute(null=True)
    rank = NumberAttribute(null=True)
    added_by = UnicodeAttribute(null=True)
    """Of a consent record: the effect that brought it first."""
    decisions = Json(null=True)
    """Each time that a message had to wait, and why."""
    deferred_message = Json(null=True, attr_name="held")
    """The message itself, for as long as it is held."""
    approval = Json(null=True)
    gsi1pk = UnicodeAttribute(null=True)
    gsi1sk = UnicodeAttribute(null=True)
    by_index = ByIndex()
    expires_at = NumberAttribute(null=True)
    """TTL, in seconds since 1970."""


class SuppressionItem(Model):
    """What is known against an address: a set that only grows (domain/consent/suppression)."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    marks: Any = UnicodeSetAttribute(null=True)


class DocumentItem(Model):
    """Deployment-wide documents: journey versions in use, switches."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    packed = BinaryAttribute(null=True, legacy_encoding=False)
    body = Json(null=True)
    version = NumberAttribute(null=True, attr_name="rev")


class CounterItem(Model):
    """What providers told of a target's messages within one bucket of time (domain/operations/breaker)."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    delivered = NumberAttribute(null=True)
    failed = NumberAttribute(null=True)
    bounced = NumberAttribute(null=True)
    complained = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class RateItem(Model):
    """A token bucket that all senders share (domain/message/rate_limit)."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    tat = NumberAttribute(null=True)
    """Up to when places are taken, in microseconds since 1970: GCRA's "theoretical arrival time"."""
    expires_at = NumberAttribute(null=True)


MODELS = (RateItem, CustomerItem, RecordItem, SuppressionItem, DocumentItem, CounterItem)


MAX_KEYS = 100
"""Of one BatchGetItem (DynamoDB quota)."""


def read_all(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """Items of any kind, by (pk, sk), in one consistent read for every hundred; those that are not there are left out.

    PynamoDB's own batch reads one kind only.
    """
    wanted = sorted(set(keys))
    found: dict[tuple[str, str], Any] = {}
    connection = CustomerItem._get_connection().connection  # noqa: SLF001  the connection that the models already use
    table = CustomerItem.Meta.table_name
    for start in range(0, len(wanted), MAX_KEYS):
        left = [{"pk": pk, "sk": sk} for pk, sk in wanted[start : start + MAX_KEYS]]
        while left:
            # Its hint asks for texts; what it takes is keys.
            answer = connection.batch_get_item(table, left, consistent_read=True)  # type: ignore[arg-type]
            for raw in answer.get(RESPONSES, {}).get(table, ()):
                model = _model_of(raw["sk"]["S"])
                found[raw["pk"]["S"], raw["sk"]["S"]] = model.from_raw_data(raw)
            unread = answer.get(UNPROCESSED_KEYS, {}).get(table, {}).get("Keys", ())
            left = [{name: value["S"] for name, value in key.items()} for key in unread]
    return found


def _model_of(sk: str) -> type[Model]:
    if sk == SUPPRESSED:
        return SuppressionItem
    return CustomerItem if sk.startswith(OPEN) else RecordItem


def bind(table_name: str, region: str) -> None:
    """Name the table that the models stand for; called by the composition root.

    One connection for all of them, with a client of the process's one session: PynamoDB would make a session and a
    client for each model, at 60 ms of CPU apiece. It is Entry's, which knows the index.
    """
    for model in MODELS:
        model.Meta.table_name = table_name
        model.Meta.region = region
    shared = RecordItem._get_connection().connection  # noqa: SLF001  PynamoDB has no public way to hand it a client
    shared._client = aws.client("dynamodb", validated=True)  # noqa: SLF001
    for model in MODELS:
        model._get_connection().connection = shared  # noqa: SLF001
