"""The console in a real browser: an operator's day by mouse and by keyboard alone, on a small and a large screen."""

import os
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.console.navigation import GROUPS
from tests.browser.business import opened
from tests.browser.conftest import is_expected
from tests.conftest import Begins, Story

PHONE, LARGE = {"width": 360, "height": 760}, {"width": 1280, "height": 800}

PAGES = [entry.path for _, entries in GROUPS for entry in entries]

HIGH = 1000
"""The pixels of a picture, from the top."""


@pytest.fixture
def story(a_story: Begins, tmp_path: Path) -> Story:
    return opened(tmp_path, a_story)


@pytest.fixture
def signs_in(chromium: Any, url: str) -> Iterator[Callable[..., Any]]:
    """A page of the console for a test user who has signed in; whatever the browser complains of fails the test."""
    contexts, complaints = [], []

    def sign_in(user: str = "ada", *, to: str = "/", **more: Any) -> Any:
        context = chromium.new_context(
            **{"viewport": LARGE, "locale": "en-US", "timezone_id": "Europe/Berlin", "base_url": url} | more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text) if not is_expected(said.text) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(asked.url))
        page.goto(f"/console{to}")
        page.locator(f'button[value="{user}"]').click()
        page.wait_for_url("**/console/**")
        return page

    yield sign_in

    for context in contexts:
        context.close()
    assert not complaints


class Mouse:
    def __init__(self, page: Any) -> None:
        self.page = page

    def follows(self, name: str, within: str = "body") -> None:
        self.page.locator(within).get_by_role("link", name=name).first.click()

    def opens(self, name: str) -> None:
        self.page.locator("summary", has_text=re.compile(f"^{re.escape(name)}$")).first.click()

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def writes(self, label: str, text: str) -> None:
        fields = self.page.get_by_label(label, exact=True)
        next(one for one in fields.all() if one.is_visible()).fill(text)

    def chooses(self, label: str, choice: str) -> None:
        self.page.get_by_label(label, exact=True).first.select_option(choice)

    def ticks(self, label: str) -> None:
        self.page.get_by_label(label).first.check()


FOCUSED = "() => !document.querySelector('[autofocus]') || document.activeElement !== document.body"
"""The browser has focused the field that a page asks it to."""


class Keyboard(Mouse):
    """It reaches everything by Tab, sees where it is, and presses keys alone."""

    MOST = 120

    def follows(self, name: str, within: str = "body") -> None:
        self._reaches(lambda at: at["tag"] == "A" and name in at["text"], within)
        self.page.keyboard.press("Enter")
        self.page.wait_for_load_state()

    def opens(self, name: str) -> None:
        self._reaches(lambda at: at["tag"] == "SUMMARY" and at["text"] == name)
        self.page.keyboard.press("Enter")

    def presses(self, name: str) -> None:
        self._reaches(lambda at: at["tag"] == "BUTTON" and at["text"] == name)
        self.page.keyboard.press("Enter")
        self.page.wait_for_load_state()

    def writes(self, label: str, text: str) -> None:
        self._reaches(lambda at: at["label"] == label)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def chooses(self, label: str, choice: str) -> None:
        self._reaches(lambda at: at["label"] == label)
        self.page.keyboard.type(choice)

    def ticks(self, label: str) -> None:
        self._reaches(lambda at: label in at["label"])
        self.page.keyboard.press("Space")

    def _reaches(self, is_it: Callable[[dict[str, str]], bool], within: str = "body") -> None:
        self.page.wait_for_function(FOCUSED)
        for _ in range(self.MOST):
            self.page.keyboard.press("Tab")
            at = self.page.evaluate(
                """(within) => { const e = document.activeElement;
                const name = e.getAttribute('aria-label') || (e.labels && e.labels[0] && e.labels[0].innerText) || '';
                return {tag: e.tagName, text: (e.innerText || '').trim(), label: name.trim(),
                        inside: String(!!e.closest(within)), outline: getComputedStyle(e).outlineStyle} }""",
                within,
            )
            if at["inside"] == "true" and is_it(at):
                assert at["outline"] != "none", f"{at} has the focus, and nobody sees it"
                return
        raise AssertionError("it is not reached by keyboard")


