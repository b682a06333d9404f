"""The answer of /manage/measures."""

from typing import TYPE_CHECKING, Any

from cairn.domain.shared.instants import instant_to_wire

if TYPE_CHECKING:
    from cairn.application.measurement.measure_journey import Measured
    from cairn.domain.measurement.difference import Difference, Interval
    from cairn.domain.measurement.totals import ArmTotals

Json = dict[str, Any]


def measured(one: "Measured") -> Json:
    """Rates are shares of one, values minor units of the plan's currency, for each customer."""
    result, outlook = one.result, one.result.outlook
    return {
        "journey": one.journey,
        "at": instant_to_wire(one.at),
        "verdict": {"outcome": result.verdict.outcome.value, "sentence": result.verdict.sentence},
        "plan": one.plan.to_document() | {"hash": one.plan.hash},
        "plan_changes": [str(change) for change in one.changes],
        "since": instant_to_wire(one.since) if one.since else None,
        "versions": list(one.versions),
        "treated": _totals(one.treated),
        "holdout": _totals(one.holdout),
        "rate": _difference(result.rates),
        "value": _difference(result.values) if one.currencies <= 1 else None,
        "over_time": [
            {"on": look.on.isoformat(), "customers": look.customers, **_difference(look.rates)} for look in one.looks
        ],
        "sessions": _difference(result.sessions) if result.sessions else None,
        "arms": [{"arm": arm.name, "rate": _difference(arm.rates)} for arm in result.arms],
        "split_arms": [{"step": arm.step, "arm": arm.arm, **_totals(arm.totals)} for arm in one.split_arms],
        "assignment": {
            "entered": dict(result.assignment.entered),
            "p": result.assignment.p_value,
            "p_at_each_look": result.assignment.sequential_p_value,
            "broken": result.assignment.broken,
            "suspicious": result.assignment.suspicious,
        },
        "guardrails": [
            {
                "name": each.name,
                "margin": each.margin,
                "difference": each.difference,
                "at_least": each.at_least,
                "at_most": each.at_most,
                "safety": each.safety.value,
            }
            for each in result.guardrails
        ],
        "power": {
            "today": outlook.power,
            "smallest_effect": outlook.smallest_effect,
            "needed": outlook.needed,
            "days_left": outlook.days_left,
        },
        "cost": None
        if result.cost is None
        else {
            "currency": "USD",
            "messages": round(100 * one.usd_for_messages),
            "minutes_of_work": one.minutes_of_work,
            "incremental_conversions": result.cost.incremental,
            "for_each": result.cost.each,
            "at_least": result.cost.at_least,
            "at_most": result.cost.at_most,
        },
        "days_to_goal": dict(one.days_to_goal),
        "other_journeys": [dict(row) for row in one.others],
    }


def _totals(arm: "ArmTotals") -> Json:
    return {
        "entered": arm.entered_total,
        "customers": arm.customers,
        "converted": arm.converted,
        "rate": arm.converted / arm.customers if arm.customers else None,
        "value": arm.value,
    }


def _difference(one: "Difference") -> Json:
    return {"estimate": one.estimate, "at_each_look": _interval(one.sequence), "at_one_look": _interval(one.fixed)}


def _interval(one: "Interval | None") -> list[float] | None:
    return None if one is None else [one.low, one.high]
