"""The identity key: who has one derived key knows nothing of the others, and nothing that is too short is a key."""

import string
from dataclasses import fields

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.identity.identity_key import CONTEXT, MIN_KEY_BYTES, DerivedKey, IdentityKeys, hkdf
from cairn.domain.shared.errors import IdentityKeyError

identity_keys = st.text(string.hexdigits, min_size=MIN_KEY_BYTES, max_size=80)
salts = st.just("") | st.text(min_size=1, max_size=20)
uses = st.text(max_size=20)
texts = st.text(max_size=20)


def derived(keys: IdentityKeys) -> dict[str, DerivedKey]:
    return {one.name: key for one in fields(keys) if isinstance(key := getattr(keys, one.name), DerivedKey)}


@given(st.binary(min_size=1, max_size=80), uses)
def test_a_derived_key_is_hkdf_as_another_library_computes_it(key: bytes, use: str) -> None:
    theirs = HKDF(SHA256(), length=32, salt=None, info=(CONTEXT + use).encode("utf-8", "surrogatepass"))

    assert hkdf(key, use) == theirs.derive(key)


@given(identity_keys, texts)
def test_no_two_uses_hash_a_text_to_the_same(key: str, text: str) -> None:
    hashes = {use: one.mac(text) for use, one in derived(IdentityKeys.derive(key)).items()}

    assert set(hashes) == {"customer_ids", "suppressions", "tombstones", "queue_groups"}
    assert len(set(hashes.values())) == len(hashes)


@given(identity_keys, identity_keys, salts, texts)
def test_another_identity_key_gives_other_keys_and_another_fingerprint(
    left: str, right: str, salt: str, text: str
) -> None:
    ours, theirs = IdentityKeys.derive(left, salt), IdentityKeys.derive(right, salt)

    assert (ours.fingerprint == theirs.fingerprint) == (left == right)
    assert (ours.queue_groups.mac(text) == theirs.queue_groups.mac(text)) == (left == right)


@given(identity_keys, salts, salts)
def test_another_salt_has_another_fingerprint(key: str, left: str, right: str) -> None:
    ours, theirs = IdentityKeys.derive(key, left), IdentityKeys.derive(key, right)

    assert (ours.fingerprint == theirs.fingerprint) == (left == right)


@given(identity_keys, st.text(min_size=1, max_size=20))
def test_a_salt_of_before_makes_only_what_the_table_stores(key: str, salt: str) -> None:
    with_salt, without = IdentityKeys.derive(key, salt), IdentityKeys.derive(key)

    changed = {name for name, one in derived(with_salt).items() if one != derived(without)[name]}
    assert changed == {"customer_ids", "suppressions"}


@given(identity_keys, salts)
def test_no_key_is_printed(key: str, salt: str) -> None:
    keys = IdentityKeys.derive(key, salt)

    assert key not in repr(keys)
    assert {repr(one) for one in derived(keys).values()} == {
        f"{name}()" for name in ("CustomerIdKey", "SuppressionKey", "TombstoneKey", "QueueGroupKey")
    }


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "is empty"),
        ("x" * 31, "has 31 bytes; it needs 32 or more"),
        ("a" * 31 + " ", "has 31 bytes"),
        (" " * 64, "is blank"),
        ("\u200b" * 64, "is blank"),
        ("\u3164" * 64, "is blank"),
        (None, "is no text, but null"),
        (12, "is no text, but a number"),
    ],
)
def test_what_is_too_short_or_blank_is_no_identity_key(key: str, problem: str) -> None:
    with pytest.raises(IdentityKeyError, match=problem):
        IdentityKeys.derive(key)