def finds(hand: Mouse, name: str) -> None:
    hand.writes("Any name of the customer", name)
    hand.presses("Find")


HANDS = [pytest.param(Mouse, id="mouse"), pytest.param(Keyboard, id="keyboard")]


def shown(page: Any) -> str:
    return str(page.locator("main").inner_text())


@pytest.mark.parametrize("hands", HANDS)
def test_an_operator_finds_why_a_message_went(signs_in: Any, hands: type[Mouse]) -> None:
    page = signs_in()
    hand = hands(page)
    hand.writes("Find a customer", "sam@example.com")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/c_*")

    hand.follows("Why?", "main")

    page.wait_for_url("**/messages/**")
    assert "Sent as" in shown(page)


@pytest.mark.parametrize("hands", HANDS)
def test_an_owner_stops_a_journey_with_a_wrong_price(signs_in: Any, story: Story, hands: type[Mouse]) -> None:
    page = signs_in("otto", to="/journeys")
    hand = hands(page)
    hand.follows("price-offer", "main")
    page.wait_for_url("**/journeys/price-offer")
    hand.opens("Stop its messages")
    hand.writes("Why?", "the price is wrong")
    hand.presses("Stop its messages")

    page.get_by_role("status").get_by_text("Stopped").wait_for()
    assert page.locator(".tag.bad", has_text="stopped").is_visible()
    story.passes("8h")
    assert not [one for one in story.sent() if "299" in one.text]


@pytest.mark.parametrize("hands", HANDS)
def test_compliance_reads_an_offer_and_approves_it(signs_in: Any, story: Story, hands: type[Mouse]) -> None:
    page = signs_in("otto", to="/reviews")
    assert "a year for 299 USD" in shown(page)
    hand = hands(page)
    hand.writes("Why?", "the price is right")
    hand.presses("Approve")

    page.get_by_role("status").get_by_text("approved").wait_for()
    story.passes("5m")
    assert [one for one in story.sent() if "299" in one.text]


@pytest.mark.parametrize("hands", HANDS)
def test_a_person_answers_a_customer_beside_the_thread(signs_in: Any, story: Story, hands: type[Mouse]) -> None:
    page = signs_in("ana", to="/inbox")
    hand = hands(page)
    page.get_by_text("Is there a class on Sunday?").wait_for()
    hand.follows("c_", "main")
    page.wait_for_url("**/inbox/c_*")
    hand.writes("Your answer", "Yes, at ten.")
    hand.presses("Send the answer")

    page.get_by_role("status").wait_for()
    story.passes("1m")
    page.reload()
    assert "Yes, at ten." in page.locator(".bubble.out").last.inner_text()
    assert [one for one in story.sent() if one.text == "Yes, at ten."]


@pytest.mark.parametrize("hands", HANDS)
def test_a_member_works_a_task_to_its_outcome(signs_in: Any, story: Story, hands: type[Mouse]) -> None:
    page = signs_in("ana", to="/tasks?queue=sales")
    hand = hands(page)
    hand.follows("Call a trial member", "main")
    page.wait_for_url("**/tasks/*")
    hand.ticks("Booked a visit")
    hand.writes("Note", "prefers mornings")
    hand.presses("Save")

    page.get_by_role("status").get_by_text("Saved").wait_for()
    story.deployment.settle()
    assert [line for line in story.timeline("event") if line["type"] == "visit.booked"]


@pytest.mark.parametrize("hands", HANDS)
def test_the_privacy_officer_erases_a_customer(signs_in: Any, story: Story, hands: type[Mouse]) -> None:
    page = signs_in("pia", to="/customers")
    hand = hands(page)
    finds(hand, "tom@example.com")
    page.wait_for_url("**/customers/c_*")
    hand.opens("Erase this customer")
    hand.ticks("I understand")
    hand.writes("Why?", "ticket 12")
    hand.presses("Erase one customer")

    page.get_by_role("status").get_by_text("Receipt").wait_for()
    story.passes("1h")
    finds(hand, "tom@example.com")
    page.get_by_role("alert").wait_for()


