"""A deployment whose identity key is lost, or another than the table's, is refused."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.application.operations.check_identity_key import CheckIdentityKey
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.shared.errors import ConflictError, IdentityKeyError, SecretMissingError
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY

MOVED = IdentityKeys.derive("a-key-of-tests-with-32-bytes-or-more", "chosen-once")
OTHERS = IdentityKeys.derive("another-key-of-tests-with-32-bytes-or-more")
keys = st.sampled_from([KEYS, MOVED, OTHERS])


@dataclass
class Record:
    used: bool = False
    written: list[tuple[str, datetime]] = field(default_factory=list)
    first: list[datetime] = field(default_factory=list)

    def fingerprint(self) -> str | None:
        return self.written[0][0] if self.written else None

    def write(self, fingerprint: str, at: datetime) -> None:
        if self.written:
            raise ConflictError("recorded before")
        self.written.append((fingerprint, at))

    def table_is_used(self) -> bool:
        return self.used


@dataclass
class Links:
    there: bool = True
    taken: int = 0

    def is_there(self) -> bool:
        return self.there

    def take_the_drawn_one(self) -> None:
        self.there, self.taken = True, self.taken + 1


def check(keys: IdentityKeys, record: Record, links: Links | None = None) -> str:
    return CheckIdentityKey(lambda: keys, record, links or Links(), record.first.append)(MONDAY)


def test_the_first_deployment_records_the_key_and_signs_links_with_the_drawn_secret() -> None:
    record, links = Record(), Links(there=False)

    assert check(KEYS, record, links) == KEYS.fingerprint
    assert record.written == [(KEYS.fingerprint, MONDAY)]
    assert links.taken == 1

    check(KEYS, record, links)
    assert links.taken == 1
    assert record.first == [MONDAY], "later deployments are not the first"


@pytest.mark.parametrize(
    "record", [Record(written=[(KEYS.fingerprint, MONDAY)]), Record(used=True)], ids=["deployed", "moved"]
)
def test_a_deployment_whose_links_have_no_secret_is_refused_with_the_command(record: Record) -> None:
    links = Links(there=False)
    keys = KEYS if record.written else MOVED
    before = list(record.written)

    with pytest.raises(SecretMissingError, match="cairn secrets join"):
        check(keys, record, links)
    assert (links.taken, record.written) == (0, before), "the next attempt finds what this one found"

    links.there = True
    assert check(keys, record, links) == keys.fingerprint


def test_a_deployment_with_another_key_leaves_the_links_alone() -> None:
    links = Links(there=False)

    with pytest.raises(IdentityKeyError):
        check(KEYS, Record(used=True), links)
    assert links.taken == 0


@given(st.lists(keys, min_size=1), st.booleans())
def test_only_the_key_of_the_first_deployment_is_ever_taken(deployments: list[IdentityKeys], used: bool) -> None:  # noqa: FBT001
    record, taken = Record(used), set()

    for one in deployments:
        try:
            taken.add(check(one, record))
        except IdentityKeyError:
            assert record.fingerprint() != one.fingerprint

    assert len(taken) <= 1
    assert taken == {written for written, _ in record.written}


def test_another_key_is_refused_and_the_record_stays() -> None:
    record = Record(written=[(KEYS.fingerprint, MONDAY)])

    with pytest.raises(IdentityKeyError, match="every customer would be a new one") as error:
        check(OTHERS, record)
    assert "docs/operations.md" in str(error.value)
    assert record.fingerprint() == KEYS.fingerprint


def test_a_table_of_before_the_identity_key_asks_for_its_salt() -> None:
    record = Record(used=True)

    with pytest.raises(IdentityKeyError, match="cairn identity-key move"):
        check(KEYS, record)
    assert record.fingerprint() is None

    assert check(MOVED, record) == MOVED.fingerprint


@pytest.mark.parametrize(
    "record", [Record(written=[(KEYS.fingerprint, MONDAY)]), Record(used=True)], ids=["deployed", "moved"]
)
def test_a_table_that_an_earlier_release_has_used_is_never_noted_as_new(record: Record) -> None:
    check(KEYS if record.written else MOVED, record)

    assert record.first == []
