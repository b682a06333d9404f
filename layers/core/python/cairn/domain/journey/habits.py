"""Habits of other languages in expressions, and what is written instead."""

import re

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


def of_expression(expression: str) -> str:
    """What to write instead in an expression that cannot be read; empty where no habit is known."""
    plain = LITERAL.sub("''", expression)
    return " ".join(dict.fromkeys(fix for shape, fix in IN_EXPRESSIONS if shape.search(plain)))
