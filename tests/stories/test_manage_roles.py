"""Roles over HTTP: the header narrows what a request may do, and an agent sees their own queues alone."""

import json
from typing import Any

import pytest

from tests.stories.shop import RECEIPT, Opens, Shop

PEOPLE = """
[queues.sales]
title = "Sales"
due = "4h"

[queues.managers]
title = "Managers"
due = "4h"

[members.ana]
name = "Ana Ruiz"
email = "ana@example.com"
queues = ["sales"]

[members.maria]
name = "Maria Silva"
email = "maria@example.com"
queues = ["managers"]
"""

Json = dict[str, Any]


@pytest.fixture
def shop(opens: Opens) -> Shop:
    """Mia has an open task of sales, and has got a message."""
    shop = opens(RECEIPT, people=PEOPLE, asks={"queue": "sales", "title": "Call Mia"})
    shop.happens("note.wanted")
    return shop


def ask(shop: Shop, method: str, path: str, roles: str | None, *, actor: str = "ana", **fields: Any) -> Json:
    headers = {} if roles is None else {"X-Cairn-Roles": roles}
    body = json.dumps(fields).encode() if method == "POST" else b""
    answer = shop.deployment.manage(method, f"https://localhost/manage/{path}", headers, body, actor=actor)
    shop.deployment.settle()
    return {"status_code": answer["statusCode"], **json.loads(answer["body"])}


def test_without_the_header_an_operator_whom_iam_lets_in_is_an_admin(shop: Shop) -> None:
    assert ask(shop, "GET", "audit", None)["status_code"] == 200


def test_the_header_asks_for_less(shop: Shop) -> None:
    refused = ask(shop, "GET", "audit", "viewer,operator")

    assert (refused["status_code"], refused["title"]) == (403, "role-missing")
    assert refused["detail"] == "this needs the role privacy or admin; you have viewer, operator"
    assert ask(shop, "GET", "switches", "viewer")["status_code"] == 200
    assert ask(shop, "POST", "switches", "viewer", do="stop", target="all", why="x")["status_code"] == 403
    assert ask(shop, "GET", "switches", "viewer")["stopped"] == []
    assert ask(shop, "GET", "switches", "")["status_code"] == 403
    assert ask(shop, "GET", "switches", "boss")["problems"][0].startswith("X-Cairn-Roles: roles are viewer, operator")


def test_what_was_refused_is_not_in_the_audit_and_has_read_nothing(shop: Shop) -> None:
    ask(shop, "POST", "explain", "viewer", customer="mia@example.com")

    assert ask(shop, "GET", "audit", "privacy")["entries"] == []


def test_an_agent_works_on_the_tasks_of_their_own_queues(shop: Shop) -> None:
    (task,) = ask(shop, "GET", "tasks", "agent")["tasks"]

    assert task["title"] == "Call Mia"
    assert ask(shop, "GET", "tasks", "agent", actor="maria@example.com")["tasks"] == []
    assert ask(shop, "GET", "tasks?queue=sales", "agent", actor="maria@example.com")["status_code"] == 404
    assert ask(shop, "POST", "tasks", "agent", do="claim", task=task["task"])["owner"] == "ana"
    for do in ("show", "claim"):
        refused = ask(shop, "POST", "tasks", "agent", actor="maria@example.com", do=do, task=task["task"])
        assert (refused["status_code"], refused["detail"]) == (404, "your queues have no such task")
    assert ask(shop, "POST", "tasks", "agent,operator", actor="maria", do="show", task=task["task"])["owner"] == "ana"


def test_an_agent_passes_for_nobody_else(shop: Shop) -> None:
    (task,) = ask(shop, "GET", "tasks", "agent")["tasks"]

    refused = ask(shop, "POST", "tasks", "agent", do="claim", task=task["task"], **{"as": "maria"})

    assert (refused["status_code"], refused["title"]) == (403, "role-missing")
    assert "you act as yourself (ana)" in refused["detail"]


def test_an_agent_finds_the_customers_of_their_open_tasks_and_no_others(shop: Shop) -> None:
    known = {"ana": 200, "maria@example.com": 404, "nobody": 403}

    for actor, status in known.items():
        assert ask(shop, "POST", "explain", "agent", actor=actor, customer="mia")["status_code"] == status
    nobody = ask(shop, "POST", "explain", "agent", customer="nobody@example.com")
    other = ask(shop, "POST", "explain", "agent", actor="maria", customer="mia")
    assert nobody == other, "whether a customer exists is not said"
    (task,) = ask(shop, "GET", "tasks", "agent")["tasks"]
    assert ask(shop, "POST", "tasks", "agent", do="done", task=task["task"], outcome="done")["status"] == "done"
    assert ask(shop, "POST", "explain", "agent", customer="mia")["status_code"] == 404


def test_an_agent_who_is_a_member_of_nothing_has_no_queues(shop: Shop) -> None:
    refused = ask(shop, "GET", "tasks", "agent", actor="stranger")

    assert (refused["status_code"], refused["title"]) == (403, "role-missing")
    assert "people.toml has no member with your name or e-mail address" in refused["detail"]
