"""The items of the table, as PynamoDB models.

| pk               | sk                 | item                                                                     |
|------------------|--------------------|--------------------------------------------------------------------------|
| customer id      | `open#state`       | the head of a customer's state; a pointer after a merge; a tombstone     |
| customer id      | `open#state#about#<n>` | entries of the customer: attributes, activity, memory (entries.py)   |
| customer id      | `open#state#enrolled#<id>` | an enrollment, with the outbox of what it decided last           |
| customer id      | `open#state#enrolled#<id>#data` | the data of an enrollment, where there is much of it        |
| customer id      | `open#state#enrolled#<id>#<hash>#data` | the same of one in the head, that it had no room for |
| customer id      | `open#state#outbox#<n>` | a part of a commit's outbox that the head had no room for             |
| customer id      | `open#contact`     | consents; claims and deferrals of the sender                             |
| customer id      | `event#<key>`      | an event: its dedupe claim and its timeline entry in one                 |
| customer id      | `facts#<commit>`   | the decisions of one outbox; indexed by an enrollment that it began      |
| customer id      | `message#<id>`     | its outcome; its content while deferred; indexed while paused or in review |
| customer id      | `in-app#<ms>-<id>` | a message in the customer's in-app inbox, until it expires (in_app.py)   |
| customer id      | `erasing`          | a pending erasure: the ids and addresses that are still to be erased     |
| `suppressed#<key>` | `suppressed`     | the suppressions of an address, under its hash                           |
| customer id      | `task#<id>`        | work for a person; indexed by queue, priority and due time (tasks.py)    |
| `member#<id>`    | `work`             | the open tasks of a member, and the shares of each queue's work          |
| `people`         | `members`          | what operators say about members: absences, capacity, who left           |
| `people`         | `roster`           | the members of the last people.toml, and who is none any more            |
| `deal#<hash>`    | `deal`             | a customer whom one partner has registered                               |
| customer id      | `consent#<at>#<hash>` | one consent record, stored without end                                |
| customer id      | `audience#<name>`  | a member of an audience, or who has left; indexed (audiences.py)      |
| customer id      | `distinct#<id>`    | another customer, who is not this one, as a person has found (quality.py) |
| `quality`        | `quality`, `<run>#<section>#<n>` | the report of the last quality run, and its lists in parts |
| `audiences`      | `<name>`           | when an audience was filled, with which version                          |
| `broadcasts`     | `broadcast#<id>`   | an event for each member of an audience, and how far it is; indexed by time |
| `journey#<name>` | `version#<hash>`   | a journey version in use, so that a deploy changes no open enrollment    |
| `heard`          | `heard`            | the status reports that journey versions may hear (status_reports.py)    |
| `identity`       | `identity`         | the fingerprint of the identity key that made the customer ids           |
| `settings`       | `switches`         | stopped and paused targets, and ended pauses that still apply            |
| `health#by-<channel>` | `<instant>#<journey>` | delivery counters of five minutes, stored for two days            |
| `settings`       | `chosen`           | the chosen arms of splits                                                |
| `arms#<journey>` | `<version>#<step>#<arm>#<n>` | the customers in an arm of a split (arm_counts.py)          |
| `counted#<hash>` | `counted#`         | a mark that a customer is counted in an arm                              |
| `cap#<journey>#<n>` | `<hour or day>` | how many have entered a journey that has a cap (entry_caps.py)           |
| `audit`          | `<instant>#<hash>` | an operator's change: who, what and why                                  |
| `orders`         | `recent`           | vendors' orders to erase within the last hour (domain/privacy/order_rate) |
| `rate#<limit>`   | `<lane>`           | the instant until which a rate limit is reserved (domain/message/rate_limit) |
| `seen`           | `<source>#<type>`  | what reached no customer or had no rule, counted (seen.py)               |
| `seen`           | `<source>`         | how many types of the source were new lately                             |
| customer id      | `entered#<hash>`   | an older entry into a journey with a key, for its re-entry rule          |
| customer id      | `merged#<id>`      | an id that was merged into the customer long ago                         |
| customer id      | `parked#<enrollment>#<version>` | a timer of a paused journey; indexed by the paused target   |

`open#state`, an enrollment, `open#contact`, `erasing` and an open task also have the due time of what waits in them, by
which a second index finds what is overdue (due_times.py).

The parts of a customer's state are written apart, and read by one Query, the head before them (customer_state.py).
"""

import json
from typing import Any, Self

