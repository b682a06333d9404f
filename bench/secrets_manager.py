"""A Secrets Manager of one secret over plain HTTP, for functions that start in a process of their own."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

VARIABLE = "AWS_ENDPOINT_URL_SECRETS_MANAGER"


@contextmanager
def secrets_manager(secret: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The variable that leads a client there; every id has this secret."""
    content = json.dumps({"Name": "secret", "SecretString": json.dumps(dict(secret))}).encode()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield {VARIABLE: f"http://127.0.0.1:{server.server_port}"}
        finally:
            server.shutdown()
