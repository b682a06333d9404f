"""Counts the AWS calls and write units of each path with a budget. The same on every machine."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from authoring.sources.samples import path_of, signed_headers
from bench.calls import Call, watched
from bench.meter import reader
from bench.units import WriteUnits
from bench.workload import passes
from cairn.adapters.sources import VENDORS
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets

ROOT = Path(__file__).parents[1]
JOURNEYS = ROOT / "layers" / "journeys"
SAMPLES = VENDORS / "stripe" / "samples"
MONDAY = datetime(2026, 3, 9, 14, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Budget:
    calls: int
    units: int | None = None


@dataclass(frozen=True, slots=True)
class PathTaken:
    """The calls that one trigger causes in one function."""

    name: str
    calls: list[Call]
    units: int
    budget: Budget

    @property
    def operations(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in Counter(call.operation for call in self.calls).items())


def paths_taken() -> list[PathTaken]:
    """A failed payment and its rescue, for two customers: the first fills the functions' caches."""
    with local_deployment(JOURNEYS, start=MONDAY, secrets=local_secrets({})) as made:
        units = WriteUnits(reader(made))
        with watched(made, before=units.before, after=units.after) as calls:

            def taken(name: str, function: str, budget: Budget, do: Callable[[], Any]) -> PathTaken:
                del calls[:]
                do()
                own = [call for call in calls if call.function == function and not _of_the_process(call)]
                return PathTaken(name, own, units.of(own), budget)

            _post(made, FAILED, 1)
            passes(made, timedelta(hours=1))
            webhook = taken("webhook → accepted", "receive_webhook", Budget(1), lambda: _post(made, FAILED, 2))
            first = taken("first event → decided", "process_event", Budget(3), made.settle)
            decided = list(calls)
            relay = _of("relay of its commit", decided, "relay_effects", units, Budget(4))
            text = _of("text message → sent", decided, "deliver_message", units, SENT)
            wake = taken("wake-up → decided", "process_event", Budget(2, 4), lambda: passes(made, timedelta(hours=1)))
            mail = _of("e-mail → sent", list(calls), "deliver_message", units, SENT)
            _post(made, "invoice_paid", 2)
            event = taken("typical event → decided", "process_event", ENDS_WITH_MUCH_DATA, made.settle)
            made.stop("deliver_message")
            for number in range(3, 3 + BATCH_SIZE):
                _post(made, FAILED, number)
            made.settle()
            made.start("deliver_message")
            batch = taken("ten texts in a batch → sent", "deliver_message", SENT_IN_A_BATCH, made.settle)
            return [webhook, first, relay, text, wake, mail, event, batch]


FAILED = "invoice_payment_failed"

BATCH_SIZE = 10
CALLS_OF_A_MESSAGE = 4
"""Claim, read, provider, record. The read after the claim is the price of a promise: what was committed before the
claim holds, wherever it is stored. It writes nothing, and reads a few small items in one call.
"""
ENDS_WITH_MUCH_DATA = Budget(2, 8)
"""The event ends an enrollment whose data, an invoice with its items, has an item of its own, which stays."""

SENT = Budget(1 + CALLS_OF_A_MESSAGE, 3)
"""One read for the whole batch, and then the calls of each message."""
SENT_IN_A_BATCH = Budget(1 + CALLS_OF_A_MESSAGE * BATCH_SIZE, 3 * BATCH_SIZE)


def _of(name: str, calls: list[Call], function: str, units: WriteUnits, budget: Budget) -> PathTaken:
    own = [call for call in calls if call.function == function and not _of_the_process(call)]
    return PathTaken(name, own, units.of(own), budget)


def _of_the_process(call: Call) -> bool:
    """Calls that a process makes now and then, not per event: secrets, switches, a journey's version."""
    key = call.arguments.get("Key", call.arguments.get("Item", {})).get("pk", {}).get("S", "")
    return call.service == "secretsmanager" or key == "settings" or key.startswith("journey#")


def _post(made: LocalDeployment, sample: str, number: int) -> None:
    document = json.loads((SAMPLES / f"{sample}.json").read_bytes())
    document |= {"id": f"evt_{sample}_{number}", "created": int(made.now().timestamp())}
    document["data"]["object"] |= {
        "customer": f"cus_{number}",
        "customer_email": f"ada.{number}@example.com",
        "customer_phone": f"+1212555{number:04d}",
    }
    body = json.dumps(document).encode()
    headers = signed_headers("stripe", body, LOCAL_SECRET, made.now())
    answer = made.request("POST", f"https://localhost{path_of('stripe')}", headers, body, "stripe")
    if answer["statusCode"] != 202:  # noqa: PLR2004
        raise RuntimeError(answer["body"])
