"""Figures from the log of facts: experiments with their intervals, and reports."""

from cairn.adapters.console.ask import Ask, View
from cairn.adapters.console.charts import interval_chart, lift_chart
from cairn.application.measurement.report_facts import OF_A_JOURNEY, REPORTS

DAYS = ("7", "30", "90")


def experiments(ask: Ask) -> View:
    found = [one for one in ask.api.get("journeys")["journeys"] if one["goal"]]
    return View("experiments.html", "Experiments", {"journeys": found})


def experiment(ask: Ask) -> View:
    """The numbers are counted when htmx asks for them, since that may take seconds; without it, at once on asking."""
    journey = ask.named["journey"]
    counted = ask.visit.wants_a_part or ask.given("count") == "yes"
    if not counted:
        return View("experiment.html", journey, {"journey": journey, "measured": None})
    measured = ask.api.get("measures", journey=journey)
    template = "experiment_numbers.html" if ask.visit.wants_a_part else "experiment.html"
    return View(
        template,
        journey,
        {
            "journey": journey,
            "measured": measured,
            "chart": interval_chart(measured["rate"]),
            "over_time": lift_chart(measured["over_time"]),
        },
    )


def reports(ask: Ask) -> View:  # noqa: ARG001  a view's signature
    return View("reports.html", "Reports", {"reports": list(REPORTS), "of_a_journey": OF_A_JOURNEY})


def report(ask: Ask) -> View:
    name, journey, days = ask.named["report"], ask.given("journey"), ask.given("days") or DAYS[1]
    journeys = ask.api.get("journeys")["journeys"] if name == OF_A_JOURNEY else []
    journey = journey or (journeys[0]["journey"] if journeys else "")
    counted = ask.visit.wants_a_part or ask.given("count") == "yes"
    found = ask.api.get("reports", report=name, journey=journey, days=days) if counted else None
    return View(
        "report_rows.html" if ask.visit.wants_a_part else "report.html",
        name,
        {
            "name": name,
            "journey": journey,
            "journeys": [one["journey"] for one in journeys],
            "days": days,
            "choices": DAYS,
            "found": found,
            "tables": {key: rows for key, rows in (found or {}).items() if isinstance(rows, list)},
        },
    )
