"""The console: what its pages show and do, to whom, and what nobody can do through them."""

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.calls import watched
from cairn.adapters.console.app import SESSION
from cairn.adapters.console.navigation import GROUPS
from cairn.adapters.console.render import assets, assets_by_path
from cairn.domain.operations.roles import Role, is_allowed
from tests.conftest import SHORT_JOURNEY, Story
from tests.console import ORIGIN, Browser, Shown

PAGES = [entry for _, entries in GROUPS for entry in entries]

MIA = "mia.1@example.com"

MOST_BYTES = 150 * 1024
MOST_CALLS = 20


@pytest.fixture
def browser(story: Story) -> Browser:
    story.signs_up(1)
    return Browser(story.deployment)


def words_of(shown: Shown) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", shown.text).split())


def customer_of(browser: Browser) -> str:
    return browser.post("/customers", name=MIA).location.rpartition("/")[2]


@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.path)
def test_a_page_opens_within_its_budget(browser: Browser, page: Any) -> None:
    with watched(browser.deployment) as made:
        shown = browser.get(page.path)

    loaded = sum(len(assets()[name].content) for name in ("console.css", "console.js", "htmx.min.js"))
    assert shown.status == 200
    assert len(shown.html.encode()) + loaded <= MOST_BYTES
    assert len([call for call in made if call.function == "serve_console"]) <= MOST_CALLS
    assert f'aria-current="page" data-key="{page.key}"' in shown.html


@pytest.mark.parametrize("role", Role)
def test_the_menu_leads_nobody_to_a_page_that_is_not_theirs(story: Story, role: Role) -> None:
    browser = Browser(story.deployment, roles=(role,), name="ana")  # an agent is a member of people.toml

    links = set(re.findall(r'<a href="/console(/[^"]*)"(?: aria-current="page")? data-key', browser.get("/").html))

    assert links == {one.path for one in PAGES if is_allowed({role}, one.route, one.action)}
    for path in links:
        assert browser.get(path).status == 200, path


@pytest.mark.parametrize("role", [one for one in Role if one not in {Role.ADMIN, Role.OPERATOR}])
def test_a_role_that_may_not_stop_messages_cannot(story: Story, role: Role) -> None:
    browser = Browser(story.deployment, roles=(role,))

    refused = browser.post("/switches", do="stop", target="all", why="because")

    assert refused.status == 403
    assert "needs the role operator or admin" in refused.text
    assert "Nothing: all channels" in Browser(story.deployment).get("/switches").text


def test_the_red_button_stops_every_message_and_says_who_did(browser: Browser, story: Story) -> None:
    assert browser.post("/switches", do="stop", target="all", why="a wrong price").location == "/console/switches"

    home = browser.get("/").text
    assert "a wrong price" in home
    assert "by ada" in home
    story.signs_up(2)
    story.passes("10m")
    assert not [one for one in story.sent() if one.address == "mia.2@example.com"]


def test_an_act_without_its_reason_is_explained_and_forgets_nothing(browser: Browser) -> None:
    refused = browser.post("/switches", do="stop", target="channel:sms", why="")

    assert refused.status == 400
    assert "Why: a text that is not empty." in refused.text
    assert 'value="channel:sms"' in refused.html


def test_what_is_done_is_said_once(browser: Browser) -> None:
    done = browser.post("/switches", do="stop", target="channel:sms", why="a test")

    (said,) = (one for one in done.cookies if one.startswith("cairn_said"))
    cookie = said.partition(";")[0] + f"; {SESSION}={browser.session()}"
    shown = browser.deployment.open_console("GET", f"{ORIGIN}/console/switches", {"cookie": cookie})
    assert "Stopped: channel:sms. It counts within a minute." in shown["body"]
    assert any(one.startswith("cairn_said=; Max-Age=0") for one in shown["cookies"])


def test_a_customer_is_found_by_name_and_the_address_shows_no_name(browser: Browser) -> None:
    found = browser.post("/customers", name=MIA)

    assert re.fullmatch(r"/console/customers/c_[a-z0-9]+", found.location)
    page = browser.get(found.location.removeprefix("/console")).text
    assert MIA in page
    assert "Where they stand, and what comes next" in page


