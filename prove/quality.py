"""A quality run over made-up customers, and some are known to be one person twice.

It says how many of the pairs that are offered are right (precision), how many of the known ones are offered (recall),
what it takes in time and memory, and whether memory grows with the number of customers.
"""

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from authoring.quality import Counting, QualityRun, Work, report_of
from authoring.quality.report import offered
from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.entries import changed_entries
from cairn.adapters.dynamodb.items import STATE, CustomerItem
from cairn.domain.customer.state import Customer
from cairn.domain.identity.identifiers import EMAIL, PHONE, Identifier, strongest_first
from cairn.domain.profile.profile import Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.quality.reports import Pair
from cairn.domain.shared.hashing import short_hash

CUSTOMERS, SEED = 20_000, 7
AT = datetime(2026, 3, 2, tzinfo=UTC)

GIVEN = (
    *("Anna", "Maria", "Lena", "Sofia", "Clara", "Emma", "Julia", "Laura", "Paula", "Nora", "Eva", "Ines", "Marta"),
    *("Elena", "Irina", "Olga", "Vera", "Hanna", "Lucia", "Carmen", "Alice", "Rosa", "Greta", "Ida", "Astrid", "Zoë"),
    *("Chloé", "Aurélie", "Mónica", "Agnieszka", "Lukas", "Jonas", "Felix", "Paul", "Max", "Leon", "Noah", "David"),
    *(
        "Daniel",
        "Martin",
        "Thomas",
        "Peter",
        "Stefan",
        "Andreas",
        "Marco",
        "Luca",
        "Paolo",
        "Diego",
        "Javier",
        "Carlos",
    ),
    *("Miguel", "José", "Ivan", "Dmitri", "Piotr", "Jan", "Erik", "Lars", "Oskar", "Søren", "Ahmed", "Omar", "Karim"),
    *("Yusuf", "Wei", "Ming", "Hiro", "Kenji", "Arjun", "Ravi", "Priya", "Anita", "Leila", "Amira", "Mehmet", "Elif"),
    *("John", "James", "Mary", "Robert"),
)
STEMS = (
    *("Berg", "Lind", "Holm", "Stein", "Wald", "Bach", "Feld", "Kauf", "Schnei", "Müll", "Web", "Fisch", "Krüg", "Mor"),
    *("Ross", "Bian", "Ferr", "Garc", "Lóp", "Mart", "Fernand", "Rodrig", "Gonz", "Per", "Sanch", "Ram", "Torr"),
    *("Kowal", "Nowak", "Wiśn", "Ivan", "Petr", "Smirn", "Kuzn", "Smith", "John", "Will", "Brown", "Dav", "Mill"),
    *("Wils", "Tayl", "Ander", "Hans", "Niels", "Peters", "Laurs", "Dup", "Leroy", "Girard", "Tan", "Lee", "Chen"),
    *("Wang", "Kim", "Sato", "Suz", "Khan", "Pat", "Shar"),
)
ENDINGS = ("", "er", "son", "ez", "mann", "ini", "ova", "ström", "wood", "ard")
STREETS = (
    "Hauptstraße",
    "Rue de la Paix",
    "Calle Mayor",
    "High Street",
    "Via Roma",
    "Parkweg",
    "Lindenallee",
    "Main St",
)
PROVIDERS = ("gmail.com", "example.com", "example.org", "mail.example.net")
NICKNAMES = {"Robert": "Bob", "James": "Jim", "Daniel": "Dan", "José": "Pepe", "Maria": "Mia", "Elena": "Lena"}
KEYBOARD = "qwertyuiopasdfghjklzxcvbnm"


@dataclass(frozen=True, slots=True)
class Someone:
    given: str
    family: str
    email: str
    phone: str
    born: str
    street: str
    postcode: str
    who: int
    """Which person it really is."""

    def profile(self, number: int) -> Profile:
        names = [Identifier(EMAIL, self.email)] if self.email else []
        names += [Identifier(PHONE, self.phone)] if self.phone else []
        said = {
            "first_name": self.given,
            "last_name": self.family,
            "email": self.email,
            "phone": self.phone,
            "birth_date": self.born,
            "street": self.street,
            "postal_code": self.postcode,
        }
        attributes = {name: Stamped(value, AT) for name, value in said.items() if value}
        return Profile(id_of(number), AT, strongest_first(names), attributes)


def id_of(number: int) -> str:
    return "c_" + short_hash(f"customer {number}", length=26)


