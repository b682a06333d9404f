"""Why a text cannot be the condition of an audience, as `cairn check` words it."""

from collections.abc import Mapping
from typing import Any

from cairn.domain.journey import expressions
from cairn.domain.journey.expressions import MessageAndFix
from cairn.domain.profile.lead import CATEGORY, RFM, SCORE

BY_TIME = frozenset({"days_since", "hours_until"})
"""Functions whose value changes while nothing happens."""

STEADY_RFM = ("frequency", "monetary")
"""The parts of `profile.rfm` that orders change, and time does not."""

WAY_ON = (
    "Let a journey that enters by a date or by silence (docs/journeys.md) set a tag, and ask for the tag: "
    "contains(profile.tags, 'quiet')."
)


def problems_of(text: str) -> list[MessageAndFix]:
    """Those of the expression itself; of several kinds, the first."""
    if found := expressions.problems_of(text, expressions.PROFILE):
        return found
    tree = expressions.tree_of(text)
    timed = sorted({node["value"] for node in expressions.calls_of(tree)} & BY_TIME)
    if timed:
        message = f"{timed[0]}() changes while nothing happens, and an audience changes by commits alone"
        return [(message, WAY_ON)]
    computed = [
        node["value"]
        for node in expressions.calls_of(tree)
        if node["value"] in expressions.OWN_ARGUMENTS and node["children"][0]["type"] != "literal"
    ]
    if computed:
        return [(f"{computed[0]}() names no event here", f"Write the event's type: {computed[0]}('order.paid').")]
    if ("profile",) in expressions.paths_of(tree):
        return [("it reads the whole profile", "Name each field: profile.city == 'Lyon'.")]
    if not watched(text):
        return [("it reads nothing that changes", "Name a field of the profile, or an event: seen('order.paid').")]
    return []


def watched(expression: str | None) -> set[str]:
    """What an expression reads that may change: fields of the profile, and types of events that it names."""
    tree = expressions.tree_of(expression)
    calls = [node["children"] for node in expressions.calls_of(tree) if node["value"] in expressions.OWN_ARGUMENTS]
    named = {str(first["value"]) for first, *_ in calls if first["type"] == "literal"}
    return expressions.attributes_of(expression) | named


def problems_by_leads(text: Any, timed: frozenset[str]) -> list[MessageAndFix]:
    """Of fields that change with time by the rules of leads.toml."""
    found = []
    for path in expressions.paths_of(expressions.tree_of(text)):
        if (field := _timed_field(path, timed)) is not None:
            message = f"profile.{field} changes while nothing happens, by the rules of leads.toml"
            fix = f"Ask for profile.hot, which a timer corrects. {WAY_ON}" if field == SCORE else WAY_ON
            found.append((message, fix))
    return found


def _timed_field(path: tuple[str, ...], timed: frozenset[str]) -> str | None:
    name = path[1] if path[:1] == ("profile",) and len(path) > 1 else ""
    if name not in timed or (name == RFM and path[2:3] and path[2] in STEADY_RFM):
        return None
    return ".".join(path[1:])


def change_with_time(leads: Mapping[str, Any]) -> frozenset[str]:
    """The fields that these rules of leads give, and that change while nothing happens."""
    timed = {RFM} if "rfm" in leads else set()
    points = leads.get("points", ())
    if any("half_life" in row for row in leads.get("groups", ())) or any(_by_time(row.get("when")) for row in points):
        timed.add(SCORE)
    categories = (row.get("when") for row in leads.get("categories", ()))
    if any(_by_time(one) or expressions.attributes_of(one) & timed for one in categories):
        timed.add(CATEGORY)
    return frozenset(timed)


def _by_time(expression: Any) -> bool:
    return any(node["value"] in BY_TIME for node in expressions.calls_of(expressions.tree_of(expression)))
