"""What one more conversion costs."""

from dataclasses import dataclass

from cairn.domain.measurement.difference import Difference
from cairn.domain.measurement.totals import ArmTotals, Costs


@dataclass(frozen=True, slots=True)
class CostPerConversion:
    """In minor units of the currency. An incremental conversion is one that there would not be without the journey."""

    spent: float
    """On the treated customers, less what as many customers of the holdout cost."""
    incremental: float
    """Conversions."""
    each: float | None
    """None where there is no further conversion to divide by."""
    at_least: float | None
    at_most: float | None
    """By the ends of the confidence sequence. None where that end has no further conversion: there is no bound."""


def cost_per_conversion(
    treated: ArmTotals, holdout: ArmTotals, costs: tuple[Costs, Costs], rates: Difference
) -> CostPerConversion | None:
    """The costs are of the treated customers and of the holdout, for the customers that the totals count."""
    if rates.estimate is None:
        return None
    spent = costs[0].total - costs[1].total * treated.customers / holdout.customers

    def each(effect: float | None) -> float | None:
        return spent / (effect * treated.customers) if effect is not None and effect > 0 else None

    ends = rates.sequence
    at_least, at_most = (each(ends.high), each(ends.low)) if ends else (None, None)
    return CostPerConversion(spent, rates.estimate * treated.customers, each(rates.estimate), at_least, at_most)
