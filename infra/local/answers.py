"""The webhook endpoints of a story: a server on loopback that gives the answers which the story has for them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from authoring.stories import Answer
from cairn.adapters.http.standard_webhooks import ID

OK, REDIRECTED = 200, 300
NOBODY_ANSWERS = Answer(endpoint="", status=410)
"""To a post that no answer of the story fits: its journey goes on by `else`."""


@dataclass(slots=True)
class Endpoints:
    """Gives each post its answers. The same post may come again after it was taken: the answer is the same then."""

    answers: Sequence[Answer]
    _tries: dict[str, int] = field(default_factory=dict)

    def answer(self, endpoint: str, post: str, document: Any) -> Answer:
        """The answer to the next try of a post, by the id of the post."""
        fitting = [one for one in self.answers if one.fits(endpoint, document)]
        each = [one for one in fitting for _ in range(one.times)] or [NOBODY_ANSWERS]
        number = min(self._tries.get(post, 0), len(each) - 1)
        answer = each[number]
        if answer.fails or not OK <= answer.status < REDIRECTED:
            self._tries[post] = number + 1
        return answer


@contextmanager
def answering(answers: Sequence[Answer]) -> Iterator[Mapping[str, str]]:
    """The URL of each endpoint that is answered for, by its name, for as long as the block lasts."""
    if not answers:
        yield {}
        return
    endpoints = Endpoints(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found = endpoints.answer(self.path.removeprefix("/"), self.headers[ID], document)
            if found.fails:
                self.close_connection = True
                return
            content = b"" if found.body is None else json.dumps(found.body, default=str).encode()
            self.send_response(found.status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield {one.endpoint: f"http://127.0.0.1:{server.server_port}/{one.endpoint}" for one in answers}
    finally:
        server.shutdown()
        server.server_close()
