"""Every change of consent and suppression reaches every CRM, signed, within a minute; no CRM delays another.

The real function posts to real HTTP servers on loopback; only the time is virtual.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from standardwebhooks import Webhook

from cairn.adapters.http import webhook_endpoints
from infra.local.cloud import LOCAL_ENDPOINT_SECRET
from infra.local.deployment import local_deployment
from infra.local.signing import local_secrets
from tests.conftest import MONDAY, SHORT_JOURNEY, Story

MIA = {"user_id": "member-1", "email": "mia.1@example.com", "phone": "+12015550001"}
Json = dict[str, Any]


@dataclass
class Crm:
    """The receiver of a webhook. It checks each signature with the standard's own library."""

    name: str
    url: str = ""
    answers: list[int] = field(default_factory=list)
    """Its next answers; after these, `always`."""
    always: int = 204
    slow_by: float = 0
    requests: int = 0
    at: list[datetime] = field(default_factory=list)
    accepted: list[Json] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    accepted_ids: set[str] = field(default_factory=set)

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        self.requests += 1
        self.at.append(datetime.now(MONDAY.tzinfo))
        document = Webhook(LOCAL_ENDPOINT_SECRET).verify(body, headers)
        self.ids.append(headers["webhook-id"])
        time.sleep(self.slow_by)
        status = self.answers.pop(0) if self.answers else self.always
        if status < 300 and headers["webhook-id"] not in self.accepted_ids:
            self.accepted_ids.add(headers["webhook-id"])
            self.accepted.append(document)
        return status

    def received(self, *fields: str) -> list[tuple[Any, ...]]:
        return [tuple(one["data"].get(name, one.get(name)) for name in fields) for one in self.accepted]


@contextmanager
def crm_server(crm: Crm) -> Iterator[Crm]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = crm.answer({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    crm.url = f"http://127.0.0.1:{server.server_port}/hooks/cairn"
    try:
        yield crm
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Integrations:
    """A local deployment, and the CRMs that it sends changes to."""

    story: Story
    crms: dict[str, Crm]

    def __getattr__(self, name: str) -> Any:
        return self.crms[name]


@pytest.fixture
def integrations() -> Iterator[Integrations]:
    with ExitStack() as stack:
        crms = {name: stack.enter_context(crm_server(Crm(name))) for name in ("crm", "erp", "shopify")}
        urls = {name: one.url for name, one in crms.items()}
        made = local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({}), webhook_endpoints=urls)
        yield Integrations(Story(stack.enter_context(made)), crms)


def unsubscribes(integrations: Integrations, event_id: str = "optout", channel: str = "email", **more: Any) -> None:
    consent = [{"channel": channel, "purpose": "marketing", "status": "denied", "method": "operator"} | more]
    integrations.story.happens("consent.changed", event_id, customer=MIA, consent=consent)


def test_every_crm_gets_each_change_at_once_with_its_customer(integrations: Integrations) -> None:
    unsubscribes(integrations)

    for one in (integrations.crm, integrations.erp, integrations.shopify):
        ((kind, customer, status, method, at),) = one.received("type", "customer", "status", "method", "at")
        assert (kind, status, method) == ("consent.changed", "denied", "api")
        assert {name: customer[name] for name in MIA} == MIA
        assert at == "2026-03-02T14:00:00Z"
        assert one.at == [MONDAY], "within the same virtual second"


def test_a_change_from_a_crm_is_not_sent_back_to_it(integrations: Integrations) -> None:
    update = {
        "customer_id": 7,
        "email_address": MIA["email"],
        "email_marketing_consent": {"state": "unsubscribed", "consent_updated_at": "2026-03-02T13:00:00Z"},
    }
    headers = {"X-Shopify-Topic": "customers_email_marketing_consent/update", "content-type": "application/json"}
    from authoring.sources.samples import posting
    from infra.local.signing import LOCAL_SECRET

    for delivery in ("one", "two"):
        sent = posting(
            "shopify",
            update,
            LOCAL_SECRET,
            integrations.story.deployment.now(),
            headers=headers | {"X-Shopify-Webhook-Id": delivery},
        )
        integrations.story.posts(sent.body, "shopify", {name.lower(): value for name, value in sent.headers.items()})
        integrations.story.deployment.settle()

    assert integrations.crm.received("status", "source") == [("denied", "shopify")], (
        "the same change twice is sent once"
    )
    assert integrations.shopify.requests == 0


def test_a_bounced_address_is_sent_to_every_crm(integrations: Integrations) -> None:
    integrations.story.signs_up()
    integrations.story.passes("3h")
    (mail,) = [line for line in integrations.story.timeline("message") if line["channel"] == "email"]
    message = (integrations.story.deployment.report_references()["message:tips"], mail["customer_id"])

    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": MIA["email"]}]}
    integrations.story.ses_reports("Bounce", of=message, address=MIA["email"], **bounce)

    suppressed = [
        one for one in integrations.crm.received("type", "cause", "channel", "address") if "suppressed" in one[0]
    ]
    assert suppressed == [("address.suppressed", "hard_bounce", "email", MIA["email"])]


def test_a_crm_that_fails_for_an_hour_gets_the_change_once_in_the_end(integrations: Integrations) -> None:
    integrations.crm.answers = [500, 503, 404, 302]  # up to the attempt after 35 minutes

    unsubscribes(integrations)
    integrations.story.passes("4h")

    assert len(integrations.crm.accepted) == 1
    assert len(set(integrations.crm.ids)) == 1, "the id lets it recognise a repeated delivery"
    waits = [later - integrations.crm.at[0] for later in integrations.crm.at[1:]]
    advised = [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=35), timedelta(hours=2, minutes=35)]
    assert all(wait <= waited <= wait * 1.3 for wait, waited in zip(advised, waits, strict=True))
    assert len(integrations.erp.accepted) == 1
    assert integrations.erp.at == [MONDAY]
    assert integrations.story.dead_letters("notices") == []


