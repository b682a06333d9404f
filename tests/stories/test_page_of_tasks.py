"""A member gets a link, calls, walks the script and saves what came of it, on one page and without a login."""

import html
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from cli.tasks import _shown
from infra.local.deployment import POLICY, local_deployment
from infra.local.signing import local_secrets
from tests.conftest import Story
from tests.stories.test_tasks_of_journeys import ADA, JOURNEY, PEOPLE, TUESDAY, asks, listed, owner_of

CALLED = {**ADA, "phone": "+12015550123"}

SCRIPT = """
script: first-call
title: First call
kind: compliance
lines:
  - id: greeting
    say: "Good day {{ profile.first_name }}, this is {{ member.name }}."
  - id: recorded
    say: This call is recorded.
    must_be_read: true
  - id: need
    ask: What do you need?
    answer: {yoga: Yoga, weights: Weights}
    set: interest
  - id: wants
    ask: Would you like to come in?
    answer: yes_no
    go: {no: bye}
  - id: booked
    say: See you then.
    end: booked
  - id: bye
    say: Good bye.
    end: lost
concerns:
  price: {title: Too expensive, say: It pays off.}
"""

WITH_ADDRESSES = (
    PEOPLE.replace('name = "Ana"', 'name = "Ana"\nemail = "ana@n.example"')
    .replace('name = "Ben"', 'name = "Ben"\nemail = "ben@n.example"')
    .replace('name = "Cleo"', 'name = "Cleo"\nemail = "cleo@n.example"')
    .replace('name = "Maria"', 'name = "Maria"\nphone = "+12015550199"')
)


@pytest.fixture
def start() -> datetime:
    return TUESDAY


def with_people(folder: Path, people: str = WITH_ADDRESSES, script: str = SCRIPT) -> Path:
    """A folder with the journey, its call script, the policy and people."""
    (folder / "lead").mkdir()
    journey = (
        JOURNEY.replace("reason: first-call", "reason: first-call\n      script: first-call") if script else JOURNEY
    )
    (folder / "lead" / "journey.yaml").write_text(journey, encoding="utf-8")
    (folder / "_scripts").mkdir()
    if script:
        (folder / "_scripts" / "first-call.yaml").write_text(script, encoding="utf-8")
    (folder / "policy.toml").write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "people.toml").write_text(people, encoding="utf-8")
    return folder


@pytest.fixture
def story(tmp_path: Path, start: datetime) -> Iterator[Story]:
    policy, secrets = tmp_path / "policy.toml", local_secrets({})
    with local_deployment(with_people(tmp_path), start=start, secrets=secrets, policy=policy) as deployment:
        yield Story(deployment)


def captured(story: Story) -> str:
    """The path of the link that the owner of a new task got."""
    about = {"first_name": "Ada", "time_zone": "Europe/Madrid"}
    story.happens("lead.captured", "lead-1", customer=CALLED, attributes=about, properties={"page": "/yoga"})
    return links(story)[-1]


def links(story: Story) -> list[str]:
    texts = [mail["Content"]["Simple"]["Body"]["Text"]["Data"] for mail in story.deployment.cloud.mails]
    return [urlsplit(found).path for text in texts for found in re.findall(r"https://\S+/tasks/\S+", text)]


def task_of(story: Story) -> str:
    (task,) = listed(story)
    return str(task["task"])


def visit(story: Story, link: str, **form: Any) -> tuple[int, str]:
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
    method = "POST" if form else "GET"
    answer = story.deployment.visit(method, f"https://localhost{link}", headers, urlencode(form).encode())
    story.deployment.settle()
    return answer["statusCode"], html.unescape(answer["body"])


def walked(*entries: tuple[str, ...]) -> str:
    return json.dumps([[*entry, "", ""][:3] for entry in entries])


SAID = (("greeting",), ("recorded",), ("need", "yoga"), ("wants", "yes"), ("booked",))


def events(story: Story) -> dict[str, dict[str, Any]]:
    return {line["type"]: line for line in story.timeline("event")}


def test_the_owner_alone_gets_a_link_and_nothing_of_the_customer(story: Story) -> None:
    captured(story)
    (mail,) = story.deployment.cloud.mails
    assert mail["Destination"]["ToAddresses"] == [f"{owner_of(story)}@n.example"]
    assert mail["Content"]["Simple"]["Subject"]["Data"] == "A task for you: Call the lead"
    text = mail["Content"]["Simple"]["Body"]["Text"]["Data"].partition("/tasks/")[0]
    assert not {"ada", "12015550123", "/yoga"} & set(re.findall(r"[\w/]+", text.lower()))


