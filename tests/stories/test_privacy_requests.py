"""A vendor's request about one record takes nobody along: a person sees both sides and chooses."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from authoring.sources.samples import signed_headers
from cairn.settings import ERASURE_REST
from cli import manage_client
from cli.main import app
from infra.local.signing import LOCAL_SECRET

ADA = "arn:aws:iam::123456789012:user/ada"
SHOP = {"shop_id": 954889, "shop_domain": "gym.myshopify.com"}
POLICY = Path(__file__).parents[2] / "policy.toml"
ID = 820982911946154508

Json = dict[str, Any]


@dataclass(frozen=True)
class PrivacyTeam:
    """A shop's webhooks, our own API, and the person who answers requests."""

    story: Any

    def shopify(self, topic: str, body: Json) -> None:
        raw = json.dumps(body).encode()
        headers = signed_headers("shopify", raw, LOCAL_SECRET, self.story.deployment.now())
        answer = self.story.posts(raw, "shopify", {**headers, "x-shopify-topic": topic})
        assert answer["statusCode"] in {200, 202}, answer
        self.story.deployment.settle()

    def buys(self, id_: int = ID, email: str = "mia@example.com", order: int = 1001) -> None:
        """An order of a customer of the shop, who ticked the box for the newsletter."""
        person = {"id": id_, "email": email}
        body = {"id": order, "name": f"#{order}", "email": email, "customer": person, "total_price": "9.00"}
        body |= {"currency": "USD", "line_items": [], "financial_status": "pending", "created_at": self.now()}
        self.shopify("orders/create", body | {"updated_at": self.now(), "buyer_accepts_marketing": True})

    def customer_changes(self, id_: int = ID, **fields: Any) -> None:
        first = {"id": id_, "created_at": "2025-01-01T00:00:00Z", "verified_email": True}
        self.shopify("customers/update", {**first, "updated_at": self.now(), **fields})

    def redact(self, id_: int | None = ID, email: str = "mia@example.com", orders: tuple[int, ...] = ()) -> None:
        person = {"email": email} | ({"id": id_} if id_ else {})
        self.shopify("customers/redact", {**SHOP, "customer": person, "orders_to_redact": list(orders)})

    def now(self) -> str:
        return f"{self.story.deployment.now():%Y-%m-%dT%H:%M:%SZ}"

    def data_request(self, id_: int = ID, request: int = 9) -> None:
        person = {"id": id_, "email": "mia@example.com"}
        self.shopify("customers/data_request", {**SHOP, "customer": person, "data_request": {"id": request}})

    def asks(self, method: str, path: str, **fields: Any) -> Json:
        body = json.dumps(fields).encode() if method == "POST" else b""
        answer = self.story.deployment.manage(method, f"https://localhost/manage/{path}", {}, body, actor=ADA)
        self.story.deployment.settle()
        return {"status": answer["statusCode"], **json.loads(answer["body"])}

    def tasks(self) -> list[Json]:
        found: list[Json] = self.asks("GET", "privacy")["tasks"]
        return found

    def chooses(self, do: str, task: str = "", **more: Any) -> Json:
        return self.asks("POST", "privacy", task=task or self.tasks()[0]["task"], do=do, why="ticket 4711", **more)

    def export(self, name: str) -> Json:
        return self.asks("POST", "export", customer=name, why="a test")

    def waits(self) -> None:
        self.story.deployment.advance_to(self.story.deployment.now() + ERASURE_REST * 1.5)

    def audited(self, what: str) -> list[Json]:
        return [one for one in self.asks("GET", "audit")["entries"] if one["what"] == what]

    def stored(self) -> str:
        cloud = self.story.deployment.cloud
        return json.dumps(cloud.client("dynamodb").scan(TableName=cloud.table)["Items"], default=str)


@pytest.fixture
def team(story: Any) -> PrivacyTeam:
    return PrivacyTeam(story)


@pytest.fixture
def member_and_buyer(team: PrivacyTeam) -> PrivacyTeam:
    """Mia has an account with us, and her record in the shop was linked to it by our own API."""
    team.story.happens(
        "trial.signup",
        customer={"user_id": "mia", "email": "mia@example.com"},
        attributes={"goal": "swimming"},
        consent=[{"channel": "email", "purpose": "marketing", "status": "granted", "source": "form"}],
    )
    team.buys()
    team.story.happens("accounts.linked", customer={"user_id": "mia", "external_ids": {"shopify": str(ID)}})
    team.story.passes("1h")
    team.customer_changes(email="mia@example.com", first_name="Mirabelle")
    team.story.passes("1h")
    return team


def test_a_record_that_only_the_shop_knows_is_erased_at_once(team: PrivacyTeam) -> None:
    team.buys()
    team.redact()
    team.waits()

    assert team.tasks() == []
    assert str(ID) not in team.stored()
    assert team.export("mia@example.com")["status"] == 404
    [receipt] = team.audited("erase")
    assert receipt["who"] == "shopify"


