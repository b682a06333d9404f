"""The questions to the log of facts: SQL that Athena and DuckDB both understand, one file each, on one table.

Instants are milliseconds since 1970, so that no function of dates is needed. Each file counts a fact once, however
often it came: by grouping on what it is about. Its first words, `asked`, name its parameters in their order.
"""

from functools import cache
from pathlib import Path

TABLE = "facts"

FOLDER = Path(__file__).parent / "sql"


@cache
def sql_of(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.sql"))
