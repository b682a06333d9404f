"""A message's status only moves forward, and its addresses are usable."""

from itertools import pairwise

from hypothesis import given

from cairn.domain.message.message import MessageStatus
from cairn.domain.profile.addresses import addresses_of
from cairn.domain.shared.channels import Channel
from tests.unit.strategies import attributes

PUSH_ENDPOINT = "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/app/ada"


def test_a_status_moves_forward_from_claimed_to_complained() -> None:
    way = [
        MessageStatus.CLAIMED,
        MessageStatus.UNDECIDED,
        MessageStatus.SENT,
        MessageStatus.DELIVERED,
        MessageStatus.BOUNCED,
        MessageStatus.OPENED,
        MessageStatus.CLICKED,
        MessageStatus.COMPLAINED,
    ]

    assert all(one.rank < other.rank for one, other in pairwise(way))
    assert len({status.rank for status in MessageStatus}) == len(MessageStatus)


def test_a_complaint_outranks_all_and_sent_outranks_undecided() -> None:
    assert max(MessageStatus, key=lambda status: status.rank) is MessageStatus.COMPLAINED
    assert MessageStatus.SENT.rank > MessageStatus.UNDECIDED.rank > MessageStatus.CLAIMED.rank


def test_a_profile_has_the_addresses_of_its_attributes() -> None:
    view = {"email": "ada@example.com", "phone": "+14155550123", "push_endpoint": PUSH_ENDPOINT}

    assert addresses_of(view) == {
        Channel.EMAIL: "ada@example.com",
        Channel.SMS: "+14155550123",
        Channel.WHATSAPP: "+14155550123",
        Channel.PUSH: PUSH_ENDPOINT,
    }
    assert addresses_of({"email": None, "phone": ""}) == {}


def test_an_address_is_the_same_however_it_is_written() -> None:
    """Providers report bounces in lower case, so other spellings would not be suppressed."""
    assert addresses_of({"email": " Ada@Example.COM "}) == {Channel.EMAIL: "ada@example.com"}


@given(attributes)
def test_an_attribute_that_is_no_text_is_no_address(view: dict[str, object]) -> None:
    found = addresses_of(view)

    assert all(isinstance(one, str) and one == one.strip() and one for one in found.values())
    assert Channel.EMAIL not in found or isinstance(view["email"], str)
