"""The studio over HTTP on loopback: the console as it is, with a bar, and `/_studio/*`, which no deployment has."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from socket import socket
from threading import Event, Thread
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from authoring.journeys.new import begin_journey
from authoring.journeys.values import SLUG
from authoring.problems import Problem
from authoring.watching import state_of
from cairn.adapters.console.render import SAFE, assets
from cairn.adapters.http.problems import CONTENT_TYPE, problem
from cairn.adapters.sources import TRACK
from cairn.domain.shared.instants import duration, instant_from_wire, instant_to_wire
from infra.local.issuer import Issuer
from infra.local.server import ROUTES as SERVED
from infra.local.server import Application, check_site
from infra.local.studio import posting, walk
from infra.local.studio.messages import SAFE as SAFE_MAIL
from infra.local.studio.messages import decisions, page_of
from infra.local.studio.saved import save
from infra.local.studio.stories import stories
from infra.local.studio.studio import Json, Studio, StudioError, said
from infra.local.studio.words import words

HERE = Path(__file__).parent
ASSETS, PAGES = HERE / "assets", HERE / "pages"

KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

FROM_OUTSIDE = frozenset({"track", "webhook", "link"})
"""Routes that are asked for through a tunnel, or from a mail, by another name of this laptop."""

NOT_REPEATED = frozenset({"faults", "imports", "rows", "table", "dead_letters", "dead_letters_of", "redrive"})
"""Routes of `cairn serve` that the studio cannot repeat."""

SECOND, LOOK = 1.0, 0.5
"""Seconds of real time between two ticks of a clock that runs, and between two looks at the files."""

LAST_LINES = 12

HEAD = b'<link rel="stylesheet" href="/_studio/studio.css"><script src="/_studio/studio.js" defer></script></head>'

ROUTES = Map(
    [
        Rule("/", endpoint="start", methods=["GET"]),
        Rule("/_studio/", endpoint="start", methods=["GET"]),
        Rule("/_studio/begin", endpoint="begin", methods=["GET"]),
        Rule("/_studio/<any('studio.js', 'studio.css'):name>", endpoint="asset", methods=["GET"]),
        Rule("/_studio/state", endpoint="state", methods=["GET"]),
        Rule(
            "/_studio/panel/<any(bar, guide, post, messages, stories, files):name>", endpoint="panel", methods=["GET"]
        ),
        Rule("/_studio/walk/<journey>", endpoint="walk", methods=["GET"]),
        Rule("/_studio/walk/<journey>.svg", endpoint="picture", methods=["GET"]),
        Rule("/_studio/sample/<source>/<name>", endpoint="sample", methods=["GET"]),
        Rule("/_studio/mail/<message>", endpoint="mail", methods=["GET"]),
        *(
            Rule(f"/_studio/{act}", endpoint=f"act_{act}", methods=["POST"])
            for act in ("clock", "post", "event", "fresh", "again", "save", "new", "user")
        ),
        Rule("/_clock", endpoint="served_clock", methods=["GET", "POST"]),
    ]
)

Replay = Callable[[Path], str]
"""Replays a story by `cairn replay`, apart from this process: why it does not pass, or nothing."""


@dataclass
class StudioServer:
    """A WSGI application."""

    studio: Studio
    replay: Replay
    schema: Path
    """Of journeys, for the editor's sake."""
    issuer: Issuer = field(init=False)

    def __post_init__(self) -> None:
        self.issuer = Issuer(self._members, present=lambda: self.studio.user)

    def _members(self) -> Mapping[str, str]:
        """Of the run of now: another one may have begun since this server was made."""
        return self.studio.deployment.members()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        try:
            if (found := _matched(ROUTES, environ)) is not None:
                check_site(request)
                response = self._answer(*found, request)
            else:
                response = self._served(environ, request)
        except HTTPException as error:
            response = error.get_response(environ)
        return response(environ, start_response)

    def _answer(self, endpoint: str, values: Mapping[str, str], request: Request) -> Response:
        try:
            if endpoint == "act_save":
                return self._act_save(request)  # it waits for another process, and the clock may go on
            with self.studio.lock:
                answer: Response = getattr(self, f"_{endpoint}")(request, **values)
                return answer
        except Exception as error:  # noqa: BLE001  no page shows a traceback
            text = said(error)
            if request.method == "POST" and endpoint != "served_clock" and "x-studio" not in request.headers:
                return self._begin(request, text)
            return _json({"problem": f"{text[:1].upper()}{text[1:]}"}, 200 if request.method == "POST" else 404)

    def _served(self, environ: dict[str, Any], request: Request) -> Response:
        """What `cairn serve` answers too."""
        endpoint, _ = SERVED.bind_to_environ(environ).match()
        if endpoint not in FROM_OUTSIDE:
            check_site(request)
        if endpoint in NOT_REPEATED:
            detail = f"the studio has no {request.path}, since it could not repeat it: use `cairn serve`"
            return Response(json.dumps(problem(404, detail)) + "\n", 404, content_type=CONTENT_TYPE)
        if endpoint == "issuer":  # the console asks it in the middle of a request
            return self.issuer.answer(request, datetime.now(UTC))
        with self.studio.lock:
            application = Application(self.studio.deployment, secrets=self.studio.secrets)
            response = Response.from_app(application, environ, buffered=True)
            self.studio.settle()
        if endpoint == "console" and (response.content_type or "").startswith("text/html"):
            response.data = response.data.replace(b"</head>", HEAD, 1)
        return response

    def _start(self, _: Request) -> Response:
        return _go("/_studio/begin" if self.studio.is_empty and not self.studio.problems else "/console/")

    def _begin(self, request: Request, problem: str = "") -> Response:
        shown = {"problem": problem, "name": request.form.get("name", ""), "folder": self.studio.project.journeys}
        return _page("begin.html", shown | {"css": _console("console.css"), "icon": _console("icon.svg")}, whole=True)

    def _asset(self, _: Request, name: str) -> Response:
        content = (ASSETS / name).read_bytes()
        headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
        return Response(content, headers=headers, content_type=KINDS[Path(name).suffix])

    def _state(self, _: Request) -> Response:
        studio = self.studio
        return _json(
            {
                "version": ":".join(map(str, studio.version)),
                "now": instant_to_wire(studio.now()),
                "starts": instant_to_wire(studio.starts),
                "ends": instant_to_wire(studio.ends),
                "next": _wire(studio.next_at()),
                "timer": _wire(studio.next_timer_at()),
                "running": studio.running,
                "story": studio.scenario.scenario if studio.scenario else "",
                "problems": len(studio.problems),
                "refused": studio.refused[-1:],
            }
        )

    def _panel(self, request: Request, name: str) -> Response:
        return _page(f"{name}.html", getattr(self, f"_of_{name}")(request))

    def _of_bar(self, _: Request) -> Json:
        return {"users": {name: text for name, (text, _) in self.issuer.users().items()}, "user": self.studio.user}

    def _of_guide(self, _: Request) -> Json:
        studio = self.studio
        lines = studio.lines()
        journeys = [one["journey"] for one in studio.compiled()]
        return {
            "journeys": journeys,
            "folder": studio.project.journeys,
            "posted": any(one.call == "request" for one in studio.done),
            "moved": studio.now() > studio.starts,
            "sent": any(one["kind"] == "message" for one in lines),
            "stories": [one.file.name for one in stories(studio.project)],
            "root": studio.project.root,
        }

    def _of_post(self, request: Request) -> Json:
        studio = self.studio
        samples: dict[str, list[str]] = {}
        for one in posting.all_samples(studio):
            samples.setdefault(one.source, []).append(one.name)
        zone = _zone(request)
        lines = studio.lines()[-LAST_LINES:][::-1]
        return {
            "types": posting.event_types(studio),
            "people": posting.named_people(studio),
            "samples": samples,
            "rows": [(one, words(one, zone)) for one in lines],
        }

    def _of_messages(self, request: Request) -> Json:
        studio, zone = self.studio, _zone(request)
        found = decisions(studio.lines(), studio.deployment.cloud.mails)
        customers = {one.line["customer_id"]: one.line["customer"] for one in found}
        who = request.args.get("who", "")
        who = who if who in customers else next(reversed(customers), "")
        own = [one for one in found if one.line["customer_id"] == who]
        mails = [one for one in own if one.is_mail][::-1]
        opened = request.args.get("mail", "")
        sent = [one for one in mails if one.is_sent]
        shown = next((one for one in sent if one.line["message_id"] == opened), sent[0] if sent else None)
        return {
            "customers": customers,
            "who": who,
            "texts": [(one, words(one.line, zone)) for one in own if not one.is_mail],
            "mails": [(one, words(one.line, zone)) for one in mails],
            "opened": shown,
            "zone": zone,
        }

    def _of_stories(self, request: Request) -> Json:
        studio, zone = self.studio, _zone(request)
        verdict = studio.verdict()
        story = studio.state.base.story if studio.state.base else None
        return {
            "stories": stories(studio.project),
            "open": story,
            "scenario": studio.scenario,
            "root": studio.project.root,
            "acts": len(studio.done),
            "difference": verdict.difference if verdict else None,
            "rows": [(one, words(one, zone)) for one in studio.lines()],
            "refused": studio.refused,
        }

    def _of_files(self, _: Request) -> Json:
        studio = self.studio
        problems = [
            {"file": one.file, "line": one.line, "where": _where(one), "message": one.message, "fix": one.fix}
            if not isinstance(one, str)
            else {"file": "", "line": 0, "where": "", "message": one, "fix": ""}
            for one in studio.problems
        ]
        folder = studio.project.journeys
        return {"problems": problems, "folder": folder, "journeys": [one["journey"] for one in studio.compiled()]}

    def _walk(self, request: Request, journey: str) -> Response:
        who, events = self._walker(request, journey)
        shown = {
            "journey": journey,
            "walkers": walk.walkers(self.studio, journey),
            "who": who,
            "events": events,
            "walk": walk.walk(self.studio, journey, who, events, _zone(request)),
            "is_simulated": who.startswith(walk.SAMPLE),
            "picture": f"/_studio/walk/{quote(journey)}.svg?who={quote(who)}&events={quote(events)}"
            f"&of={':'.join(map(str, self.studio.version))}",
        }
        return _page("walk.html", shown)

    def _picture(self, request: Request, journey: str) -> Response:
        text = walk.picture(self.studio, journey, *self._walker(request, journey))
        headers = {
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            "cache-control": "no-store",
        }
        return Response(text, headers=headers, content_type="image/svg+xml")

    def _walker(self, request: Request, journey: str) -> tuple[str, str]:
        """The customer or sample that is asked for, else the customer who was there last; and the events."""
        known = dict(walk.walkers(self.studio, journey))
        asked = request.args.get("who", "")
        here = next((one for one in known if one.startswith(walk.CUSTOMER)), "")
        return (asked if asked in known or (not asked and "who" in request.args) else here), request.args.get(
            "events", ""
        )

    def _sample(self, _: Request, source: str, name: str) -> Response:
        return _json({"body": json.dumps(posting.sample(self.studio, source, name), indent=2, ensure_ascii=False)})

    def _mail(self, _: Request, message: str) -> Response:
        page = page_of(self.studio.deployment.cloud.mails, message)
        if page is None:
            raise StudioError("this e-mail was not sent")
        return Response(page, headers=SAFE_MAIL)

    def _act_clock(self, request: Request) -> Response:
        studio, do = self.studio, request.form.get("do", "")
        match do:
            case "run" | "pause":
                studio.running = do == "run"
            case "step" | "timer":
                at = studio.next_at() if do == "step" else studio.next_timer_at()
                if at is None:
                    raise StudioError("nothing is due by itself: post something")
                studio.move_to(max(at, studio.now()))
            case "by":
                studio.move_to(studio.now() + _length(request.form.get("by", "")))
            case "to":
                studio.move_to(_instant(request.form.get("to", "")))
            case _:
                raise StudioError("say what the clock is to do: run, pause, step, timer, by or to")
        return _json({})

    def _served_clock(self, request: Request) -> Response:
        """As `cairn serve` has it, for `curl` and `cairn send`."""
        if request.method == "POST":
            try:
                length = duration(str(json.loads(request.get_data())["advance"]))
            except (ValueError, KeyError, TypeError):
                return _refused('post {"advance": "3d"}: a number and a unit (s, m, h, d, w)')
            if length.total_seconds() < 0:
                return _refused("advance by a positive duration; the slider of the studio goes back")
            self.studio.move_to(self.studio.now() + length)
        return _json({"now": instant_to_wire(self.studio.now())})

    def _act_post(self, request: Request) -> Response:
        source, _, name = request.form.get("sample", "").partition("/")
        done = posting.post(
            self.studio, source, request.form.get("body", ""), name, request.form.get("customer", "").strip()
        )
        return _json({"said": done})

    def _act_event(self, request: Request) -> Response:
        form = request.form
        event = posting.event_of(
            self.studio,
            form.get("type", ""),
            form.get("who", ""),
            form.get("properties", ""),
            may_be_asked=bool(form.get("consent")),
        )
        if form.get("do") == "edit":
            return _json({"body": json.dumps(event, indent=2, ensure_ascii=False)})
        return _json({"said": posting.post(self.studio, TRACK, json.dumps(event))})

    def _act_fresh(self, request: Request) -> Response:
        named = request.form.get("story", "")
        story = next((one.file for one in stories(self.studio.project) if str(one.file) == named), None)
        if named and story is None:
            raise StudioError("there is no such story any more")
        self.studio.fresh(story)
        if story is None or self.studio.scenario is None:
            return _json({"said": "A new run begins, and the clock with it."})
        if request.form.get("do") != "to-the-end":
            return _json({"said": f"{story.name} begins. Step, or move the slider."})
        self.studio.move_to(self.studio.scenario.ends)
        verdict = self.studio.verdict()
        if verdict is not None and verdict.difference:
            return _json({"problem": f"{story}:{verdict.line}: what was expected did not happen\n{verdict.difference}"})
        return _json({"said": f"{story.name} was replayed: {len(self.studio.scenario.expect)} expectations are met."})

    def _act_again(self, _: Request) -> Response:
        self.studio.again()
        return _json({"said": "All of it happened again, on the files as they are now."})

    def _act_save(self, request: Request) -> Response:
        with self.studio.lock:
            saved = save(self.studio, request.form.get("name", ""), request.form.get("sentence", ""))
        difference = self.replay(saved.file)
        left_out = f" It leaves out what no story can say: {', '.join(saved.left_out)}." if saved.left_out else ""
        if difference:
            return _json(
                {"problem": f"Saved as {saved.file}, and `cairn replay` does not pass.{left_out}\n{difference}"}
            )
        return _json({"said": f"Saved as {saved.file}, and `cairn replay` passes.{left_out}"})

    def _act_new(self, request: Request) -> Response:
        name = request.form.get("name", "").strip()
        if not SLUG.fullmatch(name):
            raise StudioError("give the journey a name: lower-case letters, digits and -, such as trial-welcome")
        begin_journey(self.studio.project.journeys / name, schema=self.schema)
        self.studio.reload()
        address = f"/console/journeys/{quote(name)}"
        if "x-studio" in request.headers:
            return _json({"said": f"{name} is there.", "go": address})
        return _go(f"{address}#studio-guide")

    def _act_user(self, request: Request) -> Response:
        user = request.form.get("user", "")
        if user not in self.issuer.users():
            raise StudioError("choose one of the test users")
        self.studio.user = user
        answer = _json({"said": f"You are {user} now.", "go": "/console/"})
        answer.delete_cookie("cairn_session", path="/console")
        return answer


