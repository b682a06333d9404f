"""The in-app inbox: a message waits there for its reader, and what the reader does comes back as events."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import local_secrets
from tests.stories.shop import MIA, NEW_YORK_MORNING, POLICY, Shop

Json = dict[str, Any]

OPERATOR = "arn:aws:iam::123456789012:user/ada"

JOURNEY = """
journey: hello
description: One message in the app, and a wait for what becomes of it.
time_zone: America/New_York
entry: {event: note.wanted, again: when-ended}
exit_on: [{event: note.unwanted, key: any}]
steps:
  - id: hello
    send: {channel: [in_app, sms], template: hello, purpose: PURPOSE}
  - id: seen
    wait_for:
      event: message.opened
      timeout: 20d
      then: [{id: read, exit: read}]
  - id: over
    exit: never-read
"""

IN_APP = """\
---
title: Hello {{ profile.first_name }}
link: https://northside.example.com/visits/{{ data.id | default('1') }}
button: Show my visit
expires_after: 7d
---
Your visit is on Saturday.
"""

TOKENS = "https://localhost/manage/in-app-tokens"
MESSAGES = "https://localhost/in-app/messages"


@dataclass
class Reader:
    """A customer's app, with the token that the business's server got for it."""

    deployment: LocalDeployment
    token: str

    def asks(self, method: str, url: str, **headers: str) -> Json:
        answer = self.deployment.in_app(method, url, {"authorization": f"Bearer {self.token}", **headers})
        self.deployment.settle()
        found: Json = json.loads(answer["body"]) if answer["body"] else {}
        return {"status_code": answer["statusCode"], "headers": answer["headers"], **found}

    def inbox(self, query: str = "") -> Json:
        return self.asks("GET", MESSAGES + query)

    def does(self, what: str, id_: str = "") -> int:
        id_ = id_ or self.inbox()["messages"][0]["id"]
        status: int = self.asks("POST", f"{MESSAGES}/{id_}/{what}")["status_code"]
        return status

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.inbox()["messages"]]


def token_of(shop: Shop, customer: str = "mia", **more: Any) -> Json:
    return shop.asks("POST", "in-app-tokens", customer=customer, **more)


def reader_of(shop: Shop, customer: str = "mia", **more: Any) -> Reader:
    return Reader(shop.deployment, token_of(shop, customer, **more)["token"])


Opens = Callable[..., Shop]


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    with ExitStack() as stack:

        def open_shop(purpose: str = "transactional", journey: str = JOURNEY, template: str = IN_APP) -> Shop:
            folder = tmp_path / "journeys" / "hello"
            (folder / "templates").mkdir(parents=True)
            (folder / "journey.yaml").write_text(journey.replace("PURPOSE", purpose))
            (folder / "templates" / "hello.in_app.txt").write_text(template)
            (folder / "templates" / "hello.sms.txt").write_text("Northside: your visit is on Saturday.")
            (tmp_path / "policy.toml").write_text(POLICY % "")
            made = local_deployment(
                tmp_path / "journeys",
                start=NEW_YORK_MORNING,
                secrets=local_secrets({}),
                policy=tmp_path / "policy.toml",
            )
            return Shop(stack.enter_context(made), "")

        yield open_shop


@pytest.fixture
def shop(opens: Opens) -> Shop:
    made = opens()
    made.happens("note.wanted")
    return made


def statuses(shop: Shop) -> list[tuple[str, str]]:
    return [(line["channel"], line["status"]) for line in shop.timeline("message")]


def events(shop: Shop) -> list[str]:
    return [line["type"] for line in shop.timeline("event") if line["type"].startswith("message.")]


def test_a_message_waits_in_the_inbox_of_its_customer(shop: Shop) -> None:
    inbox = reader_of(shop).inbox()

    (message,) = inbox["messages"]
    assert (inbox["status_code"], inbox["unread"], inbox["after"]) == (200, 1, None)
    assert message["title"] == "Hello Mia"
    assert message["text"] == "Your visit is on Saturday."
    assert (message["link"], message["button"]) == ("https://northside.example.com/visits/1", "Show my visit")
    assert (message["status"], message["sent_at"]) == ("new", "2026-03-02T15:00:00Z")
    assert message["expires_at"] == "2026-03-09T15:00:00Z"


def test_it_is_delivered_by_being_stored(shop: Shop) -> None:
    assert statuses(shop) == [("in_app", "delivered")]
    assert shop.sent() == []


def test_a_message_that_its_reader_opens_ends_the_wait_for_that(shop: Shop) -> None:
    mia = reader_of(shop)

    assert mia.does("opened") == 204

    assert statuses(shop) == [("in_app", "opened")]
    assert events(shop) == ["message.opened"]
    assert shop.timeline("ended")[-1]["outcome"] == "read"
    assert mia.inbox()["unread"] == 0


def test_a_click_and_a_dismissal_are_events_and_a_look_at_the_list_is_none(shop: Shop) -> None:
    mia = reader_of(shop)
    id_ = mia.inbox()["messages"][0]["id"]

    for what in ("seen", "clicked", "dismissed"):
        shop.passes("1s")
        assert mia.does(what, id_) == 204

    assert events(shop) == ["message.clicked", "message.dismissed"]
    assert shop.timeline("event")[-2]["properties"]["link"] == "https://northside.example.com/visits/1"
    assert mia.titles == []


def test_what_is_done_twice_happens_once(shop: Shop) -> None:
    mia = reader_of(shop)
    id_ = mia.inbox()["messages"][0]["id"]

    for what in ("opened", "opened", "seen", "dismissed", "dismissed"):
        shop.passes("1s")
        assert mia.does(what, id_) == 204

    assert events(shop) == ["message.opened", "message.dismissed"]


def test_a_message_that_is_sent_twice_is_shown_once(opens: Opens) -> None:
    shop = opens()
    queue = shop.deployment.cloud.urls["messages"]
    shop.deployment.stop("deliver_message")
    shop.happens("note.wanted")
    sqs = shop.deployment.cloud.client("sqs")
    body = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"][0]["Body"]
    sqs.send_message(QueueUrl=queue, MessageBody=body)

    shop.deployment.start("deliver_message")
    shop.deployment.settle()

    assert reader_of(shop).titles == ["Hello Mia"]


def test_the_whole_list_is_seen_at_once(shop: Shop) -> None:
    shop.happens("note.unwanted")
    shop.passes("1m")
    shop.happens("note.wanted")
    mia = reader_of(shop)
    assert mia.inbox()["unread"] == 2

    assert mia.asks("POST", "https://localhost/in-app/seen")["status_code"] == 204

    assert mia.inbox()["unread"] == 0
    assert events(shop) == []


def test_the_newest_come_first_page_by_page(opens: Opens) -> None:
    shop = opens(template=IN_APP.replace("Hello {{ profile.first_name }}", "Hello {{ data.day }}"))
    for day in ("2", "3", "4"):
        shop.happens("note.wanted", properties={"day": day})
        shop.happens("note.unwanted")
        shop.passes("1d")
    mia = reader_of(shop)

    first = mia.inbox("?limit=2")
    second = mia.inbox(f"?limit=2&after={first['after']}")

    assert [one["title"] for one in first["messages"]] == ["Hello 4", "Hello 3"]
    assert [one["title"] for one in second["messages"]] == ["Hello 2"]
    assert (first["unread"], second["unread"], second["after"]) == (3, 3, None)


def test_a_message_is_shown_until_it_expires(shop: Shop) -> None:
    mia = reader_of(shop)
    id_ = mia.inbox()["messages"][0]["id"]

    shop.passes("6d")
    assert reader_of(shop).titles == ["Hello Mia"]
    shop.passes("1d")

    late = reader_of(shop)
    assert (late.titles, late.inbox()["unread"], late.does("opened", id_)) == ([], 0, 404)
    assert events(shop) == []


def test_a_token_opens_the_inbox_of_one_customer_only(shop: Shop) -> None:
    noah = {"customer": {"user_id": "noah", "email": "noah@example.com"}, "consent": [], "attributes": {}}
    shop.happens("visit.attended", **noah)
    id_ = reader_of(shop).inbox()["messages"][0]["id"]

    other = reader_of(shop, "noah")

    assert (other.titles, other.does("opened", id_), other.does("dismissed", id_)) == ([], 404, 404)
    assert reader_of(shop).titles == ["Hello Mia"]


@pytest.mark.parametrize("token", ["", "abc", "c_aaaaaaaaaaaaaaaaaaaaaaaaaa 9999999999", "x" * 3000, "\u00e9.\u00e9"])
def test_a_token_that_we_did_not_make_opens_nothing(shop: Shop, token: str) -> None:
    refused = Reader(shop.deployment, token).inbox()

    assert (refused["status_code"], refused["title"]) == (401, "token-invalid")
    assert refused["headers"]["www-authenticate"] == "Bearer"


def test_a_token_that_is_too_old_is_refused_as_one_that_is_none(shop: Shop) -> None:
    mia = reader_of(shop, minutes=5)
    assert mia.inbox()["status_code"] == 200
    shop.passes("5m")

    refused, strange = mia.inbox(), Reader(shop.deployment, "abc").inbox()

    assert refused == strange
    assert refused["status_code"] == 401


def test_the_server_gets_a_token_and_the_audit_says_so(shop: Shop) -> None:
    made = token_of(shop, minutes=30, why="Signed in")

    assert (made["status_code"], made["expires_at"]) == (200, "2026-03-02T15:30:00Z")
    entry = shop.asks("GET", "audit")["entries"][0]
    assert (entry["what"], entry["target"], entry["why"]) == ("in_app_token", made["customer"], "Signed in")
    assert made["token"] not in json.dumps(entry)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"customer": "nobody"}, 404),
        ({"minutes": 0}, 400),
        ({"minutes": 100_000}, 400),
        ({"customer": "ben@x.org"}, 409),
    ],
)
def test_a_token_is_refused_with_its_reason(shop: Shop, fields: Json, status: int) -> None:
    shop.happens("visit.attended", customer={"email": "ben@x.org"}, consent=[], attributes={})

    assert token_of(shop, **{"customer": "mia", **fields})["status_code"] == status


def test_marketing_needs_consent_in_the_app_too(opens: Opens) -> None:
    shop = opens("marketing")
    shop.happens("note.wanted", consent=[])

    assert reader_of(shop).titles == []
    assert shop.timeline("suppressed")[-1]["reason"] == "no_consent"


def test_a_customer_who_wants_no_more_of_them_gets_none_there(opens: Opens) -> None:
    shop = opens("marketing")
    denied = {"channel": "in_app", "purpose": "marketing", "status": "denied", "source": "shop"}
    shop.happens("note.wanted", consent=[*MIA["consent"], denied])

    assert reader_of(shop).titles == []
    assert statuses(shop) == [("sms", "sent")]


def test_who_has_no_account_is_reached_on_the_next_channel(opens: Opens) -> None:
    shop = opens()
    shop.happens("note.wanted", customer={"phone": "+12125550001"})

    assert statuses(shop) == [("sms", "sent")]
    assert token_of(shop, "+12125550001")["status_code"] == 409


def test_a_link_that_a_value_turned_elsewhere_is_not_sent_in_the_app(opens: Opens) -> None:
    shop = opens(
        template=IN_APP.replace(
            "https://northside.example.com/visits/{{ data.id | default('1') }}", "'{{ profile.url }}'"
        )
    )
    shop.happens("note.wanted", attributes={**MIA["attributes"], "url": "javascript:alert(1)"})

    assert reader_of(shop).titles == []
    assert statuses(shop) == [("sms", "sent")]


def test_an_erased_customer_leaves_no_message_behind(shop: Shop) -> None:
    mia = reader_of(shop, minutes=1_440)
    shop.asks("POST", "erase", customer="mia", why="Asked by phone")
    shop.passes("2h")

    assert mia.inbox()["messages"] == []
    cloud = shop.deployment.cloud
    stored = [cloud.items_of(key) for key in cloud.partition_keys()]
    assert "Your visit is on Saturday" not in json.dumps(stored, default=str)


def test_an_export_has_the_messages_of_the_inbox(shop: Shop) -> None:
    (message,) = shop.asks("POST", "export", customer="mia", why="Asked")["in_app"]

    assert message["body"]["text"] == "Your visit is on Saturday."
    assert message["status"] == "new"


def test_a_merge_leaves_the_inbox_with_the_account(shop: Shop) -> None:
    mia = reader_of(shop, minutes=1_440)
    shop.happens("visit.attended", customer={"email": "m@example.org"}, consent=[], attributes={})
    shop.asks("POST", "customers", do="merge", customer="m@example.org", other="mia", why="The same person")
    shop.passes("1h")

    assert token_of(shop, "m@example.org")["customer"] == token_of(shop)["customer"]
    assert mia.titles == ["Hello Mia"]


def test_messages_of_a_customer_who_lost_the_account_move_in_a_merge(shop: Shop) -> None:
    shop.happens("visit.attended", customer={"user_id": "mia-2"}, consent=[], attributes={})
    shop.asks("POST", "detach", customer="mia", identifier="mia", why="Another person's account")
    shop.passes("1h")
    shop.asks("POST", "customers", do="merge", customer="mia@example.com", other="mia-2", why="The same person")
    shop.passes("1h")

    assert reader_of(shop, "mia-2").titles == ["Hello Mia"]
    assert len(shop.asks("POST", "export", customer="mia-2", why="Asked")["in_app"]) == 1


def test_a_browser_of_another_site_gets_nothing_where_no_origin_is_allowed(shop: Shop) -> None:
    asked = reader_of(shop).asks("OPTIONS", MESSAGES, origin="https://elsewhere.example")

    assert asked["status_code"] == 204
    assert "access-control-allow-origin" not in asked["headers"]


def test_the_component_is_public_and_small(shop: Shop) -> None:
    answer = shop.deployment.in_app("GET", "https://localhost/in-app/cairn-inbox.js", {})

    assert answer["headers"]["content-type"].startswith("text/javascript")
    assert "customElements.define" in answer["body"]
    assert len(answer["body"].encode()) < 10_000
