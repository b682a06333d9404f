"""What needs a person now."""

from collections.abc import Callable
from typing import Any

from cairn.adapters.console.ask import Ask, View
from cairn.domain.shared.errors import CairnError

SHOWN = 8
"""Rows of each list; the page of its own has all."""


def show(ask: Ask) -> View:
    tasks = _if(ask, "GET /manage/tasks", lambda: ask.api.get("tasks", limit="100")["tasks"])
    late = [one for one in tasks or [] if one["overdue"]]
    mine = [one for one in tasks or [] if one["owner"] == str(ask.session.actor)]
    return View(
        "home.html",
        "Home",
        {
            "tasks": tasks,
            "late": late[:SHOWN],
            "late_total": len(late),
            "mine": mine[:SHOWN],
            "reviews": _if(ask, "GET /manage/reviews", lambda: ask.api.get("reviews", limit=str(SHOWN))["reviews"]),
            "waiting": _if(ask, "GET /manage/inbox", lambda: ask.api.get("inbox", limit=str(SHOWN))["conversations"]),
            "privacy": _if(ask, "GET /manage/privacy", lambda: ask.api.get("privacy", limit=str(SHOWN))["tasks"]),
            "board": _if(ask, "GET /manage/switches", lambda: ask.api.get("switches")),
            "dead": _if(
                ask,
                "GET /manage/dead-letters",
                lambda: [one for one in ask.api.get("dead-letters")["queues"] if one["count"]],
            ),
        },
    )


def _if(ask: Ask, route: str, answer: Callable[[], Any]) -> Any:
    """The answer, or None where the user's roles do not allow the route, or nobody has set that part up."""
    if not ask.may(route):
        return None
    try:
        return answer()
    except CairnError:
        return None


FIGURES = {
    "event": "Events",
    "entered": "Journeys entered",
    "sent": "Messages sent",
    "suppressed": "Messages not sent",
    "failed": "Messages failed",
    "complained": "Complaints",
    "goal_reached": "Goals reached",
}
"""What the home page counts of a day, by kind of fact."""


def today(ask: Ask) -> View:
    """The last 24 hours with the 24 hours before beside them, counted from the log of facts; htmx asks for it."""
    day, both = (
        {one["kind"]: int(one["facts"]) for one in ask.api.get("reports", report="kinds", days=days)["kinds"]}
        for days in ("1", "2")
    )
    rows = [
        {"title": title, "now": day.get(kind, 0), "before": both[kind] - day.get(kind, 0)}
        for kind, title in FIGURES.items()
        if kind in both
    ]
    return View("today.html", "Today", {"rows": rows})
