"""The page of `cairn preview`, in a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authoring.policy import compile_policy
from authoring.preflight.preview import preview
from cairn.adapters.documents.policy import policy_from_document

ROOT = Path(__file__).parents[2]
DARK = "window.matchMedia('(prefers-color-scheme: dark)').matches"


@pytest.fixture
def page(chromium: Any, tmp_path: Path) -> Iterator[Any]:
    rules = policy_from_document(compile_policy(ROOT / "policy.toml", ROOT / "law.toml"))
    file = tmp_path / "preview.html"
    file.write_text(preview(ROOT / "layers" / "journeys", "fitness-trial-to-paid", rules), encoding="utf-8")
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1250, "height": 900}, color_scheme="null")
    opened = context.new_page()
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith("file:") else None)
    opened.goto(file.as_uri())
    opened.wait_for_load_state("load")
    yield opened
    context.close()
    assert complaints == []


def test_each_email_is_whole_on_phone_and_desktop_light_and_dark(page: Any) -> None:
    frames = page.locator("details[open]").first.locator("iframe")

    assert [frames.nth(index).bounding_box()["width"] for index in range(frames.count())] == [375, 700, 375, 700]
    for index in range(frames.count()):
        inside = frames.nth(index).element_handle().content_frame()
        assert inside.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
        assert inside.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert inside.get_by_role("heading", level=1).is_visible()
    dark = [frames.nth(index).element_handle().content_frame().evaluate(DARK) for index in range(frames.count())]
    assert dark == [False, False, True, True]


def test_the_email_of_another_sample_opens_whole(page: Any) -> None:
    page.locator("summary").nth(1).click()
    frame = page.locator("details").nth(1).locator("iframe").first
    page.wait_for_function("one => one.getBoundingClientRect().height > 400", arg=frame.element_handle())

    assert (
        frame.element_handle().content_frame().evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    )
