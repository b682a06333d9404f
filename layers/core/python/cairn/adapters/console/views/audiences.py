"""Audiences, and journeys for all of their members."""

from typing import Any

from cairn.adapters.console.ask import Ask, GoTo, View
from cairn.domain.shared.errors import InvalidRequestError


def all_of_them(ask: Ask) -> View:
    """With what a condition has that is being typed; htmx asks for that part alone."""
    tried = _tried(ask)
    if ask.visit.wants_a_part:
        return View("tried.html", "Audiences", tried)
    return View("audiences.html", "Audiences", {**ask.api.get("audiences"), **tried})


def _tried(ask: Ask) -> dict[str, Any]:
    when, is_shown = ask.given("when"), ask.given("sample") == "yes"
    shown: dict[str, Any] = {"when": when, "is_shown": is_shown, "tried": None, "problems": ()}
    if not when:
        return shown
    try:
        return shown | {"tried": ask.api.post("audiences", do="try", when=when, sample=is_shown or None)}
    except InvalidRequestError as error:
        return shown | {"problems": [one.removeprefix("when: ") for one in error.problems]}


def show(ask: Ask) -> View:
    name = ask.named["audience"]
    states = ask.api.get("audiences")["audiences"]
    known = next((one for one in states if one["audience"] == name), None)
    asked = {field: ask.given(field) for field in ("partition", "from", "to", "value")}
    counted = ask.api.post("audiences", do="count", audience=name, **asked)
    sample = ask.api.post("audiences", do="sample", audience=name, limit=10, **asked)
    other = ask.given("with")
    overlap = ask.api.post("audiences", do="overlap", audience=name, **{"with": other}) if other else None
    return View(
        "audience.html",
        name,
        {
            "name": name,
            "known": known,
            "counted": counted,
            "sample": sample,
            "asked": asked,
            "others": [one["audience"] for one in states if one["audience"] != name],
            "other": other,
            "overlap": overlap,
        },
    )


def broadcasts(ask: Ask) -> View:
    found = ask.api.get("broadcasts", before=ask.given("before"))
    return View(
        "broadcasts.html",
        "Broadcasts",
        {
            **found,
            "audiences": [one["audience"] for one in _if(ask, "audiences")],
            "journeys": [one["journey"] for one in _if(ask, "journeys")],
            "given": ask.given,
        },
    )


def plan(ask: Ask) -> GoTo:
    given: dict[str, Any] = {name: ask.given(name) for name in ("journey", "audience", "at", "why")}
    done = ask.api.post("broadcasts", do="plan", local_time=ask.given("local_time") == "yes" or None, **given)
    return GoTo(f"/broadcasts/{done['broadcast']}", "Planned. It goes out once it is approved.")


def broadcast(ask: Ask) -> View:
    shown = ask.api.post("broadcasts", do="show", broadcast=ask.named["broadcast"])
    return View("broadcast.html", "Broadcast", {"broadcast": shown})


def act(ask: Ask) -> GoTo:
    this, do, members = ask.named["broadcast"], ask.given("do"), ask.given("members")
    if do not in {"approve", "pause", "resume", "stop"}:
        raise InvalidRequestError(["choose what to do"])
    more = {"members": int(members)} if do == "approve" and members.isdecimal() else {}
    ask.api.post("broadcasts", do=do, broadcast=this, why=ask.given("why"), **more)
    done = {"approve": "Approved", "pause": "Paused", "resume": "Resumed", "stop": "Stopped"}[do]
    return GoTo(f"/broadcasts/{this}", f"{done}: it counts within a minute.")


def _if(ask: Ask, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask.api.get(name)[name] if ask.may(f"GET /manage/{name}") else []
    return found
