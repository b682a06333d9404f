"""Customers who are offered as one person, and customers who are not."""

from pathlib import Path

import pytest

from authoring.quality.likeness import compare
from authoring.quality.person import Person, birth, local_part, mailbox, plain
from prove.quality import Town, outcome_of

ANNA = Person("c_1", "anna", "lindqvist", born="1984-05-12")
HOME = {"street": "parkweg 12", "postcode": "10115"}
NUMBER = ("+12015550101",)


def other(given: str = "anna", family: str = "lindqvist", **about: object) -> Person:
    return Person("c_2", given, family, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "two", "because"),
    [
        (ANNA, other(born="1984-05-12"), ("same_name", "same_birth_date")),
        (
            Person("c_1", "anna", "lindqvist", born="1984-05-12", phones=NUMBER),
            other("ana", "lindqvist", born="1984-12-05", phones=NUMBER),
            ("similar_name", "same_phone", "similar_birth_date"),
        ),
        (ANNA, other("lindqvist", "anna", born="1984-05-12"), ("same_name", "same_birth_date")),
        (ANNA, other("anna maria", born="1984-05-12"), ("similar_name", "same_birth_date")),
        (ANNA, other("a", born="1984-05-12"), ("same_family_and_initial", "same_birth_date")),
        (Person("c_1", "anna", "berg", **HOME), other("anna", "berg", **HOME), ("same_name", "same_address")),
        (
            Person("c_1", "anna", "berg", emails=("anna.berg@gmail.com",)),
            other("anna", "holm", emails=("annaberg+shop@gmail.com",)),
            ("same_mailbox",),
        ),
        (
            Person("c_1", "anna", "berg", emails=("snowflake84@example.com",)),
            other("anna", "berg", emails=("snowflake84@example.org",)),
            ("same_name", "same_local_part"),
        ),
        (
            Person("c_1", "", "", phones=NUMBER, born="1984-05-12"),
            other("", "", phones=NUMBER, born="1984-05-12"),
            ("same_phone", "same_birth_date"),
        ),
    ],
)
def test_is_offered(one: Person, two: Person, because: tuple[str, ...]) -> None:
    likeness = compare(one, two)

    assert likeness.is_offered
    assert likeness.because == because
    assert compare(two, one) == likeness


@pytest.mark.parametrize(
    ("about", "one", "two"),
    [
        ("a name alone", ANNA, other()),
        ("twins", Person("c_1", "anna", "berg", phones=NUMBER, born="1984-05-12", **HOME),
         other("ida", "berg", phones=NUMBER, born="1984-05-12", **HOME)),
        ("a couple", Person("c_1", "anna", "berg", phones=NUMBER, **HOME), other("jan", "berg", phones=NUMBER, **HOME)),
        ("a son with his father's name", Person("c_1", "jan", "berg", phones=NUMBER, born="1950-01-02", **HOME),
         other("jan", "berg", phones=NUMBER, born="1980-07-08", **HOME)),
        ("a household without names", Person("c_1", phones=NUMBER, **HOME), other("", "", phones=NUMBER, **HOME)),
        ("an address made of the name", Person("c_1", "anna", "berg", emails=("anna.berg@example.com",)),
         other("anna", "berg", emails=("annaberg@example.org",))),
        ("mailboxes that differ in a digit", Person("c_1", "anna", "berg", emails=("anna1981@example.com",)),
         other("anna", "berg", emails=("anna1982@example.com",))),
        ("a mailbox of a function", Person("c_1", "anna", "berg", emails=("support@example.com",)),
         other("anna", "berg", emails=("support@example.org",))),
        ("short names that are near", Person("c_1", "jan", "berg", born="1984-05-12"),
         other("jon", "berg", born="1984-05-12")),
    ],
)  # fmt: skip
def test_is_not_offered(about: str, one: Person, two: Person) -> None:
    assert not compare(one, two).is_offered, about


def test_a_common_name_says_less_and_a_number_of_many_says_nothing() -> None:
    anna, again = Person("c_1", "anna", "berg", born="1984-05-12"), other("anna", "berg", born="1984-05-12")
    assert compare(anna, again).is_offered
    assert not compare(anna, again, lambda feature: feature == "name anna berg").is_offered

    one, two = Person("c_1", "anna", "berg", phones=NUMBER), other("anna", "berg", phones=NUMBER)
    assert compare(one, two).is_offered
    assert not compare(one, two, lambda feature: feature == f"phone {NUMBER[0]}").is_offered


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1984-05-12", "1984-05-12"),
        ("1984-5-2T00:00:00Z", "1984-05-02"),
        ("12.05.1984", "1984-05-12"),
        ("05/22/1984", "1984-05-22"),
        ("1984-02-31", ""),
        ("1900-01-01", ""),
        ("soon", ""),
    ],
)
def test_a_birth_date(written: str, read: str) -> None:
    assert birth(written) == read


def test_texts_are_compared_without_accents_capitals_and_punctuation() -> None:
    assert plain("  Søren O'Brien-MÜLLER ") == "soren obrien muller"
    assert plain("Straße") == plain("STRASSE")


def test_a_mailbox_is_what_its_provider_makes_of_an_address() -> None:
    assert mailbox("anna.berg+x@googlemail.com") == mailbox("annaberg@gmail.com")
    assert mailbox("anna.berg@example.com") != mailbox("annaberg@example.com")
    assert local_part("anna_berg+x@example.com") == "annaberg"


def test_known_duplicates_are_found_among_made_up_customers(tmp_path: Path) -> None:
    done = outcome_of(Town.of(2_000, seed=3), tmp_path / "quality.sqlite")

    assert done.precision >= 0.85
    assert done.recall >= 0.6
    assert done.decidable_recall >= 0.85
