"""The console: finds the view of a path, signs users in, and makes a page of whatever goes wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cairn.adapters.console.api import Api
from cairn.adapters.console.ask import Ask, Document, GoTo, View
from cairn.adapters.console.navigation import navigation
from cairn.adapters.console.render import FOR_EVER, SAFE, assets_by_path, environment
from cairn.adapters.console.routes import ROUTES, Route
from cairn.adapters.console.session import Session, SignedCookies, session_document, session_of
from cairn.adapters.console.sign_in import Attempt, OpenIdConnect
from cairn.adapters.console.visit import Reply, Visit, set_cookie
from cairn.adapters.http.problems import status_of
from cairn.adapters.pages.forms import POST
from cairn.adapters.pages.plain import sentence
from cairn.domain.shared.errors import CairnError, InvalidEventError, InvalidRequestError, NotSignedInError

if TYPE_CHECKING:
    from cairn.adapters.http.manage.router import ManageRouter

BASE = "/console"

SESSION, ATTEMPT, SAID, ZONE = "cairn_session", "cairn_sign_in", "cairn_said", "cairn_zone"
"""The cookies. The zone is the browser's own, and is trusted with nothing."""

SIGN_IN, SIGNED_IN, SIGN_OUT, SIGNED_OUT = "/sign-in", "/signed-in", "/sign-out", "/signed-out"

TO_SIGN_IN = timedelta(minutes=10)
TO_SAY = timedelta(minutes=1)

APART = {
    "content-security-policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'"
    )
}
"""Of a picture or an e-mail: it shows itself inside one of our pages, and reaches nothing there."""

SEE_OTHER, UNAUTHORISED, FORBIDDEN, NOT_FOUND, FAILED = 303, 401, 403, 404, 500


@dataclass(frozen=True)
class Console:
    router: "Callable[[], ManageRouter]"
    cookies: SignedCookies
    issuer: OpenIdConnect
    brand: str = ""
    stage: str = ""

    def __call__(self, visit: Visit, now: datetime) -> Reply:
        """The answer, always: a problem is a page, too."""
        path = visit.path.removeprefix(BASE).rstrip("/") or "/"
        if (asset := assets_by_path().get(path.removeprefix("/"))) is not None:
            return Reply(asset.content, headers={"content-type": asset.kind, "cache-control": FOR_EVER, **SNIFF})
        doors: dict[str, Callable[[Visit, datetime], Reply]] = {
            SIGN_IN: self._sign_in,
            SIGNED_IN: self._signed_in,
            SIGN_OUT: self._sign_out,
            SIGNED_OUT: self._signed_out,
        }
        try:
            if path in doors:
                return doors[path](visit, now)
        except CairnError as error:
            return self._door(visit, now, "Not signed in", _sentence(error), UNAUTHORISED)
        session = self._session(visit, now)
        if session is None:
            return _to_sign_in(visit)
        if not session.roles:
            return self._door(visit, now, "No role yet", NO_ROLE.format(name=session.actor), FORBIDDEN, out=True)
        return self._page(visit, session, path, now)

    def failed(self, visit: Visit, now: datetime) -> Reply:
        """Something is wrong with the console itself; the log has it."""
        return self._door(visit, now, "That did not work", OURS, FAILED)

    def _page(self, visit: Visit, session: Session, path: str, now: datetime) -> Reply:
        ask = Ask(
            visit=visit,
            session=session,
            api=Api(self.router, session, now),
            now=now,
            zone=_zone(visit.cookies.get(ZONE, "")),
        )
        found = _route(path)
        if found is None:
            return self._shown(ask, View("problem.html", "Not found", {"text": NOWHERE}, NOT_FOUND))
        route, named = found
        ask = replace(ask, named=named)
        status = 0
        if visit.method == POST:
            try:
                return self._done(ask, route)
            except CairnError as error:
                ask, status = replace(ask, problem=_sentence(error)), status_of(error, "")[0]
        try:
            view = route.show(ask)
        except CairnError as error:
            text = " ".join(dict.fromkeys([one for one in (ask.problem, _sentence(error)) if one]))
            template = "problem_part.html" if visit.wants_a_part else "problem.html"
            shown = View(template, "That is not possible", {"text": text}, status_of(error, "")[0])
            return self._shown(replace(ask, problem=""), shown)
        if isinstance(view, Document):
            return Reply(view.body, headers=SAFE | APART | {"content-type": view.content_type})
        if isinstance(view, GoTo):
            return _go(BASE + view.path)
        return self._shown(ask, replace(view, status=status or view.status))

    def _done(self, ask: Ask, route: Route) -> Reply:
        if not ask.visit.is_own:
            raise NotSignedInError("another site has sent this form; open the page again and do it there")
        if route.act is None:
            raise InvalidRequestError(["nothing can be done on this page"])
        after = route.act(ask)
        if isinstance(after, View):
            return self._shown(ask, after)
        said = self.cookies.sign("said", {"text": after.said}, ask.now + TO_SAY)
        secure = ask.visit.is_secure
        cookie = set_cookie(SAID, said, seconds=int(TO_SAY.total_seconds()), secure=secure, path=BASE)
        return _go(BASE + after.path, cookie) if after.said else _go(BASE + after.path)

    def _shown(self, ask: Ask, view: View) -> Reply:
        said = self.cookies.read("said", ask.visit.cookies.get(SAID, ""), ask.now)
        path = ask.visit.path.removeprefix(BASE) or "/"
        shown: dict[str, Any] = {
            "title": view.title,
            "brand": self.brand or "Cairn",
            "stage": self.stage,
            "navigation": navigation(ask.session.roles, path),
            "user": str(ask.session.actor),
            "roles": sorted(ask.session.roles),
            "zone": ask.zone,
            "now": ask.now,
            "problem": ask.problem,
            "said": said["text"] if said else "",
            "ask": ask,
            **view.shown,
        }
        html = environment().get_template(view.template).render(shown)
        gone = set_cookie(SAID, "", seconds=0, secure=ask.visit.is_secure, path=BASE)
        return Reply(html, view.status, SAFE, (gone,) if said else ())

    def _session(self, visit: Visit, now: datetime) -> Session | None:
        document = self.cookies.read("session", visit.cookies.get(SESSION, ""), now)
        return session_of(document) if document else None

    def _sign_in(self, visit: Visit, now: datetime) -> Reply:
        attempt = Attempt.new()
        carried = {
            "attempt": [attempt.state, attempt.verifier, attempt.nonce],
            "to": _inside(visit.query.get("to", "")),
        }
        cookie = set_cookie(
            ATTEMPT,
            self.cookies.sign("attempt", carried, now + TO_SIGN_IN),
            seconds=int(TO_SIGN_IN.total_seconds()),
            secure=visit.is_secure,
            path=BASE,
        )
        return _go(self.issuer.begin(attempt, origin=visit.origin, back=_back(visit)), cookie)

    def _signed_in(self, visit: Visit, now: datetime) -> Reply:
        carried = self.cookies.read("attempt", visit.cookies.get(ATTEMPT, ""), now)
        if carried is None:
            raise NotSignedInError("this sign-in took too long, or was begun in another browser; try again")
        attempt = Attempt(*carried["attempt"])
        session = self.issuer.finish(attempt, visit.query, origin=visit.origin, back=_back(visit), now=now)
        secure = visit.is_secure
        signed = self.cookies.sign("session", session_document(session), session.until)
        seconds = int((session.until - now).total_seconds())
        return _go(
            _inside(carried["to"]),
            set_cookie(SESSION, signed, seconds=seconds, secure=secure, path=BASE),
            set_cookie(ATTEMPT, "", seconds=0, secure=secure, path=BASE),
        )

    def _sign_out(self, visit: Visit, now: datetime) -> Reply:  # noqa: ARG002  a door's signature
        if visit.method != POST or not visit.is_own:
            return _go(f"{BASE}/")
        gone = set_cookie(SESSION, "", seconds=0, secure=visit.is_secure, path=BASE)
        after = f"{visit.origin}{BASE}{SIGNED_OUT}"
        try:
            return _go(self.issuer.end(origin=visit.origin, after=after), gone)
        except CairnError:  # the issuer does not answer: the user has left us all the same
            return _go(after, gone)

    def _signed_out(self, visit: Visit, now: datetime) -> Reply:
        return self._door(visit, now, "Signed out", "You are signed out of the console.", 200)

    def _door(  # noqa: PLR0913  what it says
        self, visit: Visit, now: datetime, title: str, text: str, status: int, *, out: bool = False
    ) -> Reply:
        """A page without navigation, before the user is signed in."""
        shown = {"title": title, "text": text, "brand": self.brand or "Cairn", "stage": self.stage, "out": out}
        zone = _zone(visit.cookies.get(ZONE, ""))
        html = environment().get_template("door.html").render(shown | {"now": now, "zone": zone})
        return Reply(html, status, SAFE)