def test_a_call_from_link_to_outcome(story: Story) -> None:
    link = captured(story)
    status, page = visit(story, link)
    assert status == 200
    assert "Good day Ada, this is" in page
    assert "Call +12015550123" in page
    assert "/yoga" in page

    given: list[tuple[str, ...]] = []
    for entry in (*SAID[:2], ("need", "", "price"), *SAID[2:]):
        form = dict(zip(("line", "answer", "concern"), entry, strict=False))
        status, page = visit(story, link, walk=walked(*given), do="said", **form)
        given.append(entry)
        assert (status, 'role="alert"' in page) == (200, False)
    assert events(story).keys() == {"lead.captured"}  # nothing is stored on the way

    status, page = visit(story, link, walk=walked(*given), do="done", outcome="booked", note="Prefers mornings")

    assert "Saved. Thank you." in page
    done = events(story)["task.done"]
    assert done["properties"]["answers"] == {
        "need": "yoga",
        "wants": True,
        "read": ["recorded"],
        "concerns": ["price"],
    }
    assert done["properties"]["outcome"] == "booked"
    assert done["attributes"] == ["interest"]
    assert "Done: booked" in visit(story, link)[1]


def test_the_command_names_the_call_script_and_the_history_in_words(story: Story) -> None:
    captured(story)
    task = task_of(story)
    asks(story, "done", task, outcome="no_answer", **{"as": owner_of(story)})

    _, shown = asks(story, "show", task)
    text = "\n".join(_shown(shown))

    assert f"{shown['script_title']}  (all of it: cairn script show first-call)" in text
    assert f"comes back later → {owner_of(story)} (no_answer)" in text


def test_what_must_be_read_cannot_be_left_out(story: Story) -> None:
    link = captured(story)
    status, page = visit(story, link, walk=walked(("greeting",), ("need", "yoga")), do="done", outcome="booked")
    assert status == 200
    assert "Need is not next in the script first-call: it is recorded" in page
    _, page = visit(story, link, walk=walked(("greeting",)), do="done", outcome="booked")
    assert "recorded must be read first" in page
    assert "task.done" not in events(story)
    task = task_of(story)
    code, problem = asks(story, "done", task, outcome="booked", **{"as": owner_of(story)})
    assert (code, problem["title"]) == (409, "line-skipped")


def test_an_outcome_that_is_none_of_the_scripts_needs_no_walk(story: Story) -> None:
    link = captured(story)
    assert "Saved" in visit(story, link, do="done", outcome="no_answer")[1]
    story.passes("4h")
    assert owner_of(story)


def test_a_callback_is_on_the_customers_clock(story: Story) -> None:
    link = captured(story)
    _, page = visit(story, link, do="done", outcome="callback", at="2026-10-25T10:30")  # after the clocks go back
    assert "Saved" in page
    assert story.timeline("task")[0]["due_at"] == "2026-10-25T09:30:00Z"
    assert f"comes back when the customer chose ({owner_of(story)}): callback" in visit(story, link)[1]
    _, page = visit(story, link, do="done", outcome="callback")
    assert "when the customer wishes to be called" in page


def test_opening_changes_nothing(story: Story) -> None:
    link = captured(story)
    before = story.timeline()
    for method in ("GET", "HEAD", "GET"):
        assert story.deployment.visit(method, f"https://localhost{link}", {})["statusCode"] == 200
    story.deployment.settle()
    assert story.timeline() == before


def test_whoever_has_the_task_no_more_sees_the_customer_no_more(story: Story) -> None:
    link = captured(story)
    other = next(one for one in ("ana", "ben", "cleo") if one != owner_of(story))
    task = task_of(story)
    asks(story, "assign", task, to=other, why="a holiday")

    status, page = visit(story, link)

    assert status == 200
    assert f"{other.title()} has it" in page
    assert "Ada" not in page
    assert "+1201" not in page
    _, page = visit(story, link, do="done", outcome="no_answer")
    assert f"{other.title()} has this task" in page
    assert "Good day Ada" in visit(story, links(story)[-1])[1]


def test_a_claim_is_seen(story: Story) -> None:
    link = captured(story)
    assert "I take it" in visit(story, link)[1]
    _, page = visit(story, link, do="claim")
    assert "You have this task now." in page
    assert "I take it" not in page


@pytest.mark.parametrize("broken", ["x", "", "A" * 2000])
def test_a_link_that_is_none_of_ours(story: Story, broken: str) -> None:
    link = captured(story)
    assert visit(story, f"{link}{broken or 'y'}")[0] == 403
    assert visit(story, "/tasks/" + link.rpartition("/")[2].replace(".", "x.", 1))[0] == 403


def test_a_link_ends_after_a_month(story: Story) -> None:
    link = captured(story)
    story.passes("31d")
    assert visit(story, link)[0] == 410


@pytest.mark.parametrize("form", [{"do": "delete"}, {"do": "said"}, {"walk": "[[1]"}, {"walk": '{"a": 1}'}])
def test_only_the_pages_own_buttons(story: Story, form: dict[str, str]) -> None:
    link = captured(story)
    status, _ = visit(story, link, **form)
    assert status in {200, 400}
    assert "task.done" not in events(story)


def test_an_erased_customer_is_gone_from_the_page(story: Story) -> None:
    link = captured(story)
    story.erases("ada")
    story.passes("1h")
    assert visit(story, link)[0] == 404
