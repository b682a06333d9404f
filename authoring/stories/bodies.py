"""The bodies of posts: of the file or its own, with its changes, and with the post's instant."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from authoring.sources.samples import sample_named
from authoring.stories.models import Post
from cairn.domain.shared.instants import duration, instant_to_wire

TOKEN = re.compile(r"\$(at|epoch_ms|epoch)(?:([+-])(\w+))?")
LONG_TEXT = re.compile(r"\$text:(\d+)")


def file_of(path: Path, post: Post) -> Path | None:
    """The file that has the body of a post of the story at `path`, where it is not the story itself."""
    if post.sample:
        return sample_named(f"{post.source}/{post.sample}")
    return None if post.file is None else path.parent / post.file


def body_of(path: Path, post: Post, at: datetime) -> Any:
    """The body of a post of the story at `path`.

    Raises OSError where its file cannot be read, ValueError where something in it cannot be understood, and LookupError
    or TypeError where a path of `set` leads nowhere.
    """
    file = file_of(path, post)
    document = post.event if file is None else json.loads(file.read_text(encoding="utf-8"))
    document = json.loads(json.dumps(document, default=str))
    for path_in_document, value in post.set.items():
        _set(document, path_in_document.split("."), json.loads(json.dumps(value, default=str)))
    return fill_instants(document, at)


def _set(document: Any, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        document = document[int(name)] if isinstance(document, list) else document.setdefault(name, {})
    if isinstance(document, list):
        document[int(path[-1])] = value
    else:
        document[path[-1]] = value


def fill_instants(value: Any, at: datetime) -> Any:
    """`$at`, `$epoch`, `$epoch_ms`, and each with an offset (`$at+48h`, `$epoch-3600`) become the post's instant.

    `$text:300000` becomes a text of so many characters. Raises ValueError where an offset is no length of time.
    """
    if isinstance(value, dict):
        return {name: fill_instants(one, at) for name, one in value.items()}
    if isinstance(value, list):
        return [fill_instants(one, at) for one in value]
    if isinstance(value, str) and (long := LONG_TEXT.fullmatch(value)):
        return ("All of it, word for word. " * (int(long[1]) // 27 + 1))[: int(long[1])]
    match = TOKEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    kind, sign, offset = match.groups()
    length = timedelta() if not offset else timedelta(seconds=int(offset)) if offset.isdigit() else duration(offset)
    instant = at - length if sign == "-" else at + length
    seconds = int(instant.timestamp())
    return {"at": instant_to_wire(instant), "epoch": seconds, "epoch_ms": seconds * 1000}[kind]
