"""The pages behind the links of messages, as a person meets them."""

import itertools
from collections.abc import Callable
from typing import Any

from cairn.domain.consent.links import LinkKind

Opens = Callable[..., Any]


def tips(story: Any) -> list[str]:
    return [sent.address for sent in story.sent() if sent.text == "Three tips"]


def box(page: Any, channel: str, topic: str) -> Any:
    return page.get_by_role("group", name=channel).get_by_role("checkbox", name=topic)


def submit(page: Any, act: Callable[[], None]) -> None:
    """Do what sends a form or follows a link, and wait until its answer is there: `click` alone does not."""
    with page.expect_navigation():
        act()


def test_unsubscribing_takes_one_button_and_no_script(story: Any, opens: Opens) -> None:
    story.signs_up()
    page = opens(LinkKind.UNSUBSCRIBE)
    assert page.get_by_role("heading", level=1).inner_text() == "No more offers and news by e-mail?"

    submit(page, page.get_by_role("button", name="Unsubscribe").click)

    assert page.get_by_role("heading", level=1).inner_text() == "You are unsubscribed"
    story.deployment.settle()
    story.passes("3h")
    assert tips(story) == []


def test_reloading_an_answer_asks_again_and_breaks_nothing(story: Any, opens: Opens) -> None:
    story.signs_up()
    page = opens(LinkKind.UNSUBSCRIBE)
    submit(page, page.get_by_role("button", name="Unsubscribe").click)

    page.go_back()
    submit(page, page.get_by_role("button", name="Unsubscribe").click)

    assert page.get_by_role("heading", level=1).inner_text() == "You are unsubscribed"


def test_the_preference_centre_stores_and_shows_the_ticks(story: Any, opens: Opens) -> None:
    story.signs_up()
    page = opens(LinkKind.PREFERENCES)
    assert box(page, "E-mail", "Offers and news").is_checked()
    assert box(page, "Text messages", "Offers and news").is_checked()

    box(page, "E-mail", "Offers and news").uncheck()
    submit(page, page.get_by_role("button", name="Save").click)

    assert page.get_by_role("status").inner_text().startswith("Saved")
    assert not box(page, "E-mail", "Offers and news").is_checked()
    story.deployment.settle()
    page.reload()
    page = opens(LinkKind.PREFERENCES)
    assert not box(page, "E-mail", "Offers and news").is_checked()
    assert box(page, "Text messages", "Offers and news").is_checked()
    story.passes("3h")
    assert tips(story) == []


def test_one_button_opts_out_of_all_topics(story: Any, opens: Opens) -> None:
    story.signs_up()
    page = opens(LinkKind.PREFERENCES)

    submit(page, page.get_by_role("button", name="Send me nothing at all").click)

    assert page.get_by_role("status").inner_text().startswith("Saved")
    assert not any(one.is_checked() for one in page.get_by_role("checkbox").all())


def test_from_unsubscribing_it_is_one_step_to_choosing(story: Any, opens: Opens) -> None:
    story.signs_up()
    page = opens(LinkKind.UNSUBSCRIBE)

    submit(page, page.get_by_role("link", name="Choose what you get").click)

    assert page.get_by_role("heading", level=1).inner_text().startswith("What you get from")


def test_confirming_takes_one_button(story: Any, opens: Opens) -> None:
    story.signs_up(consent=[])
    page = opens(LinkKind.CONFIRM)

    submit(page, page.get_by_role("button", name="Confirm").click)

    assert page.get_by_role("heading", level=1).inner_text() == "Thank you, that is confirmed"
    story.deployment.settle()
    story.passes("3h")
    assert tips(story) == ["mia.1@example.com"]


def test_a_page_is_in_the_browsers_language(story: Any, opens: Opens) -> None:
    story.signs_up()

    for locale, word in {"de-DE": "Angebote", "es-MX": "ofertas", "fr-FR": "offres"}.items():
        page = opens(LinkKind.UNSUBSCRIBE, locale=locale)

        assert word in page.get_by_role("heading", level=1).inner_text()


def test_every_page_works_by_keyboard(story: Any, opens: Opens) -> None:
    story.signs_up()
    page = opens(LinkKind.PREFERENCES)

    for _ in range(3):  # texts: offers, what was asked for; e-mail: offers
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    submit(page, lambda: page.keyboard.press("Enter"))

    assert page.get_by_role("status").inner_text().startswith("Saved")
    assert not box(page, "E-mail", "Offers and news").is_checked()


def test_a_page_fits_every_screen_and_can_be_touched(story: Any, opens: Opens) -> None:
    story.signs_up()

    for width, scheme in itertools.product((320, 390, 1200), ("light", "dark")):
        screen = {"width": width, "height": 700}
        page = opens(LinkKind.PREFERENCES, viewport=screen, color_scheme=scheme, locale="de-DE")

        for target in (*page.get_by_role("button").all(), *page.locator("label").all()):
            shape = target.bounding_box()
            assert shape["height"] >= 44, "a finger's width (WCAG 2.5.5)"
            assert shape["x"] >= 0
            assert shape["x"] + shape["width"] <= width


def test_a_shortened_link_says_what_to_do(story: Any, opens: Opens, url: str) -> None:
    story.signs_up()
    page = opens(LinkKind.UNSUBSCRIBE)

    answer = page.goto(f"{url}/unsubscribe/abc.def")

    assert answer.status == 403
    assert page.get_by_role("heading", level=1).inner_text() == "This link is incomplete"
    assert page.get_by_role("button").count() == 0