@pytest.mark.parametrize("hands", HANDS)
def test_a_consent_that_is_taken_back_by_phone_is_recorded(signs_in: Any, story: Story, hands: type[Mouse]) -> None:
    page = signs_in("otto", to="/customers")
    hand = hands(page)
    finds(hand, "ida@example.com")
    page.wait_for_url("**/customers/c_*")
    hand.opens("Record a consent")
    hand.chooses("Channel", "email")
    hand.writes("Why?", "told us by phone")
    hand.presses("Record")

    page.get_by_role("status").wait_for()
    story.deployment.settle()
    page.reload()
    assert "denied" in shown(page)


@pytest.mark.parametrize("hands", HANDS)
def test_a_broadcast_is_planned_for_an_audience_and_stopped(signs_in: Any, hands: type[Mouse]) -> None:
    page = signs_in("ada", to="/audiences/members")
    hand = hands(page)
    hand.follows("Plan a broadcast", "main")
    page.wait_for_url("**/broadcasts**")
    hand.chooses("Journey", "spring-offer")
    hand.writes("When", "2026-04-01T10:00:00Z")
    hand.writes("Why?", "ticket 9")
    hand.presses("Plan")
    page.wait_for_url("**/broadcasts/*")
    for act in ("Approve", "Stop for good"):
        hand.opens(act)
        hand.writes("Why?", "ticket 9")
        hand.presses(act)
        page.get_by_role("status").wait_for()

    assert "stopped" in shown(page)


@pytest.mark.parametrize("hands", HANDS)
def test_an_experiment_says_in_words_how_it_stands(signs_in: Any, hands: type[Mouse]) -> None:
    page = signs_in("vic", to="/experiments")
    hands(page).follows("trial-welcome", "main")
    page.wait_for_url("**/experiments/trial-welcome")

    page.locator(".verdict").wait_for()
    assert "Too early" in page.locator(".verdict").inner_text()


@pytest.mark.parametrize("hands", HANDS)
def test_the_red_button_stops_every_message(signs_in: Any, hands: type[Mouse]) -> None:
    page = signs_in("otto", to="/switches")
    hand = hands(page)
    hand.writes("Why?", "a wrong link")
    hand.presses("Stop every message")

    page.get_by_text("Everything is stopped").wait_for()
    page.goto("/console/")
    assert "a wrong link" in shown(page)


def test_the_palette_goes_to_a_page_and_finds_a_customer(signs_in: Any) -> None:
    page = signs_in()
    page.keyboard.press("Control+K")
    page.keyboard.type("swit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/switches")
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.wait_for_url("**/journeys")
    page.keyboard.press("Control+K")
    page.keyboard.type("mia@example.com")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/c_*")


def test_the_flow_along_each_arrow_is_drawn_and_said_in_words(signs_in: Any) -> None:
    """Twelve signed up; the page counts them from the log of facts, without being asked."""
    page = signs_in("ada", to="/journeys/trial-welcome")

    table = page.get_by_role("table", name="The arrows in words")
    table.wait_for()

    rows = [[cell.inner_text() for cell in row.locator("td").all()] for row in table.locator("tbody tr").all()]
    went = {(source, target, when): int(count) for source, target, when, count in rows}
    entered = went["the beginning", "hello", "always"]
    assert entered > 0
    assert went["hello", "which-tips", "always"] == entered
    arms = [count for (source, *_), count in went.items() if source == "which-tips"]
    assert len(arms) == 2
    assert sum(arms) == entered
    picture = b64decode(page.locator(".picture img").get_attribute("src").partition(",")[2]).decode()
    assert 'class="went" x="' in picture
    assert f">{entered}</text>" in picture
    assert page.locator(".picture img").evaluate("one => one.complete && one.naturalWidth > 100")

    page.get_by_label("Flow of the last").select_option("7")
    page.get_by_text("entered this version in the last 7 days").wait_for()


