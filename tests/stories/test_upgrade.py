"""A table of version 0.2 is upgraded under load: nobody is lost, nobody gets a message twice."""

import json
import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import posting
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import STATE, CustomerItem
from cairn.domain.customer.state import Customer
from cairn.domain.shared.errors import ErasedCustomerError
from infra.local.deployment import local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets
from tests.conftest import ALL_CONSENTS, Story
from tests.older_layout import as_version_0_2_left_it

AT_ONCE = 30
"""Customers in one table: moto copies all of it for each transaction."""

ALL = int(os.environ.get("CAIRN_UPGRADED_CUSTOMERS", AT_ONCE))
"""With 1000, which take about a quarter of an hour, AT_ONCE in each table."""

WAITS, VISITS, JOINS, RETURNS, MERGED, ERASED, EARLY, LATE_MERGE, ENDED, TYPED = range(10)
"""The plots, by the last digit of a customer's number."""

EVENING = datetime(2026, 3, 3, 1, tzinfo=UTC)
"""20:00 in New York. Two hours later nobody gets a marketing text before the morning."""

EARLIER = "2026-03-03T00:30:00Z"

JOURNEY = """
journey: trial
description: A text at once; after two hours an e-mail, a text that waits for the morning, and a call.
time_zone: America/New_York
entry: {event: trial.signup, again: never}
goal: {event: membership.started, within: 30d}
exit_on: [{event: membership.started}]
steps:
  - {id: hello, send: {channel: sms, template: hello, purpose: transactional}}
  - id: first-visit
    wait_for: {event: visit.attended, timeout: 2h, then: [{id: came, exit: came}]}
  - {id: tips, send: {channel: email, template: tips, purpose: marketing}}
  - {id: offer, send: {channel: sms, template: offer, purpose: marketing}}
  - {id: a-little-later, wait: 10m}
  - {id: call, task: {queue: coaches, title: Call, due: 4h}}
  - {id: called, update: {set: {stage: called}}}
"""
TEXTS = {
    "hello.sms.txt": "Hello {{ profile.first_name }}",
    "tips.email.html": "---\nsubject: Three tips\n---\n<p>Tips</p>",
    "offer.sms.txt": "Northside: an offer. Reply STOP to stop.",
}


