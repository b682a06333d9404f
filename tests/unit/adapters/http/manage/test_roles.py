"""Every route and action below /manage is for certain roles; all others are refused before anything is read."""

import json
import os
import re
import textwrap
from collections import defaultdict
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.http.manage.customers import CustomerRoutes
from cairn.adapters.http.manage.messages import MessageRoutes
from cairn.adapters.http.manage.people import PeopleRoutes
from cairn.adapters.http.manage.quality import QualityRoutes
from cairn.adapters.http.manage.router import ManageRouter, OperatorRequest
from cairn.adapters.http.manage.routes import ROUTES
from cairn.adapters.http.problems import problem_of
from cairn.domain.operations.roles import (
    ALLOWED,
    ONLY,
    PREVIEW_OF_CUSTOMER,
    Role,
    check_role,
    is_allowed,
    is_for_own_work,
    needed,
    roles_in,
)
from cairn.domain.shared.errors import InvalidRequestError, RoleMissingError
from tests.unit.makers import MONDAY

DOCUMENT = Path(__file__).parents[5] / "docs" / "manage.md"
PRINTED = re.compile(r"(<!-- printed from: cairn/domain/operations/roles.py -->\n)(?P<table>.*?)(\n\n)", re.DOTALL)

EVERY_ACTION = [(route, action) for route, actions in ALLOWED.items() for action in actions]

READS = {
    *("show", "list", "count", "overlap", "members", "sample", "try", "report"),
    *("find", "timeline", "enrollments"),
}
READS |= {"preview", PREVIEW_OF_CUSTOMER}
"""Actions that change nothing."""

CHANGES_BY_AN_ONLY_ACTION = {"erase", "detach", "consent", "stages"}
"""Routes whose only action changes something."""


class Untouched:
    """Fails where anything is read from it or done with it."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("used before the role was checked")

    __getattr__ = __call__


class Own:
    """An agent to whom all customers belong."""

    def check(self, actor: str, about: dict[str, str]) -> None:
        """Everything is the agent's own."""

    def queues(self, _actor: str) -> None:
        """All."""

    def member(self, actor: str) -> str:
        return actor


UNTOUCHED: Any = Untouched()
OWN: Any = Own()
PEOPLE = PeopleRoutes(UNTOUCHED, UNTOUCHED, OWN, UNTOUCHED, UNTOUCHED)
PARTS: Any = {one.name: UNTOUCHED for one in fields(ManageRouter)} | {
    "customers": lambda: CustomerRoutes(UNTOUCHED, UNTOUCHED, UNTOUCHED),
    "messages": lambda: MessageRoutes(UNTOUCHED, UNTOUCHED, UNTOUCHED),
    "people": lambda: PEOPLE,
    "quality": lambda: QualityRoutes(UNTOUCHED, UNTOUCHED),
}
ROUTER = ManageRouter(**PARTS)


def ask(route: str, action: str, *roles: Role) -> None:
    """A request that no form accepts, so that nothing is done where the role is allowed."""
    about = {"do": "preview", "customer": "mia"} if action == PREVIEW_OF_CUSTOMER else {"do": action} if action else {}
    body = json.dumps({**about, "nobody's field": 1}).encode()
    query = {"limit": "none", "days": "none"}
    ROUTER(OperatorRequest(route, "ada", frozenset(roles), body, query), MONDAY)


def test_the_table_has_a_row_for_every_route() -> None:
    assert set(ALLOWED) == {f"{method} {path}" for method, path in ROUTES}


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_the_table_has_every_action_of_a_route_and_no_other(path: str) -> None:
    """A form names its actions in the problem of one that it does not have."""
    route = f"POST {path}"
    with pytest.raises(InvalidRequestError) as refused:
        ask(route, "nonsense", Role.ADMIN)
    listed = next((one for one in refused.value.problems if one.startswith("do: one of ")), "")

    actions = set(listed.removeprefix("do: one of ").split(", ")) if listed else {ONLY}
    assert set(ALLOWED[route]) - {PREVIEW_OF_CUSTOMER} == actions


