"""How likely two customers are one person: points for each thing that agrees, and against each that does not.

The points are about ten times the decimal logarithm of how much more often it agrees for one person than for two
people by chance (Fellegi and Sunter, 1969). A pair is offered from OFFERED on, where two kinds of evidence agree at
least, and one of them is of a person, not of a household; or where both have one mailbox.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio

from authoring.quality.person import ROLES, Person, local_part, mailbox, plain
from cairn.domain.identity.identifiers import Identifier, other_accounts

OFFERED = 50

POINTS = {
    "same_name": 30,
    "same_common_name": 15,
    "similar_name": 22,
    "same_family_and_initial": 20,
    "same_mailbox": 50,
    "similar_email": 30,
    "same_local_part": 28,
    "same_phone": 40,
    "same_birth_date": 30,
    "similar_birth_date": 20,
    "same_address": 30,
    "same_postal_code": 8,
    "other_given_name": -55,
    "other_name": -60,
    "other_birth_date": -55,
}

KINDS = {
    **dict.fromkeys(("same_name", "same_common_name", "similar_name", "same_family_and_initial"), "name"),
    **dict.fromkeys(("same_mailbox", "similar_email", "same_local_part"), "e-mail"),
    **dict.fromkeys(("same_birth_date", "similar_birth_date"), "birth date"),
    **dict.fromkeys(("same_address", "same_postal_code"), "place"),
    "same_phone": "phone",
}

OF_A_HOUSEHOLD = frozenset({"place", "phone"})
"""Kinds of evidence that people who live together share."""

ALIKE, ADDRESSES_ALIKE = 0.88, 90.0
SHORTEST_LOCAL_PART, SHORTEST_EMAIL = 6, 9
TYPING_ERRORS, CHARACTERS_PER_ERROR = 2, 4
"""In a name: one in four letters, and two at most. Jan and Jon are two names."""


@dataclass(frozen=True, slots=True)
class Likeness:
    points: int
    because: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    """The systems at which each has an account of its own, so that they cannot be merged here."""

    @property
    def is_offered(self) -> bool:
        kinds = {KINDS[one] for one in self.because if one in KINDS}
        enough = len(kinds) > 1 and bool(kinds - OF_A_HOUSEHOLD)
        return self.points >= OFFERED and (enough or "same_mailbox" in self.because)


IsCommon = Callable[[str], bool]
"""Whether so many customers have this name or number (`name …`, `phone …`) that it says little about one of them."""


def compare(one: Person, other: Person, is_common: IsCommon = lambda _: False) -> Likeness:
    """The same in either order."""
    because = tuple(filter(None, _evidence(one, other, is_common)))
    return Likeness(sum(POINTS[each] for each in because), because)


def accounts_apart(one: Person, other: Person) -> tuple[str, ...]:
    return tuple(other_accounts(*([Identifier(*each) for each in person.accounts] for person in (one, other))))


def _evidence(one: Person, other: Person, is_common: IsCommon) -> Iterator[str]:
    yield _name(one, other, is_common)
    yield _email(one, other)
    shared = set(one.phones) & set(other.phones)
    yield "same_phone" if any(not is_common(f"phone {each}") for each in shared) else ""
    yield _birth(one.born, other.born)
    yield _home(one, other)


def _name(one: Person, other: Person, is_common: IsCommon) -> str:
    """Of a family name that differs alone, nothing follows: people marry."""
    if sorted(one.name.split()) == sorted(other.name.split()):
        common = any(is_common(f"name {each.name}") for each in (one, other))
        return "" if not one.name else "same_common_name" if common else "same_name"
    if not (one.given and one.family and other.given and other.family):
        return ""
    swapped = _similar(one.given, other.family) and _similar(one.family, other.given)
    given, family = _given(one.given, other.given), _similar(one.family, other.family)
    if not given and not swapped:
        return "other_given_name" if family else "other_name"
    if given == "initial":
        return "same_family_and_initial" if family else ""
    return "similar_name" if family or swapped else ""


def _given(one: str, other: str) -> str:
    """`same` also where one side leaves out a second name; empty where the names differ."""
    if len(one) == 1 or len(other) == 1:
        return "initial" if one[0] == other[0] else ""
    if _similar(one, other) or _similar(one.partition(" ")[0], other.partition(" ")[0]):
        return "same"
    return ""


def _similar(one: str, other: str) -> bool:
    if one == other:
        return True
    if JaroWinkler.normalized_similarity(one, other, score_cutoff=ALIKE) == 0:
        return False
    return OSA.distance(one, other, score_cutoff=TYPING_ERRORS) <= min(
        TYPING_ERRORS, max(len(one), len(other)) // CHARACTERS_PER_ERROR
    )


def _email(one: Person, other: Person) -> str:
    if {mailbox(each) for each in one.emails} & {mailbox(each) for each in other.emails}:
        return "same_mailbox"
    pairs = list(product(one.emails, other.emails))
    if any(_is_typing_error(left, right) for left, right in pairs):
        return "similar_email"
    shared = {local_part(each) for each in one.emails} & {local_part(each) for each in other.emails}
    return "same_local_part" if any(_says_more_than_a_name(each, one) for each in shared) else ""


def _says_more_than_a_name(local: str, person: Person) -> bool:
    """`anna.lindqvist` is in the addresses of all Anna Lindqvists; `anna1984` and `snowflake` of few."""
    if len(local) < SHORTEST_LOCAL_PART or local in ROLES:
        return False
    of_the_alphabet = "".join(filter(str.isalpha, local))
    of_the_name = {plain(each).replace(" ", "") for each in _ways_to_write(person)}
    return len(_digits(local)) > 1 or of_the_alphabet not in of_the_name


def _ways_to_write(person: Person) -> Iterator[str]:
    first, last = person.given, person.family
    yield from (first, last, first + last, last + first, first[:1] + last, last + first[:1], first + last[:1])


def _is_typing_error(one: str, other: str) -> bool:
    """One letter more, less or another one, or two swapped. Another digit is another mailbox: anna81, anna82."""
    if min(len(one), len(other)) < SHORTEST_EMAIL or _digits(one) != _digits(other):
        return False
    return OSA.distance(one, other, score_cutoff=1) <= 1


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _birth(one: str, other: str) -> str:
    if not one or not other:
        return ""
    if one == other:
        return "same_birth_date"
    swapped = one[:4] == other[:4] and (one[5:7], one[8:]) == (other[8:], other[5:7])
    return "similar_birth_date" if swapped or OSA.distance(one, other, score_cutoff=1) <= 1 else "other_birth_date"


def _home(one: Person, other: Person) -> str:
    if not one.postcode or one.postcode != other.postcode:
        return ""
    alike = one.street and other.street and token_sort_ratio(one.street, other.street) >= ADDRESSES_ALIKE
    return "same_address" if alike and _digits(one.street) == _digits(other.street) else "same_postal_code"
