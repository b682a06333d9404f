"""people.toml as people write it (docs/people.md): read, checked and compiled. Never runs in a function."""

from authoring.people.document import (
    FILE,
    InvalidPeopleError,
    check_people,
    compile_people,
    people_beside,
    write_people,
)
from authoring.problems import Problem

__all__ = [
    "FILE",
    "InvalidPeopleError",
    "Problem",
    "check_people",
    "compile_people",
    "people_beside",
    "write_people",
]
