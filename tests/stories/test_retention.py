"""Each kind of item is stored for as long as docs/privacy.md says, and no longer."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.dynamodb import items
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch
from cairn.domain.shared.instants import instant_from_wire

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
ROW = re.compile(r"^\| (?P<kinds>[^|]+) \| [^|]+ \| (?P<kept>[^|]+) \|$", re.MULTILINE)
DAY = timedelta(days=1)
OF_A_CUSTOMER = {
    items.STATE,
    items.ENTRIES,
    items.ENROLLED,
    items.CONTACT,
    items.PENDING_ERASURE,
    items.EVENT,
    items.FACTS,
    items.MESSAGE,
    items.TASK,
}
ALL = OF_A_CUSTOMER | {items.CONSENT, items.PAUSED_ENROLLMENT, "tombstone", f"{items.SUPPRESSED}#", items.AUDIT}
ALL |= {items.JOURNEY}


@dataclass(frozen=True)
class Item:
    kind: str
    at: datetime | None
    expires_at: datetime | None


def stated_retention(kind: str) -> str:
    """How long the page says a kind is stored."""
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## How long it is stored")
    rows = {name.strip(" `"): row["kept"] for row in ROW.finditer(table) for name in row["kinds"].split(",")}
    return rows[kind]


def item_of(raw: dict[str, Any], now: datetime) -> Item:
    pk, sk = raw["pk"]["S"], raw["sk"]["S"]
    kind = _kind(sk) if pk.startswith("c_") else _kind(pk)
    kind = "tombstone" if "erased" in raw and sk == items.STATE else kind
    at = raw.get("at") or raw.get("erased")
    due = json.loads(raw["body"]["S"])["due_at"] if kind == items.TASK else None
    expires = raw.get("expires_at")
    return Item(
        kind,
        instant_from_wire(due or at["S"]) if due or at else now,
        datetime.fromtimestamp(int(expires["N"]), now.tzinfo) if expires else None,
    )


def _kind(key: str) -> str:
    if key.startswith((items.ENTRIES, items.ENROLLED)):
        return items.ENTRIES if key.startswith(items.ENTRIES) else items.ENROLLED
    return key if key.startswith(items.OPEN) or "#" not in key else key.partition("#")[0] + "#"


@pytest.fixture
def all_items(story: Any) -> list[Item]:
    """The items of the table after a story that makes at least one of each kind."""

    def switch(order: str, **more: Any) -> None:
        switch_method = getattr(Switch(DynamoSwitches()), order)
        switch_method("journey:welcome", by="ana", why="a wrong price", now=story.deployment.now(), **more)

    story.happens("lead.captured", customer={"email": "mia.lead@example.com"})
    story.signs_up(1)
    story.signs_up(2)
    story.happens("profile.completed", customer={"user_id": "member-1", "email": "mia.lead@example.com"})
    story.happens("note.written", customer={"user_id": "member-1"}, attributes={"note": "a long note " * 90})
    story.happens("customer.data_requested", customer={"user_id": "member-1"})
    story.passes("3h")
    bounced = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "mia.1@example.com"}]}
    customer = next(line["customer_id"] for line in story.timeline("entered", of="member-1"))
    story.ses_reports("Bounce", of=("an-earlier-one", customer), address="mia.1@example.com", **bounced)
    hello = next(line["message_id"] for line in story.timeline("message", of="member-1"))
    story.ses_reports("Delivery", of=(hello, customer), address="mia.1@example.com")
    story.signs_up(3)
    switch("pause")
    story.passes("1d")
    story.deployment.stop("erase_customer")
    story.erases("member-2")
    table = story.deployment.cloud.table
    raw = story.deployment.cloud.client("dynamodb").scan(TableName=table)["Items"]
    return [item_of(one, story.deployment.now()) for one in raw]


def expires_as_stated(item: Item) -> bool:
    days = re.search(r"(\d+) days", stated_retention(item.kind))
    if days is None or item.at is None:
        return item.expires_at is None
    return item.expires_at is not None and abs(item.expires_at - item.at - int(days[1]) * DAY) <= 2 * DAY


def test_every_kind_of_item_is_on_the_page_and_the_story_has_one_of_each(all_items: list[Item]) -> None:
    kinds = {one.kind for one in all_items}

    assert all(stated_retention(kind) for kind in kinds)
    assert kinds >= ALL | {items.SETTINGS}


def test_items_expire_exactly_when_the_page_says(all_items: list[Item]) -> None:
    assert [one for one in all_items if not expires_as_stated(one)] == []


def test_the_page_lists_every_kind_that_the_table_describes() -> None:
    rows = re.findall(r"^\| (\S+|customer id) +\| `([^`]+)`", items.__doc__ or "", re.MULTILINE)

    keys = [sk if pk == "customer id" else pk.strip("`") for pk, sk in rows]
    kinds = {_kind(key.partition("<")[0]) for key in keys}
    assert len(kinds) > 12
    assert all(stated_retention(kind) for kind in kinds)


def test_the_page_says_how_long_items_without_expiry_are_stored(all_items: list[Item]) -> None:
    endless = {one.kind for one in all_items if one.expires_at is None}

    for kind in endless:
        words = stated_retention(kind)
        assert "as long as the customer" in words or "until" in words or "without end" in words
