"""All that is counted of a journey at one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cairn.domain.measurement.totals import ArmTotals, Costs, GuardrailTotals, SessionTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    treated: ArmTotals
    holdout: ArmTotals
    arms: Sequence[ArmTotals] = ()
    """Each arm of a split, or each version, by itself. All of them are treated customers."""
    sessions: tuple[SessionTotals, SessionTotals] | None = None
    """The treated customers and the holdout by enrollments."""
    guardrails: Sequence[GuardrailTotals] = ()
    costs: tuple[Costs, Costs] | None = None
    """Of the treated customers and of the holdout."""
    entering_per_day: float = 0
    """Customers who enter now, in both arms together."""
    counted_until: date | None = None
    """For a plan that looks once, on a date: the totals count the customers who were mature on this one."""

    @property
    def customers(self) -> int:
        return self.treated.customers + self.holdout.customers

    @property
    def entered_total(self) -> int:
        return self.treated.entered_total + self.holdout.entered_total
