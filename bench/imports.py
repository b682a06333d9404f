"""Cold start: CPU time of importing and warming a function as it is deployed, divided by a floor.

The bundle is measured, with its bytecode, under the Python of the functions. The floor is measured too: a fresh process
imports the same modules of the standard library and of other packages, in the same order, makes the same clients on one
session, and reads the same secrets. It does so as Python does by itself, from a .pyc file for each module: what the
archive of the bundle saves (`cairn.bytecode`) it saves of the function alone. The rest is our own code.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bench.paths import JOURNEYS
from bench.secrets_manager import secrets_manager
from infra.cloud.bundle import BUILD
from infra.cloud.bundle.bytecode import INSTALL, NAME, compiler
from infra.cloud.bundle.code import function_code
from infra.cloud.bundle.dependencies import ROOTS_FILE
from infra.cloud.bundle.make import PYTHON, make_bundle
from infra.local.cloud import SANDBOX
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.environments import settings_of
from infra.local.signing import local_secrets
from infra.local.wiring import FUNCTIONS, Function

RUNS = 5
"""Pairs of runs of a function and its floor. One is enough to see that each can be measured."""
MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)

OURS = """
import time; start = time.process_time()
import cairn.lambda_entry
spent = time.process_time() - start
import json, sys
print(json.dumps([spent * 1000, list(sys.modules)]))
"""

FLOOR = """
import sys; modules = {modules!r}; services = {services!r}; secrets = {secrets!r}
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
clients = {{service: session.create_client(service, config=config) for service in services}}
for secret in secrets:
    clients["secretsmanager"].get_secret_value(SecretId=secret)
spent = time.process_time() - start
import json
print(json.dumps([spent * 1000, []]))
"""

CLIENTS = """
from importlib import import_module
from botocore.session import Session
services, really_create = [], Session.create_client
def create(session, service, *arguments, **more):
    services.append(service)
    return really_create(session, service, *arguments, **more)
Session.create_client = create
from botocore.client import BaseClient
secrets, really_call = [], BaseClient._make_api_call
def call(client, operation, given):
    if operation != "GetSecretValue":
        raise SystemExit(f"while it starts, {name} calls {{operation}}: bench/imports.py gives it secrets only")
    secrets.append(given["SecretId"])
    return really_call(client, operation, given)
BaseClient._make_api_call = call
import_module("handler").warm()
import json
print(json.dumps([0, [list(dict.fromkeys(services)), secrets]]))
"""
"""Lists the clients that a function makes while it starts, and the secrets that it reads; it makes no other call. This
is a run of its own, so that no measured run is slower.
"""

OWN = ("cairn", "handler", "__main__")


class NotMeasuredError(Exception):
    """A function did not start in a process of its own; the message says which, and what it printed."""


def imports(runs: int = RUNS) -> Iterator[tuple[str, float, float]]:
    """For each function: its name, its milliseconds of CPU, and those of its floor."""
    with (
        local_deployment(JOURNEYS, start=MONDAY, secrets=local_secrets({})) as made,
        secrets_manager(made.cloud.identity) as endpoint,
    ):
        for function in FUNCTIONS:
            yield function.name, *import_of(function.name, {**environment_of(function, made), **endpoint}, runs)


def import_of(name: str, environment: Mapping[str, str], runs: int = RUNS) -> tuple[float, float]:
    """Milliseconds of CPU of the function, and of its floor: the minimum of several alternating runs."""
    _, loaded = run_deployed(name, OURS, environment)
    needed = [module for module in loaded if module.partition(".")[0] not in OWN]
    _, (services, secrets) = run_deployed(name, CLIENTS.format(name=name), environment)
    floor = FLOOR.format(modules=needed, services=services, secrets=secrets)
    pairs = [(run_deployed(name, OURS, environment)[0], run_deployed(name, floor, environment)[0]) for _ in range(runs)]
    return min(spent for spent, _ in pairs), min(spent for _, spent in pairs)


def environment_of(function: Function, made: LocalDeployment) -> dict[str, str]:
    """The environment in which a function starts as it is deployed: the bundle, and the settings of a deployment."""
    bundle = make_bundle()
    core, dependencies = bundle.core / PYTHON, bundle.dependencies / PYTHON
    path = os.pathsep.join(map(str, [function_code(function.name), core, dependencies]))
    deployed = {"AWS_CA_BUNDLE": str(dependencies / ROOTS_FILE), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    settings = settings_of(function, made.cloud, made.catalogue).environment()
    return {**inherited, **SANDBOX, **settings, **deployed}


def run_deployed(name: str, program: str, environment: Mapping[str, str]) -> Any:
    """What a program prints last, as JSON, under the functions' Python. Raises NotMeasuredError."""
    python = compiler()
    if python is None:
        raise NotMeasuredError(f"{name} was not started: it needs {NAME}; {INSTALL}")
    done = subprocess.run(  # noqa: S603  an interpreter whose version was checked
        [python, "-"],  # as its input: a list of all modules may be too long for an argument
        input=program,
        cwd=BUILD,
        env=dict(environment),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotMeasuredError(f"{name} did not start:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
