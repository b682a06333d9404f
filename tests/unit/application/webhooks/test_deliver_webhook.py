"""Deliver a webhook: with the retries that Standard Webhooks advises, and a visible end after the last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.sqs.webhook_queue import delivery_from_wire, delivery_to_wire
from cairn.application.values.webhooks import Reply
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
from cairn.domain.identity.trust import JOURNEYS_SOURCE
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import WebhookEndpointError, WebhookUnreachableError
from cairn.domain.webhook_delivery import WebhookCall, WebhookDelivery
from tests.unit.fakes import Inbox
from tests.unit.makers import MONDAY, denied, profile

CRM = WebhookEndpoint(name="crm", url="https://crm.example.com/in", secret="crm")
ERP = WebhookEndpoint(name="erp", url="https://erp.example.com/in", secret="erp")
DELIVERY = WebhookDelivery("ntc_1", "crm", "c_ada", "r1")
RECORD = ConsentRecord("preferences", denied(Channel.EMAIL, Purpose.MARKETING))


class Records(dict[str, ConsentRecord]):
    def add(self, customer_id: str, effect_id: str, records: Any) -> list[str]:
        raise NotImplementedError

    def knows(self, customer_id: str) -> bool:
        return customer_id == "c_ada"

    def find(self, customer_id: str, name: str) -> tuple[Profile, ConsentRecord] | None:  # noqa: ARG002
        return (profile(), self[name]) if name in self else None


@dataclass
class Wire:
    """Endpoints with their next response; by default they accept everything."""

    answers: dict[str, Reply | Exception] = field(default_factory=dict)
    posted: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def post(
        self,
        endpoint: WebhookEndpoint,
        delivery_id: str,
        document: Mapping[str, Any],
        now: datetime,  # noqa: ARG002
        read: int = 0,  # noqa: ARG002
    ) -> Reply:
        answer = self.answers.get(endpoint.name, Reply(204))
        self.posted.append((endpoint.name, delivery_id, document))
        if isinstance(answer, Exception):
            raise answer
        return answer


class PutOff(list[tuple[Any, datetime]]):
    def retry_at(self, delivery: WebhookDelivery | WebhookCall, until: datetime, now: datetime) -> None:  # noqa: ARG002
        self.append((delivery, until))


@dataclass
class Sender:
    wire: Wire = field(default_factory=Wire)
    later: PutOff = field(default_factory=PutOff)
    records: Records = field(default_factory=lambda: Records(r1=RECORD))
    inbox: Inbox = field(default_factory=Inbox)

    def __post_init__(self) -> None:
        self.deliver = DeliverWebhook(
            {one.name: one for one in (CRM, ERP)}, self.records, self.wire, self.inbox, self.later.retry_at
        )

    def until_the_end(self, delivery: WebhookDelivery) -> list[datetime]:
        """The times of all attempts."""
        now, tried = MONDAY, []
        while True:
            tried.append(now)
            try:
                self.deliver(delivery, now)
            except GivenUpError:
                return tried
            delivery, now = self.later.pop()


@pytest.fixture
def sender() -> Sender:
    return Sender()


def test_an_endpoint_gets_the_change_and_the_customer(sender: Sender) -> None:
    assert sender.deliver(DELIVERY, MONDAY) is Outcome.DELIVERED

    ((name, delivery_id, document),) = sender.wire.posted
    assert (name, delivery_id) == ("crm", "ntc_1")
    assert document["type"] == "consent.changed"
    assert document["data"]["customer"]["cairn_id"] == "c_ada"
    assert document["data"]["status"] == "denied"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(sender: Sender, status: int) -> None:
    sender.wire.answers["crm"] = Reply(status)

    assert sender.deliver(DELIVERY, MONDAY) is Outcome.DELIVERED
    assert sender.later == []


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 308, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504])
def test_every_other_status_is_retried(sender: Sender, status: int) -> None:
    sender.wire.answers["crm"] = Reply(status)

    assert sender.deliver(DELIVERY, MONDAY) is Outcome.PUT_OFF
    assert [delivery.attempt for delivery, _ in sender.later] == [1]


def test_a_delivery_is_given_up_after_ten_attempts_in_three_days(sender: Sender) -> None:
    sender.wire.answers["crm"] = Reply(500)

    tried = sender.until_the_end(DELIVERY)

    assert len(tried) == ATTEMPTS == 10
    waits = [later - earlier for earlier, later in pairwise(tried)]
    assert all(wait <= waited <= wait * (1 + JITTER) for wait, waited in zip(WAITS, waits, strict=True))
    assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5), "as Standard Webhooks has it"
    assert {delivery_id for _, delivery_id, _ in sender.wire.posted} == {"ntc_1"}, "by which it knows what it has had"


def test_the_reason_for_giving_up_has_no_personal_data(sender: Sender) -> None:
    sender.wire.answers["crm"] = WebhookUnreachableError("did not answer: ReadTimeoutError")

    with pytest.raises(GivenUpError, match="crm did not answer: ReadTimeoutError, at the last of 10 attempts"):
        sender.deliver(WebhookDelivery("ntc_1", "crm", "c_ada", "r1", attempt=9), MONDAY)


def test_an_endpoint_that_is_gone_is_not_called_again(sender: Sender) -> None:
    sender.wire.answers["crm"] = Reply(410)

    with pytest.raises(GivenUpError, match="crm answered 410"):
        sender.deliver(DELIVERY, MONDAY)
    assert sender.later == []


def test_an_endpoint_that_left_the_policy_is_not_called(sender: Sender) -> None:
    with pytest.raises(WebhookEndpointError, match="no webhook endpoint old is known here"):
        sender.deliver(WebhookDelivery("ntc_1", "old", "c_ada", "r1"), MONDAY)

    assert sender.wire.posted == []


def test_there_is_no_delivery_about_an_erased_customer(sender: Sender) -> None:
    sender.records.clear()

    assert sender.deliver(DELIVERY, MONDAY) is Outcome.ERASED
    assert sender.wire.posted == []


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
def test_retry_after_is_followed_within_bounds(sender: Sender, status: int, header: str, asked: timedelta) -> None:
    sender.wire.answers["crm"] = Reply(status, header)

    sender.deliver(DELIVERY, MONDAY)

    ((_, until),) = sender.later
    assert asked <= until - MONDAY <= asked * (1 + JITTER)


@pytest.mark.parametrize("header", ["", "soon", "-5", "0", "Mon, 02 Mar 2020 11:00:00 GMT", "1.5", "1e9", "٣", "Mon"])
def test_an_unreadable_retry_after_changes_nothing(sender: Sender, header: str) -> None:
    sender.wire.answers["crm"] = Reply(500, header)

    sender.deliver(DELIVERY, MONDAY)

    ((_, until),) = sender.later
    assert until - MONDAY < timedelta(seconds=6)


@pytest.mark.parametrize("answer", [WebhookUnreachableError("did not answer"), Reply(429), Reply(502), Reply(503)])
def test_an_endpoint_that_does_not_answer_delays_no_other(sender: Sender, answer: Any) -> None:
    """Of a hundred deliveries, only one waits for the timeout."""
    sender.wire.answers["crm"] = answer
    sender.deliver(DELIVERY, MONDAY)
    for number in range(100):
        assert sender.deliver(WebhookDelivery(f"ntc_{number}", "crm", "c_ada", "r1"), MONDAY) is Outcome.PUT_OFF

    assert sender.deliver(WebhookDelivery("ntc_1", "erp", "c_ada", "r1"), MONDAY) is Outcome.DELIVERED
    assert [name for name, _, _ in sender.wire.posted] == ["crm", "erp"]
    assert all(until >= MONDAY + min(BACK_OFF, WAITS[0]) for _, until in sender.later)


def test_an_endpoint_that_answers_again_gets_all_deliveries(sender: Sender) -> None:
    sender.wire.answers["crm"] = WebhookUnreachableError("did not answer")
    sender.deliver(DELIVERY, MONDAY)
    sender.deliver(WebhookDelivery("ntc_2", "crm", "c_ada", "r1"), MONDAY)
    del sender.wire.answers["crm"]

    outcomes = [sender.deliver(delivery, max(until, MONDAY + BACK_OFF)) for delivery, until in list(sender.later)]

    assert outcomes == [Outcome.DELIVERED, Outcome.DELIVERED]


def test_an_endpoint_that_refuses_gets_the_next_delivery_at_once(sender: Sender) -> None:
    """A 400 may concern this delivery only, and costs no time."""
    sender.wire.answers["crm"] = Reply(400)

    for number in range(3):
        sender.deliver(WebhookDelivery(f"ntc_{number}", "crm", "c_ada", "r1"), MONDAY)

    assert len(sender.wire.posted) == 3


@given(st.integers(min_value=1, max_value=len(WAITS)), st.text(max_size=30))
def test_a_wait_is_never_shorter_than_its_step_nor_much_longer(attempt: int, id_: str) -> None:
    delivery = WebhookDelivery(id_, "crm", "c_ada", "r1", attempt)

    wait = wait_before(delivery)

    assert WAITS[attempt - 1] <= wait <= WAITS[attempt - 1] * (1 + JITTER)
    assert wait == wait_before(delivery)


def test_deliveries_that_failed_together_are_not_retried_together() -> None:
    waits = {wait_before(WebhookDelivery(f"ntc_{number}", "crm", "c_ada", "r1", 3)) for number in range(50)}

    assert len(waits) == 50


TWO_HOURS = timedelta(hours=2)
CALL = WebhookCall("e-coupon-call-1", "crm", "c_ada", "e", "coupon", "a.b", MONDAY, MONDAY + TWO_HOURS, {"a": 1})

replies = st.builds(Reply, st.sampled_from([200, 204, 302, 410, 429, 500, 503]), body=st.binary(max_size=9))
unreachable = st.just(WebhookUnreachableError("did not answer"))
out_of_reach = st.just(WebhookEndpointError("the host of crm has an address that is not public: it is not called"))


@given(st.lists(replies | unreachable | out_of_reach, min_size=1, max_size=12))
def test_a_journey_hears_exactly_once_what_has_become_of_its_call(answers: list[Reply | Exception]) -> None:
    sender, now, call, tried = Sender(), MONDAY, CALL, 0

    while True:
        sender.wire.answers["crm"] = answers[min(tried, len(answers) - 1)]
        tried += 1
        outcome = sender.deliver(call, now)
        if outcome is not Outcome.PUT_OFF:
            break
        assert list(sender.inbox) == []
        call, now = sender.later.pop()

    assert now < MONDAY + TWO_HOURS
    (heard,) = sender.inbox
    assert (heard.id, heard.source, heard.customer_id) == (CALL.id, JOURNEYS_SOURCE, "c_ada")
    assert (heard.type == "webhook.answered") == (outcome is Outcome.DELIVERED)
    assert heard.properties["enrollment"], heard.properties["step"] == ("e", "coupon")
    assert delivery_from_wire(json.loads(to_json(delivery_to_wire(call)))) == call


def test_nothing_is_posted_for_a_customer_who_is_no_more(sender: Sender) -> None:
    assert sender.deliver(replace(CALL, customer="c_gone"), MONDAY) is Outcome.ERASED
    assert (list(sender.inbox), sender.wire.posted) == ([], [])


def test_a_call_to_an_endpoint_that_is_no_more_is_refused(sender: Sender) -> None:
    assert sender.deliver(replace(CALL, endpoint="gone"), MONDAY) is Outcome.REFUSED
