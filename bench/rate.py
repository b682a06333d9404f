"""Events per second of one process: process_event, with its table in DynamoDB Local, in batches as SQS gives them."""

import time
from dataclasses import dataclass

from bench.dynamodb_local import deployment
from bench.paths import MONDAY
from bench.workload import NOBODY_HEARS, Customer, journeys

CUSTOMERS = 20
EVENTS = 300
WAITING = 50
"""Events that wait in the queue at once: moto's queues get slow with more."""


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: float
    """Of the clock; the server of the table shares the machine."""
    per_cpu_second: float
    """Of one core that does nothing else."""


def rate(endpoint: str, *, customers: int = CUSTOMERS, events: int = EVENTS) -> Rate:
    """Events of customers with 20 attributes and one open enrollment, that no journey hears."""
    with journeys(20) as folder, deployment(endpoint, folder, start=MONDAY) as made:
        known = [Customer(made, f"customer-{number}", 20) for number in range(customers)]
        for customer in known:
            customer.arrives(1)
        for other in ("relay_effects", "sweep"):
            made.stop(other)
        handler, spent, cpu = made.handlers["process_event"], [0.0], [0.0]

        def run(event: object, context: object) -> object:
            clock, started = time.perf_counter(), time.process_time()
            answer = handler(event, context)  # type: ignore[arg-type]
            spent[0] += time.perf_counter() - clock
            cpu[0] += time.process_time() - started
            return answer

        made.handlers = {**made.handlers, "process_event": run}
        for number in range(events):
            known[number % customers].post(NOBODY_HEARS, settle=(number + 1) % WAITING == 0)
        made.settle()
        return Rate(events / spent[0], events / cpu[0])
