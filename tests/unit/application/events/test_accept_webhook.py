"""Accept a webhook: check limit, source and signature, parse, store; then acknowledge."""

import pytest

from cairn.application.events.accept_webhook import AcceptWebhook, Handshake, Reading, Request
from cairn.domain.shared.errors import (
    BodyTooLargeError,
    MalformedBodyError,
    SecretMissingError,
    ServiceBusyError,
    SignatureInvalidError,
    SignatureMissingError,
    UnknownSourceError,
)
from cairn.settings import MAX_BODY_BYTES
from tests.unit.fakes import AnySource, Inbox, Secrets
from tests.unit.makers import MONDAY, event

SAID = (event("trial.signup"), event("visit.attended"))


@pytest.fixture
def shop() -> AnySource:
    return AnySource(says=Reading(SAID))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(shop=("genuine", "genuine-before"))


@pytest.fixture
def accept(shop: AnySource, inbox: Inbox, secrets: Secrets) -> AcceptWebhook:
    return AcceptWebhook({"shop": shop}, secrets, inbox)


def request(signature: str = "genuine", body: bytes = b"{}", query: str = "") -> Request:
    return Request(f"https://cairn.example/webhooks/shop{query}", {"signature": signature}, body)


def test_a_genuine_request_is_stored_and_then_acknowledged(
    accept: AcceptWebhook, shop: AnySource, inbox: Inbox
) -> None:
    reading = accept("shop", request(), MONDAY)

    assert reading.events == tuple(inbox) == SAID
    assert shop.asked == ["verify", "read"]


def test_unreadable_parts_are_stored_beside_readable_ones(accept: AcceptWebhook, shop: AnySource, inbox: Inbox) -> None:
    shop.says = Reading(SAID[:1], problems=("[1].type: unknown",))

    accept("shop", request(body=b"[1, 2]"), MONDAY)

    assert inbox == [SAID[0]]
    assert inbox.unreadable == [("shop", b"[1, 2]", ("[1].type: unknown",))]


def test_a_request_without_an_event_is_acknowledged(accept: AcceptWebhook, shop: AnySource, inbox: Inbox) -> None:
    shop.says = Reading(ignored=True)

    assert accept("shop", request(), MONDAY).ignored
    assert inbox == inbox.unreadable == []


def test_a_secret_that_is_being_replaced_still_counts(accept: AcceptWebhook, inbox: Inbox) -> None:
    accept("shop", request("genuine-before"), MONDAY)

    assert len(inbox) == 2


def test_a_too_large_body_is_refused_before_it_is_read(accept: AcceptWebhook, shop: AnySource, inbox: Inbox) -> None:
    with pytest.raises(BodyTooLargeError, match=str(MAX_BODY_BYTES)):
        accept("shop", request(body=b"x" * (MAX_BODY_BYTES + 1)), MONDAY)
    with pytest.raises(BodyTooLargeError):
        accept("nobody", request(body=b"x" * (MAX_BODY_BYTES + 1)), MONDAY)

    assert shop.asked == inbox == []


def test_a_body_at_the_limit_is_taken(accept: AcceptWebhook, inbox: Inbox) -> None:
    accept("shop", request(body=b"x" * MAX_BODY_BYTES), MONDAY)

    assert len(inbox) == 2


def test_an_unknown_source_gets_a_list_of_the_known_ones(accept: AcceptWebhook, shop: AnySource) -> None:
    with pytest.raises(UnknownSourceError, match="known are shop"):
        accept("stripe", request(), MONDAY)

    assert shop.asked == []


def test_without_a_secret_nothing_is_trusted(accept: AcceptWebhook, shop: AnySource, secrets: Secrets) -> None:
    secrets.clear()

    with pytest.raises(SecretMissingError):
        accept("shop", request(), MONDAY)

    assert shop.asked == []


def test_a_forged_request_is_not_even_parsed(accept: AcceptWebhook, shop: AnySource, inbox: Inbox) -> None:
    shop.broken = MalformedBodyError("the body is not JSON")

    with pytest.raises(SignatureInvalidError):
        accept("shop", request("forged", b"{"), MONDAY)

    assert shop.asked == ["verify"]
    assert inbox == []


def test_a_genuine_request_that_makes_no_sense_is_malformed(
    accept: AcceptWebhook, shop: AnySource, inbox: Inbox
) -> None:
    shop.broken = MalformedBodyError("the body is not JSON")

    with pytest.raises(MalformedBodyError):
        accept("shop", request(), MONDAY)

    assert inbox == []


def test_a_request_that_is_not_stored_is_not_acknowledged(accept: AcceptWebhook, inbox: Inbox) -> None:
    inbox.is_down = ServiceBusyError("sqs did not take every event")

    with pytest.raises(ServiceBusyError):
        accept("shop", request(), MONDAY)


@pytest.fixture
def asks(shop: AnySource, secrets: Secrets) -> AnySource:
    """A vendor that asks with a GET whether the endpoint is ours."""
    shop.handshake = Handshake(token="token", challenge="challenge")
    secrets["shop-verify"] = ("ours", "ours-before")
    return shop


def test_a_vendor_with_the_right_token_gets_its_challenge(accept: AcceptWebhook, asks: AnySource) -> None:
    for token in ("ours", "ours-before"):
        assert accept.challenge("shop", request(query=f"?token={token}&challenge=4711")) == "4711"
    assert asks.asked == []


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("", SignatureMissingError),
        ("?token=ours", SignatureMissingError),
        ("?challenge=4711", SignatureMissingError),
        ("?token=&challenge=4711", SignatureMissingError),
        ("?token=theirs&challenge=4711", SignatureInvalidError),
    ],
)
@pytest.mark.usefixtures("asks")
def test_without_the_right_token_there_is_no_challenge(
    accept: AcceptWebhook, query: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        accept.challenge("shop", request(query=query))


def test_a_source_without_a_handshake_gives_no_answer(accept: AcceptWebhook) -> None:
    assert accept.challenge("shop", request(query="?token=ours&challenge=1")) is None
    assert accept.challenge("nobody", request()) is None
