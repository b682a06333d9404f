"""Chooses what is run: everything, or as much as a time allows, other parts each time."""

import hashlib
import os
import pickle
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from random import Random

from prove.attacks import Attack, outages, seeds, single_faults
from prove.stories import OtherwiseError, Reference, attacked, name_of, reference
from prove.verdict import Verdict

CHUNK = 120
"""Attacks for which a story is run once; it makes the parts small enough to share among processors."""
SHARES = {"faults": 0.6, "outages": 0.2, "seeds": 0.2}
"""Of a bounded run."""
SECONDS_A_STORY = 12
"""The least time that is worth it: a story is run twice before the first fault."""
LEAST = 5
"""Attacks on a story that are run even on a machine that is busy with other work."""
OVERTIME = 1.3
"""How much longer than planned a part may take."""

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build" / "proof"
"""Of the parts of a whole run, so that one that was stopped goes on where it was; a folder for each version."""
SOURCES = ("layers", "infra", "prove", "events", "playbooks", "requirements")

Result = tuple[Attack, Verdict]


@dataclass(frozen=True, slots=True)
class Part:
    """Some attacks on one story; with `seconds`, a sample that takes about so long."""

    story: Path
    attacks: tuple[Attack, ...] = ()
    seconds: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Explored:
    """What came of a part."""

    story: str
    calls: tuple[str, ...]
    """Every call of the story without faults, in words."""
    possible: int
    """How many attacks the story has, without seeds."""
    results: tuple[Result, ...]
    problem: str = ""
    seconds: float = 0.0
    """That one processor was at it."""


def whole(stories: Sequence[Path], seed_count: int, faults: frozenset[str] = frozenset()) -> Iterator[Explored]:
    """Every attack on every story, and so many seeds over all of them; with `faults`, each call with these alone.

    Parts that an earlier run of the same version has the results of are not run again.
    """
    each = -(-seed_count // max(1, len(stories)))
    results = RESULTS / version()
    with _pool() as pool:
        first = pool.imap_unordered(all_attacks, [(story, each, faults) for story in stories])
        parts = [part for several in first for part in several]
        yield from pool.imap_unordered(partial(explored_once, results), parts)


def version() -> str:
    """Of all that a result depends on: equal sources give equal results."""
    found = hashlib.sha256()
    for path in sorted(path for name in SOURCES for path in (ROOT / name).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def sample(stories: Sequence[Path], seconds: float, seed: int) -> Iterator[Explored]:
    """As much as the time allows of some of the stories; another seed explores other parts."""
    deadline = time.monotonic() + seconds
    left = list(stories)
    Random(f"stories/{seed}").shuffle(left)  # noqa: S311  a choice that can be made again
    workers = _processors()
    left = left[: max(workers, int(seconds * workers / SECONDS_A_STORY))]
    share = seconds * workers / max(1, len(left))
    with _pool() as pool:
        for found in pool.imap_unordered(
            _explore_until, [(Part(story, seconds=share, seed=seed), deadline) for story in left]
        ):
            if found is not None:
                yield found


def all_attacks(asked: tuple[Path, int, frozenset[str]]) -> list[Part]:
    story, seed_count, faults = asked
    base = reference(story)
    several = [one for one in single_faults(base.calls) if not faults or one.fault in faults]
    several += [] if faults else [*outages(base.calls), *seeds(0, seed_count)]
    return [Part(story, tuple(several[first : first + CHUNK])) for first in range(0, len(several), CHUNK)]


def _explore_until(asked: tuple[Part, float]) -> Explored | None:
    part, deadline = asked
    return None if time.monotonic() > deadline else _explore(part)


def explored_once(results: Path, part: Part) -> Explored:
    name = hashlib.sha256("\n".join(map(str, part.attacks)).encode()).hexdigest()[:16]
    path = results / f"{name_of(part.story)}-{name}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]  # noqa: S301  our own file
    found = _explore(part)
    if not found.problem:
        results.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(pickle.dumps(found))
        unfinished.replace(path)
    return found


def _explore(part: Part) -> Explored:
    began = time.monotonic()
    try:
        base = reference(part.story)
    except Exception as error:  # noqa: BLE001  of one story; the others go on
        return Explored(name_of(part.story), (), 0, (), f"{type(error).__name__}: {error}")
    took = time.monotonic() - began
    possible = [*single_faults(base.calls), *outages(base.calls)]
    chosen: Iterable[Attack] = part.attacks
    ends = float("inf")
    if part.seconds:
        chosen = _chosen(part, base, possible, took)
        ends = began + part.seconds * OVERTIME
    results: tuple[Result, ...] = ()
    problem = ""
    try:
        results = tuple(attacked(base, chosen, enough=lambda done: done >= LEAST and time.monotonic() > ends))
    except OtherwiseError as error:
        problem = str(error)
    calls, seconds = tuple(map(str, base.calls)), time.monotonic() - began
    return Explored(name_of(part.story), calls, len(possible), results, problem, seconds)


def _chosen(part: Part, base: Reference, possible: Sequence[Attack], took: float) -> list[Attack]:
    """So many that they take the part's time: a fork takes about a third of a story's time.

    More time chooses the same ones and further ones.
    """
    random = Random(f"{name_of(part.story)}/{part.seed}")  # noqa: S311  a choice that can be made again
    count = max(LEAST, int((part.seconds - 2 * took) / max(took / 3, 0.05)))
    by_kind = {
        "faults": [one for one in possible if one.kind == "faults"],
        "outages": [one for one in possible if one.kind == "outages"],
        "seeds": list(seeds(part.seed % 1_000_000 * 1000, max(1, int(count * SHARES["seeds"])))),
    }
    found: list[Attack] = []
    for kind, several in by_kind.items():
        if kind != "seeds":
            random.shuffle(several)
        found += several[: max(1, round(count * SHARES[kind]))]
    return sorted(found) if base.calls else []


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _pool() -> Pool:
    return get_context("fork").Pool(_processors())
