"""`cairn serve`: the world behind HTTP on loopback."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from cairn.domain.event import instant_to_wire
from cairn.domain.instants import duration
from infra.local.world import World

BEAT = 0.1
"""Seconds between two looks at what real time has made due."""

ROUTES = Map(
    [
        Rule("/events", endpoint="track", methods=["POST"]),
        Rule("/webhooks/<source>", endpoint="webhook", methods=["POST", "GET"]),
        Rule("/_clock", endpoint="clock", methods=["POST", "GET"]),
        Rule("/_timeline", endpoint="timeline", methods=["GET"]),
    ],
)


@dataclass(frozen=True, slots=True)
class Application:
    """A WSGI application. The routes that begin with an underscore exist on a laptop only."""

    world: World

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        try:
            endpoint, values = ROUTES.bind_to_environ(environ).match()
            response = getattr(self, f"_{endpoint}")(request, **values)
        except HTTPException as error:
            response = error
        return response(environ, start_response)

    def _track(self, request: Request) -> Response:
        return self._receive(request, "")

    def _webhook(self, request: Request, source: str) -> Response:
        return self._receive(request, source)

    def _receive(self, request: Request, source: str) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.world.request(request.method, request.url, headers, request.get_data(), source)
        return Response(answer.get("body", ""), answer["statusCode"], answer.get("headers"))

    def _clock(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                length = duration(str(json.loads(request.get_data())["advance"]))
            except (ValueError, KeyError, TypeError):
                return _problem('post {"advance": "3d"}: a number and a unit (s, m, h, d, w)')
            if length < timedelta():
                return _problem("time does not go back; advance by a positive duration")
            self.world.advance_to(self.world.now() + length)
        return _json({"now": instant_to_wire(self.world.now())})

    def _timeline(self, request: Request) -> Response:
        self.world.catch_up()
        lines = self.world.timeline(request.args.get("customer"))
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return Response(text, content_type="application/x-ndjson; charset=utf-8")


def serve(world: World, port: int, started: Callable[[str], None]) -> None:
    """Serve until interrupted; `started` is told the address."""
    server: BaseWSGIServer = make_server("127.0.0.1", port, Application(world), threaded=True)
    stop = Event()
    heart = Thread(target=_beat, args=(world, stop), daemon=True)
    heart.start()
    started(f"http://127.0.0.1:{server.server_port}")
    try:
        server.serve_forever()
    finally:
        stop.set()
        heart.join()
        server.server_close()


def _beat(world: World, stop: Event) -> None:
    while not stop.wait(BEAT):
        world.catch_up()


def _json(document: Any) -> Response:
    return Response(json.dumps(document) + "\n", content_type="application/json")


def _problem(detail: str) -> Response:
    return Response(json.dumps({"status": 400, "detail": detail}) + "\n", 400, content_type="application/problem+json")