def test_a_redaction_for_a_guests_order_erases_no_bystander(team: PrivacyTeam) -> None:
    team.story.happens("trial.signup", customer={"user_id": "mia", "email": "mia@example.com"})

    team.redact(id_=None)
    team.waits()

    assert team.export("mia")["status"] == 200
    [task] = team.tasks()
    assert task["due_at"] == "2026-04-01T14:00:00Z"
    assert task["context"]["choices"] == ["all", "refuse"]
    assert "mia@" not in json.dumps(task)


def test_a_request_about_a_member_shows_both_sides_and_waits(member_and_buyer: PrivacyTeam) -> None:
    member_and_buyer.redact()
    member_and_buyer.waits()

    [task] = member_and_buyer.tasks()
    context = task["context"]
    assert context["record"]["known"]
    assert context["record"]["since"]
    assert "user_id m…" in context["rest"]["names"]
    assert set(context["rest"]["sources"]) == {"track"}
    assert context["choices"] == ["part", "all", "refuse"]
    assert member_and_buyer.export("mia")["status"] == 200


def test_the_choice_of_a_part_leaves_the_customer_without_the_record(member_and_buyer: PrivacyTeam) -> None:
    team = member_and_buyer
    team.story.deployment.cloud.send("feedback-dead-letters", json.dumps({"customer": {"id": str(ID)}}))
    team.story.deployment.cloud.send("feedback-dead-letters", json.dumps({"to": "noa@example.org"}))
    before = team.export("mia")
    team.redact()

    answer = team.chooses("part")
    team.waits()

    after = team.export("mia")
    kinds = {one["kind"] for one in after["customer"]["identifiers"]}
    assert answer["status"] == 200
    assert {one["kind"] for one in before["customer"]["identifiers"]} == kinds | {"external:shopify"}
    assert before["customer"]["attributes"]["first_name"]["value"] == "Mirabelle"
    assert after["customer"]["attributes"]["first_name"]["value"] is None
    assert after["customer"]["attributes"]["goal"]["value"] == "swimming"
    assert {one["body"]["type"] for one in after["events"] if one["body"]["source"] == "shopify"} <= {
        "event.erased",
        "customer.erasure_requested",
    }
    assert not [one for one in after["consent_history"] if one["body"]["told_by"] == "shopify"]
    assert [one["source"] for one in after["consent"]] == ["track"] or after["consent"]
    assert "shopify" not in after["customer"]["sources"]
    assert "Mirabelle" not in json.dumps({name: part for name, part in after.items() if name != "messages"})
    assert len(team.story.dead_letters("feedback")) == 1, "that of somebody else"
    [receipt] = team.audited("erase_record")
    assert receipt["detail"]["receipt"] == answer["receipt"]
    assert (receipt["who"], receipt["detail"]["removed"]["letters"]) == (ADA, 1)


def test_events_of_an_erased_record_do_not_come_back(member_and_buyer: PrivacyTeam) -> None:
    team = member_and_buyer
    old = team.now()
    team.redact()
    team.chooses("part")
    team.waits()

    team.story.happens("page.seen", "late", customer={"external_ids": {"shopify": str(ID)}}, occurred_at=old)
    team.buys(order=1001)  # the same delivery once more
    assert "page.seen" not in team.stored()
    team.story.happens("page.seen", "new", customer={"external_ids": {"shopify": str(ID)}})

    mia, buyer = team.export("mia"), team.export(f"shopify:{ID}")
    assert mia["customer"]["id"] != buyer["customer"]["id"]
    assert {one["body"]["type"] for one in buyer["events"]} == {"page.seen"}


def test_the_choice_of_all_erases_the_customer(member_and_buyer: PrivacyTeam) -> None:
    member_and_buyer.redact()

    answer = member_and_buyer.chooses("all")
    member_and_buyer.waits()

    assert member_and_buyer.export("mia")["status"] == 404
    [receipt] = member_and_buyer.audited("erase")
    assert (receipt["who"], receipt["detail"]["receipt"]) == (ADA, answer["receipt"])
    assert member_and_buyer.tasks() == []


def test_a_refusal_closes_the_task_with_its_reason(member_and_buyer: PrivacyTeam) -> None:
    team = member_and_buyer
    team.redact()
    task = team.tasks()[0]["task"]

    team.chooses("refuse")
    team.waits()

    [entry] = team.audited("answer_privacy_request")
    assert (entry["who"], entry["why"], entry["detail"]["choice"]) == (ADA, "ticket 4711", "refuse")
    assert team.tasks() == []
    assert team.export("mia")["status"] == 200
    assert team.chooses("refuse", task)["status"] == 200, "the same once more"
    assert team.chooses("all", task)["status"] == 409
    assert len(team.audited("answer_privacy_request")) == 1


