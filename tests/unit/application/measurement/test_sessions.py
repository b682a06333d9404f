"""Goals per enrollment: the sums of the log are those of the enrollments themselves, counted in plain Python."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from cairn.application.measurement.measure_journey import MeasureJourney
from cairn.domain.measurement.facts import LoggedFact
from cairn.domain.measurement.plan import Plan
from cairn.domain.measurement.prices import Prices
from infra.local.facts_in_duckdb import DuckFacts
from tests.unit.application.measurement.test_seasons import OnePlan

DAY = timedelta(days=1)
DAY_MS = 86_400_000
BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
START = int(BEGAN.timestamp() * 1000)
PLAN = Plan(journey="come-back", goal="order.paid", window=7 * DAY, holdout=0.5, minimum_effect=0.02)
NOW = BEGAN + 60 * DAY
PRICES = Prices(0.0, 0.0, 0.0, {})
ARMS = ("treated", "holdout")


@dataclass(frozen=True)
class Entry:
    customer: str
    arm: str
    entered: int
    reached: bool

    @property
    def id(self) -> str:
        return f"{self.customer}-{self.entered}"


def entries(customers: int, most: int) -> list[Entry]:
    """A treated customer enters again after two days, one of the holdout after the window."""
    random, found = Random(7), list[Entry]()  # noqa: S311  a simulation
    for number in range(customers):
        arm, day = ARMS[number % 2], random.random() * 20
        for _ in range(random.randint(1, most)):
            found.append(Entry(f"c{number}", arm, START + int(day * DAY_MS), random.random() < 0.3))
            day += (2 if arm == "treated" else 7) + random.random() * 5
    return found


def lines(all_: list[Entry]) -> Iterator[LoggedFact]:
    for one in all_:
        about = {"customer": one.customer, "journey": PLAN.journey, "version": "v1", "enrollment": one.id}
        yield LoggedFact(f"in-{one.id}", one.entered, "entered" if one.arm == "treated" else "held_out", **about)
        if one.reached:
            yield LoggedFact(f"goal-{one.id}", one.entered + DAY_MS, "goal_reached", **about)


def expected(all_: list[Entry]) -> dict[str, tuple[int, ...]]:
    """Of each customer the first enrollment in each window since the first one, where it is mature."""
    each: dict[str, dict[int, Entry]] = {}
    for one in sorted(all_, key=lambda one: one.entered):
        first = min(other.entered for other in all_ if other.customer == one.customer)
        each.setdefault(one.customer, {}).setdefault((one.entered - first) // (7 * DAY_MS), one)
    until, sums = int(NOW.timestamp() * 1000), {arm: Counter[str]() for arm in ARMS}
    for windows in each.values():
        mature = [one for one in windows.values() if one.entered + 7 * DAY_MS <= until]
        if mature:
            n, goals = len(mature), sum(one.reached for one in mature)
            sums[mature[0].arm].update(c=1, n=n, g=goals, nn=n * n, gg=goals * goals, ng=n * goals)
    return {arm: tuple(one[name] for name in ("c", "n", "g", "nn", "gg", "ng")) for arm, one in sums.items()}


def test_the_sums_of_the_log_are_those_of_the_enrollments() -> None:
    all_ = entries(200, most=4)
    facts = [one.wire() for one in lines(all_)] * 2
    Random(1).shuffle(facts)  # noqa: S311
    log = DuckFacts(facts)
    about = [PLAN.journey, 0, int(NOW.timestamp() * 1000), 7 * DAY_MS, " v1 "]

    [rows] = log.ask([("sessions", about)])

    assert {row["arm"]: tuple(row.values())[1:] for row in rows} == expected(all_)
    assert log.ask([("sessions", [*about[:4], " v2 "])]) == [[]], "of these versions alone"


def test_they_are_measured_where_customers_entered_again_and_only_there() -> None:
    def measured(most: int) -> object:
        log = DuckFacts(one.wire() for one in lines(entries(400, most)))
        return MeasureJourney(OnePlan(replace(PLAN)), log, PRICES)(PLAN.journey, NOW).result.sessions

    again = measured(3)
    assert again is not None
    assert measured(1) is None