def test_nobody_by_that_name_is_said_and_the_name_stays_in_the_field(browser: Browser) -> None:
    missing = browser.post("/customers", name="nobody@example.com")

    assert missing.status == 404
    assert 'value="nobody@example.com"' in missing.html


def test_every_decision_on_a_message_leads_to_its_reason(browser: Browser, story: Story) -> None:
    story.passes("1h")
    page = browser.get(f"/customers/{customer_of(browser)}")

    address = re.search(r'href="/console(/messages/[^"]+)"', page.html)
    assert address is not None
    assert "Sent as a text" in browser.get(address[1].replace("&amp;", "&")).text


def test_a_step_shows_the_message_as_a_reader_gets_it(browser: Browser) -> None:
    page = browser.get("/journeys/welcome/steps/tips")
    assert "name a customer" in page.text

    shown = browser.post("/journeys/welcome/steps/tips", customer=MIA)

    frame = re.search(r'src="/console(/journeys/welcome/mail/[^"]+)"', shown.html)
    assert frame is not None
    assert MIA not in frame[1]
    mail = browser.get(frame[1])
    assert "<p" in mail.html
    assert mail.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_a_consent_that_a_customer_takes_back_by_phone_counts_at_once(browser: Browser, story: Story) -> None:
    customer = customer_of(browser)

    browser.post(
        f"/customers/{customer}", do="consent", channel="sms", purpose="marketing", status="denied", why="by phone"
    )
    story.deployment.settle()

    assert "denied" in browser.get(f"/customers/{customer}").text


def test_an_erasure_needs_its_box_and_ends_in_the_audit(browser: Browser, story: Story) -> None:
    customer = customer_of(browser)

    assert "tick the box" in browser.post(f"/customers/{customer}", do="erase", why="ticket 7").text.lower()
    done = browser.post(f"/customers/{customer}", do="erase", why="ticket 7", sure="yes")
    story.passes("1h")

    assert done.location == "/console/customers"
    assert browser.post("/customers", name=MIA).status == 404
    assert "ticket 7" in browser.get("/audit").text


def test_a_session_that_is_over_comes_back_to_the_same_page(story: Story) -> None:
    browser = Browser(story.deployment)
    cookie = f"{SESSION}={browser.session()}"
    story.deployment.advance_to(story.deployment.now() + timedelta(hours=9))

    answer = story.deployment.open_console("GET", f"{ORIGIN}/console/audit?before=x", {"cookie": cookie})

    assert answer["statusCode"] == 303
    assert answer["headers"]["location"] == "/console/sign-in?to=/console/audit%3Fbefore%3Dx"
    part = story.deployment.open_console("GET", f"{ORIGIN}/console/audit", {"hx-request": "true"})
    assert part["headers"]["hx-redirect"].startswith("/console/sign-in")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_of_another_site_does_nothing(story: Story, site: str) -> None:
    refused = Browser(story.deployment, site=site).post("/switches", do="stop", target="all", why="because")

    assert refused.status == 403
    assert "Nothing: all channels" in Browser(story.deployment).get("/switches").text


def test_a_session_that_we_have_not_signed_is_none(story: Story) -> None:
    browser = Browser(story.deployment)
    value = browser.session()

    for forged in (value[:-1] + ("A" if value[-1] != "A" else "B"), value.split(".")[0], "x" * 5000, "{}", ""):
        answer = story.deployment.open_console("GET", f"{ORIGIN}/console/", {"cookie": f"{SESSION}={forged}"})
        assert answer["statusCode"] == 303


def test_a_user_without_a_role_is_shown_what_to_ask_for(story: Story) -> None:
    from functions.serve_console.handler import console

    document = {"name": "new@example.com", "who": {"subject": "1"}, "roles": []}
    with story.deployment.lock:
        cookie = console().cookies.sign("session", document, story.deployment.now() + timedelta(hours=1))
    answer = story.deployment.open_console("GET", f"{ORIGIN}/console/", {"cookie": f"{SESSION}={cookie}"})

    assert answer["statusCode"] == 403
    assert "new@example.com" in answer["body"]
    assert "privacy or admin" in answer["body"]


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\"'>"


