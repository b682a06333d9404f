"""Orders and refunds in events, as amounts in minor units."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cairn.domain.journey.conditions import Scope, evaluate
from cairn.domain.lead.rules import Money
from cairn.domain.profile.lead import Spent
from cairn.domain.shared.currencies import decimals_of

MOST = 10**15
"""Minor units of one order: JSON's readers know whole numbers up to 2^53."""

CODE_LENGTH = 3
"""Of an ISO 4217 code."""

NO_CURRENCY = "no currency"
NO_AMOUNT = "no amount"


def spent_by(money: Money, scope: Scope, at: datetime) -> tuple[str, Spent | str]:
    """The currency, and the order or refund; in its place the reason why it is none."""
    currency = evaluate(money.currency, scope)
    if not isinstance(currency, str) or len(currency) != CODE_LENGTH or not (currency.isascii() and currency.isalpha()):
        return "", NO_CURRENCY
    amount = minor_units(evaluate(money.amount, scope), currency, major=money.major)
    if amount is None or (amount < 0 and not money.refund):
        return "", NO_AMOUNT
    refund = Spent(refunds=1, refunded=abs(amount))
    return currency.upper(), refund if money.refund else Spent(1, amount, first=at, last=at)


def minor_units(value: Any, currency: str, *, major: bool) -> int | None:
    """An amount in minor units; None for what is no amount. `major`: the value is in whole units, such as 12.50."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        amount = Decimal(str(value).strip()).scaleb(decimals_of(currency) if major else 0)
    except (InvalidOperation, ValueError):  # also more digits than Python converts
        return None
    if not amount.is_finite() or abs(amount) > MOST:
        return None
    whole = int(amount.to_integral_value())
    return whole if major or whole == amount else None