@pytest.fixture
def journeys(tmp_path: Path) -> Path:
    templates = tmp_path / "journeys" / "trial" / "templates"
    templates.mkdir(parents=True)
    (templates.parent / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    for name, text in TEXTS.items():
        (templates / name).write_text(text, encoding="utf-8")
    return tmp_path / "journeys"


def member(number: int) -> dict[str, Any]:
    return {
        "customer": {
            "user_id": f"member-{number}",
            "email": f"m{number}@example.com",
            "phone": f"+1201555{number:04d}",
        },
        "attributes": {"first_name": f"M{number}", "time_zone": "America/New_York", "interests": ["yoga"] * 5},
        "consent": ALL_CONSENTS,
    }


@dataclass
class Course:
    """A story of many customers. What they do is the same, whether their table is upgraded in between or not."""

    story: Story
    numbers: range
    upgraded: bool
    left_older: set[str] = field(default_factory=set)
    """Customers whom the upgrade found in the layout of version 0.2."""
    deferred: int = 0
    """Messages that waited at the upgrade."""
    typed: int = 0
    """Customers whose names were typed."""

    def of(self, *plots: int) -> list[int]:
        return [number for number in self.numbers if number % 10 in plots]

    def happens(self, type_: str, numbers: Collection[int], **more: Any) -> None:
        """All at once, as under load."""
        events = [{"id": f"{type_}-{one}", "type": type_, **member(one), **more} for one in numbers]
        if events:
            self.story.posts(json.dumps(events).encode())
            self.story.deployment.settle()

    def types(self, number: int) -> None:
        """A visitor enters a customer's names into a form."""
        answers = [
            {"type": "email", "email": f"m{number}@example.com", "field": {"ref": "email"}},
            {"type": "phone_number", "phone_number": f"+1201555{number:04d}", "field": {"ref": "phone"}},
        ]
        form = {
            "form_id": "f",
            "token": "t",
            "submitted_at": f"{self.story.deployment.now():%FT%TZ}",
            "answers": answers,
        }
        document = {"event_id": f"form-{number}", "event_type": "form_response", "form_response": form}
        made = posting("typeform", document, LOCAL_SECRET, self.story.deployment.now())
        assert self.story.deployment.request("POST", made.url, made.headers, made.body, "typeform")["statusCode"] == 202
        self.story.deployment.settle()

    def links(self, name: str, numbers: Collection[int]) -> None:
        """Another record turns out to be the member."""
        for number in numbers:
            other = {"external_ids": {"crm": f"crm-{number}"}}
            attributes = {"goal": f"run {number} km"}
            self.story.happens("note.written", f"{name}-{number}", customer=other, attributes=attributes)
            both = {"user_id": f"member-{number}", **other}
            self.story.happens("note.written", f"{name}-both-{number}", customer=both)

    def lives_until_the_upgrade(self) -> None:
        self.happens("membership.started", self.of(EARLY))
        self.happens("trial.signup", self.of(WAITS, JOINS, MERGED, ENDED, ERASED))
        self.story.passes("1h")
        self.happens("trial.signup", self.of(VISITS, RETURNS, LATE_MERGE))
        for number in self.of(TYPED):
            self.types(number)
        self.links("before", self.of(MERGED))
        self.happens("visit.attended", self.of(ENDED))
        for number in self.of(ERASED):
            self.story.erases(f"member-{number}")
        self.story.passes("1h5m")  # the first have their e-mail, and wait for ten minutes

    def lives_on(self) -> None:
        self.happens("visit.attended", self.of(VISITS))
        self.happens("trial.signup", self.of(EARLY), occurred_at=EARLIER)
        self.migrates(AT_ONCE // 5)
        self.story.passes("6m")
        self.happens("membership.started", self.of(JOINS))
        self.links("after", self.of(LATE_MERGE))
        self.happens("trial.signup", self.of(RETURNS))  # a duplicate
        self.migrates(AT_ONCE // 5)
        self.story.passes("3d")
        self.migrates(len(self.numbers))
        self.happens("page.seen", self.numbers)

    def migrates(self, most: int) -> None:
        """As `cairn migrate-table` does it, until it is interrupted."""
        if self.upgraded:
            done = 0
            for id_ in self.older():
                done += DynamoCustomers.rewrite(id_)
                if done == most:
                    break

    def is_upgraded(self) -> None:
        if self.upgraded:
            for item in list(CustomerItem.scan(CustomerItem.sk == STATE)):
                if as_version_0_2_left_it(item.pk):
                    self.left_older.add(item.pk)
            self.story.deployment.settle()
            self.deferred = len(self.story.timeline("deferred"))
            self.typed = sum(bool(one.profile.typed) for _, one in self.customers() if one)

    def older(self) -> list[str]:
        return sorted(item.pk for item in CustomerItem.scan(CustomerItem.memory.exists()))

    def customers(self) -> Iterator[tuple[str, Customer | None]]:
        """All at the end, by any id that they ever had; None for one who was erased."""
        table = DynamoCustomers(self.story.deployment.cloud.identity_keys)
        for item in list(CustomerItem.scan(CustomerItem.sk == STATE)):
            try:
                found = table.load(item.pk)
                claims = {
                    id_: replace(one, attempt="", at=one.at.replace(microsecond=0))
                    for id_, one in found.contact.claims.items()
                }
                yield item.pk, replace(found, version=0, contact=replace(found.contact, version=0, claims=claims))
            except ErasedCustomerError:
                yield item.pk, None

    def timeline(self) -> Counter[str]:
        """To the second: queues deliver in milliseconds that differ."""
        seen = ("kind", "customer_id", "journey", "step", "channel", "template", "reason", "type", "outcome")
        return Counter(
            json.dumps([line["at"][:19], {name: line[name] for name in seen if name in line}])
            for line in self.story.timeline()
        )


def lived(journeys: Path, numbers: range, *, upgraded: bool) -> tuple[Course, dict[str, Any]]:
    with local_deployment(journeys, start=EVENING, secrets=local_secrets({})) as made:
        course = Course(Story(made), numbers, upgraded)
        course.lives_until_the_upgrade()
        course.is_upgraded()
        course.lives_on()
        end = {
            "customers": dict(course.customers()),
            "timeline": course.timeline(),
            "sent": Counter(course.story.sent()),
            "schedules": made.cloud.schedules(),
            "older": course.older(),
            "dead letters": [
                one for queue in ("events", "wakes", "messages") for one in course.story.dead_letters(queue)
            ],
        }
        return course, end


def test_a_table_of_version_0_2_is_upgraded_under_load(journeys: Path) -> None:
    for first in range(0, ALL, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, ALL))
        course, upgraded = lived(journeys, numbers, upgraded=True)
        _, never_older = lived(journeys, numbers, upgraded=False)

        assert len(course.left_older) == len(course.of(*set(range(10)) - {ERASED}))
        assert course.deferred, "messages wait for the morning"
        assert course.typed, "some have names that only a visitor typed"
        assert upgraded["older"] == []
        assert upgraded["dead letters"] == []
        assert upgraded["sent"] == never_older["sent"]
        assert set(upgraded["sent"].values()) == {1}, "nobody gets a message twice"
        assert upgraded["customers"] == never_older["customers"]
        assert upgraded["timeline"] == never_older["timeline"]
        assert upgraded["schedules"] == never_older["schedules"]
