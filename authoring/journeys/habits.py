"""Habits of other languages, and what a journey writes instead."""

import re
from collections.abc import Mapping

LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`""")

IN_EXPRESSIONS = tuple(
    (re.compile(shape), fix)
    for shape, fix in (
        (r"\{[{%]|\$", "An expression stands by itself, without braces or $: data.amount."),
        (r"[\u2018\u2019\u201c\u201d]", "Text stands in 'straight quotes'."),
        (r"(?<![=!<>])=(?![=>])|===|\bis\b", "Equal is written ==."),
        (r"=>", "At least is written >=."),
        (r"<>", "Unequal is written !=."),
        (r"(?i:\band\b)", "And is written &&."),
        (r"(?i:\bor\b)", "Or is written ||."),
        (r"(?i:\bnot\b)", "Not is written !, such as !seen('app.opened')."),
        (r"\bin\b", "Ask for a value of a list by contains(profile.tags, 'vip')."),
        (r"\[\s*''\s*\]", 'A field is written data.plan, or data."first name" where its name is unusual.'),
        (r"^\d{4}-", "A date is one of the customer's data: data.visit_at."),
        (r"[A-Za-z_]-\w", 'A name with a hyphen stands in double quotes: data."first-name".'),
        (r"[\w)\]'] *[+*/%] *[\w('-]| - ", "An expression cannot calculate: send the figure with the event."),
        (r"(?:^|[=<>(,]|&&|\|\|) *-?\d(?!\d+-)", "A number stands in backticks: `5`."),
    )
)

IN_ORDER = "Steps follow one another: put what is to follow into `then` or `else`, or end with `exit`."

INSTEAD_OF_KEYS: Mapping[str, str] = {
    "goto": IN_ORDER,
    "go_to": IN_ORDER,
    "jump": IN_ORDER,
    "next": IN_ORDER,
    "version": "Leave it out: the version is the hash of the journey's content.",
}

IN_TEMPLATES = frozenset({"subject", "preview", "title", "body", "text", "message"})

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "name": ("journey", "arm", "id"),
    "trigger": ("entry",),
    "on": ("entry", "event"),
    "start": ("entry",),
    "if": ("where", "branch"),
    "when": ("where", "if", "branch"),
    "condition": ("where", "if", "branch"),
    "filter": ("where",),
    "switch": ("branch",),
    "delay": ("wait",),
    "sleep": ("wait",),
    "pause": ("wait",),
    "email": ("send",),
    "sms": ("send",),
    "message": ("send",),
    "experiment": ("split",),
    "loop": ("repeat",),
    "while": ("repeat",),
    "end": ("exit",),
    "stop": ("exit",),
    "within": ("timeout",),
    "do": ("then",),
}
"""Of keys: the ones that are meant, where there is such a key."""


def of_expression(expression: str) -> str:
    """What to write instead in an expression that cannot be read; empty where no habit is known."""
    plain = LITERAL.sub("''", expression)
    return " ".join(dict.fromkeys(fix for shape, fix in IN_EXPRESSIONS if shape.search(plain)))


def of_key(name: str, known: Mapping[str, str]) -> str:
    """What to write instead of a key that there is not; empty where no habit is known."""
    if name in IN_TEMPLATES and "template" in known:
        return "Write it in the template's file."
    meant = next((one for one in OTHER_NAMES.get(name, ()) if one in known), "")
    return INSTEAD_OF_KEYS.get(name, "") or (f"Write {meant}." if meant else "")
