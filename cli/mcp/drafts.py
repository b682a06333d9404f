"""Files of a journey that an assistant writes: tried in a copy of the project, and written only where that is allowed.

A draft lies over the files that the journey has already. Nothing but a journey's own files can be written: no other
journey, no policy, no stamp of a preflight.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from authoring.problems import InvalidFilesError
from cairn.domain.shared.errors import CairnError

Files = Mapping[str, str]
"""The text of each file, by its path in the journey's folder."""

MOST_FILES = 100
MOST_BYTES = 256 * 1024
"""Of one file. The largest template is a tenth of it."""

PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
DEPTH = 3
ENDINGS = frozenset({".css", ".html", ".ics", ".json", ".md", ".mjml", ".txt", ".yaml"})


class InvalidDraftError(CairnError):
    """Files that are no draft of a journey; nothing was written."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of journeys with the files that a check reads beside it."""

    journeys: Path
    policy: Path
    configuration: Path

    def names(self) -> list[str]:
        return sorted(one.parent.name for one in self.journeys.glob("*/journey.yaml"))

    def files(self, journey: str) -> dict[str, str]:
        """The files of a journey, without what links lead to outside its folder. Raises InvalidDraftError."""
        return files_in(self._existing(self._folder(journey)))

    @contextmanager
    def with_draft(self, journey: str, draft: Files) -> Iterator[Path]:
        """The journey's folder; for a draft, in a copy that has its files too. Without a name: that of all journeys.

        Raises InvalidDraftError, also for what the block finds wrong with the files.
        """
        if not draft:
            yield self._existing(self._folder(journey)) if journey else self.journeys
            return
        check_draft(draft)
        name = self._folder(journey).name
        with TemporaryDirectory(prefix="cairn-draft-") as made:
            copy = Path(made).resolve() / "journeys"
            if self.journeys.is_dir():
                shutil.copytree(self.journeys, copy)
            write_files(copy / name, draft)
            try:
                yield self._existing(copy / name)
            except InvalidFilesError as error:
                raise InvalidDraftError(without_root(str(error), copy)) from error

    def write(self, journey: str, draft: Files) -> list[str]:
        """Write a draft's files below the folder of journeys, and list their paths. Raises InvalidDraftError."""
        check_draft(draft)
        folder = self._folder(journey)
        write_files(folder, draft)
        return [str(Path(self.journeys.name, folder.name, name)) for name in sorted(draft)]

    def _folder(self, journey: str) -> Path:
        from authoring.journeys.values import SLUG  # noqa: PLC0415  slow to import

        if not SLUG.fullmatch(journey):
            raise InvalidDraftError(f'"{journey}" is no name: lower-case letters, digits and -, a letter first')
        return self.journeys / journey

    def _existing(self, folder: Path) -> Path:
        if not (folder / "journey.yaml").is_file():
            there = ", ".join(self.names()) or "none"
            raise InvalidDraftError(f"there is no journey {folder.name} in {self.journeys.name}; there are: {there}")
        return folder


def example(name: str) -> dict[str, str]:
    """The files with which `cairn new` begins a journey."""
    from authoring.journeys.catalogue import FILE  # noqa: PLC0415  slow to import
    from authoring.journeys.new import SCHEMA_LINE, begin_journey  # noqa: PLC0415

    with TemporaryDirectory(prefix="cairn-draft-") as made:
        begin_journey(Path(made) / name, schema=Path(made) / "journey.schema.json")
        found = files_in(Path(made) / name)
    return found | {FILE: SCHEMA_LINE.sub("", found[FILE])}


def files_in(folder: Path) -> dict[str, str]:
    """The text files below a folder, by path; a link that leads out of it, and a file that is not text, is left out."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size <= MOST_BYTES and path.resolve().is_relative_to(folder.resolve()):
            try:
                found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return found


def check_draft(draft: Files) -> None:
    """Raises InvalidDraftError with every file that cannot be a part of a journey."""
    from authoring.journeys.stamp import FILE as STAMP  # noqa: PLC0415  slow to import

    problems = [f"{name}: {problem}" for name, text in draft.items() if (problem := _problem(name, text, STAMP))]
    if len(draft) > MOST_FILES:
        problems.append(f"{len(draft)} files: a journey has {MOST_FILES} at most")
    if problems:
        raise InvalidDraftError("\n".join(problems))


def _problem(name: str, text: str, stamp: str) -> str:
    parts = name.split("/")
    if len(parts) > DEPTH or not all(PART.fullmatch(one) for one in parts):
        return "name a file of the journey's folder, such as journey.yaml or templates/welcome.email.html"
    if name == stamp:
        return "`cairn preflight` writes this file, and nobody else"
    if Path(name).suffix not in ENDINGS:
        return f"a journey has files that end in {', '.join(sorted(ENDINGS))}"
    if len(text.encode()) > MOST_BYTES:
        return f"it is larger than {MOST_BYTES:,} bytes"
    return ""


def write_files(folder: Path, draft: Files) -> None:
    """Raises InvalidDraftError, and then writes nothing, where a link leads out of the folder."""
    own = folder.parent.resolve() / folder.name
    for name in draft:
        if not (folder / name).resolve().is_relative_to(own):
            raise InvalidDraftError(f"{name}: a link leads out of the journey's folder")
    for name, text in draft.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def without_root(text: str, root: Path) -> str:
    """A problem's text, with paths from the folder of journeys on."""
    return text.replace(f"{root.parent}{os.sep}", "")
