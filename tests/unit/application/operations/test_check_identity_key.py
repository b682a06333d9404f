"""A deployment whose identity key is lost, or another than the table's, is refused."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.application.operations.check_identity_key import CheckIdentityKey
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.shared.errors import ConflictError, IdentityKeyError
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY

MOVED = IdentityKeys.derive("a-key-of-tests-with-32-bytes-or-more", "chosen-once")
OTHERS = IdentityKeys.derive("another-key-of-tests-with-32-bytes-or-more")
keys = st.sampled_from([KEYS, MOVED, OTHERS])


@dataclass
class Record:
    used: bool = False
    written: list[tuple[str, datetime]] = field(default_factory=list)

    def fingerprint(self) -> str | None:
        return self.written[0][0] if self.written else None

    def write(self, fingerprint: str, at: datetime) -> None:
        if self.written:
            raise ConflictError("recorded before")
        self.written.append((fingerprint, at))

    def table_is_used(self) -> bool:
        return self.used


def test_the_first_deployment_records_the_key() -> None:
    record = Record()

    assert CheckIdentityKey(lambda: KEYS, record)(MONDAY) == KEYS.fingerprint
    assert record.written == [(KEYS.fingerprint, MONDAY)]


@given(st.lists(keys, min_size=1), st.booleans())
def test_only_the_key_of_the_first_deployment_is_ever_taken(deployments: list[IdentityKeys], used: bool) -> None:  # noqa: FBT001
    record, taken = Record(used), set()

    for one in deployments:
        try:
            taken.add(CheckIdentityKey(lambda one=one: one, record)(MONDAY))  # type: ignore[misc]
        except IdentityKeyError:
            assert record.fingerprint() != one.fingerprint

    assert len(taken) <= 1
    assert taken == {written for written, _ in record.written}


def test_another_key_is_refused_and_the_record_stays() -> None:
    record = Record(written=[(KEYS.fingerprint, MONDAY)])

    with pytest.raises(IdentityKeyError, match="every customer would be a new one") as error:
        CheckIdentityKey(lambda: OTHERS, record)(MONDAY)
    assert "docs/operations.md" in str(error.value)
    assert record.fingerprint() == KEYS.fingerprint


def test_a_table_of_before_the_identity_key_asks_for_its_salt() -> None:
    record = Record(used=True)

    with pytest.raises(IdentityKeyError, match="cairn identity-key move"):
        CheckIdentityKey(lambda: KEYS, record)(MONDAY)
    assert record.fingerprint() is None

    assert CheckIdentityKey(lambda: MOVED, record)(MONDAY) == MOVED.fingerprint
