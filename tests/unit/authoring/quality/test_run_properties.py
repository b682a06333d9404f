"""Laws of a quality run: any export gives the same report, in any order of its items and with any interruptions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authoring.quality import Counting, QualityRun, Work, parts_of, report_of
from authoring.quality import run as run_module
from authoring.quality.person import Person, keys_of
from authoring.quality.report import offered
from authoring.quality.run import MOST_KEYS, NEIGHBOURS
from cairn.adapters.dynamodb.items import DISTINCT, STATE
from cairn.domain.quality.reports import Pair
from cairn.domain.shared.hashing import short_hash

AT = datetime(2026, 3, 2, tzinfo=UTC)
STAMP = "2026-01-01T00:00:00Z"
ASKED = ["plan", "email", "phone"]

Item = dict[str, Any]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["Anna", "Ana", "Bo", "Lindqvist", "Lindkvist", "Berg"])
WORDS = {
    "first_name": NAMES,
    "last_name": NAMES,
    "birth_date": st.sampled_from(["1984-05-12", "1984-12-05", "1990-01-02"]),
    "email": st.sampled_from(["anna@example.com", "anna+x@example.com", "nobody"]),
    "phone": st.sampled_from(["+12015550101", "5550101"]),
    "plan": st.sampled_from(["pro", "undefined"]),
}


def id_of(number: int) -> str:
    return "c_" + short_hash(str(number), length=26)


def head(number: int, attributes: Mapping[str, Any], identifiers: Sequence[Sequence[Any]] = ()) -> Item:
    names = {"created_at": STAMP, "identifiers": list(identifiers)}
    entries = {f"a.{name}": [value, STAMP] for name, value in attributes.items()}
    return {
        "pk": {"S": id_of(number)},
        "sk": {"S": STATE},
        "rev": {"N": "1"},
        "profile": {"S": json.dumps(names)},
        "entries": {"S": json.dumps(entries)},
    }


def record(number: int, sk: str, body: Any, **further: Any) -> Item:
    return {"pk": {"S": id_of(number)}, "sk": {"S": sk}, "at": {"S": STAMP}, "body": {"S": json.dumps(body)}, **further}


def event(number: int, name: str, source: str, tag: str) -> Item:
    body = {"source": source, "type": "x.y", "attributes": ["plan"], "values": tag}
    return record(number, f"event#{name}", body)


PEOPLE = st.lists(st.fixed_dictionaries({}, optional=WORDS), max_size=9).map(
    lambda people: [head(number, one) for number, one in enumerate(people)]
)
RECORDS = st.lists(
    st.builds(
        event,
        st.integers(0, 9),
        st.sampled_from("abcdef"),
        st.sampled_from(["crm", "shop", "track"]),
        st.sampled_from(["aaaa", "bbbb"]),
    ),
    max_size=8,
    unique_by=lambda one: (one["pk"]["S"], one["sk"]["S"]),
)
APART = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=4).map(
    lambda pairs: [record(one, DISTINCT + id_of(other), None) for one, other in pairs if one != other]
)


def outcome(batches: Sequence[Sequence[Item]], *, stop: Sequence[int] = ()) -> dict[str, Any]:
    """The whole report of a run over these files of an export; it is stopped after so many steps, again and again."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "quality.sqlite"
        left = list(stop)
        while True:
            work = Work(file)
            work.put(at=AT.isoformat())
            for number, items in enumerate(batches):
                if not work.has(str(number)):
                    work.add(str(number), items)
            steps = QualityRun(work, Counting(ASKED, AT)).steps()
            if left and next_steps(steps, left.pop()):
                steps.close()
                work.close()
                continue
            for _ in steps:
                pass
            rows = [(section.value, part, row) for section, part, rows in parts_of(work, []) for row in rows]
            found = {**report_of(work, AT, {}), "rows": rows}
            work.close()
            return found


def next_steps(steps: Iterator[Any], number: int) -> bool:
    """Whether there were so many."""
    return all(next(steps, None) is not None for _ in range(number))


@given(people=PEOPLE, records=RECORDS, apart=APART, draw=st.randoms())
def test_the_order_of_items_and_duplicates_change_nothing(
    people: list[Item], records: list[Item], apart: list[Item], draw: Any
) -> None:
    items = [*people, *records, *apart]
    shuffled = [*items, *(draw.choice(items) for _ in range(len(items)))]
    draw.shuffle(shuffled)
    half = len(shuffled) // 2

    assert outcome([shuffled[:half], shuffled[half:]]) == outcome([items])


@given(people=PEOPLE, records=RECORDS, stops=st.lists(st.integers(1, 6), max_size=4))
@settings(max_examples=30)
def test_a_run_that_is_stopped_anywhere_ends_with_the_same_report(
    people: list[Item], records: list[Item], stops: list[int]
) -> None:
    before = run_module.CUSTOMERS_AT_ONCE, run_module.KEYS_AT_ONCE
    run_module.CUSTOMERS_AT_ONCE, run_module.KEYS_AT_ONCE = 2, 2
    try:
        assert outcome([[*people, *records]], stop=stops) == outcome([[*people, *records]])
    finally:
        run_module.CUSTOMERS_AT_ONCE, run_module.KEYS_AT_ONCE = before


