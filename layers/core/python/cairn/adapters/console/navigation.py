"""The menu: pages by subject, each shown to users whose roles allow what it asks for first."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cairn.domain.operations.roles import Role, is_allowed


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    title: str
    icon: str
    route: str
    """Of /manage, that the page asks first."""
    action: str = ""
    key: str = ""
    """Press g, then this key."""
    present: bool = False


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("/", "Home", "home", "GET /manage/switches", key="h"),)),
    (
        "People",
        (
            Entry("/customers", "Customers", "person", "POST /manage/customers", "find", key="c"),
            Entry("/inbox", "Inbox", "inbox", "GET /manage/inbox", key="i"),
            Entry("/tasks", "Tasks", "task", "GET /manage/tasks", key="t"),
            Entry("/reviews", "Reviews", "eye", "GET /manage/reviews", key="r"),
        ),
    ),
    (
        "Journeys",
        (
            Entry("/journeys", "Journeys", "path", "GET /manage/journeys", key="j"),
            Entry("/audiences", "Audiences", "people", "GET /manage/audiences", key="a"),
            Entry("/broadcasts", "Broadcasts", "horn", "GET /manage/broadcasts", key="b"),
        ),
    ),
    (
        "Measure",
        (
            Entry("/experiments", "Experiments", "flask", "GET /manage/measures", key="x"),
            Entry("/reports", "Reports", "chart", "GET /manage/reports", key="f"),
            Entry("/quality", "Data quality", "check", "GET /manage/quality", key="q"),
        ),
    ),
    (
        "Operate",
        (
            Entry("/switches", "Switches", "power", "GET /manage/switches", key="s"),
            Entry("/sources", "Sources", "plug", "GET /manage/seen", key="o"),
            Entry("/consent", "Consent", "shield", "POST /manage/suppressions", "show", key="k"),
            Entry("/imports", "Imports", "down", "GET /manage/audit", key="m"),
            Entry("/dead-letters", "Dead letters", "letter", "GET /manage/dead-letters", key="d"),
            Entry("/audit", "Audit", "book", "GET /manage/audit", key="u"),
        ),
    ),
)


def navigation(roles: Iterable[Role], path: str) -> list[tuple[str, list[Entry]]]:
    """The groups that have an entry for these roles; the entry of this path is marked as present."""
    owned = frozenset(roles)
    shown = [
        (
            title,
            [_marked(one, path) for one in entries if is_allowed(owned, one.route, one.action)],
        )
        for title, entries in GROUPS
    ]
    return [(title, entries) for title, entries in shown if entries]


def _marked(entry: Entry, path: str) -> Entry:
    inside = path == entry.path or (entry.path != "/" and path.startswith(f"{entry.path}/"))
    return replace(entry, present=inside)
