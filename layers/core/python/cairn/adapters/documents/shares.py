"""Shares of customers or of messages, as documents write them."""


def share(value: float | str) -> float:
    """A fraction from `0.1` or `10%`. Raises ValueError."""
    text = str(value)
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)
