"""Answers the links of messages: reads the request of a browser or a mail program, and shows the result."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cairn.adapters.pages.forms import POST, Form, form_of
from cairn.adapters.pages.problems import refusal
from cairn.adapters.pages.render import Page, Pages
from cairn.adapters.pages.texts import Texts, texts_for
from cairn.application.consent.serve_preferences import ServePreferences, ShownWording, SubmittedForm, Topic
from cairn.domain.consent.links import Link, LinkKind
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import CairnError, MalformedBodyError

if TYPE_CHECKING:
    from collections.abc import Callable

ONE_CLICK = ("list-unsubscribe", "one-click")
"""RFC 8058, 3.2: what a mail program posts, and our own button does."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request to one of the links."""

    kind: LinkKind
    token: str
    method: str
    accept_language: str = ""
    content_type: str = ""
    body: bytes = b""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class PreferenceCentre:
    """Only a POST changes anything, since link scanners send GET or HEAD."""

    serve: ServePreferences
    pages: Pages

    def __call__(self, visit: Visit, now: datetime) -> Page:
        """The answer. Raises a CairnError where nothing was done; `refuse` answers that."""
        form = form_of(visit.content_type, visit.body) if visit.method == POST else None
        link = self.serve.open(visit.kind, visit.token, now)
        answers: dict[LinkKind, Callable[[Visit, Link, Form | None, datetime], Page]] = {
            LinkKind.UNSUBSCRIBE: self._unsubscribe,
            LinkKind.PREFERENCES: self._preferences,
            LinkKind.CONFIRM: self._confirm,
        }
        return answers[visit.kind](visit, link, form, now)

    def refuse(self, visit: Visit, error: CairnError) -> tuple[str, Page]:
        """The reason in one word, and the page that says what to do."""
        return refusal(self.pages, visit.accept_language, error)

    def _unsubscribe(self, visit: Visit, link: Link, form: Form | None, now: datetime) -> Page:
        t = _texts(visit, form)
        preferences = self.serve.token_for(LinkKind.PREFERENCES, link)
        if form is None:
            return self.pages.ask_to_unsubscribe(t, link, preferences)
        name, value = ONE_CLICK
        if form and value not in [one.strip().lower() for one in form.get(name, ())]:
            raise MalformedBodyError("only List-Unsubscribe=One-Click, or nothing, unsubscribes")
        topic = (link.channel, link.purpose)
        if "language" in form:
            self.serve.unsubscribe(link, ShownWording(t.version, {topic: t.unsubscribe}, t.language), now)
            return self.pages.unsubscribed(t, link, preferences)
        self.serve.unsubscribe(link, ShownWording("RFC 8058", {topic: "List-Unsubscribe=One-Click"}), now)
        return self.pages.plain("Unsubscribed.")

    def _confirm(self, visit: Visit, link: Link, form: Form | None, now: datetime) -> Page:
        t = _texts(visit, form)
        if form is None:
            return self.pages.ask_to_confirm(t, link)
        if form.get("confirm") != ("yes",):
            raise MalformedBodyError("only the page's own button confirms")
        wording = {(link.channel, link.purpose): self.pages.asked_to_confirm(t, link)}
        if not self.serve.confirm(link, ShownWording(t.version, wording, t.language, visit.ip), now):
            return self.pages.gone(t)
        return self.pages.confirmed(t, link, self.serve.token_for(LinkKind.PREFERENCES, link))

    def _preferences(self, visit: Visit, link: Link, form: Form | None, now: datetime) -> Page:
        known = self.serve.preferences(link)
        t = _texts(visit, form, known.locale if known else "")
        if form is None:
            return self.pages.choices(t, known, known.wanted) if known else self.pages.gone(t)
        seen, ticked = _seen(form), _topics(form.get("want", ()))
        match form.get("do"):
            case ("save",) if seen and known is None:
                return self.pages.gone(t)
            case ("save",) if seen:
                pass
            case ("nothing",):
                seen, ticked = dict.fromkeys(_own(link), True) | seen, frozenset()
            case _:
                raise MalformedBodyError("only the page's own buttons change anything")
        wanted = self.serve.choose(link, SubmittedForm(ticked, seen, _shown(t, visit)), known, now)
        return self.pages.choices(t, known, wanted, saved=True) if known else self.pages.gone(t, saved=True)


def _texts(visit: Visit, form: Form | None, otherwise: str = "") -> Texts:
    """In the language of the submitted form, which is the one that the customer read."""
    (language,) = (form or {}).get("language", ("",))[:1]
    return texts_for(language or visit.accept_language, otherwise)


def _shown(t: Texts, visit: Visit) -> ShownWording:
    wording = {
        (channel, purpose): f"{t.channels[channel]}: {t.about[purpose]}" for channel in Channel for purpose in Purpose
    }
    return ShownWording(t.version, wording, t.language, visit.ip)


def _own(link: Link) -> list[Topic]:
    return [(link.channel, purpose) for purpose in Purpose]


def _seen(form: Form) -> dict[Topic, bool]:
    rows = [one.rpartition(":") for one in form.get("seen", ())]
    return {topic: state == "on" for name, _, state in rows for topic in _topics((name,))}


def _topics(names: tuple[str, ...]) -> frozenset[Topic]:
    """The known topics among the names; others are ignored."""
    known = {f"{channel}:{purpose}": (channel, purpose) for channel in Channel for purpose in Purpose}
    return frozenset(known[name] for name in names if name in known)
