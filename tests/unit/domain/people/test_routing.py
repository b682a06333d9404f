"""How a task finds its owner: the laws of a fair choice, and the reasons that it gives."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cairn.domain.people.members import (
    Absence,
    Deal,
    Member,
    Override,
    People,
    Queue,
    Share,
    Strategy,
    Territory,
    Work,
)
from cairn.domain.people.routing import (
    MAX_OPEN,
    MAX_WEIGHT,
    MAX_WHY,
    UNIT,
    Asked,
    Assignment,
    choose,
    deal_hash,
    due_after,
    first_at_work,
    fit,
    kilometres,
    members_of,
    wanted_of,
    with_deals,
    with_overrides,
)
from cairn.domain.people.task import Wanted
from cairn.domain.shared.calendars import Calendar

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
SOON = MONDAY + timedelta(hours=8)
NINE_TO_SIX = ((540, 1080),)
OFFICE = Calendar((*[NINE_TO_SIX] * 5, (), ()), frozenset({date(2026, 5, 25)}), "America/New_York")
NAMES = ("ana", "ben", "cy", "dee", "eve")


def people(*members: Member, **fields: object) -> People:
    """One queue, `sales`, of these members."""
    queue = Queue("sales", "Sales", {one.id: 1 for one in members})
    return People({"sales": replace(queue, **fields)}, {one.id: one for one in members})  # type: ignore[arg-type]


def someone(id_: str, **fields: object) -> Member:
    return replace(Member(id_, id_.title()), **fields)  # type: ignore[arg-type]


def chosen(
    those: People, wanted: Wanted | None = None, now: datetime = MONDAY, due_at: datetime | None = None
) -> Assignment:
    return choose("sales", Asked(those, {}, wanted or Wanted(), now, due_at or now + timedelta(hours=8)))


AWAY = Override((Absence(MONDAY, SOON + timedelta(days=1)),))


class Day:
    """A queue at work: tasks come one after the other, and are remembered."""

    def __init__(self, those: People) -> None:
        self.people, self.work = those, dict[str, Work]()
        self.given: list[Assignment] = []

    def comes(self, task: str, wanted: Wanted | None = None, now: datetime = MONDAY) -> Assignment:
        found = choose("sales", Asked(self.people, self.work, wanted or Wanted(), now, now + timedelta(hours=8), task))
        if found.owner:
            before = self.work.get(found.owner, Work())
            assert before == (found.work or Work())
            self.work[found.owner] = Work(
                before.open | {task}, {**before.shares, found.queue: found.share}, before.version + 1
            )
        self.given.append(found)
        return found

    def of_each(self) -> dict[str, int]:
        return {name: sum(one.owner == name for one in self.given) for name in self.people.members}


@st.composite
def weights(draw: st.DrawFn) -> dict[str, int]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    return {name: draw(st.integers(1, MAX_WEIGHT)) for name in names}


@given(st.sets(st.sampled_from(NAMES), min_size=1), st.integers(1, 60))
def test_by_round_robin_each_gets_as_many_as_the_others(names: set[str], number: int) -> None:
    day = Day(people(*map(someone, names)))

    for task in range(number):
        day.comes(f"task-{task}")

        counts = day.of_each().values()
        assert max(counts) - min(counts) <= 1


@given(weights(), st.integers(1, 80))
def test_work_is_shared_in_proportion_to_the_weights(heavy: dict[str, int], number: int) -> None:
    day = Day(people(*map(someone, heavy), strategy=Strategy.WEIGHTED, members=heavy))

    for task in range(number):
        day.comes(f"task-{task}")

    counts = day.of_each()
    for one, other in combinations(heavy, 2):
        apart = abs(counts[one] / heavy[one] - counts[other] / heavy[other])
        assert apart <= 1 / min(heavy[one], heavy[other]) + 1e-9
    assert sum(counts.values()) == number


PRESENT = st.sets(st.sampled_from(("ana", "cy", "eve")))
LANGUAGES = st.sampled_from(("", "en", "es", "fr"))


OTHERS_MEANWHILE = [({"ana"}, ""), *([({"cy", "eve"}, "")] * 4)] * 8
"""Each time that both are back, it is open who comes first."""


@example(OTHERS_MEANWHILE)
@given(st.lists(st.tuples(PRESENT, LANGUAGES), max_size=60))
def test_two_who_are_there_at_the_same_times_never_differ_by_more_than_one(
    tasks: list[tuple[set[str], str]],
) -> None:
    """`ana` and `ben` are, and speak the same, whatever others come and go, and whatever they alone can do."""
    speaks = {"ana": {"en", "es"}, "ben": {"en", "es"}, "cy": {"en", "fr"}, "eve": {"es"}}
    day = Day(people(*(someone(name, languages=frozenset(said)) for name, said in speaks.items())))
    everybody = day.people

    for number, (there, language) in enumerate(tasks):
        present = there | {"ben"} if "ana" in there else there
        day.people = with_overrides(everybody, {name: AWAY for name in speaks if name not in present})
        day.comes(f"task-{number}", Wanted(language=language))

        counts = day.of_each()
        assert abs(counts["ana"] - counts["ben"]) <= 1


def test_a_member_who_was_away_does_not_work_off_what_was_missed() -> None:
    ben = someone("ben", absences=(Absence(MONDAY, MONDAY + timedelta(days=7)),))
    day = Day(people(someone("ana"), ben))
    for number in range(30):
        day.comes(f"early-{number}")
    before = day.of_each()

    for number in range(10):
        day.comes(f"late-{number}", now=MONDAY + timedelta(days=8))

    late = {name: count - before[name] for name, count in day.of_each().items()}
    assert before == {"ana": 30, "ben": 0}
    assert late == {"ana": 4, "ben": 6}  # one behind, since the last task was given to another member


@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 4), min_size=1),
    st.sampled_from(Strategy),
    st.integers(1, 30),
)
def test_nobody_has_more_open_tasks_than_their_capacity(
    capacities: dict[str, int], strategy: Strategy, number: int
) -> None:
    members = [someone(name, capacity=capacity) for name, capacity in capacities.items()]
    day = Day(people(*members, strategy=strategy))

    found = [day.comes(f"task-{task}") for task in range(number)]

    assert all(len(day.work[name].open) <= capacities[name] for name in day.work)
    assert sum(bool(one.owner) for one in found) == min(number, sum(capacities.values()))
    assert all(one.owner or "has enough to do" in one.why for one in found)


def test_without_a_capacity_there_is_a_limit_all_the_same() -> None:
    full = {"ana": Work(frozenset(map(str, range(MAX_OPEN))))}

    found = choose("sales", Asked(people(someone("ana")), full, Wanted(), MONDAY, SOON))

    assert (found.owner, found.why) == ("", "sales: nobody (not ana: has enough to do)")


@given(st.permutations(NAMES), st.sampled_from(Strategy), st.text(max_size=5), st.booleans())
def test_the_order_of_members_in_the_file_decides_nothing(
    order: Sequence[str],
    strategy: Strategy,
    task: str,
    sticky: bool,  # noqa: FBT001  hypothesis gives it
) -> None:
    work = {
        "ana": Work(frozenset({"1"}), {"sales": Share(2 * UNIT)}),
        "ben": Work(frozenset({"2"}), {"sales": Share(UNIT)}),
    }

    def those(names: Sequence[str]) -> People:
        return people(*(someone(name) for name in names), strategy=strategy, sticky=sticky)

    found = [
        choose("sales", Asked(those(names), work, Wanted(owner="cy"), MONDAY, SOON, task))
        for names in (NAMES, order, order)
    ]

    assert found[0] == found[1] == found[2]
    assert found[0].owner


def test_the_least_loaded_gets_it_however_many_it_had() -> None:
    work = {"ana": Work(frozenset("ab"), {}), "ben": Work(frozenset("c"), {"sales": Share(9 * UNIT)})}

    found = choose(
        "sales",
        Asked(people(someone("ana"), someone("ben"), strategy=Strategy.LEAST_LOADED), work, Wanted(), MONDAY, SOON),
    )

    assert found.owner == "ben"


@pytest.mark.parametrize(
    ("member", "wanted", "why"),
    [
        (someone("ana", languages=frozenset({"en"})), Wanted(language="de"), "not ana: does not speak de"),
        (someone("ana"), Wanted(skills=frozenset({"boats"})), "not ana: cannot do boats"),
        (
            someone("ana", territories=(Territory("US", "US-NY"),)),
            Wanted(country="US", region="US-NJ"),
            "not ana: the customer is in another territory",
        ),
        (
            someone("ana", territories=(Territory("US"),)),
            Wanted(),
            "not ana: nobody knows where the customer is, and here is a territory",
        ),
        (someone("ana", absences=(Absence(MONDAY, SOON + timedelta(days=1)),)), Wanted(), "not ana: is away"),
        (someone("ana", calendar=OFFICE, zone="UTC"), Wanted(), "sales: ana, whose turn it is"),
    ],
)
def test_a_reason_says_what_keeps_each_member_from_it(member: Member, wanted: Wanted, why: str) -> None:
    assert why in chosen(people(member), wanted).why


def test_a_queue_without_members_and_one_that_is_unknown_say_so() -> None:
    assert chosen(people()).why == "sales: nobody (it has no members)"
    assert choose("slaes", Asked(people(), {}, Wanted(), MONDAY, SOON)).why == "people.toml has no queue slaes"


@given(st.integers(1, 60))
def test_a_reason_is_short(number: int) -> None:
    members = [someone(f"a-member-with-a-long-name-{one}", capacity=1) for one in range(number)]
    full = {one.id: Work(frozenset({"1"})) for one in members}

    assert len(choose("sales", Asked(people(*members), full, Wanted(), MONDAY, SOON)).why) <= MAX_WHY


class TestHours:
    LATE_FRIDAY = datetime(2026, 5, 22, 23, tzinfo=UTC) + timedelta(hours=4)
    """23:00 in New York, before Memorial Day."""

    def test_a_lead_late_on_friday_before_a_holiday_goes_to_the_one_who_works_first(self) -> None:
        early = Calendar((*[((480, 1080),)] * 5, (), ()), OFFICE.closed, "America/New_York")
        those = people(someone("ana", calendar=OFFICE), someone("ben", calendar=early), calendar=early)

        due_at = due_after(those.queues["sales"], self.LATE_FRIDAY, timedelta(minutes=45))
        found = chosen(those, now=self.LATE_FRIDAY, due_at=due_at)

        assert due_at == datetime(2026, 5, 26, 12, 45, tzinfo=UTC)
        assert found.owner == "ben"
        assert found.why.startswith("sales: ben, whose turn it is, at work first, on 2026-05-26 12:00 UTC")

    def test_nobody_who_works_too_late_gets_it_and_the_fallback_does(self) -> None:
        night = Queue("night", "Night", {"eve": 1})
        sales = Queue("sales", "Sales", {"ana": 1}, calendar=OFFICE, fallback="night")
        away = Absence(self.LATE_FRIDAY, self.LATE_FRIDAY + timedelta(days=20))
        those = People(
            {"sales": sales, "night": night}, {"ana": someone("ana", absences=(away,)), "eve": someone("eve")}
        )

        found = chosen(those, now=self.LATE_FRIDAY, due_at=due_after(sales, self.LATE_FRIDAY, timedelta(hours=1)))

        assert (found.owner, found.queue) == ("eve", "night")
        assert found.why == "sales: nobody (not ana: is away); night: eve, whose turn it is"

    def test_a_due_time_counts_working_hours_alone(self) -> None:
        queue = Queue("sales", "Sales", calendar=OFFICE)

        assert due_after(queue, MONDAY, timedelta(hours=9)) == MONDAY + timedelta(days=1)
        assert due_after(None, MONDAY, timedelta(hours=9)) == MONDAY + timedelta(hours=9)

    @given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 5_000))
    def test_who_works_first_is_there_then_and_not_before(self, minutes: int, away_from: int, away_for: int) -> None:
        now = MONDAY + timedelta(minutes=minutes)
        start = MONDAY + timedelta(minutes=away_from)
        absence = Absence(start, start + timedelta(minutes=away_for))
        member = someone("ana", calendar=replace(OFFICE, zone=""), zone="Europe/Madrid", absences=(absence,))
        queue = Queue("sales", "Sales", calendar=OFFICE)

        def works(at: datetime) -> bool:
            theirs = first_at_work(member, queue, at, at)
            return theirs is not None

        found = first_at_work(member, queue, now, now + timedelta(days=30))

        assert found is not None
        assert works(found)
        assert found == now or not any(works(now + (found - now) * part / 20) for part in range(20))

    def test_hours_that_never_meet_end(self) -> None:
        night = Calendar((((0, 60),),) * 7, zone="America/New_York")

        assert (
            first_at_work(
                someone("ana", calendar=night), Queue("s", "S", calendar=OFFICE), MONDAY, MONDAY.replace(year=2035)
            )
            is None
        )


class TestTerritories:
    ALBANY, HOBOKEN = (42.6526, -73.7562), (40.7440, -74.0324)

    def branch(self, name: str, at: tuple[float, float], around: float, **fields: object) -> Queue:
        territory = Territory(latitude=at[0], longitude=at[1], kilometres=around)
        return replace(Queue(name, name, {f"{name}-desk": 1}, territories=(territory,)), **fields)  # type: ignore[arg-type]

    def branches(self) -> People:
        queues = (
            self.branch("albany", self.ALBANY, 150),
            self.branch("hoboken", self.HOBOKEN, 150),
            Queue("sales", "Sales", {"hq": 1}, branches=("hoboken", "albany")),
        )
        names = ("albany-desk", "hoboken-desk", "hq")
        return People({one.name: one for one in queues}, {name: someone(name) for name in names})

    def test_a_customer_on_the_border_of_two_branches_goes_to_the_nearer_one(self) -> None:
        north = Wanted(latitude=41.9, longitude=-73.9)
        south = Wanted(latitude=41.5, longitude=-73.9)

        assert [chosen(self.branches(), one).queue for one in (north, south)] == ["albany", "hoboken"]

    def test_the_other_branch_gets_it_where_nobody_of_the_nearer_one_is_there(self) -> None:
        left = with_overrides(self.branches(), {"albany-desk": Override(left=MONDAY)})

        found = chosen(left, Wanted(latitude=41.9, longitude=-73.9))

        assert found.queue == "hoboken"
        assert found.why.startswith("albany: nobody (it has no members); hoboken: hoboken-desk")

    @pytest.mark.parametrize("wanted", [Wanted(), Wanted(latitude=10.0, longitude=10.0)])
    def test_who_is_near_no_branch_stays_with_the_queue(self, wanted: Wanted) -> None:
        assert chosen(self.branches(), wanted).owner == "hq"

    def test_everybody_who_may_get_it_is_known_beforehand(self) -> None:
        assert members_of("sales", self.branches()) == {"albany-desk", "hoboken-desk", "hq"}

    def test_the_narrowest_territory_comes_first(self) -> None:
        those = people(
            someone("ana", territories=(Territory("US"),)),
            someone("ben", territories=(Territory("US", "US-NY"),)),
            someone("cy", territories=(Territory("US", postal_code="122"), Territory("CA"))),
            someone("dee"),
            strategy=Strategy.TERRITORY,
        )

        def owner(**where: str) -> str:
            return chosen(those, Wanted(**where)).owner  # type: ignore[arg-type]

        assert owner(country="US", region="US-NY", postal_code="12207") == "cy"
        assert owner(country="US", region="US-NY", postal_code="10001") == "ben"
        assert owner(country="US", region="US-NJ") == "ana"
        assert owner(country="ES") == "dee"

    def test_a_distance_is_that_of_the_map(self) -> None:
        assert kilometres(self.ALBANY, self.HOBOKEN) == pytest.approx(213.5, abs=1)

    @given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
    def test_a_distance_is_the_same_both_ways(self, a: float, b: float, c: float, d: float) -> None:
        assert kilometres((a, b), (c, d)) == pytest.approx(kilometres((c, d), (a, b)))
        assert fit(
            (Territory(latitude=a, longitude=b, kilometres=1),), Wanted(latitude=a, longitude=b)
        ) == pytest.approx(0, abs=1e-3)


class TestWhoLooksAfterTheCustomer:
    THEIRS = Wanted(owner="ben")

    def test_they_get_it_though_others_had_fewer(self) -> None:
        work = {"ben": Work(shares={"sales": Share(9 * UNIT)})}

        found = choose(
            "sales", Asked(people(someone("ana"), someone("ben"), sticky=True), work, self.THEIRS, MONDAY, SOON)
        )

        assert (found.owner, found.why) == ("ben", "sales: ben looks after the customer")

    def test_who_has_the_customers_open_task_gets_the_next_one_where_nobody_else_looks_after_them(self) -> None:
        team = people(someone("ana"), someone("ben"), someone("cy"), sticky=True)

        by_task = chosen(team, Wanted(at_work="ben"))
        by_owner = chosen(team, Wanted(owner="cy", at_work="ben"))
        not_sticky = choose(
            "sales",
            Asked(
                people(someone("ana"), someone("ben")),
                {"ben": Work(shares={"sales": Share(9 * UNIT)})},
                Wanted(at_work="ben"),
                MONDAY,
                SOON,
            ),
        )

        assert (by_task.owner, by_task.why) == ("ben", "sales: ben has the customer's open task")
        assert by_owner.owner == "cy"
        assert not_sticky.owner == "ana"

    def test_somebody_else_gets_it_while_they_are_on_holiday(self) -> None:
        away = someone("ben", absences=(Absence(MONDAY - timedelta(days=1), SOON + timedelta(days=7)),))

        found = chosen(people(someone("ana"), away, sticky=True), self.THEIRS)

        assert found.owner == "ana"
        assert found.why == "sales: ana, whose turn it is; not ben: is away"


class TestDeals:
    def test_a_registered_deal_belongs_to_its_partner_alone(self) -> None:
        partner = someone("acme", capacity=1)
        those = replace(people(someone("ana")), members={"ana": someone("ana"), "acme": partner})
        deals = {"k": Deal("acme", SOON)}
        wanted = with_deals(Wanted(deals=("other", "k")), deals, MONDAY)

        found = chosen(those, wanted)
        full = choose("sales", Asked(those, {"acme": Work(frozenset({"1"}))}, wanted, MONDAY, SOON))

        assert found.owner == "acme"
        assert (full.owner, full.why) == ("", "acme has registered the deal, but has enough to do")
        assert with_deals(Wanted(deals=("k",)), deals, SOON).member == ""

    def test_one_who_left_has_no_deals(self) -> None:
        found = chosen(people(someone("ana")), Wanted(member="acme"))

        assert (found.owner, found.why) == ("", "acme has registered the deal, and is no member any more")

    def test_a_key_is_read_whatever_its_spelling(self) -> None:
        those = replace(people(), deal_keys=("email_domain", "tax_id"))

        wanted = wanted_of({"tax_id": " B-123 "}, those, ["zoe@Shop.example"])

        assert wanted.deals == (deal_hash("email_domain", "shop.example"), deal_hash("tax_id", "b-123"))


@given(
    st.dictionaries(
        st.sampled_from(["owner", "language", "country", "region", "postal_code", "latitude", "longitude", "tax_id"]),
        st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists),
    )
)
def test_nothing_in_a_customer_s_data_raises(attributes: dict[str, object]) -> None:
    those = replace(people(someone("ana", territories=(Territory("US"),))), deal_keys=("tax_id", "email_domain"))

    wanted = wanted_of(attributes, those, ["no address", "@"])

    assert chosen(those, wanted).why


def test_a_customer_is_read_as_sources_write_them() -> None:
    attributes = {
        "owner": "ana",
        "language": "es-MX",
        "country": "us",
        "region": "ny",
        "postal_code": "12 207",
        "latitude": "42.6",
        "longitude": -73,
    }

    assert wanted_of(attributes, people()) == Wanted("ana", "es", frozenset(), "US", "US-NY", "12207", 42.6, -73.0)


def test_operators_come_before_the_file() -> None:
    said = {
        "ana": Override((Absence(MONDAY, SOON + timedelta(days=1)),)),
        "ben": Override(capacity=1),
        "cy": Override(left=MONDAY),
    }
    those = with_overrides(people(someone("ana"), someone("ben", capacity=9), someone("cy")), said)

    found = choose("sales", Asked(those, {"ben": Work(frozenset({"1"}))}, Wanted(), MONDAY, SOON))

    assert found.why == "sales: nobody (not ana: is away; not ben: has enough to do)"
