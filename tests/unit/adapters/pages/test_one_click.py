"""RFC 8058: one POST unsubscribes, and nothing else does."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.pages.forms import MAX_FORM_BYTES, form_of
from cairn.domain.consent.links import LinkKind
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import BodyTooLargeError, MalformedBodyError, ServiceBusyError
from cairn.settings import LINK_VALIDITY
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY, denied

UNSUBSCRIBE = LinkKind.UNSUBSCRIBE

URLENCODED = ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click")
MULTIPART = (
    "multipart/form-data; boundary=----WebKitFormBoundaryAbc",
    (
        b'------WebKitFormBoundaryAbc\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
        b"------WebKitFormBoundaryAbc--\r\n"
    ),
)
AS_MAIL_PROGRAMS_SEND_IT = [
    URLENCODED,
    MULTIPART,
    ("application/x-www-form-urlencoded; charset=UTF-8", b"List-Unsubscribe=One-Click\r\n"),
    ("application/x-www-form-urlencoded", b"list-unsubscribe=one-click"),
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=One%2DClick"),
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click&List-Unsubscribe-Comment=too+many"),
    ('Multipart/Form-Data; boundary="quoted b"', MULTIPART[1].replace(b"----WebKitFormBoundaryAbc", b"quoted b")),
    ("text/plain", b"List-Unsubscribe=One-Click"),
    ("", b"List-Unsubscribe=One-Click"),
    ("application/octet-stream", b"List-Unsubscribe=One-Click"),
    ("application/x-www-form-urlencoded;charset=utf-8", b"List-Unsubscribe=One-Click"),
    ('application/x-www-form-urlencoded; charset="ISO-8859-1"', b"\r\nList-Unsubscribe=One-Click"),
    ("APPLICATION/X-WWW-FORM-URLENCODED", b"LIST-UNSUBSCRIBE=ONE-CLICK"),
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=+One-Click+"),
    ("application/x-www-form-urlencoded", b""),
    ("application/x-www-form-urlencoded", b"\r\n"),
    ("", b""),
    ("text/plain", b""),
    ("application/json", b""),
    ("multipart/form-data", b""),
    ("multipart/form-data; boundary=b", b""),
    (
        "multipart/form-data; charset=utf-8; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
    ),
    (
        "multipart/form-data; boundary=b",
        (
            b"--b\r\nContent-Disposition: form-data; name=List-Unsubscribe\r\n"
            b"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            b"T25lLUNsaWNr\r\n--b--\r\n"
        ),
    ),
    (
        "MULTIPART/FORM-DATA; BOUNDARY=b",
        b'--b\r\ncontent-disposition: FORM-DATA; NAME="LIST-UNSUBSCRIBE"\r\n\r\nONE-CLICK\r\n--b--',
    ),
    (
        "multipart/form-data; boundary=b",
        b'--b\nContent-Disposition: form-data; name="List-Unsubscribe"\n\nOne-Click\n--b--\n',
    ),
]

SAYS_SOMETHING_ELSE = [
    ("application/x-www-form-urlencoded", b"List-Unsubscribe="),
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=Two-Clicks"),
    ("application/x-www-form-urlencoded", b"One-Click=List-Unsubscribe"),
    ("application/json", b'{"List-Unsubscribe": "One-Click"}'),
    ("multipart/form-data", MULTIPART[1]),
    ("multipart/form-data; boundary=other", MULTIPART[1]),
    ("application/x-www-form-urlencoded", b"\xff\xfe"),
]


@pytest.mark.parametrize(("content_type", "body"), AS_MAIL_PROGRAMS_SEND_IT)
def test_one_post_of_a_mail_program_unsubscribes(visitor: Any, content_type: str, body: bytes) -> None:
    answer = visitor.opens(UNSUBSCRIBE, "POST", content_type=content_type, body=body)

    assert answer.status == 200
    assert answer.body == "Unsubscribed.\n"
    assert answer.headers["content-type"].startswith("text/plain")
    assert visitor.said == {"email:marketing": "denied one_click"}


def test_a_page_sets_no_cookie_and_does_not_redirect(visitor: Any) -> None:
    answer = visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=URLENCODED[1])

    assert not {"set-cookie", "location", "refresh"} & set(answer.headers)


@pytest.mark.parametrize(("content_type", "body"), SAYS_SOMETHING_ELSE)
def test_any_other_post_changes_nothing(visitor: Any, content_type: str, body: bytes) -> None:
    answer = visitor.opens(UNSUBSCRIBE, "POST", content_type=content_type, body=body)

    assert answer.status == 400
    assert not visitor.inbox


@pytest.mark.parametrize("kind", [kind for kind in LinkKind if kind is not UNSUBSCRIBE])
def test_a_post_without_a_body_does_nothing_at_any_other_link(visitor: Any, kind: LinkKind) -> None:
    visitor.is_known()

    assert visitor.opens(kind, "POST").status == 400
    assert not visitor.inbox


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=One-Click"])
def test_a_get_without_a_body_changes_nothing(visitor: Any, method: str, body: bytes) -> None:
    assert visitor.opens(UNSUBSCRIBE, method, body=body).status == 200
    assert not visitor.inbox


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", list(LinkKind))
def test_a_get_or_head_changes_nothing(visitor: Any, kind: LinkKind, method: str) -> None:
    """Scanners open every link of a mail before people do, some with a body."""
    visitor.is_known()

    answer = visitor.opens(kind, method, content_type=URLENCODED[0], body=URLENCODED[1])

    assert answer.status == 200
    assert not visitor.inbox


def test_the_stored_event_has_the_evidence(visitor: Any) -> None:
    visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=URLENCODED[1], ip="203.0.113.9")

    event = visitor.event
    (change,) = event.consent
    assert (event.source, event.type, event.customer_id) == ("preferences", "consent.changed", visitor.customer)
    assert event.properties == {
        "keys": {"email": suppression_key(Channel.EMAIL, "ada@example.com", KEYS.suppressions)},
        "message_id": "enr-confirm-1",
    }
    assert (change.at, change.source) == (MONDAY, "preferences")
    assert change.evidence == {
        "method": "one_click",
        "wording": "List-Unsubscribe=One-Click",
        "wording_version": "RFC 8058",
    }
    assert "ada@example.com" not in str(event)


def test_a_double_click_is_one_event_and_a_later_click_is_another(visitor: Any) -> None:
    def click() -> str:
        visitor.inbox.clear()
        visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=URLENCODED[1])
        return str(visitor.event.id)

    first = click()
    visitor.now = MONDAY + timedelta(milliseconds=300)
    again = click()
    visitor.now = MONDAY + timedelta(seconds=5)

    assert first == again
    assert click() != first


def test_an_erased_or_unknown_customer_can_unsubscribe(visitor: Any) -> None:
    answer = visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=URLENCODED[1])

    assert answer.status == 200
    assert visitor.customers.reads == 0, "it works though the table does not"


def test_unsubscribing_again_shows_the_same_page(visitor: Any) -> None:
    visitor.is_known(denied(Channel.EMAIL, Purpose.MARKETING))

    assert visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=URLENCODED[1]).status == 200
    assert visitor.said == {"email:marketing": "denied one_click"}


def test_a_choice_that_is_not_stored_is_not_acknowledged(visitor: Any) -> None:
    visitor.inbox.is_down = ServiceBusyError("sqs is busy")

    answer = visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=URLENCODED[1])

    assert answer.status == 503
    assert "try again" in answer.body


def test_the_pages_own_button_unsubscribes_and_records_its_wording(visitor: Any) -> None:
    page = visitor.opens(UNSUBSCRIBE, accept_language="de")
    assert 'name="List-Unsubscribe" value="One-Click"' in page.body

    answer = visitor.posts(UNSUBSCRIBE, {"List-Unsubscribe": "One-Click", "language": "de"}, accept_language="en")

    (change,) = visitor.event.consent
    assert answer.status == 200
    assert "Sie sind abgemeldet" in answer.body
    assert change.evidence["wording"] == "Abmelden"
    assert change.evidence["locale"] == "de"
    assert change.evidence["wording_version"]


@pytest.mark.parametrize("kind", list(LinkKind))
def test_a_changed_link_is_refused_with_another_way_to_unsubscribe(visitor: Any, kind: LinkKind) -> None:
    for method in ("GET", "POST"):
        answer = visitor.opens(kind, method, token=visitor.token(kind)[:-9], body=URLENCODED[1])

        assert answer.status == 403
        assert "incomplete" in answer.body
        assert "hello@northside.example.com" in answer.body
    assert not visitor.inbox


def test_an_expired_link_is_refused_with_another_way_to_unsubscribe(visitor: Any) -> None:
    visitor.now = MONDAY + LINK_VALIDITY

    answer = visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=URLENCODED[1])

    assert answer.status == 410
    assert "too old" in answer.body
    assert "hello@northside.example.com" in answer.body
    assert not visitor.inbox


def test_a_body_that_is_too_large_is_not_read(visitor: Any) -> None:
    body = URLENCODED[1] + b"&x=" + b"x" * MAX_FORM_BYTES

    assert visitor.opens(UNSUBSCRIBE, "POST", content_type=URLENCODED[0], body=body).status == 413
    assert not visitor.inbox


@given(st.binary(max_size=300), st.sampled_from([URLENCODED[0], MULTIPART[0], "multipart/form-data", "", "x/y; ="]))
def test_no_body_breaks_the_form(body: bytes, content_type: str) -> None:
    try:
        form = form_of(content_type, body)
    except (MalformedBodyError, BodyTooLargeError):
        return

    assert all(isinstance(value, str) for values in form.values() for value in values)


@given(st.text(max_size=60))
def test_no_content_type_breaks_the_form(content_type: str) -> None:
    try:
        form_of(content_type, MULTIPART[1])
        form_of(f"multipart/form-data;{content_type}", MULTIPART[1])
    except MalformedBodyError:
        return


def test_too_many_fields_are_not_read() -> None:
    with pytest.raises(MalformedBodyError):
        form_of(URLENCODED[0], b"a=1&" * 200)


def test_an_error_of_ours_is_answered_as_a_server_error(visitor: Any) -> None:
    token = visitor.token(UNSUBSCRIBE)
    visitor.secrets.clear()

    assert visitor.opens(UNSUBSCRIBE, token=token).status == 503
