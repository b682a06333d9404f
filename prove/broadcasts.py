"""An audience and a broadcast at size: what joining and leaving cost, and that a page costs the same at any member.

    DYNAMODB_LOCAL=FOLDER python -m prove.broadcasts [--members 10000]

On DynamoDB Local, which says the units of each write as DynamoDB does.
"""

import argparse
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bench.dynamodb_local import dynamodb_local
from cairn.adapters import aws
from cairn.adapters.dynamodb.audiences import DynamoAudiences
from cairn.adapters.dynamodb.broadcasts import DynamoBroadcasts
from cairn.adapters.dynamodb.items import STATE, CustomerItem, RecordItem
from cairn.adapters.dynamodb.table import write_all
from cairn.application.audience.continue_broadcasts import ContinueBroadcasts
from cairn.domain.audience.audiences import Audience, Audiences, Position
from cairn.domain.audience.broadcasts import Broadcast, BroadcastState
from cairn.domain.audience.order import SortType, encoded
from cairn.domain.audience.selection import ALL_MEMBERS
from cairn.domain.effects import LeaveAudience
from cairn.domain.event import Event
from tests.table import empty_table

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
AUDIENCE = Audience("all", "v1", "profile.size", sort="profile.size", shards=4)
KILOBYTE = 1024
MOST_UNITS = 2


@dataclass
class Units:
    """Write units of each kind of call so far."""

    spent: Counter[str] = field(default_factory=Counter)

    def ask(self, **kwargs: Any) -> None:
        if "ReturnConsumedCapacity" in kwargs["model"].input_shape.members:
            kwargs["params"]["ReturnConsumedCapacity"] = "INDEXES"

    def note(self, **kwargs: Any) -> None:
        consumed = kwargs["parsed"].get("ConsumedCapacity") or ()
        for one in [consumed] if isinstance(consumed, dict) else consumed:
            self.spent[kwargs["model"].name] += one["CapacityUnits"]

    @contextmanager
    def noted(self, client: Any) -> Iterator[None]:
        events = client.meta.events
        events.register("provide-client-params.dynamodb.*", self.ask)
        events.register("after-call.dynamodb.*", self.note)
        try:
            yield
        finally:
            events.unregister("provide-client-params.dynamodb.*", self.ask)
            events.unregister("after-call.dynamodb.*", self.note)


@dataclass
class Inbox:
    """Counts the customers that it gets events of."""

    customers: Counter[str] = field(default_factory=Counter)

    def put(self, events: Sequence[Event]) -> None:
        self.customers.update(event.customer_id or "" for event in events)

    def put_unreadable(self, source: str, body: bytes, problems: Sequence[str]) -> None:
        raise AssertionError(source, body, problems)


def run(table: str, members: int) -> list[str]:
    """The lines of the report; one that begins with PROBLEM where anything is not as promised."""
    client = aws.client("dynamodb", validated=True)
    audiences, broadcasts = DynamoAudiences(client, table), DynamoBroadcasts(client, table)
    customers = [f"c_{number:026}" for number in range(members)]
    write_all(CustomerItem(one, STATE, version=1) for one in customers)
    units = Units()
    lines: list[str] = []
    with units.noted(client):
        began = time.monotonic()
        for number, one in enumerate(customers):
            position = Position("", encoded(number * 7 % members, SortType.NUMBER))
            audiences.note(one, AUDIENCE.joining("j", one, position), 1, NOW)
        lines.append(_each("join", units, members, began))
        began = time.monotonic()
        gone = customers[:100]
        for one in gone:
            audiences.note(one, LeaveAudience("l", AUDIENCE.name, AUDIENCE.version), 2, NOW)
        lines.append(_each("leave", units, len(gone), began))
        for one in gone:
            audiences.note(one, AUDIENCE.joining("j", one, Position("", encoded(1, SortType.NUMBER))), 3, NOW)
        units.spent.clear()
        counted, after = 0, ""
        while True:
            page = audiences.count(AUDIENCE, ALL_MEMBERS, after)
            counted += page.count
            if page.following is None:
                break
            after = page.following
        lines.append(f"count: {counted}, {units.spent['Query']:.1f} read units")
        lines += _broadcast(audiences, broadcasts, units, members)
    return lines


def _each(what: str, units: Units, number: int, began: float) -> str:
    written, read = units.spent["PutItem"] / number, units.spent["GetItem"] / number
    units.spent.clear()
    problem = "" if written <= MOST_UNITS else "PROBLEM "
    rate = number / (time.monotonic() - began)
    return f"{problem}{what}: {written:.2f} write units, {read:.2f} read units, {rate:.0f} a second by one worker"


def _broadcast(audiences: DynamoAudiences, broadcasts: DynamoBroadcasts, units: Units, members: int) -> Iterator[str]:
    inbox = Inbox()
    one = Broadcast("b" * 20, AUDIENCE.name, AUDIENCE.version, "listing.created", NOW, per_second=500, created_at=NOW)
    proceed = ContinueBroadcasts(broadcasts, Audiences((AUDIENCE,)), audiences, inbox)
    broadcasts.add(one)
    units.spent.clear()
    began, now, pages, peaks = time.monotonic(), NOW, 0, []
    while (present := broadcasts.get(one.id)) is not None and (page := present.follows) is not None:
        now, pages = max(now, page.at), pages + 1
        tracemalloc.start()
        proceed(replace(page), now)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    seconds = time.monotonic() - began
    of_a_page = f"{units.spent['PutItem'] / pages:.1f} write units, {units.spent['Query'] / pages:.1f} read units"
    yield f"broadcast: {len(inbox.customers)} customers, {pages} pages of {seconds / pages * 1000:.0f} ms; {of_a_page}"
    yield f"memory of a page: {peaks[1] // KILOBYTE} kB of the second, {max(peaks[2:]) // KILOBYTE} kB at most later"
    often = max(inbox.customers.values())
    if len(inbox.customers) != members or often != 1 or present is None or present.state is not BroadcastState.DONE:
        yield f"PROBLEM {len(inbox.customers)} of {members} got it, {often} times at most"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=10_000)
    asked = parser.parse_args(arguments)
    with dynamodb_local() as endpoint:
        if endpoint is None:
            print("set DYNAMODB_LOCAL to the folder of DynamoDB Local (bench/dynamodb_local.py)", file=sys.stderr)
            return 2
        with empty_table(endpoint):
            lines = run(RecordItem.Meta.table_name, asked.members)
    print("\n".join(lines))
    return int(any(line.startswith("PROBLEM") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
