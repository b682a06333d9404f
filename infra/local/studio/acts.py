"""What came from outside, and when: enough to live through it again, and to write it down as a story."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from infra.local.deployment import LocalDeployment

CALLS = frozenset({"request", "visit", "manage", "open_console", "feedback", "fill_audiences"})
"""The methods of LocalDeployment that something from outside calls."""

ACTS, CLOCK = "acts.jsonl", "clock.json"
"""The files of a folder of state: one act a line, and where the time is."""


class StateError(CairnError):
    """A folder of state cannot be read."""


@dataclass(frozen=True, slots=True)
class Act:
    at: datetime
    call: str
    given: Mapping[str, Any]

    def do(self, deployment: LocalDeployment) -> None:
        """Let it happen in a deployment whose time it is."""
        getattr(deployment, self.call)(**self.given)

    def to_json(self) -> str:
        given = {name: _text(one) if isinstance(one, bytes) else one for name, one in self.given.items()}
        return json.dumps({"at": instant_to_wire(self.at), "call": self.call, "given": given})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError, KeyError or TypeError."""
        document = json.loads(text)
        if document["call"] not in CALLS:
            raise ValueError(document["call"])
        given = dict(document["given"])
        if document["call"] not in {"feedback", "fill_audiences"}:
            given["body"] = given["body"].encode("utf-8", "surrogateescape")
        return cls(instant_from_wire(document["at"]), document["call"], given)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Base:
    """What a run begins with: an instant, and a story if it is one."""

    starts: datetime
    story: Path | None = None


@dataclass(slots=True)
class State:
    """A run: its base, the acts that were added to it, and where the time is. In memory, or also in a folder."""

    folder: Path | None = None
    base: Base | None = None
    acts: list[Act] = field(default_factory=list)
    now: datetime | None = None

    @classmethod
    def of(cls, folder: Path | None) -> Self:
        """The state of a folder, which is made where there is none. Raises StateError."""
        found = cls(folder)
        if folder is None:
            return found
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if (folder / CLOCK).exists():
                clock = json.loads((folder / CLOCK).read_bytes())
                found.base = Base(instant_from_wire(clock["starts"]), Path(clock["story"]) if clock["story"] else None)
                found.now = instant_from_wire(clock["now"])
                whole = (
                    (folder / ACTS).read_text(encoding="utf-8").split("\n")[:-1]
                )  # a last one without its end is cut
                found.acts = [Act.from_json(one) for one in whole]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise StateError(
                f"{folder} has no state of a studio that can be read ({error}): remove it, or name another folder"
            ) from error
        return found

    def begin(self, base: Base, acts: Iterable[Act] = ()) -> None:
        """Another run. The files of the one before are replaced."""
        self.base, self.acts, self.now = base, list(acts), base.starts
        if self.folder is not None:
            _write(self.folder / ACTS, "".join(f"{one.to_json()}\n" for one in self.acts))
            self._write_clock()

    def add(self, act: Act) -> None:
        """Before it is done: a studio that is killed meanwhile does it at its next start."""
        self.acts.append(act)
        if self.folder is not None:
            with (self.folder / ACTS).open("a", encoding="utf-8") as file:
                file.write(f"{act.to_json()}\n")

    def moved(self, now: datetime) -> None:
        if now != self.now:
            self.now = now
            self._write_clock()

    def _write_clock(self) -> None:
        if self.folder is not None and self.base is not None and self.now is not None:
            story = str(self.base.story) if self.base.story else None
            clock = {"starts": instant_to_wire(self.base.starts), "story": story, "now": instant_to_wire(self.now)}
            _write(self.folder / CLOCK, json.dumps(clock) + "\n")


def in_order(acts: Sequence[Act]) -> list[Act]:
    """By their instants. After the slider went back, an act of an earlier instant was added later."""
    return sorted(acts, key=lambda one: one.at)


def _write(file: Path, text: str) -> None:
    """All of it or nothing, for its owner alone: it has what customers were said to be called."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    new.touch(0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(file)
