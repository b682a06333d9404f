"""Writes JMESPath: values, names, and what is made of them."""

import json
import re
from collections.abc import Iterable

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PLAIN_TEXT = re.compile(r"[^'\\\x00-\x1f]*")

TRUE, FALSE = "`true`", "`false`"


def text(value: str) -> str:
    """A text: in single quotes, or as JSON where it has some itself."""
    return f"'{value}'" if PLAIN_TEXT.fullmatch(value) else _literal(json.dumps(value, ensure_ascii=False))


def number(value: float) -> str:
    whole = value.is_integer() and abs(value) < 10**15  # exact as a float
    return _literal(json.dumps(int(value) if whole else value))


def field(root: str, name: str) -> str:
    """`profile.plan`, or `profile."favourite colour"`."""
    return f"{root}.{name if PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)}"


def any_of(expressions: Iterable[str]) -> str:
    return _joined(expressions, " || ", FALSE)


def all_of(expressions: Iterable[str]) -> str:
    return _joined((one for one in expressions if one != TRUE), " && ", TRUE)


def negated(expression: str) -> str:
    return {TRUE: FALSE, FALSE: TRUE}.get(expression, f"!({expression})")


def _joined(expressions: Iterable[str], operator: str, none: str) -> str:
    each = list(dict.fromkeys(expressions))
    if len(each) <= 1:
        return each[0] if each else none
    return operator.join(f"({one})" if "&&" in one or "||" in one else one for one in each)


def _literal(document: str) -> str:
    return "`" + document.replace("`", r"\`") + "`"