@pytest.mark.parametrize(("route", "action"), EVERY_ACTION)
@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_past_the_check_exactly_where_the_table_says_so(route: str, action: str, role: Role) -> None:
    if role in ALLOWED[route][action]:
        with pytest.raises((InvalidRequestError, AssertionError)):
            ask(route, action, role)
    else:
        with pytest.raises(RoleMissingError) as refused:
            ask(route, action, role)
        problem = problem_of(refused.value, "out-of-order")
        assert (problem["status"], problem["title"]) == (403, "role-missing")
        assert all(one in problem["detail"] for one in ALLOWED[route][action]), "it says which role is needed"


@pytest.mark.parametrize(("route", "action"), EVERY_ACTION)
def test_nobody_without_a_role_may_do_anything(route: str, action: str) -> None:
    with pytest.raises(RoleMissingError, match="you have none"):
        ask(route, action)


@pytest.mark.parametrize(("route", "action"), EVERY_ACTION)
def test_an_admin_may_do_all_and_every_role_may_do_what_a_viewer_may(route: str, action: str) -> None:
    allowed = ALLOWED[route][action]

    assert Role.ADMIN in allowed
    assert Role.VIEWER not in allowed or allowed == set(Role)


@pytest.mark.parametrize(("route", "action"), EVERY_ACTION)
def test_a_viewer_changes_nothing(route: str, action: str) -> None:
    name = route.rpartition("/")[2]
    changes = route.startswith("POST") and (action not in READS if action else name in CHANGES_BY_AN_ONLY_ACTION)

    assert not (changes and Role.VIEWER in ALLOWED[route][action])


@pytest.mark.parametrize("path", ["export", "erase", "detach", "privacy", "audit"])
def test_only_privacy_and_an_admin_reach_what_is_about_privacy(path: str) -> None:
    for route, action in EVERY_ACTION:
        if route.endswith(f"/{path}"):
            assert ALLOWED[route][action] == {Role.PRIVACY, Role.ADMIN}


def test_the_rights_of_several_roles_add_up() -> None:
    for (route, action), one, other in product(EVERY_ACTION, Role, Role):
        both = is_allowed({one, other}, route, action)

        assert both == (is_allowed({one}, route, action) or is_allowed({other}, route, action))


def test_an_action_that_a_route_does_not_have_is_left_to_its_form_where_any_other_is_allowed() -> None:
    check_role({Role.OPERATOR}, "POST /manage/switches", "halt")
    with pytest.raises(RoleMissingError, match="role operator or admin; you have editor, privacy"):
        check_role({Role.PRIVACY, Role.EDITOR}, "POST /manage/switches", "halt")


def test_a_route_without_a_row_is_for_an_admin() -> None:
    assert needed("GET /manage/new") == {Role.ADMIN}


def test_what_an_agent_may_do_only_as_one_is_limited_to_their_own_work() -> None:
    assert is_for_own_work({Role.AGENT, Role.VIEWER}, "GET /manage/tasks")
    assert not is_for_own_work({Role.AGENT, Role.OPERATOR}, "GET /manage/tasks")
    assert not is_for_own_work({Role.AGENT}, "GET /manage/switches")


def test_roles_are_read_from_a_list() -> None:
    assert roles_in("viewer, agent,") == {Role.VIEWER, Role.AGENT}
    assert roles_in("") == frozenset()
    with pytest.raises(ValueError, match="boss"):
        roles_in("viewer,boss")


def test_the_page_has_the_table() -> None:
    """`UPDATE_DOCS=1` writes it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = PRINTED.search(text)
    assert shown is not None

    if os.environ.get("UPDATE_DOCS"):
        before, after = text[: shown.start("table")], text[shown.end("table") :]
        DOCUMENT.write_text(before + table() + after, encoding="utf-8")
    else:
        assert shown["table"] == table()


def table() -> str:
    """A line for each set of roles: what they may do."""
    by_roles: dict[frozenset[Role], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for route, action in EVERY_ACTION:
        by_roles[ALLOWED[route][action]][route.replace("/manage/", "")].append(action)
    lines = []
    for roles in sorted(by_roles, key=lambda one: (-len(one), sorted(map(list(Role).index, one)))):
        who = ", ".join(role for role in Role if role in roles - {Role.ADMIN}) if roles < set(Role) else "every role"
        may = [f"`{route}`" + f" {', '.join(done)}" * any(done) for route, done in by_roles[roles].items()]
        lines.append(
            textwrap.fill(f"* **{who}**: {'; '.join(may)}", 120, subsequent_indent="  ", break_on_hyphens=False)
        )
    return "\n".join(lines)
