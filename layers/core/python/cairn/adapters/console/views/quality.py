"""Data quality: what the last run has counted, and pairs of customers who are probably one person twice."""

from typing import Any

from cairn.adapters.console.ask import Ask, GoTo, View
from cairn.domain.quality.reports import Section
from cairn.domain.shared.errors import InvalidRequestError, NoReportError


def overview(ask: Ask) -> View:
    section = ask.given("section") or Section.PAIRS.value
    shown: dict[str, Any] = {"report": None, "section": section, "sections": [one.value for one in Section]}
    try:
        shown["report"] = ask.api.get("quality")
    except NoReportError:
        return View("quality.html", "Data quality", shown)
    page = ask.api.get("quality", section=section, after=ask.given("after"))
    return View("quality.html", "Data quality", {**shown, "rows": page[section], "after": page["after"]})


def pair(ask: Ask) -> View:
    customer, other = ask.named["customer"], ask.named["other"]
    both = ask.api.post("quality", do="compare", customer=customer, other=other)["customers"]
    names = sorted({name for one in both for name in one["attributes"]})
    return View("pair.html", "One person twice?", {"both": both, "names": names})


def decide(ask: Ask) -> GoTo:
    do, customer, other = ask.given("do"), ask.named["customer"], ask.named["other"]
    if do not in {"merge", "distinguish"}:
        raise InvalidRequestError(["choose what to do"])
    ask.api.post("quality", do=do, customer=customer, other=other, why=ask.given("why"))
    done = "Ordered: both become one customer in a moment." if do == "merge" else "Noted: they are two people."
    return GoTo("/quality", done)
