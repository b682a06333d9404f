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
    taken: list[Json] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    had: set[str] = field(default_factory=set)

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        self.requests += 1
        self.at.append(datetime.now(MONDAY.tzinfo))
        document = Webhook(LOCAL_ENDPOINT_SECRET).verify(body, headers)
        self.ids.append(headers["webhook-id"])
        time.sleep(self.slow_by)
        status = self.answers.pop(0) if self.answers else self.always
        if status < 300 and headers["webhook-id"] not in self.had:
            self.had.add(headers["webhook-id"])
            self.taken.append(document)
        return status

    def heard(self, *fields: str) -> list[tuple[Any, ...]]:
        return [tuple(one["data"].get(name, one.get(name)) for name in fields) for one in self.taken]


@contextmanager
def at_the_other_end(crm: Crm) -> Iterator[Crm]:
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
class Town:
    """A local deployment, and the CRMs that it sends changes to."""

    story: Story
    crms: dict[str, Crm]

    def __getattr__(self, name: str) -> Any:
        return self.crms[name]


@pytest.fixture
def town() -> Iterator[Town]:
    with ExitStack() as stack:
        crms = {name: stack.enter_context(at_the_other_end(Crm(name))) for name in ("crm", "erp", "shopify")}
        urls = {name: one.url for name, one in crms.items()}
        made = local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({}), webhook_endpoints=urls)
        yield Town(Story(stack.enter_context(made)), crms)


def unsubscribes(town: Town, event_id: str = "optout", channel: str = "email", **more: Any) -> None:
    consent = [{"channel": channel, "purpose": "marketing", "status": "denied", "method": "operator"} | more]
    town.story.happens("consent.changed", event_id, customer=MIA, consent=consent)


def test_every_crm_gets_each_change_at_once_with_its_customer(town: Town) -> None:
    unsubscribes(town)

    for one in (town.crm, town.erp, town.shopify):
        ((kind, customer, status, method, at),) = one.heard("type", "customer", "status", "method", "at")
        assert (kind, status, method) == ("consent.changed", "denied", "operator")
        assert {name: customer[name] for name in MIA} == MIA
        assert at == "2026-03-02T14:00:00Z"
        assert one.at == [MONDAY], "within the same virtual second"


def test_a_change_from_a_crm_is_not_sent_back_to_it(town: Town) -> None:
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
            town.story.deployment.now(),
            headers=headers | {"X-Shopify-Webhook-Id": delivery},
        )
        town.story.posts(sent.body, "shopify", {name.lower(): value for name, value in sent.headers.items()})
        town.story.deployment.settle()

    assert town.crm.heard("status", "source") == [("denied", "shopify")], "the same change twice is sent once"
    assert town.shopify.requests == 0


def test_a_bounced_address_is_sent_to_every_crm(town: Town) -> None:
    town.story.signs_up()
    town.story.passes("3h")
    (mail,) = [line for line in town.story.timeline("message") if line["channel"] == "email"]
    message = (town.story.deployment.report_references()["message:tips"], mail["customer_id"])

    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": MIA["email"]}]}
    town.story.ses_reports("Bounce", of=message, address=MIA["email"], **bounce)

    suppressed = [one for one in town.crm.heard("type", "cause", "channel", "address") if "suppressed" in one[0]]
    assert suppressed == [("address.suppressed", "hard_bounce", "email", MIA["email"])]


def test_a_crm_that_fails_for_an_hour_gets_the_change_once_in_the_end(town: Town) -> None:
    town.crm.answers = [500, 503, 404, 302]  # up to the attempt after 35 minutes

    unsubscribes(town)
    town.story.passes("4h")

    assert len(town.crm.taken) == 1
    assert len(set(town.crm.ids)) == 1, "the id lets it recognise a repeated delivery"
    waits = [later - town.crm.at[0] for later in town.crm.at[1:]]
    advised = [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=35), timedelta(hours=2, minutes=35)]
    assert all(wait <= waited <= wait * 1.3 for wait, waited in zip(advised, waits, strict=True))
    assert len(town.erp.taken) == 1
    assert town.erp.at == [MONDAY]
    assert town.story.dead_letters("notices") == []