SNIFF = {"x-content-type-options": "nosniff"}

NO_ROLE = (
    "You are signed in as {name}, and have no role here. An administrator adds you to a group named viewer, operator, "
    "agent, editor, privacy or admin; then sign in again."
)
NOWHERE = "There is no page of this address. The menu has all pages."
OURS = "The console has failed, and its log says how. What you did may be done: look before you do it again."


def _route(path: str) -> tuple[Route, Mapping[str, str]] | None:
    parts = path.strip("/").split("/")
    for route in ROUTES:
        wanted = route.path.strip("/").split("/")
        if len(wanted) != len(parts):
            continue
        pairs = list(zip(wanted, parts, strict=True))
        if all(want.startswith("{") or want == have for want, have in pairs):
            return route, {want[1:-1]: unquote(have) for want, have in pairs if want.startswith("{")}
    return None


def _to_sign_in(visit: Visit) -> Reply:
    """To where the user signs in, and from there back to this page. A form that was sent has to be sent again."""
    there = f"{visit.path}?{urlencode(visit.query)}" if visit.query else visit.path
    address = f"{BASE}{SIGN_IN}?to={quote(there)}"
    if visit.wants_a_part:  # the whole page goes there, not the part
        return Reply("", 200, {"hx-redirect": address, "cache-control": "no-store"})
    return _go(address)


def _inside(address: str) -> str:
    """A page of ours, whatever the address is: nobody is led to another site."""
    parts = urlsplit(address)
    own = not parts.scheme and not parts.netloc and parts.path.startswith(f"{BASE}/") and "\\" not in address
    return address if own and address.isprintable() else f"{BASE}/"


def _back(visit: Visit) -> str:
    return f"{visit.origin}{BASE}{SIGNED_IN}"


def _go(address: str, *cookies: str) -> Reply:
    return Reply("", SEE_OTHER, {"location": address, "cache-control": "no-store"}, cookies)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(unquote(name)).key if name else "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def _sentence(error: CairnError) -> str:
    """What to do, as a sentence."""
    listed = error.problems if isinstance(error, InvalidEventError | InvalidRequestError) else [str(error)]
    return " ".join(sentence(one) for one in listed if one)
