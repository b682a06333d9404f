"""CloudFormation as check_identity_key sees it: it starts the function, and takes an answer over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from cairn.adapters.dynamodb.items import HEARD, PEOPLE, ROSTER, DocumentItem, HeardItem
from infra.local.deployment import LocalDeployment


@contextmanager
def cloudformation(*statuses: int) -> Iterator[tuple[str, list[Any]]]:
    """Its URL, and the answers that it got; it fails with these statuses first."""
    answers: list[Any] = []
    left = list(statuses)

    class Answers(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = left.pop(0) if left else 200
            if status == 200:
                answers.append((self.path, self.headers["content-type"], json.loads(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/answer?signature=x", answers
        server.shutdown()


def empties_the_table() -> None:
    """As before the first deployment; a local deployment begins as after it."""
    HeardItem(HEARD, HEARD).delete()
    DocumentItem(PEOPLE, ROSTER).delete()


def deploys(made: LocalDeployment, kind: str = "Create", *statuses: int) -> dict[str, Any]:
    """What CloudFormation hears when it deploys."""
    request = {"RequestType": kind, "StackId": "stack", "RequestId": "request", "LogicalResourceId": "Check"}
    with cloudformation(*statuses) as (url, answers):
        made.handlers["check_identity_key"]({**request, "ResponseURL": url, "ResourceProperties": {}}, None)
    ((path, content_type, answer),) = answers
    assert path == "/answer?signature=x"
    assert not content_type, "the URL is signed without one"
    assert {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Check"}.items() <= answer.items()
    assert answer["PhysicalResourceId"] == "identity-key", "no deployment replaces it"
    return dict(answer)
