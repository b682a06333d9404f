"""How many decimals an amount of money has.

https://www.six-group.com/en/products-services/financial-information/data-standards.html (ISO 4217, list one)
"""

NO_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def decimals_of(currency: str) -> int:
    """By its ISO 4217 code, in any case; two where the code is unknown."""
    code = currency.upper()
    return 0 if code in NO_DECIMALS else 3 if code in THREE_DECIMALS else 2
