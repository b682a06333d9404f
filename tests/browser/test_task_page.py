"""The page of a task on a phone, by keyboard alone, without scripts."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.test_page_of_tasks import captured, events, start, story, task_of

__all__ = ["start", "story"]  # fixtures

Opens = Callable[..., Any]


def presses(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def reaches(page: Any, name: str, *, most: int = 40) -> Any:
    """Go on by the Tab key to what has this text, label or value, and see that it is marked."""
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate("() => { const e = document.activeElement; return [e.innerText, e.value, e.id].join('|') }")
        if name in at:
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{name} has the focus, and nobody sees it"
            return page
    raise AssertionError(f"{name} is not reached by keyboard")


def sends(page: Any, key: str = "Enter") -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_call_by_keyboard_alone(story: Any, opens_task: Opens) -> None:
    page = opens_task(captured(story))
    assert page.get_by_role("heading", level=1).inner_text() == "Call the lead"
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")

    for button in ("Said", "I have read it", "Yoga", "Yes", "Said"):
        reaches(page, button)
        sends(page)
        assert page.get_by_role("alert").count() == 0
    reaches(page, "booked")
    assert page.get_by_role("radio", name="Booked").is_checked()
    reaches(page, "Save")
    sends(page)

    assert page.get_by_role("status").inner_text() == "Saved. Thank you."
    story.deployment.settle()
    assert events(story)["task.done"]["properties"]["outcome"] == "booked"


def test_a_skipped_line_is_said_aloud_and_loses_nothing(story: Any, opens_task: Opens) -> None:
    page = opens_task(captured(story))
    reaches(page, "Said")
    sends(page)
    page.get_by_role("radio", name="Booked").check()
    page.get_by_label("Note").fill("Prefers mornings")
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()

    assert "recorded must be read first" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Note").input_value() == "Prefers mornings"
    assert page.get_by_role("radio", name="Booked").is_checked()
    assert page.get_by_text("This call is recorded.").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_another_one_has_shows_no_customer(story: Any, opens_task: Opens, scheme: str) -> None:
    from tests.stories.test_tasks_of_journeys import asks, owner_of

    link = captured(story)
    other = next(one for one in ("ana", "ben", "cleo") if one != owner_of(story))
    asks(story, "assign", task_of(story), to=other, why="a holiday")

    page = opens_task(link, color_scheme=scheme)

    assert page.get_by_text(f"{other.title()} has it").is_visible()
    assert page.get_by_text("Ada").count() == 0
