"""`cairn serve`: the local deployment behind HTTP on loopback."""

import base64
import email.policy
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from threading import Event, Thread
from types import MappingProxyType
from typing import Any

import time_machine
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.adapters.http.manage.routes import ROUTES as MANAGE
from cairn.adapters.http.problems import CONTENT_TYPE, problem
from cairn.adapters.in_app.api import ROUTES as IN_APP
from cairn.application.events.accept_webhook import Request as SignedRequest
from cairn.domain.consent.links import LinkKind
from cairn.domain.identity.trust import PREFERENCES_SOURCE
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import DeadLettersError
from cairn.domain.shared.instants import duration, instant_to_wire
from cairn.telemetry import logger
from infra.local import in_app_example
from infra.local.dead_letters import AuditedDeadLetters
from infra.local.deployment import LocalDeployment
from infra.local.faults.game_days import GAME_DAYS, game_day
from infra.local.issuer import ISSUER, PAGES, Issuer
from infra.local.shapes import PARAMETER, Shape, signed_in
from infra.local.signing import signed_again, wrong_signature
from infra.local.throttle import unlimited

TICK_SECONDS = 0.1
"""Seconds of real time between two checks for due work."""

CLOCK_TOLERANCE = timedelta(minutes=1)
"""Difference to the real clock from which on senders are assumed to sign by the real one."""

ACTOR = "X-Cairn-Actor"
"""The header that names the operator, on a laptop, where requests are not signed."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Hosts by which a laptop's own programs call it. A name that another site owns may lead to 127.0.0.1 as well."""

PUBLIC = frozenset({"track", "webhook", "link", "in_app"})
"""Endpoints that a deployment opens to everybody, and that check what they are sent: vendors come through a tunnel,
customers from their mail, and their apps with a token."""

OWN_FETCHES = frozenset({"", "same-origin", "none"})
"""Sec-Fetch-Site of a page of ours, of the address bar, and of programs that are no browsers.

https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
"""

ROUTES = Map(
    [
        Rule("/events", endpoint="track", methods=["POST"]),
        Rule("/webhooks/<source>", endpoint="webhook", methods=["POST", "GET"]),
        *(Rule(f"/{kind}/<token>", endpoint="link", methods=["GET", "POST"]) for kind in LinkKind),
        Rule("/tasks/<token>", endpoint="link", methods=["GET", "POST"]),
        *(Rule(path, endpoint="manage", methods=[method]) for method, path in MANAGE),
        *(Rule(path, endpoint="console", methods=["GET", "POST"]) for path in ("/console", "/console/<path:page>")),
        Rule("/console/", endpoint="console", methods=["GET", "POST"]),
        *(Rule(f"{ISSUER}/{page}", endpoint="issuer", methods=["GET", "POST"]) for page in PAGES),
        *(
            Rule(PARAMETER.sub(r"<\1>", path), endpoint="in_app", methods=[method])
            for method, path in IN_APP
            if method != "OPTIONS"
        ),
        Rule("/in-app/<path:page>", endpoint="in_app", methods=["OPTIONS"]),
        Rule("/_in-app", endpoint="in_app_example", methods=["GET"]),
        Rule("/_mail", endpoint="mail", methods=["GET"]),
        Rule("/_clock", endpoint="clock", methods=["POST", "GET"]),
        Rule("/_faults", endpoint="faults", methods=["POST", "GET"]),
        Rule("/_imports", endpoint="imports", methods=["POST"]),
        Rule("/_imports/rows", endpoint="rows", methods=["POST"]),
        Rule("/_table", endpoint="table", methods=["POST"]),
        Rule("/_timeline", endpoint="timeline", methods=["GET"]),
        Rule("/_fill", endpoint="fill", methods=["POST"]),
        Rule("/_dlq", endpoint="dead_letters", methods=["GET"]),
        Rule("/_dlq/<queue>", endpoint="dead_letters_of", methods=["GET"]),
        Rule("/_dlq/<queue>/redrive", endpoint="redrive", methods=["POST"]),
    ],
)


