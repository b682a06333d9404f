"""Amounts of money in minor units, and how many decimals each currency has.

https://www.six-group.com/en/products-services/financial-information/data-standards.html (ISO 4217, list one)
"""

from decimal import Decimal, InvalidOperation
from typing import Any

MOST = 10**15
"""Minor units of one order: JSON's readers know whole numbers up to 2^53."""

CODE_LENGTH = 3
"""Of an ISO 4217 code."""

NO_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def decimals_of(currency: str) -> int:
    """By its ISO 4217 code, in any case; two where the code is unknown."""
    code = currency.upper()
    return 0 if code in NO_DECIMALS else 3 if code in THREE_DECIMALS else 2


def currency_code(value: Any) -> str:
    """The ISO 4217 code, in upper case; empty for what is none."""
    is_code = isinstance(value, str) and len(value) == CODE_LENGTH and value.isascii() and value.isalpha()
    return value.upper() if is_code else ""


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