def test_nothing_that_a_customer_writes_becomes_part_of_a_page(story: Story) -> None:
    event = {
        "id": "hostile",
        "type": "trial.signup",
        "customer": {"user_id": HOSTILE, "email": "h@example.com"},
        "attributes": {"first_name": HOSTILE, "last_name": HOSTILE, "company": HOSTILE, HOSTILE[:20]: HOSTILE},
        "properties": {"note": HOSTILE},
    }
    story.posts(json.dumps(event).encode())
    story.deployment.settle()
    browser = Browser(story.deployment)
    found = browser.post("/customers", name="h@example.com").location.removeprefix("/console")

    pages = [browser.get(page.path).html for page in PAGES]
    pages += [browser.get(found).html, browser.get(f"{found}/timeline").html, browser.get(f"/inbox/{found[11:]}").html]
    pages += [browser.post("/customers", name=HOSTILE).html, browser.get("/audiences/" + "%3Cscript%3E").html]

    for html in pages:
        assert "<script>alert" not in html
        assert "onerror=alert(2)>" not in html.replace("&gt;", "")
        assert "49" not in re.findall(r"\{\{7\*7\}\}|49(?=\"&#39;)", html)


def test_pages_load_our_own_files_alone_and_run_nothing_else(browser: Browser) -> None:
    shown = browser.get("/")
    policy = shown.headers["content-security-policy"]

    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", shown.html)
    for address in re.findall(r'(?:src|href)="([^"]+)"', shown.html):
        assert address.startswith(("/console", "#")), address


def test_assets_are_named_by_their_content_and_are_stored_for_ever(story: Story) -> None:
    stranger = Browser(story.deployment, roles=())

    for path in assets_by_path():
        answer = stranger.get(f"/{path}")
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]


def test_an_error_of_ours_is_a_page_without_a_traceback(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from cairn.adapters.console.api import Api

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(Api, "get", fails)
    shown = browser.get("/switches")

    assert shown.status == 500
    assert "secret of the inside" not in shown.text
    assert "That did not work" in shown.text


def test_a_path_that_is_none_is_said(browser: Browser) -> None:
    assert browser.get("/no/such/page").status == 404
    assert browser.get("/journeys/no-such-journey").status == 404
    assert browser.get("/customers/c_nobody").status == 404
    assert browser.get("/messages/no-message").status == 404


def test_an_earlier_version_stands_beside_the_deployed_one(browser: Browser, story: Story, tmp_path: Path) -> None:
    copied = shutil.copytree(SHORT_JOURNEY, tmp_path / "journeys")
    (name,) = (file.parent.name for file in copied.glob("*/journey.yaml"))
    file = copied / name / "journey.yaml"
    (before,) = (one["version"] for one in json.loads(story.deployment.catalogue.read_bytes()))
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    first = document["steps"][0]["id"]
    document["steps"].insert(1, {"id": "an-hour", "wait": "1h"})
    file.write_text(yaml.safe_dump(document), encoding="utf-8")

    story.deployment.deploy(copied)

    shown = browser.get(f"/journeys/{name}")
    assert f"/console/journeys/{name}/versions/{before}" in shown.html
    compared = browser.get(f"/journeys/{name}/versions/{before}")
    assert "an-hour added wait" in words_of(compared)
    assert f"{first} changed" in words_of(compared), "it leads elsewhere"
    assert compared.html.count("graph.svg?version=") == 2
    old, new = (browser.get(f"/journeys/{name}/graph.svg{query}").html for query in (f"?version={before}", ""))
    assert ("an-hour" in old, "an-hour" in new) == (False, True)


def test_a_journey_shows_what_its_check_has_proven(browser: Browser) -> None:
    shown = words_of(browser.get("/journeys/welcome"))

    assert re.search(r"Paths \d+, and each ends after \d", shown)
    assert re.search(r"at most \d in a day, \d in a week, \d in all", shown)
    assert re.search(r"\d\.\d{4} to \d\.\d{4} USD for each customer", shown)