def test_a_slow_crm_gets_changes_later_and_delays_no_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_endpoints, "ANSWER_SECONDS", 0.1)
    town.crm.slow_by = 0.5

    for number in range(6):
        unsubscribes(town, f"optout-{number}", channel="sms" if number % 2 else "email", wording=str(number))
    assert town.crm.requests == 1, "one timeout, not ten"
    assert len(town.erp.taken) == 6
    assert set(town.erp.at) == {MONDAY}
    town.crm.slow_by = 0
    town.story.passes("1h")

    assert sorted(one["data"]["channel"] for one in town.crm.taken) == ["email"] * 3 + ["sms"] * 3


def test_a_crm_that_is_gone_is_not_called_again_and_the_delivery_is_dead_lettered(town: Town) -> None:
    town.crm.always = 410

    unsubscribes(town)
    town.story.passes("4d")

    assert town.crm.requests == 1
    ((body, reason),) = town.story.dead_letters("notices")
    assert "crm answered 410" in reason
    assert not [word for word in MIA.values() if word in body + reason], "a dead letter contains no personal data"


def test_a_failed_delivery_gets_all_its_attempts_again_when_redriven(town: Town) -> None:
    town.crm.always = 500
    unsubscribes(town)
    town.story.passes("4d")
    assert town.crm.requests == 10
    dead_letters = town.story.deployment.dead_letters()
    ((reason, count),) = next(one for one in dead_letters.summary() if one["queue"] == "notices")["reasons"].items()
    assert (reason, count) == ("GivenUpError: crm answered 500, at the last of 10 attempts", 1)

    town.crm.answers, town.crm.always = [500], 204
    town.story.passes("5m")
    assert dead_letters.redrive("notices", "", None)["redriven"] == 1
    town.story.passes("1h")

    assert town.crm.requests == 12
    assert len(town.crm.taken) == 1
    assert len(set(town.crm.ids)) == 1
    assert dead_letters.redrive("notices", "", None)["redriven"] == 0


def test_a_delivery_for_a_merged_customer_has_its_current_identifiers(town: Town) -> None:
    town.crm.answers = [500] * 3
    denial = [{"channel": "email", "purpose": "marketing", "status": "denied"}]
    town.story.happens("consent.changed", "a", customer={"email": "sam@example.com"}, consent=denial)
    town.story.happens("page.viewed", "b", customer={"user_id": "sam"})
    town.story.happens("page.viewed", "c", customer={"user_id": "sam", "email": "sam@example.com"})
    town.story.passes("4h")

    ((customer,),) = town.crm.heard("customer")
    assert (customer["user_id"], customer["email"]) == ("sam", "sam@example.com")


def test_instants_give_the_order_of_late_deliveries(town: Town) -> None:
    """A CRM that missed the first change gets it after the second, and can see the order."""
    town.crm.answers = [500]
    unsubscribes(town)
    town.story.passes("2s")
    consent = [{"channel": "email", "purpose": "marketing", "status": "granted", "method": "double_opt_in"}]
    town.story.happens("consent.changed", "optin", customer=MIA, consent=consent)
    town.story.passes("1m")

    assert town.crm.heard("status", "at") == [("granted", "2026-03-02T14:00:02Z"), ("denied", "2026-03-02T14:00:00Z")]


def test_a_consent_record_is_stored_with_its_whole_proof(town: Town) -> None:
    proof = {"wording": "E-mail me offers ✓", "wording_version": "7", "locale": "en-US", "ip": "192.0.2.7"}
    consent = [{"channel": "email", "purpose": "marketing", "status": "granted", "source": "form", **proof}]

    town.story.happens("form.sent", customer=MIA, consent=consent)

    (line,) = town.story.timeline("consent")
    assert (line["channel"], line["purpose"], line["status"]) == ("email", "marketing", "granted")
    assert (line["source"], line["told_by"], line["evidence"]) == ("form", "track", proof)
    assert proof["ip"] not in json.dumps(town.crm.taken)
