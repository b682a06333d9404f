"""What a view gets, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cairn.adapters.console.api import Api
from cairn.adapters.console.session import Session
from cairn.adapters.console.visit import Visit
from cairn.domain.operations.roles import is_allowed


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of a signed-in user."""

    visit: Visit
    session: Session
    api: Api
    now: datetime
    zone: str
    """The user's time zone, as the browser says it."""
    named: Mapping[str, str] = field(default_factory=dict)
    """What the path names: `{customer}` in `/customers/{customer}`."""
    problem: str = ""
    """Why the act that the user has just tried was not done."""

    def given(self, name: str) -> str:
        """A field of the posted form, or of the query; empty where there is none."""
        posted = self.visit.form.get(name.lower(), ("",))[-1].strip()
        return posted or self.visit.query.get(name, "").strip()

    def may(self, route: str, action: str = "") -> bool:
        """Whether the user's roles allow a route of /manage."""
        return is_allowed(self.session.roles, route, action)


@dataclass(frozen=True, slots=True)
class View:
    """A page: its template, and what that shows."""

    template: str
    title: str
    shown: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class GoTo:
    """To another page, after an act that is done; that page says so."""

    path: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A picture or an e-mail, as a document of its own: it loads and runs nothing of ours."""

    body: str
    content_type: str
