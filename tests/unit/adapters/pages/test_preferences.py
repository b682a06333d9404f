"""The preference centre: shows what stands, and stores what the customer changes, no more."""

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.links import LinkKind
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY, denied, granted

PREFERENCES, CONFIRM = LinkKind.PREFERENCES, LinkKind.CONFIRM
MARKETING, TRANSACTIONAL = Purpose.MARKETING, Purpose.TRANSACTIONAL

CONFIRMED = replace(granted(Channel.EMAIL, MARKETING), evidence={"method": "double_opt_in"})

ROWS = ["sms:marketing", "sms:transactional", "email:marketing", "email:transactional"]


class Reader(HTMLParser):
    """The boxes of a page, and the fields behind them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.boxes: dict[str, bool] = {}
        self.fields: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "input" and attributes["type"] == "checkbox":
            self.boxes[str(attributes["value"])] = "checked" in attributes
        if tag == "input" and attributes["type"] == "hidden":
            self.fields.append((str(attributes["name"]), str(attributes["value"])))


def boxes(page: Any) -> dict[str, bool]:
    return Reader(page.body).boxes


def filled(page: Any, button: str = "save", **ticks: bool) -> list[tuple[str, str]]:
    """The fields that a browser sends after these boxes (`email_marketing=False`) are set and a button is pressed."""
    reader = Reader(page.body)
    wanted = reader.boxes | {name.replace("_", ":"): tick for name, tick in ticks.items()}
    return [*reader.fields, *(("want", name) for name, tick in wanted.items() if tick), ("do", button)]


def test_the_page_shows_the_current_consents(visitor: Any) -> None:
    visitor.is_known(CONFIRMED, denied(Channel.SMS, TRANSACTIONAL))

    page = visitor.opens(PREFERENCES)

    assert page.status == 200
    assert boxes(page) == {
        "sms:marketing": False,
        "sms:transactional": False,
        "email:marketing": True,
        "email:transactional": True,
        "whatsapp:marketing": False,
        "whatsapp:transactional": False,
    }


def test_a_denied_topic_is_not_shown_as_wanted_after_a_request_to_confirm(visitor: Any) -> None:
    later = granted(Channel.EMAIL, TRANSACTIONAL, MONDAY + timedelta(hours=1))
    asked = replace(later, status=ConsentStatus.PENDING)
    visitor.is_known(denied(Channel.EMAIL, TRANSACTIONAL), asked)

    assert boxes(visitor.opens(PREFERENCES))["email:transactional"] is False


def test_an_unconfirmed_consent_is_not_shown_as_wanted(visitor: Any, a_visitor: Any) -> None:
    visitor.is_known(granted(Channel.EMAIL, MARKETING))
    easy = a_visitor(policy=Policy(brand="Northside"))
    easy.is_known(granted(Channel.EMAIL, MARKETING))

    assert boxes(visitor.opens(PREFERENCES))["email:marketing"] is False
    assert boxes(easy.opens(PREFERENCES))["email:marketing"] is True


def test_addresses_are_masked(visitor: Any) -> None:
    visitor.is_known()

    page = visitor.opens(PREFERENCES).body

    assert "a•••@example.com" in page
    assert "••• 23" in page
    assert "ada@" not in page
    assert "2015550" not in page


def test_a_brand_name_is_escaped(visitor: Any) -> None:
    visitor.is_known()

    assert "<Fitness>" not in visitor.opens(PREFERENCES).body
    assert "&lt;Fitness&gt;" in visitor.opens(PREFERENCES).body


def test_saving_stores_and_shows_the_changes(visitor: Any) -> None:
    visitor.is_known(CONFIRMED)
    page = visitor.opens(PREFERENCES)

    answer = visitor.posts(PREFERENCES, filled(page, email_marketing=False, sms_marketing=True))

    assert answer.status == 200
    assert "Saved" in answer.body
    assert boxes(answer) == boxes(page) | {"email:marketing": False, "sms:marketing": True}
    assert visitor.said == {
        "email:marketing": "denied preference_page",
        "sms:marketing": "granted single_opt_in",
        "whatsapp:marketing": "denied preference_page",
        "whatsapp:transactional": "denied preference_page",
    }
    assert visitor.event.properties["keys"] == {
        "email": suppression_key(Channel.EMAIL, "ada@example.com", KEYS.suppressions)
    }


def test_a_tick_set_by_the_page_is_no_consent(visitor: Any) -> None:
    """Transactional mail is implied, and shown as such; a box left ticked grants nothing."""
    visitor.is_known(*(denied(channel, MARKETING) for channel in Channel), denied(Channel.WHATSAPP, TRANSACTIONAL))
    page = visitor.opens(PREFERENCES)

    answer = visitor.posts(PREFERENCES, filled(page))

    assert boxes(page)["email:transactional"]
    assert answer.status == 200
    assert "Saved" in answer.body
    assert not visitor.inbox


def test_a_consent_withdrawn_meanwhile_stays_withdrawn(visitor: Any) -> None:
    """The page was open in a browser when the mail program unsubscribed."""
    visitor.is_known(denied(Channel.EMAIL, MARKETING))
    seen = [("seen", "email:marketing:on"), ("want", "email:marketing"), ("do", "save")]

    visitor.posts(PREFERENCES, seen)

    assert not visitor.inbox


def test_an_unticked_box_denies_whatever_the_page_showed(visitor: Any) -> None:
    """Two windows: in one it was ticked, in the other it still stands unticked, and that one is saved last."""
    visitor.is_known(CONFIRMED)

    visitor.posts(PREFERENCES, [("seen", "email:marketing:off"), ("do", "save")])

    assert visitor.said == {"email:marketing": "denied preference_page"}


def test_a_tick_at_the_links_address_answers_a_pending_question(visitor: Any) -> None:
    question = ConsentChange(Channel.EMAIL, MARKETING, ConsentStatus.PENDING, MONDAY, "form")
    visitor.is_known(question)
    page = visitor.opens(PREFERENCES)

    visitor.posts(PREFERENCES, filled(page, email_marketing=True), ip="203.0.113.9")

    granted_now = next(one for one in visitor.event.consent if one.key == "email:marketing")
    assert boxes(page)["email:marketing"] is False
    assert granted_now.evidence["method"] == "preference_page"
    assert granted_now.evidence["ip"] == "203.0.113.9"
    assert granted_now.evidence["wording"] == "E-mail: Discounts, tips, and what is new"


def test_a_link_to_an_old_address_proves_nothing_of_the_new_one(visitor: Any) -> None:
    visitor.is_known()
    old = visitor.token(PREFERENCES, address="ada@old.example.com")
    page = visitor.opens(PREFERENCES, token=old)

    visitor.posts(PREFERENCES, filled(page, email_marketing=True), token=old)

    assert visitor.said["email:marketing"] == "granted single_opt_in"
    assert visitor.event.properties["keys"] == {
        "email": suppression_key(Channel.EMAIL, "ada@old.example.com", KEYS.suppressions)
    }


def test_a_link_to_an_address_that_was_never_the_customers_shows_and_changes_nothing(visitor: Any) -> None:
    """A visitor typed an own address beside hers: the link that came there does not speak for her."""
    visitor.is_known(CONFIRMED)
    strangers = visitor.token(PREFERENCES, address="eve@example.com")

    page = visitor.opens(PREFERENCES, token=strangers)

    assert "•" not in page.body
    assert "a***" not in page.body
    confirmed = visitor.posts(CONFIRM, {"confirm": "yes"}, token=visitor.token(CONFIRM, address="eve@example.com"))
    assert "no longer know you" in confirmed.body
    assert not visitor.inbox


def test_one_button_opts_out_of_all_topics(visitor: Any) -> None:
    visitor.is_known(CONFIRMED, denied(Channel.SMS, MARKETING))
    page = visitor.opens(PREFERENCES)

    answer = visitor.posts(PREFERENCES, filled(page, "nothing"))

    assert not any(boxes(answer).values())
    assert visitor.said == {
        "sms:transactional": "denied preference_page",
        "email:marketing": "denied preference_page",
        "email:transactional": "denied preference_page",
        "whatsapp:marketing": "denied preference_page",
        "whatsapp:transactional": "denied preference_page",
    }


def test_opting_out_of_all_topics_suppresses_the_address_too(visitor: Any) -> None:
    """So that it outlives the profile: a consent can be imported again, a word on the address cannot be undone so."""
    visitor.is_known(denied(Channel.EMAIL, MARKETING), denied(Channel.EMAIL, TRANSACTIONAL))

    visitor.posts(PREFERENCES, {"do": "nothing"})

    assert set(visitor.said) == {"email:marketing", "email:transactional"}


def test_an_erased_customer_can_deny_and_cannot_grant(visitor: Any) -> None:
    page = visitor.opens(PREFERENCES)
    stale = visitor.posts(PREFERENCES, [("seen", "email:marketing:off"), ("want", "email:marketing"), ("do", "save")])
    assert not visitor.inbox
    assert "Saved" not in stale.body

    answer = visitor.posts(PREFERENCES, {"do": "nothing"})

    assert "Saved" in answer.body
    assert (page.status, stale.status, answer.status) == (200, 200, 200)
    assert "no longer know you" in page.body
    assert not boxes(page)
    assert visitor.said == {
        "email:marketing": "denied preference_page",
        "email:transactional": "denied preference_page",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"do": "save"},
        {"do": "save", "seen": "owl:marketing:on"},
        {"List-Unsubscribe": "One-Click"},
        {"seen": ROWS},
        {"do": ["save", "nothing"], "seen": "email:marketing:on"},
    ],
)
def test_only_the_pages_own_buttons_change_anything(visitor: Any, fields: Any) -> None:
    visitor.is_known(CONFIRMED)

    assert visitor.posts(PREFERENCES, fields).status == 400
    assert not visitor.inbox


def test_only_the_button_confirms(visitor: Any) -> None:
    visitor.is_known()

    page = visitor.opens(CONFIRM)
    refused = visitor.posts(CONFIRM, {"List-Unsubscribe": "One-Click"})
    assert not visitor.inbox
    answer = visitor.posts(CONFIRM, {"confirm": "yes", "language": "en"}, ip="203.0.113.9")

    (change,) = visitor.event.consent
    assert (page.status, refused.status, answer.status) == (200, 400, 200)
    assert visitor.said == {"email:marketing": "granted double_opt_in"}
    assert change.evidence["wording"] in page.body.replace("&lt;", "<").replace("&gt;", ">")
    assert change.evidence["ip"] == "203.0.113.9"


def test_a_confirmation_from_an_old_address_is_not_a_second_opt_in(visitor: Any) -> None:
    visitor.is_known()

    visitor.posts(CONFIRM, {"confirm": "yes"}, token=visitor.token(CONFIRM, address="ada@old.example.com"))

    assert visitor.said == {"email:marketing": "granted single_opt_in"}


def test_an_erased_customer_cannot_confirm(visitor: Any) -> None:
    answer = visitor.posts(CONFIRM, {"confirm": "yes"})

    assert answer.status == 200
    assert "no longer know you" in answer.body
    assert not visitor.inbox
