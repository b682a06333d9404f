"""Watches files by asking for their times again and again: no library, and it works on every file system."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

SECONDS = 0.5
"""Between two looks: a person who saves a file has the answer at once."""

State = dict[Path, tuple[int, int]]


def changes(paths: Iterable[Path], *, sleep: Callable[[float], object] | None = None) -> Iterator[datetime]:
    """Yields at once, and after each change of a file or below a folder. A change while it is being handled counts."""
    watched = tuple(paths)
    before: State | None = None
    while True:
        now = state_of(watched)
        if now != before:
            yield datetime.now().astimezone()
        before = now
        (sleep or time.sleep)(SECONDS)


def state_of(paths: Iterable[Path]) -> State:
    """The time and the size of each file. A file that vanishes meanwhile is none."""
    found: State = {}
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else (path,):
            try:
                stat = file.stat()
            except OSError:
                continue
            if file.is_file():
                found[file] = (stat.st_mtime_ns, stat.st_size)
    return found
