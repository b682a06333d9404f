"""The server of a laptop obeys no page of another site and nobody who gives no name; vendors and customers reach it."""

from typing import Any

import pytest
from werkzeug.test import Client

from cairn.adapters.dynamodb.audit import DynamoAudit
from infra.local.server import PUBLIC, ROUTES, Application
from tests.conftest import Story

HERE = "http://127.0.0.1:8787"

ELSEWHERE = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8787"},
    {"Host": "127.0.0.1.evil.example:8787"},
    {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "[::1].evil.example"},
    {"Host": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:3000"},
    {"Origin": "https://127.0.0.1:8787"},
    {"Origin": "http://localhost:8787"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
"""What a browser sends for a page of another site: with its own name, pointed at this laptop (DNS rebinding)."""

AT_HOME = [
    {},
    {"Host": "localhost:8787"},
    {"Host": "LOCALHOST"},
    {"Host": "[::1]:8787"},
    {"Origin": HERE, "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]

RULES = [(rule.rule, method, rule.endpoint) for rule in ROUTES.iter_rules() for method in (rule.methods or ())]
PRIVATE = sorted((rule, method) for rule, method, endpoint in RULES if endpoint not in PUBLIC and method != "HEAD")


@pytest.fixture
def client(story: Any) -> Client:
    return Client(Application(story.deployment))


def asked(client: Client, method: str, rule: str, headers: dict[str, str]) -> Any:
    path = rule.replace("<queue>", "events").replace("<source>", "stripe").replace("<token>", "t")
    named = {"X-Cairn-Actor": "ada"} | headers
    return client.open(path, method=method, base_url=HERE, headers=named, data=b"{}" if method == "POST" else b"")


def test_no_page_of_another_site_is_answered(client: Client) -> None:
    for rule, method in PRIVATE:
        for headers in ELSEWHERE:
            answer = asked(client, method, rule, headers)

            assert (answer.status_code, answer.content_type) == (403, "application/problem+json"), (rule, headers)
            assert answer.get_json()["title"] == "another-site"
    assert DynamoAudit().latest(10) == []


def test_our_own_pages_and_programs_are_answered(client: Client) -> None:
    for rule, method in PRIVATE:
        for headers in AT_HOME:
            assert asked(client, method, rule, headers).status_code != 403, (rule, headers)


@pytest.mark.parametrize("headers", ELSEWHERE[:1] + ELSEWHERE[7:9] + ELSEWHERE[-2:])
def test_vendors_and_customers_come_from_anywhere(client: Client, story: Any, headers: dict[str, str]) -> None:
    story.signs_up()
    page = story.link("preferences", "mia.1@example.com").removeprefix("https://localhost")

    assert client.get(page, base_url=HERE, headers=headers).status_code == 200
    assert asked(client, "POST", "/events", headers).status_code == 401
    assert asked(client, "POST", "/webhooks/<source>", headers).status_code == 401


def test_nobody_without_a_name_is_shown_or_redrives_dead_letters(client: Client) -> None:
    for name in ("", " "):
        shown = asked(client, "GET", "/_dlq/<queue>", {"X-Cairn-Actor": name})
        redriven = asked(client, "POST", "/_dlq/<queue>/redrive", {"X-Cairn-Actor": name})

        assert [one.status_code for one in (shown, redriven)] == [403, 403]
        assert shown.get_json()["detail"] == "name yourself in the header X-Cairn-Actor, for the audit"


@pytest.mark.parametrize("path", ["/console/", "/_issuer/authorize"])
def test_the_console_of_a_laptop_is_not_open_to_a_tunnel(story: Story, path: str) -> None:
    """Its test users have no passwords."""
    client = Client(Application(story.deployment))

    assert client.get(path, headers={"Host": "tunnel.example.com"}).status_code == 403
    assert client.get(path, headers={"Host": "127.0.0.1:8787", "Sec-Fetch-Site": "cross-site"}).status_code == 403
