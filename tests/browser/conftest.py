"""A real browser, without JavaScript: the local deployment behind a socket, and Chromium as its client."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from infra.local.server import Application

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""

QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
"""It runs as root in CI, and is to speak to nobody but us."""

NOT_OK = "the server responded with a status of 4"
"""Chromium's log entry for a page that is refused on purpose."""

IN_A_SANDBOX = "Failed to execute 'postMessage'"
"""Its log entry where axe-core asks an e-mail, whose sandbox has no origin."""

PHONE = {"width": 390, "height": 760}


def is_expected(text: str) -> bool:
    return NOT_OK in text or IN_A_SANDBOX in text


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("no Chromium is installed (make test-tools), and CHROMIUM names none")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> Any:
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


@pytest.fixture
def url(story: Any) -> Iterator[str]:
    """The address of the story's local deployment."""
    server = make_server("127.0.0.1", 0, Application(story.deployment), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def opens_at(chromium: Any, url: str, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a path in a browser that runs no script of the page; whatever it complains of fails the test."""
    contexts, complaints = [], []

    def open_path(path: str, **more: Any) -> Any:
        asked = {"viewport": PHONE, "java_script_enabled": False, "locale": "en-US"} | more
        context = chromium.new_context(**asked)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if not is_expected(said.text) else None)
        page.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(asked.url))
        page.goto(url + path)
        return page

    yield open_path

    shots = Path(os.environ.get("CAIRN_SCREENSHOTS") or tmp_path)
    shots.mkdir(parents=True, exist_ok=True)
    name = os.environ.get("PYTEST_CURRENT_TEST", "page").rpartition("::")[2].partition(" ")[0]
    for number, context in enumerate(contexts):
        context.pages[0].screenshot(path=shots / f"{name}-{number}.png", full_page=True)
        context.close()
    assert not complaints


@pytest.fixture
def opens(story: Any, opens_at: Callable[..., Any]) -> Callable[..., Any]:
    """Open a link of a mail to Mia."""

    def open_link(kind: str, address: str = "mia.1@example.com", **more: Any) -> Any:
        return opens_at(story.link(kind, address).replace("https://localhost", ""), **more)

    return open_link


@pytest.fixture
def opens_task(opens_at: Callable[..., Any]) -> Callable[..., Any]:
    """Open a member's link of a task."""
    return opens_at
