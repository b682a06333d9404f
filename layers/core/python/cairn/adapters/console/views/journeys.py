"""Journeys: who stands where, what each step does, and how to stop one."""

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from cairn.adapters.console.ask import Ask, Document, GoTo, View
from cairn.domain.shared.errors import InvalidRequestError, UnknownTargetError


def all_of_them(ask: Ask) -> View:
    return View("journeys.html", "Journeys", ask.api.get("journeys"))


DAYS = ("7", "30", "90")

END_OF_API = "(end)"
"""Where the last steps lead to, as /manage names it."""


def show(ask: Ask) -> View:
    """How many went along each arrow is counted when htmx asks for it, since that may take seconds."""
    name, days = ask.named["journey"], ask.given("days") or DAYS[1]
    counted = ask.visit.wants_a_part or ask.given("flow") == "yes"
    journey = _version(ask, "", days if counted else "")
    flow = {"journey": journey, "days": days, "choices": DAYS, "picture": _picture(journey), "ways": _ways(journey)}
    if ask.visit.wants_a_part:
        return View("flow.html", name, flow)
    splits = ask.api.get("splits", journey=name)["splits"] if ask.may("GET /manage/splits") else []
    counts, standing_on = Counter[str](), Counter[str]()
    for one in journey["counts"]:
        counts[one["step"]] += one["count"]
        standing_on[one["version"]] += one["count"]
    report = ask.api.post("migrations", do="report", journey=name) if ask.given("moves") else None
    return View(
        "journey.html",
        name,
        {**flow, "counts": counts, "standing_on": standing_on, "splits": splits, "report": report},
    )


def graph(ask: Ask) -> Document:
    return Document(_version(ask, ask.given("version"))["svg"], "image/svg+xml")


def versions(ask: Ask) -> View:
    """An earlier version beside the deployed one."""
    before, after = _version(ask, ask.named["version"]), _version(ask, "")
    shown = {"journey": ask.named["journey"], "rows": differences(before["steps"], after["steps"])}
    sides = {"before": _side(before), "after": _side(after)}
    return View("versions.html", f"{ask.named['journey']}: two versions", shown | sides)


def _version(ask: Ask, version: str, days: str = "") -> dict[str, Any]:
    found: dict[str, Any] = ask.api.get("journeys", journey=ask.named["journey"], version=version, days=days)
    return found


def _picture(journey: Mapping[str, Any]) -> str:
    """As an address, so that the numbers in it are those of the table beside it, and are counted once."""
    return f"data:image/svg+xml;base64,{b64encode(journey['svg'].encode()).decode()}"


def _ways(journey: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each arrow as the picture has it, in words: from where, to where, when, and how many."""
    if not journey["flow"]:
        return []
    entered = journey["flow"]
    ways = [{"from": "the beginning", "to": entered["first"], "when": "", "went": entered["entered"]}]
    ways += [
        {"from": one["step"], "to": way["step"], "when": way["when"], "went": way["went"]}
        for one in journey["steps"]
        for way in one["leads_to"]
    ]
    return [{**way, "to": "the end" if way["to"] == END_OF_API else way["to"]} for way in ways]


def _side(journey: Mapping[str, Any]) -> dict[str, Any]:
    standing = sum(one["count"] for one in journey["counts"] if one["version"] == journey["version"])
    return {"version": journey["version"], "standing": standing, "partial": journey["after"] is not None}


def differences(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The steps that differ: those of the later version in its order, then those that it has no more."""
    was, now = ({one["step"]: _in_words(one) for one in steps} for steps in (before, after))
    rows = []
    for step in dict.fromkeys((*now, *was)):
        old, new = was.get(step), now.get(step)
        if old == new:
            continue
        change = "added" if old is None else "removed" if new is None else "changed"
        rows.append({"step": step, "change": change, "before": old or (), "after": new or ()})
    return rows


def _in_words(step: Mapping[str, Any]) -> tuple[str, ...]:
    says = [step["says"]] if isinstance(step["says"], str) else step["says"]
    leads = (f"→ {one['step'] or 'the end'}{': ' + one['when'] if one['when'] else ''}" for one in step["leads_to"])
    return step["kind"], *(one for one in says if one), *leads


def step(ask: Ask) -> View:
    """A step, and of one that sends, the message as each reader gets it."""
    name, this = ask.named["journey"], ask.named["step"]
    journey = ask.api.get("journeys", journey=name)
    found = next((one for one in journey["steps"] if one["step"] == this), None)
    if found is None:
        raise UnknownTargetError(f"journey {name} has no step {this}")
    shown: dict[str, Any] = {"journey": name, "step": found, "customer": "", "preview": None, "reason": ""}
    if found["template"] and ask.may("POST /manage/messages", "preview"):
        customer = _id_of(ask, ask.given("customer"))
        try:
            shown["preview"] = _preview(ask, name, found["template"], customer)
        except InvalidRequestError as error:
            shown["reason"] = error.problems[0].partition(": ")[2]
        shown["customer"] = customer
    return View("step.html", this, shown)


def mail(ask: Ask) -> Document:
    """The e-mail of a preview, by itself."""
    journey, template, number = (ask.named[part] for part in ("journey", "template", "number"))
    messages = _preview(ask, journey, template, ask.given("customer"))["messages"]
    html = messages[int(number)].get("html", "") if number.isdecimal() and int(number) < len(messages) else ""
    return Document(html, "text/html; charset=utf-8")


def _id_of(ask: Ask, name: str) -> str:
    """The id of a customer, by which the address of an e-mail's frame names no person."""
    return str(ask.api.post("customers", do="find", customer=name)["customer"]) if name else ""


def _preview(ask: Ask, journey: str, template: str, customer: str) -> dict[str, Any]:
    return ask.api.post("messages", do="preview", journey=journey, template=template, customer=customer)


def act(ask: Ask) -> GoTo:
    name, do, why = ask.named["journey"], ask.given("do"), ask.given("why")
    here = f"/journeys/{quote(name)}"
    match do:
        case "stop" | "start":
            ask.api.post("switches", do=do, target=f"journey:{name}", why=why)
            return GoTo(here, f"{'Stopped' if do == 'stop' else 'Started'}: it counts within a minute.")
        case "pause" | "resume":
            policy = ask.given("policy")
            ask.api.post("switches", do=do, target=f"journey:{name}", why=why, policy=policy)
            return GoTo(here, f"{'Paused' if do == 'pause' else 'Resumed'}: it counts within a minute.")
        case "migrate":
            ask.api.post("migrations", do="migrate", journey=name, why=why)
            return GoTo(here, "Ordered: those who can are moved to the deployed version.")
        case "choose" | "reopen":
            arm = ask.given("arm")
            ask.api.post("splits", do=do, journey=name, step=ask.given("step"), arm=arm, why=why)
            return GoTo(here, f"New customers get {arm} now." if arm else "New customers are divided by weight again.")
        case _:
            raise InvalidRequestError(["choose what to do"])
