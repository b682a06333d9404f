"""CPU time of one event in process_event, divided by the CPU time of its bare AWS calls.

Another process gives both sides the same recorded answers over plain HTTP: neither side pays for AWS's own work, both
pay for the connection. TLS would make our ratio look better.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from moto.core.botocore_stubber import BotocoreStubber

from bench.aws_calls import noted
from bench.paths import JOURNEYS
from infra.local.cloud import arn
from infra.local.deployment import local_deployment
from infra.local.shapes import Shape, sqs_event
from infra.local.signing import local_secrets

ROUNDS = 7
REPETITIONS = 60
MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)


SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

answers = json.load(sys.stdin)

class Recorded(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        status, headers, content = answers[int(self.path[1:])]
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


@contextmanager
def _served(answers: list[tuple[int, dict[str, str], str]]) -> Iterator[int]:
    """The port of a process that serves the recorded answers."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdin is not None  # noqa: S101  PIPE opens it
        assert server.stdout is not None  # noqa: S101
        server.stdin.write(json.dumps(answers))
        server.stdin.close()
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def cpu_per_event(rounds: int = ROUNDS, repetitions: int = REPETITIONS) -> tuple[float, float]:
    """Milliseconds of CPU of an event, and of its bare calls: the minimum of several rounds."""
    with local_deployment(JOURNEYS, start=MONDAY, secrets=local_secrets({})) as made:
        handler = made.handlers["process_event"]
        handler(_event("first"), None)
        answers: list[tuple[int, dict[str, str], str]] = []
        really_answer = BotocoreStubber.__call__

        def record(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
            answer = really_answer(stubber, event_name, request, **more)
            answers.append((answer.status_code, dict(answer.headers), answer.text))
            return answer

        event = _event("second")
        with patch.object(BotocoreStubber, "__call__", record), noted() as asked:
            handler(event, None)
        at = 0

        def redirect(_: BotocoreStubber, event_name: str, request: Any, **__: Any) -> None:  # noqa: ARG001
            nonlocal at
            request.url = f"http://127.0.0.1:{port}/{at % len(answers)}"
            at += 1

        def bare() -> None:
            for call in asked:
                call.answer()

        with _served(answers) as port, patch.object(BotocoreStubber, "__call__", redirect):
            pairs = [(_cpu(lambda: handler(event, None), repetitions), _cpu(bare, repetitions)) for _ in range(rounds)]
    return min(ours for ours, _ in pairs), min(floor for _, floor in pairs)


def _cpu(do: Callable[[], Any], repetitions: int) -> float:
    started = time.process_time()
    for _ in range(repetitions):
        do()
    return (time.process_time() - started) / repetitions * 1000


def _event(event_id: str) -> Shape:
    document = {
        "id": event_id,
        "source": "track",
        "type": "trial.signup" if event_id == "first" else "visit.booked",
        "occurred_at": "2026-03-02T13:59:00Z",
        "customer": {"user_id": "mia", "email": "mia@example.com", "phone": "+12015550123"},
        "properties": {"club": "Riverside", "classes": ["Morning Flow", "Run Club"]},
        "attributes": {"first_name": "Mia", "time_zone": "America/New_York", "contact_confidence": 1},
    }
    attributes = {"ApproximateReceiveCount": "1", "MessageGroupId": "mia"}
    record = {"MessageId": event_id, "ReceiptHandle": "", "Body": json.dumps(document), "MD5OfBody": ""}
    return sqs_event(arn("events"), [record | {"Attributes": attributes}])
