"""The web component of the in-app inbox, in Chromium, on its example page."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cairn.adapters.dynamodb.in_app import DynamoInAppInbox
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.message.in_app import InAppMessage, inbox_id
from infra.local.in_app_example import MADE_UP

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.conftest import Story

SIZES = [{"width": 360, "height": 740}, {"width": 1280, "height": 800}]

HOSTILE = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>\u202e{{ 7*7 }}'


@pytest.fixture
def example(opens_at: Callable[..., Any]) -> "Callable[..., Page]":
    """The example page, with the list open where it is asked for."""

    def open_example(*, is_open: bool = True, **more: Any) -> "Page":
        page: Page = opens_at("/_in-app", java_script_enabled=True, **more)
        page.locator("cairn-inbox .bell").wait_for()
        while page.evaluate("document.querySelector('cairn-inbox').number === undefined"):
            page.wait_for_timeout(50)  # and not `wait_for_function`, which the page's policy lets evaluate nothing
        if is_open:
            page.get_by_role("button", name="Messages").click()
        return page

    return open_example


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("CAIRN_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def rows(page: "Page") -> list[str]:
    return page.locator("cairn-inbox .title").all_inner_texts()


def put(story: "Story", title: str, text: str = "", link: str = "", button: str = "") -> None:
    """A message whose texts nobody checked, in the inbox of the made-up customer."""
    now = story.deployment.now()
    id_ = customer_id_for(MADE_UP, story.deployment.cloud.identity_keys.customer_ids)
    message = f"hostile-{len(title)}-1"
    DynamoInAppInbox().put(
        InAppMessage(inbox_id(message, now), message, id_, now, now + timedelta(days=1), title, text, link, button)
    )


def reported(story: "Story") -> list[str]:
    story.deployment.catch_up()
    return sorted(line["type"] for line in story.timeline("event") if line["type"].startswith("message."))


def test_the_button_says_how_many_are_unread(example: "Callable[..., Page]") -> None:
    page = example(is_open=False)

    assert page.get_by_role("button", name="Messages, 3 unread").is_visible()
    assert rows(page) == ["Bring a friend for free", "Your visit on Saturday", "Welcome to Northside"]
    assert not page.get_by_role("region", name="Messages").is_visible()


def test_a_reader_opens_follows_and_dismisses(example: "Callable[..., Page]", story: "Story", shots: Path) -> None:
    page = example(viewport={"width": 760, "height": 480})
    page.get_by_role("button", name="Messages", exact=True).wait_for()  # nothing is unread any more

    page.get_by_text("Your visit on Saturday").click()
    assert page.get_by_text("We wait for you at 10:00").is_visible()
    page.screenshot(path=shots / "in-app.png")
    with page.expect_response("**/dismissed"):
        page.get_by_role("button", name="Dismiss: Bring a friend for free").click()
    assert rows(page) == ["Your visit on Saturday", "Welcome to Northside"]
    with page.expect_navigation():
        page.get_by_role("link", name="Show it").click()

    assert page.url.endswith("/visits/1")
    assert reported(story) == ["message.clicked", "message.dismissed", "message.opened"]


def test_it_works_by_keyboard_alone(example: "Callable[..., Page]") -> None:
    page = example(is_open=False)

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_text("This week, each member").is_visible()
    page.keyboard.press("Tab")  # its link
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert rows(page) == ["Your visit on Saturday", "Welcome to Northside"]
    page.keyboard.press("Enter")  # the focus has gone to the next message
    assert page.get_by_text("We wait for you").is_visible()

    page.keyboard.press("Escape")

    assert not page.get_by_role("region", name="Messages").is_visible()
    assert page.evaluate("document.querySelector('cairn-inbox').shadowRoot.activeElement.className") == "bell"


def test_the_text_of_a_message_is_never_more_than_text(example: "Callable[..., Page]", story: "Story") -> None:
    example(is_open=False)  # it makes the customer up
    put(story, HOSTILE, f"{HOSTILE}\n{HOSTILE}", "javascript:document.title='broken'", "Click")
    page = example()

    page.locator("cairn-inbox summary").first.click()

    shown = page.locator("cairn-inbox li").first
    assert shown.locator(".title").inner_text() == HOSTILE
    assert HOSTILE in shown.locator(".text").inner_text()
    assert shown.locator("img, script, a").count() == 0
    assert page.title() == "Northside: an example of the in-app inbox"


def test_a_token_that_ended_is_asked_for_anew(example: "Callable[..., Page]") -> None:
    page = example(is_open=False)

    page.evaluate(
        """async () => {
            const inbox = document.querySelector("cairn-inbox"), good = inbox.getAttribute("token");
            window.asked = 0;
            inbox.token = async () => { window.asked += 1; return window.asked === 1 ? "too old" : good; };
            await inbox.load();
        }"""
    )

    assert page.evaluate("window.asked") == 2
    assert len(rows(page)) == 3


def test_what_cannot_be_loaded_is_said_and_tried_again(example: "Callable[..., Page]") -> None:
    page = example()
    page.route("**/in-app/messages*", lambda route: route.fulfill(status=429, body="{}"))
    page.evaluate("document.querySelector('cairn-inbox').load()")
    page.get_by_text("Messages cannot be loaded.").wait_for()
    page.unroute("**/in-app/messages*")

    with page.expect_response("**/in-app/messages*"):
        page.get_by_role("button", name="Try again").click()

    page.get_by_text("Messages cannot be loaded.").wait_for(state="hidden")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_for_everybody(  # noqa: PLR0913, PLR0917  its fixtures
    example: "Callable[..., Page]", axe: Any, story: "Story", shots: Path, size: dict[str, int], scheme: str
) -> None:
    """axe-core finds nothing, open or closed, and nothing is wider than the screen."""
    example(is_open=False)
    put(story, "W" * 90, "A word that has no end: " + "o" * 200)
    page = example(viewport=size, color_scheme=scheme)
    page.locator("cairn-inbox summary").first.click()
    page.locator("cairn-inbox summary").nth(2).click()

    found = axe.run(page)

    page.screenshot(path=shots / f"in-app-{size['width']}-{scheme}.png")
    assert [one["id"] for one in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(
        "(() => { const p = document.querySelector('cairn-inbox').panel; return p.scrollWidth <= p.clientWidth; })()"
    )
