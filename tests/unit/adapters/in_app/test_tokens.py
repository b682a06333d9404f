"""Tokens of inboxes: for one customer, until they end, and for nothing else."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer
from itsdangerous.encoding import base64_encode

from cairn.adapters.in_app.tokens import InAppTokens
from cairn.adapters.pages.links import SignedLinks, signing_secrets
from cairn.adapters.pages.task_links import SALT as TASKS
from cairn.adapters.pages.task_links import SignedTaskLinks, TaskLink
from cairn.domain.consent.links import LinkKind
from cairn.domain.shared.errors import InAppTokenError, LinkInvalidError
from tests.unit.fakes import Secrets

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
FIRST, SECOND = "whsec_Zmlyc3Qtc2VjcmV0LW9mLWxpbmtzLTEyMzQ=", "whsec_c2Vjb25kLXNlY3JldC1vZi1saW5rcy0xMjM="


def tokens(*secrets: str) -> InAppTokens:
    return InAppTokens(Secrets(links=secrets or (FIRST,)))


customers = st.from_regex(r"c_[a-z2-7]{26}", fullmatch=True)


@given(customers)
def test_a_token_opens_the_inbox_of_its_customer_until_it_ends(customer: str) -> None:
    made = tokens().token(customer, SOON)

    assert tokens().customer(made, SOON - timedelta(seconds=1)) == customer
    with pytest.raises(InAppTokenError):
        tokens().customer(made, SOON)


@given(customers, st.data())
def test_a_token_that_was_changed_opens_nothing(customer: str, data: st.DataObject) -> None:
    made = tokens().token(customer, SOON)
    at = data.draw(st.integers(0, len(made) - 2))  # the last character of base64 has bits that mean nothing
    other = data.draw(st.sampled_from("AZaz09-_."))
    changed = made[:at] + other + made[at + 1 :]

    if changed != made:
        with pytest.raises(InAppTokenError):
            tokens().customer(changed, NOW)


@given(st.text(max_size=1_100))
def test_any_text_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(InAppTokenError) as refused:
        tokens().customer(text, NOW)
    with pytest.raises(InAppTokenError) as ended:
        tokens().customer(tokens().token("c_mia", NOW), NOW)

    assert str(refused.value) == str(ended.value)


def test_a_new_secret_signs_and_the_old_one_still_verifies() -> None:
    made, rotated = tokens(FIRST).token("c_mia", SOON), tokens(SECOND, FIRST)

    assert rotated.customer(made, NOW) == "c_mia"
    assert tokens(SECOND).customer(rotated.token("c_mia", SOON), NOW) == "c_mia"
    with pytest.raises(InAppTokenError):
        tokens(SECOND).customer(made, NOW)


@pytest.mark.parametrize("salt", [TASKS, *(f"cairn.{kind}" for kind in LinkKind)])
def test_what_is_signed_for_another_use_opens_no_inbox_even_with_the_same_fields(salt: str) -> None:
    secrets = signing_secrets(Secrets(links=(FIRST,)))
    signer = Signer(secrets, salt=salt, key_derivation="hmac", digest_method=sha256)
    made = signer.sign(base64_encode(f"c_mia {int(SOON.timestamp())}")).decode()

    with pytest.raises(InAppTokenError):
        tokens().customer(made, NOW)


def test_no_token_of_an_inbox_opens_a_link_and_no_link_an_inbox() -> None:
    secrets = Secrets(links=(FIRST,))
    task = SignedTaskLinks(secrets).url(TaskLink("c_mia", "t", "ada", SOON)).rpartition("/")[2]
    made = tokens().token("c_mia", SOON)

    with pytest.raises(InAppTokenError):
        tokens().customer(task, NOW)
    with pytest.raises(LinkInvalidError):
        SignedTaskLinks(secrets).read(made, NOW)
    for kind in LinkKind:
        with pytest.raises(LinkInvalidError):
            SignedLinks(secrets).read(kind, made, NOW)
