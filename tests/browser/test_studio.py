"""The studio in Chromium: a bar, its panels, and a journey from an empty folder to a tested story."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from infra.local.signing import local_secrets
from infra.local.studio import posting
from infra.local.studio.acts import State
from infra.local.studio.server import StudioServer, free_port, run, watch
from infra.local.studio.studio import Project, Studio, studio

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
SIZES = (("desktop", DESKTOP), ("phone", PHONE))
SCREENS = [(name, size, scheme) for name, size in SIZES for scheme in ("light", "dark")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty folder."""
    folder = tmp_path / "club"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Project(folder, folder / "journeys", ROOT / "policy.toml", ROOT / "sources.toml")


@pytest.fixture
def here(project: Project) -> Iterator[Studio]:
    port = free_port()
    with studio(
        project,
        secrets=local_secrets({}, project.sources()),
        state=State(),
        public_url=f"http://127.0.0.1:{port}",
        real_now=lambda: NOON,
    ) as made:
        yield made


@pytest.fixture
def url(here: Studio) -> Iterator[str]:
    """In place of the story's: the studio, with its clock and its watch."""
    app = StudioServer(here, partial(_replay, here.project.root), ROOT / "docs" / "journey.schema.json")
    port = int(here.public_url.rpartition(":")[2])
    server, stop = make_server("127.0.0.1", port, app, threaded=True), Event()
    threads = [
        Thread(target=server.serve_forever, daemon=True),
        Thread(target=run, args=(here, stop, 0.05), daemon=True),
        Thread(target=watch, args=(here, stop, 0.1), daemon=True),
    ]
    for one in threads:
        one.start()
    try:
        yield here.public_url
    finally:
        stop.set()
        server.shutdown()
        for one in threads:
            one.join()
        server.server_close()


