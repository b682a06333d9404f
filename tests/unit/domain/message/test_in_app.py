"""In-app messages: which link may be a button, and how an inbox sorts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.message.in_app import SAFE_LINK, InAppMessage, InAppStatus, inbox_id

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def message(**changed: object) -> InAppMessage:
    known = {"id": "1", "message": "m", "customer": "c", "sent_at": NOW, "expires_at": NOW, "title": "", "text": ""}
    return InAppMessage(**{**known, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("link", ["https://example.com", "https://example.com/a?b=c#d", "/", "/orders/7?x=1"])
def test_a_button_leads_to_a_web_address_or_a_path_of_the_site(link: str) -> None:
    assert SAFE_LINK.fullmatch(link)


@pytest.mark.parametrize(
    "link",
    [
        *(
            "javascript:alert(1)",
            "http://example.com",
            "//evil.example",
            "/\\evil.example",
            "data:text/html,x",
            "orders",
        ),
        *("https://a b", "https://a\n", "", "https://", ' https://a.example"onclick="x'),
    ],
)
def test_a_button_leads_nowhere_else(link: str) -> None:
    assert not SAFE_LINK.fullmatch(link)


@given(st.lists(st.integers(0, 3_000_000_000).map(lambda minute: NOW + timedelta(seconds=minute)), max_size=5))
def test_the_ids_of_an_inbox_sort_by_time(instants: list[datetime]) -> None:
    assert sorted(instants) == sorted(instants, key=lambda one: inbox_id("m", one))


@pytest.mark.parametrize(
    ("status", "left", "is_shown"),
    [("new", 1, True), ("clicked", 1, True), ("dismissed", 1, False), ("new", 0, False)],
)
def test_a_message_is_shown_until_it_expires_or_is_dismissed(status: str, left: int, *, is_shown: bool) -> None:
    one = message(expires_at=NOW + timedelta(seconds=left), status=InAppStatus(status))

    assert one.is_shown(NOW) is is_shown