def test_a_condition_is_counted_while_it_is_typed(signs_in: Any) -> None:
    page = signs_in("ada", to="/audiences")
    field = page.get_by_label("Customers of whom this is true")

    field.press_sequentially("profile.plan = 'yearly'")
    page.get_by_text("Equal is written ==.").wait_for()

    field.fill("profile.first_name")
    page.get_by_text("customers were looked at").wait_for()
    matched = int(page.locator("#tried .figure").inner_text())
    assert matched > 1
    assert page.get_by_role("table", name="Who of them is in an audience, too").locator("tbody tr").count() == 1
    assert not page.locator("#tried li").count()

    page.get_by_label("Show a few of them").check()
    page.locator("#tried li").first.wait_for()
    assert "…" in page.locator("#tried li").first.inner_text()
    assert "mia@example.com" not in page.locator("#tried").inner_text()


def test_without_scripts_a_condition_is_counted_by_a_button(signs_in: Any) -> None:
    page = signs_in("ada", to="/audiences", java_script_enabled=False)

    page.get_by_label("Customers of whom this is true").fill("profile.first_name")
    page.get_by_role("button", name="Count", exact=True).click()

    assert int(page.locator("#tried .figure").inner_text()) > 1
    assert page.get_by_label("Customers of whom this is true").input_value() == "profile.first_name"


def test_without_scripts_the_flow_is_counted_by_a_button(signs_in: Any) -> None:
    page = signs_in("ada", to="/journeys/trial-welcome", java_script_enabled=False)
    assert not page.get_by_role("table", name="The arrows in words").count()

    page.get_by_role("button", name="Count", exact=True).click()

    assert page.get_by_role("table", name="The arrows in words").count()


def test_without_scripts_every_page_is_read_and_forms_work(signs_in: Any) -> None:
    page = signs_in("ada", java_script_enabled=False)

    for path in PAGES:
        page.goto(f"/console{path}")
        assert page.locator("h1").inner_text()
    page.goto("/console/reports/deliveries?count=yes")
    assert page.locator("table").count()
    page.goto("/console/switches")
    page.get_by_label("Why?").first.fill("a test")
    page.get_by_role("button", name="Stop every message").click()
    assert "Everything is stopped" in shown(page)


TOO_WIDE = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
  [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > window.innerWidth)
    .map((one) => one.outerHTML.slice(0, 90)).slice(0, 5)"""


@pytest.mark.parametrize("size", [PHONE, LARGE], ids=["phone", "large"])
def test_every_page_is_for_everybody(signs_in: Any, axe: Any, size: dict[str, int]) -> None:
    """axe-core finds nothing in light and dark, and nothing is wider than the screen.

    CAIRN_SCREENSHOTS names a folder for a picture of each.
    """
    page = signs_in("ada", viewport=size, reduced_motion="reduce")
    page.goto("/console/customers")
    page.get_by_label("Any name of the customer").fill("mia@example.com")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**/customers/c_*")
    of_customer = page.url
    page.goto("/console/tasks")
    task = page.locator("main tbody a").first.get_attribute("href")
    page.goto("/console/inbox")
    thread = page.locator("main tbody a").first.get_attribute("href")
    page.goto("/console/journeys/trial-welcome")
    versions = page.locator("main a[href*='/versions/']").first.get_attribute("href")
    more = [
        "/journeys/trial-welcome",
        "/journeys/trial-welcome/steps/tips",
        "/audiences/members",
        "/experiments/trial-welcome",
        "/reports/deliveries",
    ]
    addresses = {name: f"/console{name}" for name in (*PAGES, *more)}
    addresses |= {"/customer": of_customer, "/task": task, "/conversation": thread, "/versions": versions}

    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = axe.run(page)
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"
            _pictured(page, name, size, scheme)
        wide = page.evaluate(TOO_WIDE)
        assert not wide, f"{name} is wider than the screen: {wide}"


def _pictured(page: Any, name: str, size: dict[str, int], scheme: str) -> None:
    if folder := os.environ.get("CAIRN_SCREENSHOTS"):
        file = re.sub(r"\W+", "-", name.strip("/")) or "home"
        Path(folder).mkdir(parents=True, exist_ok=True)
        high = min(page.evaluate("document.documentElement.scrollHeight"), HIGH)
        part = {"x": 0, "y": 0, "width": size["width"], "height": high}
        page.screenshot(path=Path(folder) / f"{file}-{size['width']}-{scheme}.png", full_page=True, clip=part)
