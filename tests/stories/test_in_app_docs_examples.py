"""The examples of docs/in-app.md run here."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from authoring.journeys import check
from cairn.adapters.in_app.api import COMPONENT, DONE, ROUTES
from infra.local.deployment import local_deployment
from infra.local.signing import local_secrets
from tests.stories.shop import NEW_YORK_MORNING, POLICY, Shop, served

PAGE = (Path(__file__).parents[2] / "docs" / "in-app.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{re.escape(kind)}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture
def journeys(tmp_path: Path) -> Path:
    folder = tmp_path / "journeys" / "visit"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(block("yaml journey"))
    (folder / "templates" / "confirm.in_app.txt").write_text(block("jinja confirm.in_app.txt"))
    (folder / "templates" / "confirm.sms.txt").write_text("Northside: your visit is on Saturday at 10:00.")
    (tmp_path / "policy.toml").write_text(POLICY % "")
    return folder.parent


@pytest.fixture
def shop(journeys: Path) -> Iterator[Shop]:
    policy = journeys.parent / "policy.toml"
    with (
        local_deployment(journeys, start=NEW_YORK_MORNING, secrets=local_secrets({}), policy=policy) as made,
        served(made) as url,
    ):
        yield Shop(made, url)


def test_the_journey_of_the_page_can_be_deployed(journeys: Path) -> None:
    assert check(journeys) == []


def test_a_server_gets_a_token_and_its_page_the_answer_of_the_page(shop: Shop) -> None:
    shop.happens("booking.confirmed", properties={"booking_id": "7"})
    code: dict[str, Any] = {}
    exec(block("python"), code)  # noqa: S102  our own page
    code["urlopen"] = with_an_operator

    token = code["inbox_token"](shop.url, "mia")

    asked = Request(f"{shop.url}/in-app/messages", headers={"authorization": f"Bearer {token}"})  # noqa: S310
    with urlopen(asked) as answer:  # noqa: S310
        found, shown = json.load(answer), json.loads(block("json"))
    same = ("sent_at", "expires_at", "title", "text", "status", "link", "button")
    assert [{name: one[name] for name in same} for one in found["messages"]] == [
        {name: one[name] for name in same} for one in shown["messages"]
    ]
    assert (found.keys(), found["messages"][0].keys()) == (shown.keys(), shown["messages"][0].keys())
    assert (found["unread"], found["after"]) == (shown["unread"], shown["after"])


@contextmanager
def with_an_operator(request: Request) -> Iterator[Any]:
    """On a laptop nobody checks a signature; a header names the operator."""
    assert "Credential=" in request.headers["Authorization"]
    request.add_header("X-Cairn-Actor", "server")
    with urlopen(request) as answer:  # noqa: S310
        yield answer


def test_the_page_lists_every_request_of_the_api() -> None:
    listed = re.findall(r"^\| `((?:GET|POST) /in-app/\S+)` \|", PAGE, re.MULTILINE)
    own = [f"{method} {path}" for method, path in ROUTES if method != "OPTIONS" and not path.endswith(COMPONENT.name)]

    assert set(listed) == {one.replace("{status}", what) for one in own for what in DONE}


def test_the_page_lists_every_attribute_of_the_component() -> None:
    script = COMPONENT.read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)

    assert sorted(listed) == sorted(set(re.findall(r'getAttribute\("(\w+)"\)', script)))
    assert all(name in script for name in re.findall(r"`(--cairn-[a-z-]+)`", PAGE))
