"""Growth curves: what an event and a wake-up cost as a customer has more, and as there is more of everything.

Each size is a deployment of its own, through the front door. Where there is DynamoDB Local, the table is in it, CPU is
measured too, and customers are stored up to 100,000.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from bench.dynamodb_local import deployment
from bench.meter import Meter, metered
from bench.paths import MONDAY
from bench.workload import NOBODY_HEARS, WAIT, Customer, journeys, passes
from infra.local.deployment import LocalDeployment

ATTRIBUTES = (1, 20, 100, 400)
ENROLLMENTS = (1, 10, 100, 300)
JOURNEYS = (3, 60, 300)
"""The fewest are those that the events need."""
CUSTOMERS = (100, 1_000, 10_000, 100_000)
WITHOUT_DYNAMODB = 1_000
"""The most customers in moto, which copies its table for each transaction."""
REPEATED = 9
"""Events that nobody hears, for one median."""
STARTED = 3
"""Enrollments that the customer starts, and wakes, for one median: few, since each is one more."""
BATCH = 25
MINUTE = timedelta(minutes=1)

EVENT, START, WAKE = "an event that nobody hears", "an event that starts an enrollment", "a wake-up"
PATHS = (EVENT, START, WAKE)
HEADINGS = ("size", "write units", "ratio", "reported", "read units", "calls", "CPU, ms")
"""What `rows` has behind what grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one event or wake-up in process_event: the medians of several."""

    write_units: float
    read_units: float
    reported_writes: float
    """As DynamoDB Local reports them; 0 without it."""
    calls: float
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    of: str
    """What grows."""
    size: int
    path: str
    cost: Cost


def curves(
    endpoint: str | None,
    sizes: Mapping[str, tuple[int, ...]] | None = None,
    repeated: int = REPEATED,
    most_customers: int = CUSTOMERS[-1],
) -> Iterator[Point]:
    """All points; `sizes` names other ones than the usual."""
    sizes = sizes or usual_sizes(endpoint, most_customers)
    for size in sizes["attributes"]:
        yield from _customer(endpoint, "attributes", size, repeated, attributes=size)
    for size in sizes["open enrollments"]:
        yield from _customer(endpoint, "open enrollments", size, repeated, enrollments=size)
    for size in sizes["journeys"]:
        yield from _customer(endpoint, "journeys", size, repeated, deployed=size)
    yield from _stored(endpoint, sizes["customers"], repeated)


def usual_sizes(endpoint: str | None, most_customers: int) -> dict[str, tuple[int, ...]]:
    most = most_customers if endpoint else WITHOUT_DYNAMODB
    stored = tuple(size for size in CUSTOMERS if size <= most)
    return {"attributes": ATTRIBUTES, "open enrollments": ENROLLMENTS, "journeys": JOURNEYS, "customers": stored}


def _customer(  # noqa: PLR0913  one argument for each size
    endpoint: str | None,
    of: str,
    size: int,
    repeated: int,
    *,
    attributes: int = 1,
    enrollments: int = 1,
    deployed: int = 3,
) -> Iterator[Point]:
    with (
        journeys(deployed) as folder,
        deployment(endpoint, folder, start=MONDAY) as made,
        metered(made, reports=endpoint is not None) as meter,
    ):
        warm = Customer(made, "warm")
        warm.arrives(1)
        warm.starts(0)
        customer = Customer(made, "measured", attributes)
        customer.arrives(enrollments)
        passes(made, WAIT)
        yield from _points(made, meter, customer, of, size, repeated)


def _points(  # noqa: PLR0913, PLR0917  where, who, and what grows
    made: LocalDeployment, meter: Meter, customer: Customer, of: str, size: int, repeated: int
) -> Iterator[Point]:
    found: dict[str, list[Cost]] = {path: [] for path in PATHS}
    for _ in range(repeated):
        meter.reset()
        customer.post(NOBODY_HEARS)
        found[EVENT].append(_cost(meter))
    for number in range(STARTED):
        meter.reset()
        customer.starts(number + 1)
        found[START].append(_cost(meter))
        passes(made, MINUTE)
    passes(made, WAIT - (STARTED + 1) * MINUTE)
    while len(found[WAKE]) < STARTED:  # one is due each minute
        meter.reset()
        passes(made, MINUTE)
        if meter["process_event"].invocations:
            found[WAKE].append(_cost(meter))
    for path, costs in found.items():
        yield Point(of=of, size=size, path=path, cost=_median(costs))


def rows(points: Iterable[Point], path: str) -> Iterator[tuple[str, ...]]:
    """The points of a path in words, for HEADINGS; ratios are to the smallest size."""
    first: dict[str, float] = {}
    for point in points:
        if point.path != path:
            continue
        cost, base = point.cost, first.setdefault(point.of, point.cost.write_units)
        reported, cpu = (f"{cost.reported_writes:g}", f"{cost.cpu_ms:.1f}") if cost.reported_writes else ("-", "-")
        units = (f"{cost.write_units:g}", f"{cost.write_units / base:.1f}", reported)
        yield point.of, f"{point.size:,}", *units, f"{cost.read_units:g}", f"{cost.calls:g}", cpu


def _cost(meter: Meter) -> Cost:
    usage = meter["process_event"]
    if usage.invocations != 1:
        raise RuntimeError(f"one invocation of process_event was to be measured, not {usage.invocations}")
    return Cost(
        write_units=usage.write_units,
        read_units=usage.read_units,
        reported_writes=usage.reported_writes,
        calls=len(usage.calls),
        cpu_ms=usage.cpu_ms,
    )


def _median(costs: list[Cost]) -> Cost:
    names = ("write_units", "read_units", "reported_writes", "calls", "cpu_ms")
    return Cost(**{name: median(getattr(cost, name) for cost in costs) for name in names})


def _stored(endpoint: str | None, sizes: tuple[int, ...], repeated: int) -> Iterator[Point]:
    """More and more customers in one table, and a customer of its own for each size."""
    with (
        journeys(3) as folder,
        deployment(endpoint, folder, start=MONDAY) as made,
        metered(made, reports=endpoint is not None) as meter,
    ):
        model = Customer(made, "model")
        model.arrives(1)
        stored = 1
        measured_customers = [Customer(made, f"measured-{size}") for size in sizes]
        for customer in measured_customers:
            customer.arrives(1)
        for size, customer in zip(sizes, measured_customers, strict=True):
            _copy(made, model, range(stored, size))
            stored = size
            yield from _points(made, meter, customer, "customers", size, repeated)


def _copy(made: LocalDeployment, model: Customer, numbers: range) -> None:
    """Store copies of a customer under other ids, whatever items it has. The stream's reader does not see them."""
    table, (own,) = made.cloud.client("dynamodb"), model.ids()
    query = {"TableName": made.cloud.table, "KeyConditionExpression": "pk = :own"}
    items = table.query(**query, ExpressionAttributeValues={":own": {"S": own}})["Items"]
    text = json.dumps(items)
    waiting: list[dict[str, Any]] = []
    for number in numbers:
        other = f"c_{number:020d}"
        waiting += [{"PutRequest": {"Item": one}} for one in json.loads(text.replace(own, other))]
        while len(waiting) >= BATCH:
            table.batch_write_item(RequestItems={made.cloud.table: waiting[:BATCH]})
            del waiting[:BATCH]
    if waiting:
        table.batch_write_item(RequestItems={made.cloud.table: waiting})
    while changes := made.cloud.changes(made._stream_position):  # noqa: SLF001  nothing else may pass over changes
        made._stream_position = changes[-1]["dynamodb"]["SequenceNumber"]  # noqa: SLF001
