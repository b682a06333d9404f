"""Orders and refunds in events, as amounts in minor units."""

from datetime import datetime

from cairn.domain.journey.conditions import Scope, evaluate
from cairn.domain.lead.rules import Money
from cairn.domain.profile.lead import Spent
from cairn.domain.shared.currencies import currency_code, minor_units

NO_CURRENCY = "no currency"
NO_AMOUNT = "no amount"


def spent_by(money: Money, scope: Scope, at: datetime) -> tuple[str, Spent | str]:
    """The currency, and the order or refund; in its place the reason why it is none."""
    code = currency_code(evaluate(money.currency, scope))
    if not code:
        return "", NO_CURRENCY
    amount = minor_units(evaluate(money.amount, scope), code, major=money.major)
    if amount is None or (amount < 0 and not money.refund):
        return "", NO_AMOUNT
    refund = Spent(refunds=1, refunded=abs(amount))
    return code, refund if money.refund else Spent(1, amount, first=at, last=at)
