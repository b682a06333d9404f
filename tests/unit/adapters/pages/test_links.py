"""Signed links: who holds one may say what its customer gets, and nobody else."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from cairn.adapters.pages.links import SignedLinks
from cairn.domain.consent.links import Link, LinkKind
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import LinkExpiredError, LinkInvalidError, SecretMissingError, SecretUnusableError
from cairn.settings import LINK_VALIDITY
from tests.unit.fakes import KEYS, Secrets
from tests.unit.makers import MONDAY, message

ADDRESS = "ada.lovelace@example.com"

KINDS = list(LinkKind)


OLD, NEW = "the-old-secret-of-links", "the-new-secret-of-links"
WEAK = ["", " " * 20, "\u200b" * 20, "\u3164" * 20, "fifteen-letters"]


def links(*secrets: str) -> SignedLinks:
    return SignedLinks(
        Secrets(links=secrets or ("a-secret-of-links",)), key=KEYS.suppressions, public_url="https://example.org/"
    )


def token(kind: LinkKind = LinkKind.UNSUBSCRIBE, *secrets: str) -> str:
    return links(*secrets).of(message(), Channel.EMAIL, ADDRESS)[kind].rpartition("/")[2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_names_customer_message_channel_and_address_hash(kind: LinkKind) -> None:
    expected = Link(
        customer="c_ada",
        message="enr-confirm-1",
        channel=Channel.EMAIL,
        key=suppression_key(Channel.EMAIL, ADDRESS, KEYS.suppressions),
        purpose=Purpose.MARKETING,
        expires_at=MONDAY + LINK_VALIDITY,
    )

    assert links().read(kind, token(kind), MONDAY) == expected


def test_a_link_leads_to_the_page_of_its_kind() -> None:
    found = links().of(message(), Channel.EMAIL, ADDRESS)

    assert set(found) == {"unsubscribe", "preferences", "confirm"}
    assert all(url.startswith(f"https://example.org/{kind}/") for kind, url in found.items())
    assert len(set(found.values())) == 3


def test_a_message_rendered_again_has_the_same_links() -> None:
    assert token() == token()


def test_a_link_contains_no_address() -> None:
    signed = links().of(message(), Channel.EMAIL, ADDRESS)[LinkKind.UNSUBSCRIBE]
    carried = base64_decode(signed.rpartition("/")[2].partition(".")[0])

    assert b"lovelace" not in carried
    assert b"example.com" not in carried


def test_a_link_needs_no_escaping_in_a_header_or_a_url() -> None:
    assert set(token()) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert len(token()) < 400


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_link_of_one_kind_does_not_open_another(kind: LinkKind, other: LinkKind) -> None:
    if kind is other:
        return
    with pytest.raises(LinkInvalidError):
        links().read(other, token(kind), MONDAY)


def test_a_link_expires_after_more_than_a_year() -> None:
    end = MONDAY + LINK_VALIDITY

    assert timedelta(days=365) < LINK_VALIDITY
    assert links().read(LinkKind.UNSUBSCRIBE, token(), end - timedelta(seconds=1))
    with pytest.raises(LinkExpiredError):
        links().read(LinkKind.UNSUBSCRIBE, token(), end)


def test_during_rotation_both_secrets_verify_and_the_first_signs() -> None:
    old, new = token(LinkKind.CONFIRM, OLD), token(LinkKind.CONFIRM, NEW)
    rotating = links(NEW, OLD)

    assert token(LinkKind.CONFIRM, NEW, OLD) == new
    assert rotating.read(LinkKind.CONFIRM, old, MONDAY) == rotating.read(LinkKind.CONFIRM, new, MONDAY)
    with pytest.raises(LinkInvalidError):
        links(NEW).read(LinkKind.CONFIRM, old, MONDAY)


@pytest.mark.parametrize("weak", WEAK)
def test_a_secret_that_is_none_neither_signs_nor_opens_a_link(weak: str) -> None:
    forged = Signer(weak, salt="cairn.preferences", key_derivation="hmac", digest_method=sha256)
    forged_link = forged.sign(base64_encode("c_victim m email k marketing 1803000000")).decode()

    with pytest.raises(SecretUnusableError):
        token(LinkKind.PREFERENCES, weak)
    with pytest.raises(SecretUnusableError):
        links(weak).read(LinkKind.PREFERENCES, forged_link, MONDAY)
    with pytest.raises(LinkInvalidError):
        links(NEW, weak).read(LinkKind.PREFERENCES, forged_link, MONDAY)
    assert token(LinkKind.PREFERENCES, weak, NEW) == token(LinkKind.PREFERENCES, NEW)


def test_without_a_secret_every_link_is_refused() -> None:
    with pytest.raises(SecretMissingError):
        SignedLinks(Secrets(), key=KEYS.suppressions).read(LinkKind.CONFIRM, token(), MONDAY)


@given(position=st.integers(0, len(token()) - 2), character=st.sampled_from("Aa0-_.z"))
def test_a_link_with_a_changed_character_is_refused(position: int, character: str) -> None:
    genuine = token()
    altered = genuine[:position] + character + genuine[position + 1 :]
    if altered == genuine:
        return
    with pytest.raises(LinkInvalidError):
        links().read(LinkKind.UNSUBSCRIBE, altered, MONDAY)


@given(st.integers(0, len(token()) - 1))
def test_a_shortened_link_is_refused(length: int) -> None:
    with pytest.raises(LinkInvalidError):
        links().read(LinkKind.UNSUBSCRIBE, token()[:length], MONDAY)


@given(st.text(max_size=80) | st.just("x" * 5000))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(LinkInvalidError):
        links().read(LinkKind.UNSUBSCRIBE, text, MONDAY)


def test_a_signature_for_another_purpose_makes_no_link() -> None:
    other = URLSafeSerializer(
        "a-secret-of-links", salt="cairn.unsubscribe", signer_kwargs={"key_derivation": "hmac", "digest_method": sha256}
    ).dumps(["c_ada"])

    with pytest.raises(LinkInvalidError):
        links().read(LinkKind.UNSUBSCRIBE, other, MONDAY)


def test_links_of_other_customers_messages_and_addresses_differ() -> None:
    one = links()
    tokens = {
        one.of(got, channel, address)[LinkKind.UNSUBSCRIBE]
        for got in (message(), message(id="another"), replace(message(), customer="c_bob"))
        for channel, address in ((Channel.EMAIL, ADDRESS), (Channel.EMAIL, "b@example.com"), (Channel.SMS, ADDRESS))
    }

    assert len(tokens) == 9
