"""Renders the pages. Each names the brand and its contact, from the policy."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup

from cairn.adapters.compiled_pages import environment_of
from cairn.adapters.pages.masks import masked
from cairn.adapters.pages.texts import Texts, texts_for
from cairn.domain.consent.links import Link
from cairn.domain.policy import Policy

if TYPE_CHECKING:
    from cairn.application.consent.serve_preferences import Preferences, Topic

HERE = Path(__file__).parent

COMPILED = HERE / "compiled"

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

PREFERENCES = "../preferences/"
"""Relative, so that it works under any path of the deployment's domain."""


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a visit."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Pages:
    """One method a page; `t` has the texts in the visitor's language."""

    def __init__(self, policy: Policy) -> None:
        style, of_tasks = ((HERE / name).read_text(encoding="utf-8") for name in ("style.css", "task.css"))
        self._policy = policy
        self._jinja = environment()
        self._jinja.globals |= {"policy": policy, "style": Markup(style)}  # noqa: S704  our own file
        self._headers = _headers(style)
        self._task_style = style + of_tasks
        self._task_headers = _headers(self._task_style)

    def warm(self) -> None:
        """Load every template."""
        for template in HERE.glob("*.html"):
            self._jinja.get_template(template.name)

    def ask_to_unsubscribe(self, t: Texts, link: Link, preferences: str) -> Page:
        return self._page(
            "button.html",
            t=t,
            title=self._filled(t, t.unsubscribe_title, link),
            explained=self._filled(t, t.unsubscribe_explained, link),
            button=t.unsubscribe,
            fields={"List-Unsubscribe": "One-Click", "language": t.language},
            preferences=PREFERENCES + preferences,
        )

    def unsubscribed(self, t: Texts, link: Link, preferences: str) -> Page:
        explained = self._filled(t, t.unsubscribed_explained, link)
        return self._result(t, t.unsubscribed_title, explained, preferences=PREFERENCES + preferences)

    def ask_to_confirm(self, t: Texts, link: Link) -> Page:
        return self._page(
            "button.html",
            t=t,
            title=t.confirm_title,
            explained=self.asked_to_confirm(t, link),
            button=t.confirm,
            fields={"confirm": "yes", "language": t.language},
            preferences="",
        )

    def asked_to_confirm(self, t: Texts, link: Link) -> str:
        """The sentence that the customer confirms."""
        return self._filled(t, t.confirm_explained, link)

    def confirmed(self, t: Texts, link: Link, preferences: str) -> Page:
        explained = self._filled(t, t.confirmed_explained, link)
        return self._result(t, t.confirmed_title, explained, preferences=PREFERENCES + preferences)

    def choices(self, t: Texts, known: "Preferences", wanted: "Mapping[Topic, bool]", *, saved: bool = False) -> Page:
        channels = [
            {
                "name": t.channels[channel],
                "address": masked(channel, known.addresses.get(channel, "")),
                "rows": [
                    {
                        "name": f"{channel}:{purpose}",
                        "wanted": on,
                        "title": t.purposes[purpose],
                        "about": t.about[purpose],
                    }
                    for (of, purpose), on in wanted.items()
                    if of is channel
                ],
            }
            for channel in dict.fromkeys(channel for channel, _ in wanted)
        ]
        title = t.preferences_title.format(brand=self._brand(t))
        return self._page(
            "preferences.html", t=t, title=title, explained=t.preferences_explained, channels=channels, saved=saved
        )

    def gone(self, t: Texts, *, saved: bool = False) -> Page:
        return self._page(
            "preferences.html", t=t, title=t.gone_title, explained=t.gone_explained, channels=[], saved=saved
        )

    def task(self, shown: Mapping[str, Any], *, problem: str, saved: str) -> Page:
        """For a member: the page of a task."""
        t = texts_for("en")
        html = self._jinja.get_template("task.html").render(
            t=t,
            brand=self._brand(t),
            style=Markup(self._task_style),  # noqa: S704  our own files
            title=shown["title"],
            view=shown,
            problem=problem,
            saved=saved,
        )
        return Page(html, 200, self._task_headers | {"content-language": t.language})

    def problem(self, t: Texts, reason: str, status: int) -> Page:
        """One of the problems that the texts know: invalid, expired, unreadable, busy."""
        return self._result(t, getattr(t, f"{reason}_title"), getattr(t, f"{reason}_explained"), status=status)

    def plain(self, text: str, status: int = 200) -> Page:
        """For programs."""
        return Page(text + "\n", status, self._headers | {"content-type": TEXT})

    def _result(self, t: Texts, title: str, explained: str, *, preferences: str = "", status: int = 200) -> Page:
        return self._page("result.html", status, t=t, title=title, explained=explained, preferences=preferences)

    def _page(self, template: str, status: int = 200, *, t: Texts, **shown: Any) -> Page:
        html = self._jinja.get_template(template).render(t=t, brand=self._brand(t), **shown)
        return Page(html, status, self._headers | {"content-language": t.language})

    def _filled(self, t: Texts, text: str, link: Link) -> str:
        return text.format(brand=self._brand(t), by=t.by[link.channel])

    def _brand(self, t: Texts) -> str:
        return self._policy.brand or t.us


def environment() -> Environment:
    return environment_of(HERE, COMPILED)


def _headers(style: str) -> dict[str, str]:
    """The browser loads, runs, frames, stores, indexes and refers to nothing."""
    known = b64encode(sha256(style.encode()).digest()).decode()
    return {
        "content-type": HTML,
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{known}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "browsing-topics=()",
        "referrer-policy": "no-referrer",
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex, nofollow",
    }
