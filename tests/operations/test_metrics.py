"""docs/operations.md names every metric that the functions write, and docs/runbook.md every outcome for a person."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cairn import telemetry

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("| metric |")[2].partition("\n\n")[0]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SOURCES = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers" / "core" / "python" / "cairn").rglob("*.py")]


def first_arguments(*functions: str) -> Iterator[ast.expr]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
                yield node.args[0]


def texts(*functions: str) -> set[str]:
    """Texts that are given as they are, or one of two."""
    found = [one for argument in first_arguments(*functions) for one in ast.walk(argument)]
    return {
        one.value for one in found if isinstance(one, ast.Constant) and re.fullmatch(r"[A-Z]\w*[a-z]", str(one.value))
    }


def telemetry_constants() -> Iterator[str]:
    """The names that alarms and functions share."""
    for name, value in vars(telemetry).items():
        if name.isupper() and isinstance(value, str) and value != telemetry.NAMESPACE:
            yield value


def test_the_page_names_every_metric() -> None:
    named = texts("count", "measure", "need_person") | set(telemetry_constants())

    assert {"EventDuplicate", "MessageHandled", "DeadLettered"} <= named
    assert {one for one in named if not re.search(rf"\b{one}\b", TABLE)} == set()


def test_the_runbook_has_a_row_for_every_outcome_that_needs_a_person() -> None:
    outcomes = texts("need_person")

    assert {"Stuck", "BreakerTripped"} <= outcomes
    assert {one for one in outcomes if f"| {one} |" not in RUNBOOK} == set()


def test_every_log_line_that_the_runbook_quotes_is_written_somewhere() -> None:
    quoted = {one.lower() for one in re.findall(r'"([A-Za-z]+(?: [a-z]+){2,})"', RUNBOOK)}
    sources = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)

    assert len(quoted) > 5
    assert {one for one in quoted if one not in sources} == set()