def _replay(root: Path, story: Path) -> str:
    command = [sys.executable, "-c", "from cli.main import app; app()", "replay", str(story)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    return (done.stderr or "no") if done.returncode else ""


Opens = Callable[..., Any]


@pytest.fixture
def browser(opens_at: Opens) -> Opens:
    """Open a page with its scripts, on a desktop unless it is said otherwise."""

    def opened(path: str = "/", **more: Any) -> Any:
        page = opens_at(path, **{"java_script_enabled": True, "viewport": DESKTOP, "timezone_id": "UTC"} | more)
        page.set_default_timeout(30_000)
        return page

    return opened


def panel(page: Any, name: str) -> Any:
    if page.get_attribute(f".st-tabs [data-panel={name}]", "aria-expanded") != "true":
        page.click(f".st-tabs [data-panel={name}]")
    page.wait_for_selector(f".st-panel[data-name={name}] h2")
    return page.locator(".st-panel")


def until(is_so: Callable[[], bool]) -> None:
    """Wait in the test, since the page's policy runs no text as a script."""
    pause = Event()
    for _ in range(200):
        if is_so():
            return
        pause.wait(0.1)
    raise TimeoutError


def begin(page: Any) -> None:
    """Make the first journey by the form of an empty folder."""
    page.click("text=Make it")
    page.wait_for_selector(".st-bar")


def post(page: Any, type_: str, who: str = "Mia") -> None:
    opened = panel(page, "post")
    opened.locator("#st-type").fill(type_)
    opened.locator("#st-who").fill(who)
    opened.get_by_text("Post it").click()
    page.wait_for_selector(".st-toast:has-text('Taken')")


def test_from_an_empty_folder_to_a_tested_story(browser: Opens, project: Project) -> None:
    page = browser()
    assert page.inner_text("h1") == "Make your first journey"
    begin(page)
    assert page.inner_text("h1") == "trial-welcome"
    page.locator(".st-panel", has_text="Let something happen").wait_for()  # the guide is open

    post(page, "trial.signup")
    page.wait_for_selector("#studio-walk option:has-text('mia, here')", state="attached")
    message = panel(page, "messages").locator(".st-mails li")
    assert "Welcome, Mia" in message.inner_text()
    assert "How to get started." in message.inner_text()
    mail = page.frame_locator(".st-mail iframe").locator("body")
    assert "your trial has begun" in mail.inner_text()

    page.click(".st-moves >> text=Step")
    page.wait_for_selector(".st-now:has-text('5 Mar 2026')")

    stories = panel(page, "stories")
    stories.locator("#st-sentence").fill("Mia gets the welcome and a call")
    stories.locator("#st-file").fill("welcome")
    stories.get_by_text("Save and test").click()
    page.wait_for_selector(".st-toast:has-text('`cairn replay` passes')")

    text = (project.root / "stories" / "welcome.story.yaml").read_text()
    assert "Mia gets the welcome and a call" in text
    assert "kind: task, step: call" in text
    assert page.locator(".st-steps").count() == 0
    assert panel(page, "guide").locator(".st-done").count() == 5


def test_why_leads_to_the_decision(browser: Opens) -> None:
    page = browser()
    begin(page)
    post(page, "trial.signup")

    panel(page, "messages").locator(".st-mails >> text=Why?").click()

    page.wait_for_selector("h1:has-text('Why this message?')")
    page.wait_for_selector(".st-panel")  # it stays open from page to page


def test_what_is_saved_is_checked_and_deployed_at_once(browser: Opens, project: Project, here: Studio) -> None:
    page = browser()
    begin(page)
    file = project.journeys / "trial-welcome" / "journey.yaml"
    text, version = file.read_text(), here.compiled()[0]["version"]

    file.write_text(text.replace("timeout: 3d", "timeout: 3 days"))
    page.wait_for_selector(".st-problems:visible")
    shown = panel(page, "files").inner_text()
    line = text[: text.index("timeout: 3d")].count("\n") + 1
    assert f"journey.yaml:{line}" in shown
    assert "What ran before goes on" in shown
    assert here.compiled()[0]["version"] == version

    file.write_text(text.replace("timeout: 3d", "timeout: 9d"))
    page.wait_for_selector(".st-good")
    page.wait_for_selector("main td:has-text('9d')")
    assert here.compiled()[0]["version"] != version


def test_the_slider_goes_back_and_the_path_with_it(browser: Opens, here: Studio) -> None:
    page = browser()
    begin(page)
    post(page, "trial.signup")
    page.click(".st-moves >> text=+1 d")
    page.wait_for_selector(".st-now:has-text('3 Mar 2026')")  # while one act is under way, no other begins
    page.click(".st-moves >> text=Next timer")
    page.wait_for_selector(".st-now:has-text('5 Mar 2026')")
    page.wait_for_selector("#studio-walk img[alt*='call']")

    slider = page.locator(".st-slider input")
    slider.focus()
    page.keyboard.press("Home")

    page.wait_for_selector(".st-now:has-text('2 Mar 2026')")
    page.wait_for_selector("#studio-walk img[alt*='walked: first-days, welcome']")
    assert here.now() == NOON


def test_the_clock_runs_and_stops(browser: Opens, here: Studio) -> None:
    page = browser()
    begin(page)

    page.click(".st-moves [value=run]")
    page.wait_for_selector(".st-moves [value=pause]:visible")
    until(lambda: "12:00:00" not in page.inner_text(".st-now"))
    page.click(".st-moves [value=pause]")
    page.wait_for_selector(".st-moves [value=run]:visible")

    assert here.now() > NOON
    assert not here.running


def test_a_vendors_sample_is_edited_signed_and_taken(browser: Opens, here: Studio) -> None:
    page = browser()
    begin(page)
    opened = panel(page, "post")
    opened.locator("#st-samples").select_option("stripe/invoice_paid")
    body = opened.locator("#st-body")
    until(lambda: "invoice.paid" in body.input_value())
    body.fill(body.input_value().replace("evt_", "evt_mine_", 1))

    opened.get_by_text("Sign and post").click()

    page.wait_for_selector(".st-toast:has-text('Taken')")
    assert any(line["kind"] == "event" and line["source"] == "stripe" for line in here.lines())


def test_a_simulated_walk_is_drawn_and_said(browser: Opens) -> None:
    page = browser()
    begin(page)

    page.select_option("#st-walker", label="all is known, simulated")
    page.wait_for_selector("#studio-walk li:has-text('Help a new customer')")
    assert "first-days" in page.get_attribute("#studio-walk img", "alt")

    page.fill("#st-events", "app.opened@1d")
    page.keyboard.press("Enter")
    page.wait_for_selector("#studio-walk img:not([alt*='call'])")


def test_what_is_ordered_in_the_console_is_repeated_and_saved(browser: Opens, project: Project, here: Studio) -> None:
    page = browser()
    begin(page)
    post(page, "trial.signup")
    page.click(".st-moves >> text=+1 h")
    page.wait_for_selector(".st-now:has-text('13:00:00')")
    page.click("main summary:has-text('Stop its messages')")
    page.locator("main [name=why]:visible").fill("a wrong price")
    page.get_by_role("button", name="Stop its messages").click()
    page.wait_for_selector("main .said")

    stories = panel(page, "stories")
    stories.get_by_text("Again, on the files of now").click()
    page.wait_for_selector(".st-toast:has-text('happened again')")
    assert [one.document["do"] for one in here.orders] == ["stop"]

    stories.locator("#st-file").fill("stopped")
    stories.get_by_text("Save and test").click()
    page.wait_for_selector(".st-toast:has-text('`cairn replay` passes')", timeout=120_000)  # a process of its own
    text = (project.root / "stories" / "stopped.story.yaml").read_text()
    assert "{at: 1h, do: stop, target: 'journey:trial-welcome', why: a wrong price}" in " ".join(text.split())


def test_what_is_written_while_a_panel_is_fetched_anew_stays(browser: Opens) -> None:
    page = browser()
    begin(page)
    post(page, "trial.signup")
    stories = panel(page, "stories")
    asked: list[Any] = []
    page.route("**/_studio/panel/stories*", lambda route: asked.append(route))  # noqa: PLW0108  Playwright takes no builtin

    stories.get_by_text("Again, on the files of now").click()
    page.wait_for_selector(".st-toast:has-text('happened again')")
    while not asked:
        page.wait_for_timeout(50)
    stories.locator("#st-file").fill("stopped")
    with page.expect_response("**/_studio/panel/stories*"):
        asked.pop().continue_()
    page.wait_for_timeout(300)

    assert stories.locator("#st-file").input_value() == "stopped"


def test_what_is_written_right_after_an_act_outlasts_all_that_is_drawn_anew(browser: Opens) -> None:
    """The panel is drawn anew by the act itself and by the next look at the state, each of them late."""
    page = browser()
    begin(page)
    post(page, "trial.signup")
    stories = panel(page, "stories")
    late: list[Any] = []
    is_late = True
    page.route("**/_studio/state", lambda route: late.append(route) if is_late else route.continue_())

    stories.get_by_text("Again, on the files of now").click()
    page.wait_for_selector(".st-toast:has-text('happened again')")
    while not late:
        page.wait_for_timeout(50)
    stories.locator("#st-file").fill("stopped")
    is_late = False
    for one in late:
        one.continue_()
    page.wait_for_function("() => !document.querySelector('#studio').hasAttribute('aria-busy')")
    page.wait_for_timeout(1500)

    assert stories.locator("#st-file").input_value() == "stopped"


def test_a_story_is_replayed_with_its_time_line(browser: Opens, project: Project, here: Studio) -> None:
    page = browser()
    begin(page)
    (project.root / "stories").mkdir()
    (project.root / "stories" / "one.story.yaml").write_text(
        "scenario: Noor signs up\nstarts: 2026-05-04T08:00:00Z\nfor: 2d\nposts:\n"
        "  - {at: 1h, event: {id: one, type: trial.signup, customer: {email: noor@example.com}}}\n"
        "expect:\n  - {at: 1h, kind: message, step: welcome}\n"
    )

    opened = panel(page, "files")
    opened = panel(page, "stories")
    opened.get_by_role("button", name="Replay Noor signs up").click()
    page.wait_for_selector(".st-toast:has-text('1 expectations are met')")
    page.wait_for_selector(".st-good:has-text('All 1 expectations are met.')")

    opened.locator(".st-lines button").first.click()
    page.wait_for_selector(".st-now:has-text('4 May 2026')")
    assert here.now() == datetime(2026, 5, 4, 9, tzinfo=UTC)


def test_no_journey_is_lost_where_a_form_is_being_written(browser: Opens) -> None:
    page = browser()
    begin(page)
    page.click("main summary:has-text('Stop its messages')")
    page.fill("main textarea, main input[name=why] >> visible=true", "a wrong price")

    page.click(".st-moves >> text=+1 h")
    page.wait_for_selector(".st-now:has-text('13:00')")
    page.wait_for_timeout(1_500)

    assert page.input_value("main textarea, main input[name=why] >> visible=true") == "a wrong price"


def test_nothing_of_a_customer_is_run(browser: Opens, here: Studio) -> None:
    page = browser()
    begin(page)
    attack = "<img src=x onerror=alert(1)>"
    customer = {"user_id": attack, "email": "mia@example.com"}
    event = {"id": "one", "type": "trial.signup", "customer": customer, "attributes": {"first_name": attack}}
    with here.lock:
        posting.post(here, "track", json.dumps(event))

    for tab in ("post", "messages", "stories"):
        opened = panel(page, tab)
        assert attack in opened.text_content()
        assert opened.locator("img").count() == 0
    assert page.frame_locator(".st-mail iframe").locator("img").count() == 0


@pytest.mark.parametrize(("name", "size", "scheme"), SCREENS)
def test_it_is_for_everybody_on_every_screen(
    browser: Opens, axe: Any, name: str, size: dict[str, int], scheme: str
) -> None:
    page = browser(viewport=size, color_scheme=scheme)
    begin(page)
    post(page, "trial.signup")
    for tab in ("guide", "post", "messages", "stories", "files"):
        panel(page, tab)
        wide = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.st-panel').scrollWidth]")
        assert wide[0] <= size["width"], (name, tab)
        assert wide[1] <= size["width"], (name, tab)
        found = axe.run(page)
        assert not found.response["violations"], (name, tab, found.generate_report())
        box = page.locator(".st-tabs select").bounding_box()
        assert box["x"] + box["width"] <= size["width"]
