"""What stands in the table, as PynamoDB models.

| pk               | sk                 | what                                                                    |
|------------------|--------------------|-------------------------------------------------------------------------|
| customer id      | `open#state`       | profile, enrollments, outbox of the last commit; or a pointer after a merge |
| customer id      | `open#contact`     | consents, suppressed addresses, claims of the sender                     |
| customer id      | `event#<key>`      | an event: the dedupe claim and the timeline entry at once               |
| customer id      | `facts#<revision>` | what one commit decided                                                  |
| customer id      | `message#<id>`     | what became of a message                                                 |
| customer id      | `task#<id>`        | work for a person; indexed by queue and due time                         |
| `journey#<name>` | `version#<hash>`   | a version in use, so that a deploy changes no journey under way          |
| `settings`       | `switches`         | what people have switched off                                            |
"""

from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.models import Model

from cairn.adapters import aws
from cairn.adapters.json_text import to_json

STATE = "open#state"
CONTACT = "open#contact"
OPEN = "open#"
EVENT = "event#"
FACTS = "facts#"
MESSAGE = "message#"
TASK = "task#"
JOURNEY = "journey#"
VERSION = "version#"
SETTINGS = "settings"
SWITCHES = "switches"


CONDITION_FAILED = "ConditionalCheckFailedException"
"""The code of a single write whose condition did not hold."""


class Json(JSONAttribute):
    """As PynamoDB's own reads it, and no longer than it need be: every kilobyte is a write unit."""

    def serialize(self, value: Any) -> str | None:
        return None if value is None else to_json(value)


class _Meta:
    """Bound by `bind`, once, before the first call."""

    table_name = ""
    region = ""


class Open(Model):
    """The two items of a customer's open state; read together by one Query."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    alias_of = UnicodeAttribute(null=True)
    rev = NumberAttribute(null=True)
    profile = Json(null=True)
    enrollments = Json(null=True)
    memory = Json(null=True)
    outbox = Json(null=True)
    consents = Json(null=True)
    suppressed = Json(null=True)
    claims: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
    """A map of its own, so that a sender adds its claim without touching anything else."""


class Entry(Model):
    """One entry of the timeline. `body` is what only people read."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute(null=True)
    body = Json(null=True)
    status = UnicodeAttribute(null=True)
    rank = NumberAttribute(null=True)
    gsi1pk = UnicodeAttribute(null=True)
    gsi1sk = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    """TTL, in seconds since 1970."""


class Kept(Model):
    """Deployment-wide documents: journey versions in use, switches."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    packed = BinaryAttribute(null=True, legacy_encoding=False)
    body = Json(null=True)


MODELS = (Open, Entry, Kept)


def bind(table_name: str, region: str) -> None:
    """Name the table that the models stand for; called by the composition root.

    One connection for all of them, with a client of the process's one session: PynamoDB would make a session and a
    client for each model, at 60 ms of CPU apiece.
    """
    for model in MODELS:
        model.Meta.table_name = table_name
        model.Meta.region = region
    shared = Open._get_connection().connection  # noqa: SLF001  PynamoDB has no public way to hand it a client
    shared._client = aws.client("dynamodb", validated=True)  # noqa: SLF001
    for model in MODELS:
        model._get_connection().connection = shared  # noqa: SLF001