@dataclass
class Town:
    """Made-up people: households share family name, home and often a number; there are twins, and sons named alike."""

    draw: random.Random
    customers: list[Someone] = field(default_factory=list)
    families: list[str] = field(
        default_factory=lambda: [stem + end for stem in STEMS for end in (*ENDINGS, *map(str.lower, STEMS))]
    )
    taken: set[str] = field(default_factory=set)
    """E-mail addresses: no two people have one."""

    @classmethod
    def of(cls, customers: int, seed: int = SEED) -> "Town":
        town = cls(random.Random(seed))  # noqa: S311  made-up people
        town.draw.shuffle(town.families)
        while len(town.customers) < customers * 0.94:
            town.move_in(len(town.customers))
        persons = len(town.customers)
        while len(town.customers) < customers:  # some people are there three times
            town.customers.append(town.again(town.customers[town.draw.randrange(persons)]))
        town.draw.shuffle(town.customers)
        return town

    def pairs(self) -> set[Pair]:
        """The known duplicates."""
        by_person: dict[int, list[int]] = {}
        for number, one in enumerate(self.customers):
            by_person.setdefault(one.who, []).append(number)
        return {
            Pair.of(id_of(one), id_of(other))
            for numbers in by_person.values()
            for position, one in enumerate(numbers)
            for other in numbers[position + 1 :]
        }

    def agree(self, pair: Pair) -> bool:
        """Whether two customers agree in more than a name."""
        one, other = (self.numbered[id_] for id_ in (pair.a, pair.b))
        here, there = (
            (each.phone, each.born, (each.street.lower(), each.postcode), each.email.partition("@")[0])
            for each in (one, other)
        )
        return any(left == right for left, right in zip(here, there, strict=True) if left and left != ("", ""))

    @cached_property
    def numbered(self) -> dict[str, Someone]:
        return {id_of(number): one for number, one in enumerate(self.customers)}

    def items(self) -> Iterator[dict[str, Any]]:
        """As an export has them."""
        for number, one in enumerate(self.customers):
            profile = one.profile(number)
            entries = changed_entries(Customer(Profile(profile.id, AT)), Customer(profile))
            head = CustomerItem(profile.id, STATE, version=1, profile=codec.names_to_wire(profile), entries=entries)
            yield head.serialize()

    def move_in(self, who: int) -> None:
        draw = self.draw
        if self.customers and draw.random() < 0.25:  # noqa: PLR2004
            self.customers.append(self.relative(draw.choice(self.customers[-200:]), who))
            return
        given = self.zipf(GIVEN)
        family = self.zipf(self.families)
        self.customers.append(
            Someone(
                given if draw.random() < 0.85 else f"{given} {self.zipf(GIVEN)}",  # noqa: PLR2004
                family,
                self.maybe(0.8, self.email_of(given, family)),
                self.maybe(0.55, self.number()),
                self.maybe(0.6, self.birth()),
                *self.home(0.6),
                who,
            )
        )

    def relative(self, one: Someone, who: int) -> Someone:
        draw = self.draw
        given, kind = (
            next(given for given in iter(lambda: self.zipf(GIVEN), "") if given not in one.given),
            draw.random(),
        )
        born = one.born if kind < 0.03 else self.maybe(0.6, self.birth())  # noqa: PLR2004
        if 0.03 < kind < 0.05:  # noqa: PLR2004  a son with his father's name
            given = one.given
        return Someone(
            given,
            one.family,
            self.maybe(0.8, self.email_of(given, one.family)),
            one.phone if draw.random() < 0.4 else self.maybe(0.55, self.number()),  # noqa: PLR2004
            born,
            one.street,
            one.postcode,
            who,
        )

    def again(self, one: Someone) -> Someone:
        """The same person from another system: with errors, and with less or other data."""
        draw = self.draw
        given, family = one.given, one.family
        kind = draw.random()
        if kind < 0.20:  # noqa: PLR2004
            given = self.typing_error(given)
        elif kind < 0.35:  # noqa: PLR2004
            family = self.typing_error(family)
        elif kind < 0.40:  # noqa: PLR2004
            given, family = family, given
        elif kind < 0.45:  # noqa: PLR2004
            given = given[0] + "."
        elif kind < 0.50:  # noqa: PLR2004
            family = self.zipf(self.families)
        elif kind < 0.55:  # noqa: PLR2004
            given = NICKNAMES.get(given, given.split()[0])
        elif kind < 0.65:  # noqa: PLR2004
            given, family = given.upper(), family.upper()
        local, _, provider = one.email.partition("@")
        emails = (
            (
                0.25,
                self.new(f"{local}@{draw.choice([each for each in PROVIDERS if each != provider])}") if local else "",
            ),
            (0.35, f"{local}+shop@{provider}" if local else ""),
            (0.40, self.new(self.typing_error(local) + f"@{provider}") if local else ""),
            (0.75, self.email_of(given, family)),
        )
        births = ((0.65, one.born), (0.70, swapped(one.born)), (0.74, self.digit_error(one.born)))
        street, postcode = (one.street, one.postcode) if draw.random() < 0.55 else self.home(0.4)  # noqa: PLR2004
        return replace(
            one,
            given=given,
            family=family,
            email=self.first_of(emails),
            phone=self.first_of(((0.45, one.phone), (0.65, self.number()))),
            born=self.first_of(births),
            street=street.lower() if draw.random() < 0.3 else street,  # noqa: PLR2004
            postcode=postcode,
        )

    def zipf(self, among: Any) -> str:
        return str(among[min(int(len(among) * self.draw.random() ** 1.7), len(among) - 1)])

    def maybe(self, share: float, value: str) -> str:
        return value if self.draw.random() < share else ""

    def first_of(self, chances: tuple[tuple[float, str], ...]) -> str:
        drawn = self.draw.random()
        return next((value for share, value in chances if drawn < share), "")

    def email_of(self, given: str, family: str) -> str:
        draw, words = self.draw, ascii_of(given).split() or ["x"]
        first, last = words[0], ascii_of(family).replace(" ", "") or "x"
        shapes = (f"{first}.{last}", f"{first}{last}", f"{first[0]}{last}", f"{first}{draw.randrange(1950, 2010)}")
        local = f"{draw.choice(shapes)}{draw.choice(('', '', str(draw.randrange(1, 999))))}"
        while (made := f"{local}@{draw.choice(PROVIDERS)}") in self.taken:
            local += str(draw.randrange(10))
        self.taken.add(made)
        return made

    def new(self, email: str) -> str:
        """An address that is free; empty where it is another's."""
        if email in self.taken:
            return ""
        self.taken.add(email)
        return email

    def number(self) -> str:
        return f"+1{self.draw.choice((201, 212, 310, 415))}{self.draw.randrange(2_000_000, 9_999_999)}"

    def birth(self) -> str:
        return (date(1940, 1, 1) + timedelta(self.draw.randrange(24_000))).isoformat()

    def home(self, share: float) -> tuple[str, str]:
        if self.draw.random() >= share:
            return "", ""
        return f"{self.draw.choice(STREETS)} {self.draw.randrange(1, 180)}", f"{self.draw.randrange(10_000, 10_400)}"

    def typing_error(self, text: str) -> str:
        """A letter more, less or another one, or two swapped."""
        if len(text) < 3:  # noqa: PLR2004
            return text
        at = self.draw.randrange(1, len(text) - 1)
        other = self.draw.choice(KEYBOARD)
        made = (
            text[:at] + text[at + 1 :],
            text[:at] + other + text[at:],
            text[:at] + other + text[at + 1 :],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        )
        return self.draw.choice(made)

    def digit_error(self, born: str) -> str:
        return born[:9] + str((int(born[9]) + 1) % 9 + 1) if born else ""


