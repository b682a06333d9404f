"""The routes of /manage, as the signed-in user: the same checks, the same audit, the same answers."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cairn.adapters.console.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from cairn.adapters.http.manage.router import ManageRouter

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """Each call raises what the route raises: a CairnError, whose text says what to do."""

    router: "Callable[[], ManageRouter]"
    session: Session
    now: datetime

    def get(self, name: str, **query: str) -> Json:
        """`GET /manage/<name>`; an empty value is left out."""
        return self._ask(f"GET /manage/{name}", query={key: one for key, one in query.items() if one})

    def post(self, name: str, **body: Any) -> Json:
        """`POST /manage/<name>`; a value that is empty or None is left out."""
        given = {key: one for key, one in body.items() if one is not None and one != ""}
        return self._ask(f"POST /manage/{name}", body=json.dumps(given).encode())

    def _ask(self, route: str, *, query: dict[str, str] | None = None, body: bytes = b"") -> Json:
        from cairn.adapters.http.manage.router import OperatorRequest  # noqa: PLC0415  with the routes

        asked = OperatorRequest(
            route=route, actor=self.session.actor, body=body, query=query or None, roles=self.session.roles
        )
        return dict(self.router()(asked, self.now).document)
