"""What readers do with in-app messages: each act is reported once, and a status only moves forward."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.application.message.serve_in_app import ServeInApp
from cairn.domain.message.in_app import InAppMessage, InAppStatus, inbox_id
from cairn.domain.shared.errors import ServiceBusyError, UnknownMessageError
from tests.unit.fakes import InAppInbox, InAppOutbox

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def message(number: int = 1, customer: str = "c_mia", **changed: object) -> InAppMessage:
    at = NOW - timedelta(minutes=number)
    made = InAppMessage(
        inbox_id(f"m{number}", at), f"m{number}", customer, at, NOW + timedelta(days=1), "Hello", "Welcome.", "/a", "Go"
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def serving(*messages: InAppMessage) -> tuple[ServeInApp, InAppInbox, InAppOutbox]:
    inbox, reports = InAppInbox(), InAppOutbox()
    for one in messages:
        inbox.put(one)
    return ServeInApp(inbox, reports), inbox, reports


acts = st.lists(st.sampled_from([one for one in InAppStatus if one is not InAppStatus.NEW]), max_size=8)


@given(acts)
def test_whatever_a_reader_does_each_status_is_reported_once_and_in_its_order(done: list[InAppStatus]) -> None:
    one = message()
    serve, inbox, reports = serving(one)

    for status in done:
        try:
            serve.note("c_mia", one.id, status, NOW)
        except UnknownMessageError:
            assert InAppStatus.DISMISSED in done

    reported = [InAppStatus(each.status) for each in reports]
    assert reported == sorted(set(reported), key=lambda each: each.rank)
    assert InAppStatus.SEEN not in reported
    found = inbox.find("c_mia", one.id)
    assert found is not None
    assert found.status.rank == max((each.rank for each in done), default=0)


def test_a_report_that_cannot_be_stored_is_made_again() -> None:
    one = message()
    serve, inbox, reports = serving(one)
    reports.is_down = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        serve.note("c_mia", one.id, InAppStatus.OPENED, NOW)
    assert inbox.find("c_mia", one.id) == one

    reports.is_down = None
    serve.note("c_mia", one.id, InAppStatus.OPENED, NOW)

    assert [each.status for each in reports] == ["opened"]


def test_a_click_is_reported_with_its_link() -> None:
    one = message()
    serve, _, reports = serving(one)

    serve.note("c_mia", one.id, InAppStatus.CLICKED, NOW)

    assert (reports[0].message, reports[0].customer, reports[0].link) == ("m1", "c_mia", "/a")


def test_nobody_else_can_touch_a_message() -> None:
    one = message()
    serve, inbox, reports = serving(one)

    with pytest.raises(UnknownMessageError):
        serve.note("c_noah", one.id, InAppStatus.DISMISSED, NOW)

    assert (inbox.find("c_mia", one.id), reports) == (one, [])
    assert serve.messages("c_noah", 20, "", NOW).messages == []


@given(st.integers(0, 12), st.integers(1, 5))
def test_pages_together_are_the_inbox_the_newest_first(count: int, limit: int) -> None:
    written = [message(number) for number in range(count)]
    serve, _, _ = serving(*written)
    found: list[InAppMessage] = []
    after: str | None = ""

    while after is not None:
        page = serve.messages("c_mia", limit, after, NOW)
        found += page.messages
        after = page.following
        assert page.unread == count

    assert found == written


def test_what_has_expired_or_was_dismissed_is_in_no_page_and_not_unread() -> None:
    serve, _, _ = serving(
        message(1, expires_at=NOW), message(2, status=InAppStatus.DISMISSED), message(3, status=InAppStatus.SEEN)
    )

    page = serve.messages("c_mia", 20, "", NOW)

    assert ([one.message for one in page.messages], page.unread) == (["m3"], 0)


def test_a_look_at_the_list_leaves_nothing_unread_and_takes_nothing_back() -> None:
    serve, _, reports = serving(message(1), message(2, status=InAppStatus.OPENED))

    serve.see_all("c_mia", NOW)

    assert [one.status for one in serve.messages("c_mia", 20, "", NOW).messages] == ["seen", "opened"]
    assert reports == []