def swapped(born: str) -> str:
    year, month, day = born.split("-") if born else ("", "", "")
    return f"{year}-{day}-{month}" if born and int(day) <= 12 else born  # noqa: PLR2004


def ascii_of(text: str) -> str:
    from authoring.quality.person import plain  # noqa: PLC0415

    return plain(text)


@dataclass(frozen=True, slots=True)
class Outcome:
    found: set[Pair]
    known: set[Pair]
    decidable: set[Pair]
    """Of the known pairs, those that agree in more than a name: of the others, nobody could say it."""
    compared: int

    @property
    def precision(self) -> float:
        return len(self.found & self.known) / len(self.found) if self.found else 1.0

    @property
    def recall(self) -> float:
        return len(self.found & self.known) / len(self.known)

    @property
    def decidable_recall(self) -> float:
        return len(self.found & self.decidable) / len(self.decidable)


def outcome_of(town: Town, file: Path) -> Outcome:
    """Run over the town's customers, with the work in this file."""
    work = Work(file)
    work.put(at=AT.isoformat())
    work.add("export", town.items())
    for _ in QualityRun(work, Counting(["email", "phone"], AT)).steps():
        pass
    found = {Pair(row["a"], row["b"]) for row in offered(work)}
    compared = report_of(work, AT, {})["compared"]
    work.delete()
    known = town.pairs()
    return Outcome(found, known, {pair for pair in known if town.agree(pair)}, compared)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    town = Town.of(asked.customers, asked.seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with tempfile.TemporaryDirectory(prefix="cairn-quality-") as folder:
        started, cpu = time.monotonic(), time.process_time()
        done = outcome_of(town, Path(folder) / "quality.sqlite")
        seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{asked.customers:,} customers, {len(done.known):,} known pairs: {len(done.found):,} offered")
    print(f"precision {done.precision:.1%}, recall {done.recall:.1%}")
    print(f"recall among the {len(done.decidable):,} that agree in more than a name: {done.decidable_recall:.1%}")
    print(f"{done.compared:,} comparisons, {done.compared / asked.customers:,.0f} a customer")
    print(f"{seconds:,.0f} s, {cpu:,.0f} s of a core; memory {before} MB before, {after} MB at most")
    return 0 if done.precision >= 0.9 and done.recall >= 0.7 else 1  # noqa: PLR2004


if __name__ == "__main__":
    sys.exit(main())