from pynamodb.attributes import (
    BinaryAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import NULL
from pynamodb.exceptions import PynamoDBException
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from cairn.adapters.documents.json_text import to_json

STATE = "open#state"
ENTRIES = "open#state#about#"
ENROLLED = "open#state#enrolled#"
DATA = "#data"
"""The end of the sort key of an enrollment's data."""
OUTBOX = "open#state#outbox#"
CONTACT = "open#contact"
OPEN = "open#"
LAST_CHARACTER = "~"
"""Behind every character of a sort key."""
PENDING_ERASURE = "erasing"
EVENT = "event#"
FACTS = "facts#"
MESSAGE = "message#"
IN_APP = "in-app#"
TASK = "task#"
MEMBER = "member#"
WORK = "work"
PEOPLE, MEMBERS, ROSTER = "people", "members", "roster"
"""Partition and sort keys of what operators say about members, and of who was one when people.toml was looked at."""
DEAL = "deal"
CONSENT = "consent#"
BROADCAST = "broadcast#"
"""The start of the sort key of a broadcast."""
AUDIENCE = "audience#"
"""The start of the sort key of a membership in an audience, and of its index key."""
JOURNEY = "journey#"
VERSION = "version#"
SUPPRESSED = "suppressed"
DISTINCT = "distinct#"
"""Before the id of another customer who is not this one, as a person has found."""
QUALITY = "quality"
"""Partition key of the report of the last quality run, and its sort key."""
SETTINGS = "settings"
SWITCHES = "switches"
CHOSEN = "chosen"
ARMS = "arms#"
COUNTED = "counted#"
CAP = "cap#"
IDENTITY = "identity"
"""Partition and sort key of the record of the identity key."""
HEARD = "heard"
"""Partition and sort key of what journey versions in use may hear."""
AUDIT = "audit"
REQUEST = "request#"
"""The start of the partition key of an operator's request with an Idempotency-Key."""
HEALTH = "health#"
"""The start of the partition key of delivery counters."""
ENTERED = "entered#"
MERGED = "merged#"
PAUSED_ENROLLMENT = "parked#"
RATE = "rate#"
ORDERS = "orders"
RECENT = "recent"
PAUSED = "paused#"
"""The start of the index key of enrollments and messages that wait for a resume."""
ENROLLMENT = "enrollment#"
"""The start of the index key of the facts with which an enrollment began."""
REVIEWS = "reviews"
"""The index key of messages that wait for a review."""

MAX_MERGES = 64
"""Merges that a read follows from an old id. A commit leads what led to an absorbed customer straight to the survivor
where there is room, so one or two are usual; after a thousand merges of one customer, about twenty."""

CONDITION_FAILED = "ConditionalCheckFailedException"
"""The code of a single write whose condition did not hold."""


def code_of(error: PynamoDBException) -> str | None:
    """The code of DynamoDB's answer; None where no answer came.

    PynamoDB's own `cause_response_code` raises AttributeError then: botocore's errors of a connection have a response,
    which is None.
    """
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code


def suppressed_key(key: str) -> str:
    """The partition of an address's suppressions."""
    return f"{SUPPRESSED}#{key}"


class Json(JSONAttribute):
    """JSON without spaces: every kilobyte costs a write unit."""

    def serialize(self, value: Any) -> str | None:
        return None if value is None else to_json(value)

    def deserialize(self, value: str) -> Any:
        return json.loads(value)  # with an option, as PynamoDB does it, `json` makes a decoder for each text


class Item(Model):
    """Made at the cost of what an item has: PynamoDB goes through all that its class knows, twice for each item."""

    def _set_defaults(self, _user_instantiated: bool = True) -> None:  # noqa: FBT001, FBT002  PynamoDB's
        """No attribute has a default."""

    @classmethod
    def _instantiate(cls, attribute_values: dict[str, dict[str, Any]]) -> Self:
        item, known = cls(_user_instantiated=False), cls.get_attributes()
        for stored, typed in attribute_values.items():
            name = cls._dynamo_to_python_attr(stored)
            if name in known and NULL not in typed:
                attribute: Any = known[name]
                setattr(item, name, attribute.deserialize(attribute.get_value(typed)))
        return item

    def serialize(self, null_check: bool = True) -> dict[str, dict[str, Any]]:  # noqa: FBT001, FBT002, ARG002
        """Only a key may not be absent, and DynamoDB refuses an item without one."""
        known, stored = self.get_attributes(), {}
        for name, value in self.attribute_values.items():
            attribute: Any = known[name]
            written = None if value is None else attribute.serialize(value)
            if written is not None:
                stored[attribute.attr_name] = {attribute.attr_type: written}
        return stored


class _Meta:
    """Set once by `table.bind`, before the first call."""

    table_name = ""
    region = ""


class CustomerItem(Item):
    """The parts of a customer's state and the contact, which one Query reads together; and a pending erasure."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    alias_of = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True, attr_name="rev")
    """Of the head, the customer's; of an enrollment, how often it was written."""
    profile = Json(null=True)
    """The fields of it that are no entries; all of it until version 0.2, and in a pending erasure."""
    entries = Json(null=True)
    enrollment = Json(null=True)
    data = Json(null=True)
    written_at = NumberAttribute(null=True, attr_name="by")
    """The customer's version when a part was last written with the head."""
    data_written_at = NumberAttribute(null=True, attr_name="data_by")
    """In an enrollment, the `written_at` of its data: a read of both may see a commit come in between."""
    pages_sum = NumberAttribute(null=True, attr_name="about")
    enrolled_sum = NumberAttribute(null=True, attr_name="enrolled")
    """Checksums of pages, and of enrollments with items of their own: they show a read into which a commit came."""
    ended_stay_until = NumberAttribute(null=True, attr_name="stay")
    """In the head: until when, in seconds since 1970, a message may be on its way whose data is read only then."""
    enrollments = Json(null=True)
    """In the head: those for which a commit had no room as items of their own, or from version 0.2. In an outbox that
    is an item: those that it is about."""
    memory = Json(null=True)
    """Until version 0.2, what are entries now, beside the profile's."""
    outbox = Json(null=True)
    consents = Json(null=True)
    last_inbound = Json(null=True, attr_name="heard")
    contact_version = NumberAttribute(null=True, attr_name="turn")
    claims: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
    """Claims and deferrals are maps, so that a sender adds one without writing the others."""
    deferrals: Any = MapAttribute(null=True, attr_name="holds")  # type: ignore[no-untyped-call]
    erased = UnicodeAttribute(null=True)
    """When the customer was erased. With `alias_of`, another customer has the identifier since."""
    gsi2pk = UnicodeAttribute(null=True)
    gsi2sk = UnicodeAttribute(null=True)
    """The due time of what waits in the item (due_times.py)."""
    expires_at = NumberAttribute(null=True)
    """TTL of a tombstone, and of an outbox that is an item."""


class ByIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Finds items across customers: tasks by queue, paused work by its target, messages in review."""

    class Meta:
        index_name = "gsi1"
        projection = AllProjection()

    gsi1pk = UnicodeAttribute(hash_key=True)
    gsi1sk = UnicodeAttribute(range_key=True)


class ByDueTime(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Finds items with something that waits, by the hour by which its timer must have fired."""

    class Meta:
        index_name = "gsi2"
        projection = KeysOnlyProjection()

    gsi2pk = UnicodeAttribute(hash_key=True)
    gsi2sk = UnicodeAttribute(range_key=True)


class RecordItem(Item):
    """A record of something that happened, for the timeline, the audit or the list of tasks."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute(null=True)
    body = Json(null=True)
    status = UnicodeAttribute(null=True)
    rank = NumberAttribute(null=True)
    added_by = UnicodeAttribute(null=True)
    """The effect that first added a consent record."""
    decisions = Json(null=True)
    """Each deferral of a message, with its reason."""
    deferred_message = Json(null=True, attr_name="held")
    """The message itself, while it is deferred."""
    approval = Json(null=True)
    delivered_at = UnicodeAttribute(null=True)
    """When the provider delivered a message, as it reported."""
    gsi1pk = UnicodeAttribute(null=True)
    gsi1sk = UnicodeAttribute(null=True)
    by_index = ByIndex()
    gsi2pk = UnicodeAttribute(null=True)
    gsi2sk = UnicodeAttribute(null=True)
    """The due time of an open task."""
    outbox = Json(null=True)
    """Of a task: what follows from its last change."""
    measured = Json(null=True)
    """Of a message that went out, what only the log of facts needs: its country, and the time since its decision."""
    by_due_time = ByDueTime()
    expires_at = NumberAttribute(null=True)
    """TTL, in seconds since 1970."""


class SuppressionItem(Item):
    """The suppressions of an address: a set that only grows (domain/consent/suppression)."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    marks: Any = UnicodeSetAttribute(null=True)


class DocumentItem(Item):
    """Documents of the whole deployment: journey versions in use, and switches."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    packed = BinaryAttribute(null=True, legacy_encoding=False)
    body = Json(null=True)
    version = NumberAttribute(null=True, attr_name="rev")


class WorkItem(Item):
    """What a member has to do (domain/people/members.Work)."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    tasks: Any = UnicodeSetAttribute(null=True, attr_name="open")
    """A set, so that adding and taking away are idempotent and need no condition."""
    shares = Json(null=True)
    version = NumberAttribute(null=True, attr_name="rev")


class HeardItem(Item):
    """The types of status reports that any journey version in use may hear."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    types: Any = UnicodeSetAttribute(null=True)
    complete_since = UnicodeAttribute(null=True)
    """Since when those of all versions in the table are here; none where earlier releases may have stored others."""


class CounterItem(Item):
    """Counts of what providers reported about a target, in one time bucket (domain/operations/breaker)."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    delivered = NumberAttribute(null=True)
    failed = NumberAttribute(null=True)
    bounced = NumberAttribute(null=True)
    complained = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class ArmItem(Item):
    """A counter of an arm; or the mark of a customer who is counted, which alone expires."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    entered = NumberAttribute(null=True)
    reached = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class CapItem(Item):
    """How many have entered a journey in an hour or a day, of the part of its cap that this item has."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    entered = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class RateItem(Item):
    """A token bucket that all senders share (domain/message/rate_limit)."""

    class Meta(_Meta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    tat = NumberAttribute(null=True)
    """The instant until which the rate is reserved, in microseconds since 1970: GCRA's "theoretical arrival time"."""
    expires_at = NumberAttribute(null=True)


MODELS = (
    *(RateItem, ArmItem, CapItem, CustomerItem, RecordItem, SuppressionItem, DocumentItem, WorkItem, HeardItem),
    CounterItem,
)
