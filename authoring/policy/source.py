"""A TOML file: its values, and the line of each."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authoring.problems import Loc, Problem, dotted

TABLE = re.compile(r"\[(?P<many>\[)?(?P<name>[\w.-]+)\]")
KEY = re.compile(r"(?P<name>[\w-]+) *=")


@dataclass(frozen=True)
class Source:
    file: Path
    data: Mapping[str, Any]
    lines: Mapping[Loc, int]
    broken: frozenset[Loc] = frozenset()
    """Tables and rows with problems of their shape: no further checks run on them."""

    def rows(self, table: str) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
        """The rows of a table without problems, each with its path."""
        if (table,) not in self.broken:
            for index, row in enumerate(self.data.get(table, ())):
                if (table, index) not in self.broken:
                    yield (table, index), row

    def problem(self, loc: Loc, message: str, fix: str) -> Problem:
        line = next((self.lines[loc[:end]] for end in range(len(loc), 0, -1) if loc[:end] in self.lines), 1)
        return Problem(self.file, line, "", dotted(loc), message, fix)


def read_toml(file: Path, page: str = "docs/policy.md") -> Source | Problem:
    """The content of a file, or the problem that keeps it from being read."""
    try:
        text = file.read_text(encoding="utf-8")
        return Source(file, tomllib.loads(text), _lines(text))
    except FileNotFoundError:
        return Problem(file, 1, "", "", "this file is missing", f"Write it; {page} says how.")
    except UnicodeDecodeError:
        return Problem(file, 1, "", "", "this file is not UTF-8", "Save it as UTF-8.")
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        fix = "Text stands in quotes, and a table begins with its [name] or, where there are several, [[name]]."
        return Problem(file, int(line[1]) if line else 1, "", "", f"not TOML: {error}", fix)


def _lines(text: str) -> dict[Loc, int]:
    """The first line of each table and key. Parts of a value have the value's line."""
    lines: dict[Loc, int] = {}
    table: Loc = ()
    counts: dict[Loc, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := TABLE.match(line):
            table = ()
            for part in header["name"].split("."):  # of a table of several, below the last of them
                table += (part, counts[*table, part] - 1) if (*table, part) in counts else (part,)
            if header["many"]:
                name = table[:-1] if isinstance(table[-1], int) else table
                table = (*name, counts.setdefault(name, 0))
                counts[name] += 1
            for end in range(1, len(table) + 1):
                lines.setdefault(table[:end], number)
        elif key := KEY.match(line):
            lines[*table, key["name"]] = number
    return lines
