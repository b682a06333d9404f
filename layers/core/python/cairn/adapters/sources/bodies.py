"""Reads the body of a request as JSON or as a form; its source says which, never the Content-Type."""

import json
from typing import Any, NoReturn
from urllib.parse import parse_qs

from cairn.domain.shared.errors import MalformedBodyError

FORM = "application/x-www-form-urlencoded"


def form_of(body: bytes) -> dict[str, list[str]]:
    """Every field with all its values."""
    return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)


def json_of(body: bytes) -> Any:
    """Whole numbers stay exact, however long. Raises MalformedBodyError."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise MalformedBodyError("the body is not JSON") from None


def _finite(text: str) -> float:
    number = float(text)
    return number if abs(number) < float("inf") else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"JSON has no {text}")
