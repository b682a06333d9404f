"""Journeys: who stands where, what each step does, and how to stop one."""

from collections import Counter
from typing import Any
from urllib.parse import quote

from cairn.adapters.console.ask import Ask, Document, GoTo, View
from cairn.domain.shared.errors import InvalidRequestError, UnknownTargetError


def all_of_them(ask: Ask) -> View:
    return View("journeys.html", "Journeys", ask.api.get("journeys"))


def show(ask: Ask) -> View:
    name = ask.named["journey"]
    journey = ask.api.get("journeys", journey=name)
    splits = ask.api.get("splits", journey=name)["splits"] if ask.may("GET /manage/splits") else []
    counts = Counter[str]()
    for one in journey["counts"]:
        counts[one["step"]] += one["count"]
    versions = sorted({one["version"] for one in journey["counts"]})
    report = ask.api.post("migrations", do="report", journey=name) if ask.given("moves") else None
    return View(
        "journey.html",
        name,
        {"journey": journey, "counts": counts, "versions": versions, "splits": splits, "report": report},
    )


def graph(ask: Ask) -> Document:
    return Document(ask.api.get("journeys", journey=ask.named["journey"])["svg"], "image/svg+xml")


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