def test_a_request_that_comes_again_after_an_answer_is_asked_again(member_and_buyer: PrivacyTeam) -> None:
    team = member_and_buyer
    team.redact()
    [first] = team.tasks()
    team.redact(orders=(1001,))
    assert [one["task"] for one in team.tasks()] == [first["task"]], "the same request is the same task"
    team.chooses("refuse")
    team.story.passes("30d")

    team.redact(orders=(1001, 1002))

    [again] = team.tasks()
    assert again["task"] == first["task"]
    assert again["due_at"] > first["due_at"]
    team.chooses("all")
    team.waits()
    assert team.export("mia")["status"] == 404


def test_a_request_for_data_exports_the_record_or_the_whole_customer(member_and_buyer: PrivacyTeam) -> None:
    team = member_and_buyer
    team.data_request()

    part = team.chooses("part")["document"]

    assert part["record"]["source"] == "shopify"
    assert list(part["customer"]["attributes"]) == ["first_name"]
    assert {one["kind"] for one in part["customer"]["identifiers"]} == {"external:shopify"}
    assert {one["body"]["source"] for one in part["events"]} == {"shopify"}
    assert "swimming" not in json.dumps(part)
    assert team.tasks() == []

    team.story.passes("1d")
    team.data_request(request=10)
    whole = team.chooses("all")["document"]
    assert whole["customer"]["attributes"]["goal"]["value"] == "swimming"
    assert {entry["detail"]["choice"] for entry in team.audited("answer_privacy_request")} == {"part", "all"}


def test_a_shop_that_was_left_stays_a_task(team: PrivacyTeam) -> None:
    team.buys()
    team.shopify("shop/redact", SHOP)
    team.waits()

    [task] = team.tasks()
    assert task["context"]["choices"] == ["done", "refuse"]
    assert team.chooses("part")["status"] == 400
    assert team.chooses("done")["status"] == 200
    assert team.tasks() == []
    assert team.export("mia@example.com")["status"] == 200


def test_more_orders_in_an_hour_than_the_policy_allows_wait(a_story: Callable[..., Any], tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.read_text(encoding="utf-8").replace("orders_per_hour = 20", "orders_per_hour = 2"))
    team = PrivacyTeam(a_story(policy=policy))
    for number in range(4):
        team.buys(ID + number, f"buyer.{number}@example.com", 2000 + number)

    for number in range(4):
        team.redact(ID + number, f"buyer.{number}@example.com")
    team.waits()

    left = [number for number in range(4) if team.export(f"buyer.{number}@example.com")["status"] == 200]
    assert left == [2, 3]
    assert len(team.audited("erase")) == 2
    assert {task["context"]["because"] for task in team.tasks()} == {
        "more orders came within an hour than the policy allows"
    }


def test_the_list_of_requests_comes_in_pages(member_and_buyer: PrivacyTeam) -> None:
    team = member_and_buyer
    team.redact()
    team.data_request()
    whole = [one["task"] for one in team.tasks()]

    first = team.asks("GET", "privacy?limit=1")
    second = team.asks("GET", f"privacy?limit=1&after={quote(first['after'])}")
    third = team.asks("GET", f"privacy?after={quote(second['after'])}")

    assert len(whole) == 2
    assert [one["task"] for page in (first, second) for one in page["tasks"]] == whole
    assert (third["tasks"], third["after"]) == ([], None)
    assert team.asks("GET", "privacy?after=yesterday")["problems"] == ["after: not what an earlier answer gave"]


def test_requests_are_answered_at_the_command_line(
    member_and_buyer: PrivacyTeam, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    team = member_and_buyer

    def ask(_: Any, method: str, name: str, body: bytes) -> Json:
        return team.asks(method, name.partition("?")[0], **(json.loads(body) if body else {}))

    monkeypatch.setattr(manage_client.Manage, "_ask", ask)
    team.redact()
    team.data_request()
    tasks = {one["context"]["request"]: one["task"] for one in team.tasks()}

    listed = CliRunner().invoke(app, ["privacy", "list"])
    copy = ["privacy", "choose", tasks["customer.data_requested"], "--do", "part", "--out", str(tmp_path / "mia.json")]
    exported = CliRunner().invoke(app, [*copy, "--why", "ticket 4711"])
    erased = CliRunner().invoke(
        app, ["privacy", "choose", tasks["customer.erasure_requested"], "--do", "part", "--why", "ticket 4711"]
    )

    assert "other sources: track" in listed.stdout
    assert "choices: part, all, refuse" in listed.stdout
    assert exported.exit_code == 0
    assert json.loads((tmp_path / "mia.json").read_text())["record"]["source"] == "shopify"
    assert "Receipt: " in erased.stdout
    assert "no request waits" in CliRunner().invoke(app, ["privacy", "list"]).stdout
