"""The roles of operators, and what each of them may do below /manage."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from cairn.domain.shared.errors import RoleMissingError


class Role(StrEnum):
    """An operator has one or several."""

    VIEWER = "viewer"
    """Reads what has no personal data, as every other role does, too."""
    OPERATOR = "operator"
    """Customers and their consent, switches, reviews, suppressions, broadcasts, dead letters."""
    AGENT = "agent"
    """Tasks, conversations and the customers of their own queues."""
    EDITOR = "editor"
    """Journeys, splits, migrations, audiences, and the plans of broadcasts."""
    PRIVACY = "privacy"
    """Exports, erasures, requests about personal data, names at the wrong customer, the audit."""
    ADMIN = "admin"
    """Everything."""


def _and_admin(*roles: Role) -> frozenset[Role]:
    return frozenset({*roles, Role.ADMIN})


EVERY_ROLE = frozenset(Role)
OPERATORS = _and_admin(Role.OPERATOR)
AGENTS = _and_admin(Role.OPERATOR, Role.AGENT)
READERS = _and_admin(Role.OPERATOR, Role.AGENT, Role.PRIVACY)
EDITORS = _and_admin(Role.EDITOR)
PLANNERS = _and_admin(Role.OPERATOR, Role.EDITOR)
PRIVACY = _and_admin(Role.PRIVACY)

ONLY = ""
"""The action of a route that has one only."""

PREVIEW_OF_CUSTOMER = "preview of a customer"
"""A preview whose body names a customer: it shows their values."""

ALLOWED: Mapping[str, Mapping[str, frozenset[Role]]] = {
    "GET /manage/switches": {ONLY: EVERY_ROLE},
    "POST /manage/switches": dict.fromkeys(("stop", "start", "pause", "resume"), OPERATORS),
    "POST /manage/explain": {ONLY: READERS},
    "POST /manage/export": {ONLY: PRIVACY},
    "POST /manage/erase": {ONLY: PRIVACY},
    "POST /manage/detach": {ONLY: PRIVACY},
    "POST /manage/consent": {ONLY: OPERATORS},
    "POST /manage/stages": {ONLY: AGENTS},
    "POST /manage/suppressions": {"suppress": OPERATORS, "release": OPERATORS, "show": READERS - {Role.AGENT}},
    "POST /manage/leads": {ONLY: AGENTS},
    "POST /manage/customers": {
        **dict.fromkeys(("find", "timeline", "enrollments"), READERS),
        **dict.fromkeys(("enroll", "leave", "merge"), OPERATORS),
    },
    "POST /manage/in-app-tokens": {ONLY: OPERATORS},
    "GET /manage/journeys": {ONLY: EVERY_ROLE},
    "POST /manage/messages": {"preview": EVERY_ROLE, PREVIEW_OF_CUSTOMER: READERS, "resend": OPERATORS},
    "GET /manage/dead-letters": {ONLY: EVERY_ROLE},
    "POST /manage/dead-letters": dict.fromkeys(("show", "redrive"), OPERATORS),
    "POST /manage/migrations": {"report": EVERY_ROLE, "migrate": EDITORS},
    "GET /manage/splits": {ONLY: EVERY_ROLE},
    "POST /manage/splits": dict.fromkeys(("choose", "reopen"), EDITORS),
    "GET /manage/standing": {ONLY: EVERY_ROLE},
    "GET /manage/measures": {ONLY: EVERY_ROLE},
    "GET /manage/reports": {ONLY: EVERY_ROLE},
    "GET /manage/reviews": {ONLY: OPERATORS},
    "POST /manage/reviews": dict.fromkeys(("approve", "reject"), OPERATORS),
    "GET /manage/privacy": {ONLY: PRIVACY},
    "POST /manage/privacy": dict.fromkeys(("part", "all", "refuse", "done", "stop", "continue"), PRIVACY),
    "GET /manage/tasks": {ONLY: AGENTS},
    "POST /manage/tasks": dict.fromkeys(("show", "claim", "assign", "note", "done", "withdraw"), AGENTS),
    "GET /manage/members": {ONLY: AGENTS},
    "POST /manage/members": dict.fromkeys(("absent", "back", "capacity", "leaves"), OPERATORS),
    "POST /manage/deals": {"register": OPERATORS, "release": OPERATORS, "show": AGENTS},
    "GET /manage/inbox": {ONLY: AGENTS},
    "POST /manage/inbox": dict.fromkeys(("show", "answer", "close"), AGENTS),
    "GET /manage/audiences": {ONLY: EVERY_ROLE},
    "POST /manage/audiences": {
        **dict.fromkeys(("count", "overlap"), EVERY_ROLE),
        **dict.fromkeys(("members", "sample", "try"), PLANNERS),
    },
    "GET /manage/broadcasts": {ONLY: EVERY_ROLE},
    "POST /manage/broadcasts": {
        "show": EVERY_ROLE,
        "plan": PLANNERS,
        **dict.fromkeys(("approve", "pause", "resume", "stop"), OPERATORS),
    },
    "GET /manage/quality": {ONLY: READERS - {Role.AGENT}},
    "POST /manage/quality": {
        **dict.fromkeys(("compare", "merge", "distinguish"), OPERATORS | {Role.PRIVACY}),
        **dict.fromkeys(("begin", "add", "publish"), OPERATORS),
    },
    "GET /manage/audit": {ONLY: PRIVACY},
    "GET /manage/seen": {ONLY: EVERY_ROLE},
}
"""By route and action: the `do` of its body. An admin may do what is not here, and nobody else may."""


def needed(route: str, action: str = ONLY) -> frozenset[Role]:
    """The roles that may do this, each by itself.

    Of an action that the route does not have: the roles that may do any other, who then get to know what there is.
    """
    actions = ALLOWED.get(route, {})
    return actions.get(action) or frozenset({Role.ADMIN}).union(*actions.values())


def is_allowed(roles: Collection[Role], route: str, action: str = ONLY) -> bool:
    return not needed(route, action).isdisjoint(roles)


def is_for_own_work(roles: Collection[Role], route: str, action: str = ONLY) -> bool:
    """Whether it is allowed because of the role `agent` alone, and so only for the agent's own queues."""
    return not is_allowed({*roles, Role.VIEWER} - {Role.AGENT}, route, action)


def check_role(roles: Collection[Role], route: str, action: str = ONLY) -> None:
    """Raises RoleMissingError, which names the roles that may do it."""
    if not is_allowed(roles, route, action):
        *others, last = (role for role in Role if role in needed(route, action))
        may = f"{', '.join(others)} or {last}" if others else last
        yours = ", ".join(role for role in Role if role in roles) or "none"
        raise RoleMissingError(f"this needs the role {may}; you have {yours}")


def roles_in(text: str) -> frozenset[Role]:
    """From `viewer,agent`. Raises ValueError for a role that there is not."""
    return frozenset(Role(name.strip()) for name in text.split(",") if name.strip())