def test_a_slow_crm_gets_changes_later_and_delays_no_other(
    integrations: Integrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_endpoints, "ANSWER_SECONDS", 0.1)
    integrations.crm.slow_by = 0.5

    for number in range(6):
        unsubscribes(integrations, f"optout-{number}", channel="sms" if number % 2 else "email", wording=str(number))
    assert integrations.crm.requests == 1, "one timeout, not six"
    assert len(integrations.erp.accepted) == 6
    assert set(integrations.erp.at) == {MONDAY}
    integrations.crm.slow_by = 0
    integrations.story.passes("1h")

    assert sorted(one["data"]["channel"] for one in integrations.crm.accepted) == ["email"] * 3 + ["sms"] * 3


def test_a_crm_that_is_gone_is_not_called_again_and_the_delivery_is_dead_lettered(integrations: Integrations) -> None:
    integrations.crm.always = 410

    unsubscribes(integrations)
    integrations.story.passes("4d")

    assert integrations.crm.requests == 1
    ((body, reason),) = integrations.story.dead_letters("notices")
    assert "crm answered 410" in reason
    assert not [word for word in MIA.values() if word in body + reason], "a dead letter contains no personal data"


def test_a_failed_delivery_gets_all_its_attempts_again_when_redriven(integrations: Integrations) -> None:
    integrations.crm.always = 500
    unsubscribes(integrations)
    integrations.story.passes("4d")
    assert integrations.crm.requests == 10
    dead_letters = integrations.story.deployment.dead_letters()
    ((reason, count),) = next(one for one in dead_letters.summary() if one["queue"] == "notices")["reasons"].items()
    assert (reason, count) == ("GivenUpError: crm answered 500, at the last of 10 attempts", 1)

    integrations.crm.answers, integrations.crm.always = [500], 204
    integrations.story.passes("5m")
    assert dead_letters.redrive("notices", "", None)["redriven"] == 1
    integrations.story.passes("1h")

    assert integrations.crm.requests == 12
    assert len(integrations.crm.accepted) == 1
    assert len(set(integrations.crm.ids)) == 1
    assert dead_letters.redrive("notices", "", None)["redriven"] == 0


def test_a_delivery_for_a_merged_customer_has_its_current_identifiers(integrations: Integrations) -> None:
    integrations.crm.answers = [500] * 3
    denial = [{"channel": "email", "purpose": "marketing", "status": "denied"}]
    integrations.story.happens("consent.changed", "a", customer={"email": "sam@example.com"}, consent=denial)
    integrations.story.happens("page.viewed", "b", customer={"user_id": "sam"})
    integrations.story.happens("page.viewed", "c", customer={"user_id": "sam", "email": "sam@example.com"})
    integrations.story.passes("4h")

    ((customer,),) = integrations.crm.received("customer")
    assert (customer["user_id"], customer["email"]) == ("sam", "sam@example.com")


def test_instants_give_the_order_of_late_deliveries(integrations: Integrations) -> None:
    """A CRM that missed the first change gets it after the second, and can see the order."""
    integrations.crm.answers = [500]
    unsubscribes(integrations)
    integrations.story.passes("2s")
    consent = [{"channel": "email", "purpose": "marketing", "status": "granted", "method": "double_opt_in"}]
    integrations.story.happens("consent.changed", "optin", customer=MIA, consent=consent)
    integrations.story.passes("1m")

    assert integrations.crm.received("status", "at") == [
        ("granted", "2026-03-02T14:00:02Z"),
        ("denied", "2026-03-02T14:00:00Z"),
    ]


def test_a_consent_record_is_stored_with_its_whole_proof(integrations: Integrations) -> None:
    proof = {"wording": "E-mail me offers ✓", "wording_version": "7", "locale": "en-US", "ip": "192.0.2.7"}
    consent = [{"channel": "email", "purpose": "marketing", "status": "granted", "source": "form", **proof}]

    integrations.story.happens("form.sent", customer=MIA, consent=consent)

    (line,) = integrations.story.timeline("consent")
    assert (line["channel"], line["purpose"], line["status"]) == ("email", "marketing", "granted")
    assert (line["source"], line["told_by"]) == ("track", "track")
    assert line["evidence"] == {**proof, "method": "api", "claimed_source": "form"}
    assert proof["ip"] not in json.dumps(integrations.crm.accepted)
