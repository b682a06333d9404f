"""docs/data.md: its tables are those of the code. `UPDATE_DOCS=1` writes them anew."""

import ast
import inspect
import os
import re
from pathlib import Path

from cairn.domain.measurement import facts
from cairn.domain.measurement.facts import COLUMNS, KINDS, LoggedFact

PAGE = Path(__file__).parents[3] / "docs" / "data.md"
TYPES = {int: "bigint", str: "string"}


def described() -> dict[str, str]:
    """The text below each field of a line."""
    (line,) = (one for one in ast.parse(inspect.getsource(facts)).body if getattr(one, "name", "") == "LoggedFact")
    assert isinstance(line, ast.ClassDef)
    found, last = dict.fromkeys(COLUMNS, ""), ""
    for one in line.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            last = one.target.id
        elif last and isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
            found[last] = " ".join(str(one.value.value).split())
    return found


def columns() -> str:
    rows = [f"| `{name}` | {TYPES[COLUMNS[name]]} | {text} |" for name, text in described().items()]
    return "\n".join(["| column | type | |", "|---|---|---|", *rows])


def kinds() -> str:
    rows = [f"| `{name}` | {stored} | {text} |" for name, (stored, text) in KINDS.items()]
    return "\n".join(["| kind | stored | |", "|---|---|---|", *rows])


def test_the_page_has_the_columns_and_kinds_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    wanted = page
    for name, table in (("columns", columns()), ("kinds", kinds())):
        block = f"<!-- {name} -->\n\n{table}\n\n<!-- end of {name} -->"
        wanted = re.sub(rf"<!-- {name} -->.*<!-- end of {name} -->", lambda _, own=block: own, wanted, flags=re.DOTALL)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(wanted, encoding="utf-8")
        return

    assert page == wanted
    assert LoggedFact("a", 1, "event").wire() == {"id": "a", "at_ms": 1, "kind": "event"}