@dataclass(frozen=True, slots=True)
class Application:
    """A WSGI application. The routes that begin with an underscore exist on a laptop only."""

    deployment: LocalDeployment
    limiter: Callable[[str], float] = unlimited
    """Seconds that a source must wait before its next request, 0 for none. If it fails, the request is let through."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of users who are signing in to the console."""
    """The senders' secrets; used only where the clock was moved."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        try:
            endpoint, values = ROUTES.bind_to_environ(environ).match()
            if endpoint not in PUBLIC:
                check_site(request)
            response = getattr(self, f"_{endpoint}")(request, **values)
        except HTTPException as error:
            response = error
        return response(environ, start_response)

    def _track(self, request: Request) -> Response:
        return self._receive(request, "")

    def _webhook(self, request: Request, source: str) -> Response:
        return self._receive(request, source)

    def _link(self, request: Request, token: str) -> Response:  # noqa: ARG002  the path has it
        if wait := self._wait(PREFERENCES_SOURCE):
            return _too_many(wait)
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.deployment.visit(request.method, request.url, headers, request.get_data())
        return Response(answer["body"], answer["statusCode"], answer["headers"])

    def _in_app(self, request: Request, **named: str) -> Response:  # noqa: ARG002  the path has it
        if wait := self._wait(PREFERENCES_SOURCE):
            return _too_many(wait)
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.deployment.in_app(request.method, request.url, headers)
        self.deployment.catch_up()
        return Response(answer["body"], answer["statusCode"], answer["headers"])

    def _in_app_example(self, request: Request) -> Response:
        status, text = in_app_example.page(self.deployment, request.args.get("customer", ""))
        return Response(text, status, in_app_example.HEADERS)

    def _manage(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        actor = _actor(request)
        answer = self.deployment.manage(request.method, request.url, headers, request.get_data(), actor=actor)
        self.deployment.catch_up()
        body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"]
        return Response(body, answer["statusCode"], answer["headers"])

    def _console(self, request: Request, page: str = "") -> Response:  # noqa: ARG002  the path has it
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.deployment.open_console(request.method, request.url, headers, request.get_data())
        self.deployment.catch_up()
        body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"]
        response = Response(body, answer["statusCode"], answer.get("headers"))
        for cookie in answer.get("cookies", ()):
            response.headers.add("set-cookie", cookie)
        return response

    def _issuer(self, request: Request) -> Response:
        """It answers without the deployment's lock: the console asks it in the middle of a request."""
        return Issuer(self.deployment.members, self.codes).answer(request, self.deployment.now())

    def _mail(self, _: Request) -> Response:
        with self.deployment.lock:
            lines = [_mail_document(mail) for mail in self.deployment.cloud.mails]
        return _lines(lines)

    def _receive(self, request: Request, source: str) -> Response:
        if wait := self._wait(source or "track"):
            return _too_many(wait)
        headers = {name.lower(): value for name, value in request.headers.items()}
        was_moved = abs(self.deployment.now() - real_now()) > CLOCK_TOLERANCE
        given = self._signed_again(request, headers, source or "track") if was_moved else headers
        answer = self.deployment.request(request.method, request.url, given, request.get_data(), source)
        if was_moved and answer["statusCode"] == HTTPStatus.UNAUTHORIZED:
            return self._unsigned(request, headers, source or "track", answer)
        return Response(answer.get("body", ""), answer["statusCode"], answer.get("headers"))

    def _signed_again(self, request: Request, headers: dict[str, str], name: str) -> dict[str, str]:
        source, secret = self.deployment.sources.get(name), self.secrets.get(name)
        if source is None or secret is None:
            return headers
        return signed_again(source, _signed(request, headers), secret, real_now(), self.deployment.now())

    def _unsigned(self, request: Request, headers: dict[str, str], name: str, answer: Shape) -> Response:
        """The refusal, with what is wrong by the sender's clock: by ours, which was moved, every signature is old."""
        source, secret = self.deployment.sources.get(name), self.secrets.get(name)
        document, detail = json.loads(answer["body"]), ""
        if source is not None and secret is not None:
            detail = wrong_signature(source, _signed(request, headers), secret, real_now())
        text = json.dumps(document | {"detail": detail or document["detail"]})
        return Response(text, answer["statusCode"], answer.get("headers"))

    def _wait(self, source: str) -> float:
        try:
            return self.limiter(source)
        except Exception:  # noqa: BLE001  a refused webhook may be lost, one too many only costs work
            logger.warning("the limiter failed, the request is let through")
            return 0

    def _dead_letters(self, _: Request) -> Response:
        with self.deployment.lock:
            return _json({"queues": self.deployment.dead_letters().summary()})

    def _dead_letters_of(self, request: Request, queue: str) -> Response:
        limit, reveal = request.args.get("limit", 20, type=int), request.args.get("reveal") == "1"
        with self.deployment.lock:
            audited = self._audited_dead_letters(request)
            return _answer(lambda: audited.show(queue, limit, reveal=reveal))

    def _redrive(self, request: Request, queue: str) -> Response:
        try:
            document = json.loads(request.get_data() or "{}")
            reason, limit = str(document.get("reason") or ""), document.get("limit")
            most, id_ = None if limit is None else int(limit), str(document.get("id") or "")
        except (ValueError, TypeError, AttributeError):
            return _problem('post {"reason": "…", "limit": 10} or {"id": "…"}, or nothing for all')
        with self.deployment.lock:
            audited = self._audited_dead_letters(request)
            done = _answer(lambda: audited.redrive(queue, reason, most, id_))
            self.deployment.catch_up()
        return done

    def _audited_dead_letters(self, request: Request) -> AuditedDeadLetters:
        return AuditedDeadLetters(self.deployment.dead_letters(), DynamoAudit(), signed_in(_actor(request)))

    def _clock(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                length = duration(str(json.loads(request.get_data())["advance"]))
            except (ValueError, KeyError, TypeError):
                return _problem('post {"advance": "3d"}: a number and a unit (s, m, h, d, w)')
            if length < timedelta():
                return _problem("time does not go back; advance by a positive duration")
            self.deployment.advance_to(self.deployment.now() + length)
        return _json({"now": instant_to_wire(self.deployment.now())})

    def _faults(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                asked = json.loads(request.get_data())
                if not asked.get("end"):
                    self._play(str(asked["fault"]), duration(str(asked["for"])))
                    return self._present_faults()
            except (ValueError, KeyError, TypeError, AttributeError):
                known = ", ".join(GAME_DAYS)
                return _problem(f'post {{"fault": "…", "for": "20m"}} or {{"end": true}}; the faults are {known}')
            self.deployment.faults = None
        return self._present_faults()

    def _play(self, name: str, length: timedelta) -> None:
        """Raises KeyError where no fault has this name, ValueError for a time that is none."""
        if length <= timedelta():
            raise ValueError(length)
        self.deployment.faults = game_day(name, length)

    def _present_faults(self) -> Response:
        plan = self.deployment.faults
        present = plan.name if plan is not None and not plan.is_over(self.deployment.now()) else ""
        return _json(
            {
                "fault": present,
                "about": GAME_DAYS[present].about if present else "",
                "until": instant_to_wire(plan.ends_at) if plan is not None and plan.ends_at is not None else None,
                "faults": {name: day.about for name, day in GAME_DAYS.items()},
            }
        )

    def _fill(self, request: Request) -> Response:  # noqa: ARG002  an endpoint's signature
        found = self.deployment.fill_audiences()
        return _json({"audiences": [{"audience": name, "members": count} for name, count in found.items()]})

    def _imports(self, request: Request) -> Response:
        """The audit says who imports what, and why, before the first row."""
        try:
            asked = dict(json.loads(request.get_data()))
            name, why = str(asked.pop("name")), str(asked.pop("why"))
        except (ValueError, KeyError, TypeError):
            return _problem('post {"name": "…", "why": "…"}')
        with self.deployment.lock:
            now, actor = self.deployment.now(), signed_in(_actor(request))
            DynamoAudit().write(AuditEntry(now, actor, "import", f"import:{name}", why, asked))
        return _json({"name": name})

    def _rows(self, request: Request) -> Response:
        """A batch of an import, as Step Functions would start the function with it."""
        try:
            answer = self.deployment.import_rows(json.loads(request.get_data()))
        except (ValueError, KeyError, TypeError):
            return _problem("post a batch of rows, as `cairn import` does")
        if answer is None:
            return Response(json.dumps(problem(500, "import_rows gave no answer; post the batch again")), 500)
        return _json(answer)

    def _table(self, request: Request) -> Response:
        """All items as JSON lines, as DynamoDB exports a table to S3. The audit says who asked, and why."""
        try:
            asked = dict(json.loads(request.get_data()))
            kind, why = str(asked["kind"]), str(asked["why"])
        except (ValueError, KeyError, TypeError):
            return _problem('post {"kind": "customers", "why": "…"}')
        with self.deployment.lock:
            now, actor = self.deployment.now(), signed_in(_actor(request))
            DynamoAudit().write(AuditEntry(now, actor, "export", f"all {kind}", why))
            self.deployment.catch_up()
            keys = self.deployment.cloud.partition_keys()
        return Response(self._items(keys), content_type="application/x-ndjson")

    def _items(self, keys: Sequence[Any]) -> Iterator[str]:
        """One partition after the other, while the deployment goes on. The last line says that nothing is missing."""
        for key in keys:
            with self.deployment.lock:
                items = self.deployment.cloud.items_of(key)
            yield "".join(json.dumps({"Item": one}, default=_base64) + "\n" for one in items)
        yield json.dumps({"End": len(keys)}) + "\n"

    def _timeline(self, request: Request) -> Response:
        self.deployment.catch_up()
        lines = self.deployment.timeline(request.args.get("customer"))
        return _lines(lines)


def _base64(value: bytes) -> str:
    """As DynamoDB's export has binary values."""
    return base64.b64encode(value).decode()


def check_site(request: Request) -> None:
    """Raises Forbidden for whatever another site makes a browser ask: no sign-in protects this server.

    A page of another site has its own Origin; one that has pointed its name at this laptop (DNS rebinding) has its
    name as the Host.
    """
    host = request.host
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if name.lower() not in LOOPBACK:
        raise _forbidden("another-site", f"ask for http://127.0.0.1 or localhost; {ANOTHER_SITE}")
    origin = request.headers.get("Origin")
    own = origin is None or origin.lower() == f"{request.scheme}://{host}".lower()
    if not own or request.headers.get("Sec-Fetch-Site", "").lower() not in OWN_FETCHES:
        raise _forbidden("another-site", ANOTHER_SITE)


ANOTHER_SITE = "this server answers no page of another site"


def _signed(request: Request, headers: Mapping[str, str]) -> SignedRequest:
    """The request as its sender signed it: for the `https` URL of a deployment."""
    url = "https://" + request.url.partition("://")[2]
    return SignedRequest(url, headers, request.get_data(), request.method)


def _actor(request: Request) -> str:
    """The operator. Raises Forbidden where nobody is named: what they see and do is audited."""
    actor = request.headers.get(ACTOR, "").strip()
    if not actor:
        raise _forbidden("not-signed-in", f"name yourself in the header {ACTOR}, for the audit")
    return actor


def _forbidden(title: str, detail: str) -> Forbidden:
    text = json.dumps(problem(403, detail, title)) + "\n"
    return Forbidden(response=Response(text, 403, content_type=CONTENT_TYPE))


def real_now() -> datetime:
    """The laptop's own clock, whether ours was moved or is not there yet."""
    if not time_machine.escape_hatch.is_travelling():
        return datetime.now(UTC)
    return time_machine.escape_hatch.datetime.datetime.now(UTC)


def serve(
    deployment: LocalDeployment,
    port: int,
    started: Callable[[str], None],
    *,
    limiter: Callable[[str], float] = unlimited,
    secrets: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Serve until interrupted; calls `started` with the address."""
    server: BaseWSGIServer = make_server("127.0.0.1", port, Application(deployment, limiter, secrets), threaded=True)
    stop = Event()
    ticker = Thread(target=_tick, args=(deployment, stop), daemon=True)
    ticker.start()
    started(f"http://127.0.0.1:{server.server_port}")
    try:
        server.serve_forever()
    finally:
        stop.set()
        ticker.join()
        server.server_close()


def _tick(deployment: LocalDeployment, stop: Event) -> None:
    while not stop.wait(TICK_SECONDS):
        deployment.catch_up()


def _answer(ask: Callable[[], Any]) -> Response:
    try:
        return _json(ask())
    except DeadLettersError as error:
        return _problem(str(error))


def _too_many(wait: float) -> Response:
    """The answer of API Gateway, with a Retry-After that only our server adds."""
    retry_after = {"Retry-After": str(math.ceil(wait))}
    return Response('{"message":"Too Many Requests"}', 429, retry_after, content_type="application/json")


def _mail_document(mail: Mapping[str, Any]) -> dict[str, Any]:
    """An e-mail of a request to SES, with the links that the timeline leaves out."""
    if "Raw" in mail["Content"]:
        return _whole_mail_document(mail["Content"]["Raw"]["Data"])
    content = mail["Content"]["Simple"]
    return {
        "to": mail["Destination"]["ToAddresses"][0],
        "subject": content["Subject"]["Data"],
        "text": content["Body"]["Text"]["Data"],
        "headers": {header["Name"]: header["Value"] for header in content.get("Headers", ())},
    }


def _whole_mail_document(data: bytes) -> dict[str, Any]:
    """The same of an e-mail that was sent as a whole, with its invite."""
    mail = email.message_from_bytes(data, policy=email.policy.default)
    parts = {
        part.get_content_type(): part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"
    }
    return {
        "to": mail["To"],
        "subject": mail["Subject"],
        "text": parts["text/plain"].rstrip("\n"),
        "headers": {name: mail[name] for name in mail if name.startswith("List-")},
        "invite": parts["text/calendar"],
    }


def _lines(documents: Sequence[Mapping[str, Any]]) -> Response:
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in documents)
    return Response(text, content_type="application/x-ndjson; charset=utf-8")


def _json(document: Any) -> Response:
    return Response(json.dumps(document) + "\n", content_type="application/json")


def _problem(detail: str) -> Response:
    return Response(json.dumps(problem(400, detail)) + "\n", 400, content_type=CONTENT_TYPE)