def _matched(routes: Map, environ: dict[str, Any]) -> tuple[str, Mapping[str, str]] | None:
    try:
        endpoint, values = routes.bind_to_environ(environ).match()
    except HTTPException:
        return None
    return endpoint, values


def _console(name: str) -> str:
    return f"/console/{assets()[name].path}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _page(name: str, shown: Json, *, whole: bool = False) -> Response:
    html = _environment().get_template(name).render(shown)
    return Response(html, headers=SAFE if whole else {"cache-control": "no-store"}, content_type=SAFE["content-type"])


def _json(document: Json, status: int = 200) -> Response:
    return Response(json.dumps(document) + "\n", status, {"cache-control": "no-store"}, content_type="application/json")


def _refused(detail: str) -> Response:
    return Response(json.dumps(problem(400, detail)) + "\n", 400, content_type=CONTENT_TYPE)


def _go(address: str) -> Response:
    return Response("", 303, {"location": address, "cache-control": "no-store"})


def _wire(at: datetime | None) -> str:
    return instant_to_wire(at) if at else ""


def _where(one: Problem) -> str:
    return ", ".join(part for part in (one.step and f"step {one.step}", one.field) if part)


def _zone(request: Request) -> ZoneInfo:
    """The browser's, as the studio's script says it."""
    try:
        return ZoneInfo(request.headers.get("x-studio-zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _length(text: str) -> timedelta:
    try:
        found = duration(text)
    except ValueError:
        raise StudioError(f"“{text}” is no length of time: write a number and a unit, such as 1h or 3d") from None
    if found < timedelta():
        raise StudioError("use the slider to go back")
    return found


def _instant(text: str) -> datetime:
    try:
        return instant_from_wire(text).replace(microsecond=0)
    except ValueError:
        raise StudioError(f"“{text}” is no instant") from None


def run(studio: Studio, stop: Event, seconds: float) -> None:
    """Move the clock by a second of its own each second, while it runs."""
    while not stop.wait(seconds):
        if studio.running:
            _safely(studio, lambda: studio.move_to(studio.now() + timedelta(seconds=1)))


def watch(studio: Studio, stop: Event, seconds: float) -> None:
    """Check and deploy the files again after each change of one. A change while it is being checked counts."""
    before = state_of(studio.project.watched())
    while not stop.wait(seconds):
        now = state_of(studio.project.watched())
        if now != before:
            before = now
            _safely(studio, studio.reload)


def _safely(studio: Studio, do: Callable[[], None]) -> None:
    """A failure is said in the studio, and stops its clock; the thread goes on."""
    with studio.lock:
        try:
            do()
        except Exception as error:  # noqa: BLE001
            studio.running = False
            studio.refused.append(said(error))


def free_port() -> int:
    """A port that is free now: the address stands in messages, so it is chosen before the deployment begins."""
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def serve(  # noqa: PLR0913  one argument for each part
    studio: Studio,
    port: int,
    started: Callable[[str], None],
    *,
    replay: Replay,
    schema: Path,
    tick: float = SECOND,
    look: float = LOOK,
) -> None:
    """Serve until interrupted; calls `started` with the address."""
    server: BaseWSGIServer = make_server("127.0.0.1", port, StudioServer(studio, replay, schema), threaded=True)
    stop = Event()
    threads = [
        Thread(target=one, args=(studio, stop, seconds), daemon=True) for one, seconds in ((run, tick), (watch, look))
    ]
    for one in threads:
        one.start()
    started(f"http://127.0.0.1:{server.server_port}")
    try:
        server.serve_forever()
    finally:
        stop.set()
        for one in threads:
            one.join()
        server.server_close()
