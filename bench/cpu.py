"""CPU time of one event in process_event, divided by the CPU time of its bare AWS calls.

The function is measured as it is deployed: the bundle, under the Python of the functions, with signed requests. Its
calls are noted, and made once more without it, by the same clients. Another process gives both sides the same recorded
answers over plain HTTP: neither side pays for AWS's own work, both pay for the connection. TLS would make our ratio
look better.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from moto.core.botocore_stubber import BotocoreStubber

from bench.imports import environment_of, run_deployed
from bench.paths import JOURNEYS
from bench.secrets_manager import secrets_manager
from cairn.domain.shared.instants import instant_to_wire
from infra.local.cloud import arn
from infra.local.deployment import local_deployment
from infra.local.shapes import Shape, sqs_event
from infra.local.signing import local_secrets
from infra.local.wiring import FUNCTIONS

ROUNDS = 7
REPETITIONS = 60

SERVER = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import cycle

answers = cycle(json.load(sys.stdin))

class Recorded(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # an answer in one piece: the second of two waits for an acknowledgement

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        time.sleep(0.008)
        status, headers, content = next(answers)
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(content.encode())))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Recorded)
print(server.server_port, flush=True)
server.serve_forever()
"""

MEASURE = """
import cairn.lambda_entry
import json, time
from botocore.client import BaseClient

event, really_call, calls = {event!r}, BaseClient._make_api_call, []
def note(client, operation, arguments):
    calls.append((client, operation, arguments))
    return really_call(client, operation, arguments)
def ours():
    cairn.lambda_entry.handle(event, None)
def bare():
    for client, operation, arguments in calls:
        really_call(client, operation, arguments)
def cpu(do):
    started = time.process_time()
    for _ in range({repetitions}):
        do()
    return (time.process_time() - started) / {repetitions} * 1000

BaseClient._make_api_call = note
ours()
BaseClient._make_api_call = really_call
pairs = [(cpu(ours), cpu(bare)) for _ in range({rounds})]
print(json.dumps([min(ours for ours, _ in pairs), min(floor for _, floor in pairs)]))
"""


@contextmanager
def _served(answers: list[tuple[int, dict[str, str], str]]) -> Iterator[str]:
    """The address of a process that serves the recorded answers, again and again in their order."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdin is not None  # noqa: S101  PIPE opens it
        assert server.stdout is not None  # noqa: S101
        server.stdin.write(json.dumps(answers))
        server.stdin.close()
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def cpu_per_event(rounds: int = ROUNDS, repetitions: int = REPETITIONS) -> tuple[float, float]:
    """Milliseconds of CPU of an event, and of its bare calls: the minimum of several rounds."""
    now = datetime.now(UTC)  # what is measured reads the machine's clock
    (function,) = (one for one in FUNCTIONS if one.name == "process_event")
    with local_deployment(JOURNEYS, start=now, secrets=local_secrets({})) as made:
        made.handlers[function.name](_event("first", now), None)
        answers: list[tuple[int, dict[str, str], str]] = []
        really_answer = BotocoreStubber.__call__

        def record(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
            answer = really_answer(stubber, event_name, request, **more)
            answers.append((answer.status_code, dict(answer.headers), answer.text))
            return answer

        event = _event("second", now)
        with patch.object(BotocoreStubber, "__call__", record):
            made.handlers[function.name](event, None)
        with _served(answers) as table, secrets_manager(made.cloud.identity) as secrets:
            environment = {**environment_of(function, made), **secrets, "AWS_ENDPOINT_URL_DYNAMODB": table}
            program = MEASURE.format(event=event, rounds=rounds, repetitions=repetitions)
            ours, floor = run_deployed(function.name, program, environment)
    return ours, floor


def _event(event_id: str, now: datetime) -> Shape:
    document = {
        "id": event_id,
        "source": "track",
        "type": "trial.signup" if event_id == "first" else "visit.booked",
        "occurred_at": instant_to_wire(now - timedelta(minutes=1)),
        "customer": {"user_id": "mia", "email": "mia@example.com", "phone": "+12015550123"},
        "properties": {"club": "Riverside", "classes": ["Morning Flow", "Run Club"]},
        "attributes": {"first_name": "Mia", "time_zone": "America/New_York", "contact_confidence": 1},
    }
    attributes = {"ApproximateReceiveCount": "1", "MessageGroupId": "mia"}
    record = {"MessageId": event_id, "ReceiptHandle": "", "Body": json.dumps(document), "MD5OfBody": ""}
    return sqs_event(arn("events"), [record | {"Attributes": attributes}])