@given(
    attributes=st.dictionaries(st.sampled_from([*WORDS, "name", "postal_code", "street", "dob"]), ANYTHING, max_size=8),
    identifiers=st.lists(st.tuples(st.sampled_from(["email", "phone", "user_id"]), st.text(max_size=30)), max_size=3),
    further=st.lists(ANYTHING, max_size=4),
)
def test_no_profile_breaks_a_run(
    attributes: dict[str, Any], identifiers: list[tuple[str, str]], further: list[Any]
) -> None:
    good = head(1, {"first_name": "Bo", "plan": "pro"})
    odd = [record(2, f"{kind}#{number}", one) for number, one in enumerate(further) for kind in ("event", "message")]
    nothing: list[Any] = [{}, {"pk": {"S": id_of(3)}, "sk": {"S": STATE}}, {"pk": {"N": "1"}, "sk": None}]

    found = outcome([[head(2, attributes, identifiers), good, *odd, *nothing]])

    assert found["customers"] + found["unreadable"] == 3
    (everybody,) = [row for section, _, row in found["rows"] if section == "completeness" and row["segment"] == "all"]
    assert everybody["filled"]["plan"] >= 1


@given(people=PEOPLE, data=st.data())
def test_a_pair_of_two_people_never_comes_again(people: list[Item], data: st.DataObject) -> None:
    found = outcome([people])
    pairs = [(row["a"], row["b"]) for section, _, row in found["rows"] if section == "pairs"]
    decided = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    numbers = {id_of(number): number for number in range(len(people))}
    decisions = [record(numbers[a], DISTINCT + b, None) for a, b in decided]

    after = outcome([[*people, *decisions]])

    left = [(row["a"], row["b"]) for section, _, row in after["rows"] if section == "pairs"]
    assert set(left) == set(pairs) - set(decided)
    assert after["offered"] == found["offered"] - len(decided)


@given(st.builds(Person, id=st.just("c"), given=st.text(), family=st.text(), born=st.sampled_from(["", "1984-05-12"])))
def test_a_person_has_a_bounded_number_of_keys(person: Person) -> None:
    assert len(set(keys_of(person))) <= MOST_KEYS


def test_a_key_of_very_many_people_is_no_square() -> None:
    """A thousand people of one name and birth date share three keys: each meets the next ones of each key."""
    people = [
        head(number, {"first_name": "Anna", "last_name": "Berg", "birth_date": "1984-05-12"}) for number in range(1000)
    ]

    found = outcome([people])

    assert found["compared"] <= 1000 * MOST_KEYS * NEIGHBOURS
    assert found["compared"] < 1000 * 999 / 4


def test_a_decision_follows_those_who_were_merged_since() -> None:
    anna = {"first_name": "Anna", "last_name": "Berg", "birth_date": "1984-05-12"}
    merged = {"pk": {"S": id_of(7)}, "sk": {"S": STATE}, "alias_of": {"S": id_of(1)}}
    people = [head(1, anna), head(2, anna), merged]
    assert outcome([people])["offered"] == 1

    assert outcome([[*people, record(7, DISTINCT + id_of(2), None)]])["offered"] == 0


def test_the_pair_of_the_report_is_in_order() -> None:
    anna = {"first_name": "Anna", "last_name": "Berg", "birth_date": "1984-05-12"}
    with TemporaryDirectory() as folder:
        work = Work(Path(folder) / "quality.sqlite")
        work.put(at=AT.isoformat())
        work.add("export", [head(1, anna), head(2, anna)])
        list(QualityRun(work, Counting(ASKED, AT)).steps())

        (row,) = offered(work)

    assert Pair.of(id_of(1), id_of(2)) == Pair(row["a"], row["b"])
    assert row["because"] == ["same_name", "same_birth_date"]
    assert row["points"] == 60


def test_every_part_of_a_report_fits_into_a_request() -> None:
    """Of a hundred sources and as many attributes with long names, the table of who has what is half a megabyte."""
    attributes = {f"{'a' * 50}{number}": "x" for number in range(100)}
    one = head(1, attributes)
    sources = {f"s.source-{number}": STAMP for number in range(100)}
    one["entries"] = {"S": json.dumps({**json.loads(one["entries"]["S"]), **sources})}
    with TemporaryDirectory() as folder:
        work = Work(Path(folder) / "quality.sqlite")
        work.put(at=AT.isoformat())
        work.add("export", [one])
        list(QualityRun(work, Counting(list(attributes), AT)).steps())

        parts = list(parts_of(work, []))
        report = report_of(work, AT, {name: [f"journey-{number}" for number in range(300)] for name in attributes})

    assert all(len(json.dumps(rows)) < 60 * 1024 for _, _, rows in parts)
    assert sum(len(rows) for section, _, rows in parts if section == "completeness") == 101
    assert [part for section, part, _ in parts if section == "completeness"] == list(range(1, len(parts) + 1))
    assert len(json.dumps(report)) < 60 * 1024


def test_what_has_expired_and_is_there_is_counted_by_kind() -> None:
    def expires(days: int) -> dict[str, Any]:
        return {"expires_at": {"N": str(int((AT - timedelta(days=days)).timestamp()))}}

    late = record(1, "event#old", {"source": "crm"}, **expires(10))
    items = [late, late, record(1, "event#older", {}, **expires(40)), record(1, "message#new", {}, **expires(1))]
    items += [record(1, "event#future", {}, **expires(-9)), record(1, "event#odd", {}, expires_at={"N": "soon"})]
    items += [{**expires(30), "pk": {"S": "seen"}, "sk": {"S": "crm#x.y"}}]

    found = outcome([items])["overdue"]

    assert found == [
        {"kind": "event", "items": 2, "since": "2026-01-21T00:00:00Z"},
        {"kind": "seen", "items": 1, "since": "2026-01-31T00:00:00Z"},
    ]
