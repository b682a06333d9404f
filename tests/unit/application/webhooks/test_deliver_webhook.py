"""A subscriber is told once it can be, as often as Standard Webhooks advises, and given up on in the open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.application.ports import Reply
from cairn.application.webhooks.deliver_webhook import (
    ATTEMPTS,
    BACK_OFF,
    JITTER,
    MAX_RETRY_AFTER,
    WAITS,
    DeliverWebhook,
    GivenUpError,
    Outcome,
    wait_before,
)
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import WebhookEndpointError, WebhookUnreachableError
from cairn.domain.webhook_delivery import WebhookDelivery
from tests.unit.makers import MONDAY, denied, profile

CRM = WebhookEndpoint(name="crm", url="https://crm.example.com/in", secret="crm")
ERP = WebhookEndpoint(name="erp", url="https://erp.example.com/in", secret="erp")
NOTICE = WebhookDelivery("ntc_1", "crm", "c_ada", "r1")
RECORD = ConsentRecord("preferences", denied(Channel.EMAIL, Purpose.MARKETING))


class Records(dict[str, ConsentRecord]):
    def add(self, customer_id: str, effect_id: str, records: Any) -> list[str]:
        raise NotImplementedError

    def find(self, customer_id: str, name: str) -> tuple[Profile, ConsentRecord] | None:  # noqa: ARG002
        return (profile(), self[name]) if name in self else None


@dataclass
class Wire:
    """Subscribers as they answer next; by default they take everything."""

    answers: dict[str, Reply | Exception] = field(default_factory=dict)
    told: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def post(self, subscriber: WebhookEndpoint, notice_id: str, document: Mapping[str, Any], now: datetime) -> Reply:  # noqa: ARG002
        answer = self.answers.get(subscriber.name, Reply(204))
        self.told.append((subscriber.name, notice_id, document))
        if isinstance(answer, Exception):
            raise answer
        return answer


class PutOff(list[tuple[WebhookDelivery, datetime]]):
    def retry_at(self, notice: WebhookDelivery, until: datetime, now: datetime) -> None:  # noqa: ARG002
        self.append((notice, until))


@dataclass
class Desk:
    wire: Wire = field(default_factory=Wire)
    later: PutOff = field(default_factory=PutOff)
    records: Records = field(default_factory=lambda: Records(r1=RECORD))

    def __post_init__(self) -> None:
        self.notify = DeliverWebhook(
            {one.name: one for one in (CRM, ERP)}, self.records, self.wire, self.later.retry_at
        )

    def until_the_end(self, notice: WebhookDelivery) -> list[datetime]:
        """When the notice was tried, up to the last attempt."""
        now, tried = MONDAY, []
        while True:
            tried.append(now)
            try:
                self.notify(notice, now)
            except GivenUpError:
                return tried
            notice, now = self.later.pop()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_subscriber_is_told_what_changed_and_about_whom(desk: Desk) -> None:
    assert desk.notify(NOTICE, MONDAY) is Outcome.DELIVERED

    ((name, notice_id, document),) = desk.wire.told
    assert (name, notice_id) == ("crm", "ntc_1")
    assert document["type"] == "consent.changed"
    assert document["data"]["customer"]["cairn_id"] == "c_ada"
    assert document["data"]["status"] == "denied"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_yes(desk: Desk, status: int) -> None:
    desk.wire.answers["crm"] = Reply(status)

    assert desk.notify(NOTICE, MONDAY) is Outcome.DELIVERED
    assert desk.later == []


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 308, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504])
def test_everything_else_is_tried_again(desk: Desk, status: int) -> None:
    desk.wire.answers["crm"] = Reply(status)

    assert desk.notify(NOTICE, MONDAY) is Outcome.PUT_OFF
    assert [notice.attempt for notice, _ in desk.later] == [1]


def test_it_is_tried_ten_times_over_three_days_then_given_up_on(desk: Desk) -> None:
    desk.wire.answers["crm"] = Reply(500)

    tried = desk.until_the_end(NOTICE)

    assert len(tried) == ATTEMPTS == 10
    waits = [later - earlier for earlier, later in pairwise(tried)]
    assert all(wait <= waited <= wait * (1 + JITTER) for wait, waited in zip(WAITS, waits, strict=True))
    assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5), "as Standard Webhooks has it"
    assert {notice_id for _, notice_id, _ in desk.wire.told} == {"ntc_1"}, "by which it knows what it has had"


def test_why_it_was_given_up_on_is_said_without_a_persons_data(desk: Desk) -> None:
    desk.wire.answers["crm"] = WebhookUnreachableError("did not answer: ReadTimeoutError")

    with pytest.raises(GivenUpError, match="crm did not answer: ReadTimeoutError, at the last of 10 attempts"):
        desk.notify(WebhookDelivery("ntc_1", "crm", "c_ada", "r1", attempt=9), MONDAY)


def test_who_is_gone_is_not_asked_again(desk: Desk) -> None:
    desk.wire.answers["crm"] = Reply(410)

    with pytest.raises(GivenUpError, match="crm answered 410"):
        desk.notify(NOTICE, MONDAY)
    assert desk.later == []


def test_who_is_no_subscriber_any_more_is_not_asked(desk: Desk) -> None:
    with pytest.raises(WebhookEndpointError, match="no subscriber old any more"):
        desk.notify(WebhookDelivery("ntc_1", "old", "c_ada", "r1"), MONDAY)

    assert desk.wire.told == []


def test_of_an_erased_customer_there_is_nothing_to_tell(desk: Desk) -> None:
    desk.records.clear()

    assert desk.notify(NOTICE, MONDAY) is Outcome.ERASED
    assert desk.wire.told == []


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 02 Mar 2026 11:00:00 GMT", timedelta(hours=1)),
        ("999999999999", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_time_is_given_it_within_bounds(desk: Desk, status: int, header: str, asked: timedelta) -> None:
    desk.wire.answers["crm"] = Reply(status, header)

    desk.notify(NOTICE, MONDAY)

    ((_, until),) = desk.later
    assert asked <= until - MONDAY <= asked * (1 + JITTER)


@pytest.mark.parametrize("header", ["", "soon", "-5", "0", "Mon, 02 Mar 2020 11:00:00 GMT", "1.5", "1e9", "٣", "Mon"])
def test_what_asks_for_no_time_changes_nothing(desk: Desk, header: str) -> None:
    desk.wire.answers["crm"] = Reply(500, header)

    desk.notify(NOTICE, MONDAY)

    ((_, until),) = desk.later
    assert until - MONDAY < timedelta(seconds=6)


@pytest.mark.parametrize("answer", [WebhookUnreachableError("did not answer"), Reply(429), Reply(502), Reply(503)])
def test_who_does_not_answer_keeps_nobody_else_waiting(desk: Desk, answer: Any) -> None:
    """Of a hundred notices one pays the price of a timeout, not each of them."""
    desk.wire.answers["crm"] = answer
    desk.notify(NOTICE, MONDAY)
    for number in range(100):
        assert desk.notify(WebhookDelivery(f"ntc_{number}", "crm", "c_ada", "r1"), MONDAY) is Outcome.PUT_OFF

    assert desk.notify(WebhookDelivery("ntc_1", "erp", "c_ada", "r1"), MONDAY) is Outcome.DELIVERED
    assert [name for name, _, _ in desk.wire.told] == ["crm", "erp"]
    assert all(until >= MONDAY + min(BACK_OFF, WAITS[0]) for _, until in desk.later)


def test_who_answers_again_is_told_everything(desk: Desk) -> None:
    desk.wire.answers["crm"] = WebhookUnreachableError("did not answer")
    desk.notify(NOTICE, MONDAY)
    desk.notify(WebhookDelivery("ntc_2", "crm", "c_ada", "r1"), MONDAY)
    del desk.wire.answers["crm"]

    outcomes = [desk.notify(notice, max(until, MONDAY + BACK_OFF)) for notice, until in list(desk.later)]

    assert outcomes == [Outcome.DELIVERED, Outcome.DELIVERED]


def test_who_merely_refuses_is_not_left_alone(desk: Desk) -> None:
    """A 400 may be about this notice alone, and costs nobody time."""
    desk.wire.answers["crm"] = Reply(400)

    for number in range(3):
        desk.notify(WebhookDelivery(f"ntc_{number}", "crm", "c_ada", "r1"), MONDAY)

    assert len(desk.wire.told) == 3


@given(st.integers(min_value=1, max_value=len(WAITS)), st.text(max_size=30))
def test_a_wait_is_never_shorter_than_its_step_nor_much_longer(attempt: int, id_: str) -> None:
    notice = WebhookDelivery(id_, "crm", "c_ada", "r1", attempt)

    wait = wait_before(notice)

    assert WAITS[attempt - 1] <= wait <= WAITS[attempt - 1] * (1 + JITTER)
    assert wait == wait_before(notice)


def test_what_failed_together_does_not_come_back_together() -> None:
    waits = {wait_before(WebhookDelivery(f"ntc_{number}", "crm", "c_ada", "r1", 3)) for number in range(50)}

    assert len(waits) == 50
