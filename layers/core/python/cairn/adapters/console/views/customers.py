"""A customer: who it is, what was decided and why, what comes next, and what to do about it."""

from collections.abc import Mapping
from typing import Any

from cairn.adapters.console.ask import Ask, GoTo, View
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import InvalidRequestError

PAGE = 50
"""Lines of a timeline."""


def search(ask: Ask) -> View:
    return View("customers.html", "Customers", {"name": ask.given("name")})


def find(ask: Ask) -> GoTo:
    """The name is posted, since addresses of pages are logged."""
    found = ask.api.post("customers", do="find", customer=ask.given("name"), why=ask.given("why"))
    return GoTo(f"/customers/{found['customer']}")


def show(ask: Ask) -> View:
    customer = ask.named["customer"]
    explained = ask.api.post("explain", customer=customer)
    stands = ask.api.post("customers", do="enrollments", customer=customer)["enrollments"]
    timeline = ask.api.post("customers", do="timeline", customer=customer, limit=PAGE)
    found = ask.api.post("customers", do="find", customer=customer)
    journeys = ask.api.get("journeys")["journeys"] if ask.may("GET /manage/journeys") else []
    return View(
        "customer.html",
        _name(found["names"]) or customer,
        {
            "customer": customer,
            "found": found,
            "explained": explained,
            "stands": stands,
            "timeline": timeline,
            "journeys": journeys,
            "channels": [one.value for one in Channel],
            "purposes": [one.value for one in Purpose],
            "asked": ask.given("do"),
        },
    )


def _name(names: Mapping[str, str]) -> str:
    return " ".join(names[part] for part in ("first_name", "last_name") if part in names)


def act(ask: Ask) -> GoTo:
    customer, do, why = ask.named["customer"], ask.given("do"), ask.given("why")
    here = f"/customers/{customer}"
    match do:
        case "enroll" | "leave":
            ask.api.post("customers", do=do, customer=customer, journey=ask.given("journey"), why=why)
            return GoTo(here, f"Ordered: {do} {ask.given('journey')}. It is done in a moment.")
        case "merge":
            other = ask.given("other")
            ask.api.post("customers", do="merge", customer=customer, other=other, why=why)
            return GoTo(here, "Ordered: both become one customer in a moment.")
        case "consent":
            topic: dict[str, Any] = {name: ask.given(name) for name in ("channel", "purpose", "status", "wording")}
            done = ask.api.post("consent", customer=customer, why=why, **topic)
            return GoTo(here, str(done.get("note") or "Recorded. It counts in a moment."))
        case "detach":
            ask.api.post("detach", customer=customer, identifier=ask.given("identifier"), why=why)
            return GoTo(here, "Ordered: the name is taken away in a moment.")
        case "erase":
            if ask.given("sure") != "yes":
                raise InvalidRequestError(["tick the box: an erased customer cannot be brought back"])
            done = ask.api.post("erase", customer=customer, why=why)
            return GoTo("/customers", f"The customer is being erased, within half an hour. Receipt: {done['receipt']}")
        case _:
            raise InvalidRequestError(["choose what to do"])


def timeline(ask: Ask) -> View:
    """The next part of the timeline, for htmx or as a page."""
    customer, after = ask.named["customer"], ask.given("after")
    page = ask.api.post("customers", do="timeline", customer=customer, limit=PAGE, after=after)
    template = "timeline_rows.html" if ask.visit.wants_a_part else "timeline.html"
    return View(template, "Timeline", {"customer": customer, "timeline": page})


def message(ask: Ask) -> View:
    this, customer = ask.named["message"], ask.given("customer")
    explained = ask.api.post("explain", message=this, customer=customer)
    return View("message.html", "Why this message?", {"explained": explained})
