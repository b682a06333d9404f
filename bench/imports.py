"""Cold start: importing and warming a function, over the floor of importing what it needs.

The floor is measured too: a fresh process imports the same modules of the standard library and of others, in the same
order, and makes the same clients on one session. What is over it is ours.
"""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from infra.cloud.bundle.journeys import JOURNEYS, journeys_layer
from infra.local.cloud import SANDBOX
from infra.local.wiring import Function

ROOT = Path(__file__).parents[1]
RUNS = 5

OURS = """
import time; start = time.process_time()
import gc; gc.disable()
from importlib import import_module
handler = import_module("functions.{name}.handler")
handler.warm()
spent = time.process_time() - start
import json, sys
print(json.dumps([spent * 1000, list(sys.modules)]))
"""

FLOOR = """
import sys; modules = {modules!r}; services = {services!r}
import time; start = time.process_time()
import gc; gc.disable()
from importlib import import_module
for name in modules:
    if name not in sys.modules:
        try:
            import_module(name)
        except ImportError:
            pass
from botocore.config import Config
from botocore.session import get_session
session = get_session()
config = Config(connect_timeout=2, read_timeout=10, retries={{"mode": "standard", "total_max_attempts": 3}})
for service in services:
    session.create_client(service, config=config)
spent = time.process_time() - start
import json
print(json.dumps([spent * 1000, []]))
"""

SERVICES = {
    "receive_webhook": ["secretsmanager", "sqs"],
    "process_event": ["dynamodb", "sqs"],
    "relay_effects": ["dynamodb", "sqs", "scheduler"],
    "deliver_message": ["dynamodb", "sns", "sesv2", "sqs", "scheduler", "secretsmanager"],
    "record_feedback": ["sqs"],
    "sweep": ["dynamodb", "sqs"],
    "serve_preferences": ["dynamodb", "secretsmanager", "sqs"],
}
"""The clients that each function makes while it is warmed."""

OWN = ("cairn", "functions", "infra", "__main__")


def import_of(function: Function) -> tuple[float, float]:
    """Milliseconds of CPU: of the function, and of its floor. The least of several runs each."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | SANDBOX
    environment |= {f"CAIRN_{one.name.upper()}": f"https://sqs/{one.name}" for one in fields(function.settings)}
    environment["CAIRN_SOURCES_PATH"] = str(ROOT / "sources.toml")
    environment["CAIRN_POLICY_PATH"] = str(journeys_layer(JOURNEYS) / "journeys" / "policy.json")
    ours = [_run(OURS.format(name=function.name), environment) for _ in range(RUNS)]
    needed = [name for name in ours[0][1] if name.partition(".")[0] not in OWN]
    floor = FLOOR.format(modules=needed, services=SERVICES[function.name])
    floors = [_run(floor, environment) for _ in range(RUNS)]
    return min(spent for spent, _ in ours), min(spent for spent, _ in floors)


def _run(program: str, environment: dict[str, str]) -> tuple[float, list[str]]:
    done = subprocess.run(  # noqa: S603  programs of this file
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    spent, modules = json.loads(done.stdout.splitlines()[-1])
    return spent, modules
