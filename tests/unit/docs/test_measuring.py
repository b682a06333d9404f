"""The example of docs/measuring.md prints what the page shows. `UPDATE_DOCS=1 make test` updates it in the page."""

import os
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from cairn.domain.measurement.assignment import LOUD
from cairn.domain.measurement.boundaries import always, once
from cairn.domain.measurement.means import LEAST_EFFECTIVE
from cairn.domain.measurement.plan import DEFAULT_ALPHA, DEFAULT_TUNED_AT
from cairn.domain.measurement.rates import LEAST_EXPECTED
from cairn.domain.measurement.verdict import Outcome

PAGE = Path(__file__).parents[3] / "docs" / "measuring.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"^```python\n(?P<code>.*?)^```\n\n(?P<between>.*?)^```\n(?P<printed>.*?)^```$", re.DOTALL | re.MULTILINE
)


def test_the_example_prints_what_the_page_shows() -> None:
    (example,) = EXAMPLE.finditer(TEXT)

    with redirect_stdout(StringIO()) as out:
        exec(compile(example["code"], PAGE.name, "exec"), {})  # noqa: S102  our own page

    printed = out.getvalue()
    if os.environ.get("UPDATE_DOCS"):
        start, end = example.span("printed")
        PAGE.write_text(TEXT[:start] + printed + TEXT[end:], encoding="utf-8")
        return
    assert printed == example["printed"]


def test_the_page_explains_each_verdict_in_a_row() -> None:
    shown = re.findall(r"^\| `(.+?)` \|", TEXT, re.MULTILINE)
    begins = {
        Outcome.ASSIGNMENT_BROKEN: "assignment is broken",
        Outcome.GUARDRAIL_BROKEN: "a guardrail is broken",
        Outcome.TOO_EARLY: "too early",
        Outcome.WORKS: "works",
        Outcome.HARMS: "harms",
        Outcome.NO_EFFECT: "no effect",
    }

    assert {outcome for outcome in Outcome if any(row.startswith(begins[outcome]) for row in shown)} == set(Outcome)


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    words = " ".join(TEXT.split())

    assert f"can expect {LEAST_EXPECTED} goals" in words
    assert f"worth {LEAST_EFFECTIVE} customers of equal value" in words
    assert f"below {LOUD}" in words
    width = always(DEFAULT_ALPHA, DEFAULT_TUNED_AT, DEFAULT_TUNED_AT) / once(DEFAULT_ALPHA)
    assert 1.45 < width < 1.6
    assert "half as much again" in words
